"""A body on its way: stored and hashed while more of it comes."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import cast

import anyio
import anyio.abc
from anyio.lowlevel import checkpoint
from attrs import define


@asynccontextmanager
async def together() -> AsyncGenerator[anyio.abc.TaskGroup]:
    """Open a task group; an error that is alone is raised without a group around it."""
    with _plain():
        async with anyio.create_task_group() as tasks:
            yield tasks


async def leave(
    tasks: anyio.abc.TaskGroup,
    exc_type: type[BaseException] | None,
    exc: BaseException | None,
    traceback: TracebackType | None,
) -> bool | None:
    """Cancel the tasks of a group that was entered by hand, and wait for them.

    What the block itself raised goes its own way; what a task raised is raised here, without a
    group around it if it is alone. Only a cancellation is handed to the group: it may be its own.
    """
    tasks.cancel_scope.cancel()
    cancelled = isinstance(exc, anyio.get_cancelled_exc_class())
    passed = (exc_type, exc, traceback) if cancelled else (None, None, None)
    with _plain():
        swallow = await tasks.__aexit__(*passed)
        return swallow if cancelled else None


@contextmanager
def _plain() -> Generator[None]:
    """Let an error that is alone out without a group around it."""
    try:
        yield
    except BaseExceptionGroup as group:
        alone = _alone(group)
        raise alone from alone.__cause__


def _alone(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return an error without the groups around it, if it is the only one in them."""
    only, *others = group.exceptions
    if others:
        return group
    if not isinstance(only, BaseExceptionGroup):
        return only
    return _alone(cast("BaseExceptionGroup[BaseException]", only))


Read = Callable[[memoryview], Awaitable[int]]
"""Fills a buffer with what is there and returns how many bytes: 0 at the end."""
Consume = Callable[[memoryview], Awaitable[None]]
"""Stores or hashes some bytes; they stay as they are until it returns."""
_RING = 8 * 1024 * 1024
"""Bytes that wait to be consumed, at the most; half as many are consumed in one call."""
_WORTH_CONSUMING = 64 * 1024
"""Bytes for which it is worth to start a consumer."""
_SMALL = 128 * 1024
"""Bytes that come sooner than it is worth to consume some of them meanwhile."""
_HEAD_START = 2
"""Rounds of the event loop that pass between a consumer's progress and the next read.

A consumer's task that has finished a span needs a round to hand the next one to its thread. If the
reader, which waited for room, read at once, it would first empty the socket, and the threads would
be idle while it copies some MiB. With this head start, they work while it reads.
"""


@define(eq=False)
class _Consumer:
    """One that consumes the bytes, and how far it has come."""

    consume: Consume
    consumed: int = 0
    is_busy: bool = False


class Pipeline:
    """Consumes a body while more of it comes: each consumer at its own speed, in order.

    The bytes are read into a ring buffer, straight from the socket, and consumed from there: they
    are never copied, and a large file takes no more memory than the ring. A consumer may be behind
    by a ring's length before reading waits for it, so that a slow disk does not hold back hashing,
    nor one slow write the network. It runs in a task of its own while there is enough for it, and
    none is started for less: a small file is consumed when all of it is there.
    """

    def __init__(self, consumers: Iterable[Consume], size: int | None) -> None:
        """Take what consumes the bytes, and how many will come, where that is known."""
        # With room for a byte more than will come, the end is seen before the ring is full.
        self._length = _RING if size is None else min(_RING, size + 1)
        self._ring = memoryview(bytearray(self._length))
        self._consumers = [_Consumer(one) for one in consumers]
        self._tasks: anyio.abc.TaskGroup | None = None
        self._came = 0
        self._progress = anyio.Event()
        self._error: Exception | None = None

    async def run(self, read: Read) -> None:
        """Consume a body to its end, or to where it breaks off: what came until then is consumed.

        Raises:
            Exception: What reading or the first consumer to fail raised.
        """
        if self._length <= _SMALL:
            await self._run(read)
            return
        async with together() as self._tasks:
            await self._run(read)

    async def _run(self, read: Read) -> None:
        try:
            while received := await read(await self._free()):
                self._came += received
                self._start_consumers()
        except Exception:
            await self._finish()
            raise
        await self._finish()

    def _start_consumers(self) -> None:
        """Let those consume in the background for whom it is worth it."""
        for one in self._consumers:
            if self._tasks and not one.is_busy and self._left(one) >= _WORTH_CONSUMING:
                one.is_busy = True
                self._tasks.start_soon(self._consume_on, one)

    def _left(self, consumer: _Consumer) -> int:
        return self._came - consumer.consumed

    @property
    def _waiting(self) -> int:
        """How many bytes are still needed by a consumer."""
        return self._came - min(one.consumed for one in self._consumers)

    @property
    def _is_consuming(self) -> bool:
        return any(one.is_busy for one in self._consumers)

    async def _free(self) -> memoryview:
        """Return where the next bytes may go, when there is room."""
        while self._error or self._waiting == self._length:
            is_under_way = self._error or self._is_consuming
            await (self._progressed() if is_under_way else self._consume_rest())
        return self._span(self._came, self._length - self._waiting)

    def _span(self, start: int, length: int) -> memoryview:
        """Return what follows a place in the ring in one piece: up to the ring's end at most."""
        start %= self._length
        return self._ring[start : start + length]

    async def _consume_on(self, consumer: _Consumer) -> None:
        """Consume what came as long as it is worth it: also while the host sends nothing."""
        try:
            # `_consume_next` keeps the error, and it is raised where the bytes are read.
            with suppress(Exception):
                while self._left(consumer) >= _WORTH_CONSUMING:
                    await self._consume_next(consumer)
        finally:
            consumer.is_busy = False
            self._progress.set()

    async def _consume_next(self, consumer: _Consumer) -> None:
        # Half a ring at most: the other half can be filled meanwhile.
        span = self._span(consumer.consumed, min(self._left(consumer), _RING // 2))
        try:
            await consumer.consume(span)
        except Exception as error:
            self._error = error
            raise
        consumer.consumed += len(span)
        self._progress.set()

    async def _progressed(self) -> None:
        """Wait until some more is consumed, or nothing more will be."""
        if self._is_consuming:
            self._progress = anyio.Event()
            await self._progress.wait()
            for _ in range(_HEAD_START):
                await checkpoint()
        if self._error is not None:
            raise self._error

    async def _consume_rest(self) -> None:
        for one in self._consumers:
            while self._left(one):
                await self._consume_next(one)

    async def _finish(self) -> None:
        """Have all of it consumed."""
        while self._error or self._is_consuming:
            await self._progressed()
        await self._consume_rest()

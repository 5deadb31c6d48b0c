"""A body on its way: what came is stored and hashed while what is behind it still comes."""

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
    told = (exc_type, exc, traceback) if cancelled else (None, None, None)
    with _plain():
        swallow = await tasks.__aexit__(*told)
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
"""Fills a buffer with what is there and returns how much: 0 at the end."""
Take = Callable[[memoryview], Awaitable[None]]
"""Takes some bytes; they stay as they are until it returns."""
_RING = 8 * 1024 * 1024
"""Bytes that wait to be taken, at the most; half as many are taken in one go."""
_WORTH_TAKING = 64 * 1024
"""Bytes for which it is worth to begin with taking."""
_SMALL = 128 * 1024
"""Bytes that come sooner than it is worth to take some of them meanwhile."""


async def pour(read: Read, takes: Iterable[Take], size: int | None) -> None:
    """Take a body to its end, or to where it breaks off: what came until then is taken.

    Args:
        read: Where the bytes come from.
        takes: What takes each of the bytes, in order; none waits for another, as long as it does
            not fall so far behind that there is no room to read on.
        size: How many will come, where that is known.
    """
    # With room for a byte more than will come, the end is seen before the ring is full.
    length = _RING if size is None else min(_RING, size + 1)
    if length <= _SMALL:
        await _Intake(takes, None, length).pour(read)
        return
    async with together() as tasks:
        await _Intake(takes, tasks, length).pour(read)


_HEAD_START = 2
"""Rounds of the loop in which the threads that take bytes are at work, before more are read: the
system takes its time to hand over what has come meanwhile."""


@define(eq=False)
class _Taker:
    """How far one of those has come that take the bytes."""

    take: Take
    taken: int = 0
    is_busy: bool = False


class _Intake:
    """A ring of bytes: filled at one place, and taken from at others until they catch up."""

    def __init__(
        self, takes: Iterable[Take], tasks: anyio.abc.TaskGroup | None, length: int
    ) -> None:
        self._takers = [_Taker(take) for take in takes]
        self._tasks = tasks
        self._ring = memoryview(bytearray(length))
        self._length = length
        self._came = 0
        self._progress = anyio.Event()
        self._error: Exception | None = None

    async def pour(self, read: Read) -> None:
        try:
            while received := await read(await self._free()):
                self._came += received
                self._take_meanwhile()
        except Exception:
            await self._finish()
            raise
        await self._finish()

    def _take_meanwhile(self) -> None:
        """Have what came taken, by those for whom that is worth it."""
        for taker in self._takers:
            if self._tasks and not taker.is_busy and self._left(taker) >= _WORTH_TAKING:
                taker.is_busy = True
                self._tasks.start_soon(self._take_on, taker)

    def _left(self, taker: _Taker) -> int:
        return self._came - taker.taken

    @property
    def _waiting(self) -> int:
        """How many bytes not everyone has taken."""
        return self._came - min(taker.taken for taker in self._takers)

    @property
    def _is_taking(self) -> bool:
        return any(taker.is_busy for taker in self._takers)

    async def _free(self) -> memoryview:
        """Return where the next bytes may go, when there is room."""
        while self._error or self._waiting == self._length:
            is_under_way = self._error or self._is_taking
            await (self._progressed() if is_under_way else self._take_rest())
        return self._span(self._came, self._length - self._waiting)

    def _span(self, start: int, length: int) -> memoryview:
        """Return what lies in one piece from a place on."""
        start %= self._length
        return self._ring[start : start + length]

    async def _take_on(self, taker: _Taker) -> None:
        """Take what came, as long as it is worth it: also while a host lets wait for more."""
        try:
            # What goes wrong is raised where the bytes come from.
            with suppress(Exception):
                while self._left(taker) >= _WORTH_TAKING:
                    await self._take_next(taker)
        finally:
            taker.is_busy = False
            self._progress.set()

    async def _take_next(self, taker: _Taker) -> None:
        span = self._span(taker.taken, min(self._left(taker), _RING // 2))
        try:
            await taker.take(span)
        except Exception as error:
            self._error = error
            raise
        taker.taken += len(span)
        self._progress.set()

    async def _progressed(self) -> None:
        """Wait until some more is taken, or nothing more will be."""
        if self._is_taking:
            self._progress = anyio.Event()
            await self._progress.wait()
            for _ in range(_HEAD_START):
                await checkpoint()
        if self._error is not None:
            raise self._error

    async def _take_rest(self) -> None:
        for taker in self._takers:
            while self._left(taker):
                await self._take_next(taker)

    async def _finish(self) -> None:
        """Have all of it taken."""
        while self._error or self._is_taking:
            await self._progressed()
        await self._take_rest()

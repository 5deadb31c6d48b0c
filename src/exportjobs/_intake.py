"""A body on its way: bytes are hashed and kept while those behind them still come."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio
import anyio.abc
from anyio.lowlevel import checkpoint

from exportjobs._tasks import together

Read = Callable[[memoryview], Awaitable[int]]
"""Fills a buffer with what is there and returns how much: 0 at the end."""
Keep = Callable[[memoryview], Awaitable[None]]
"""Takes some bytes over; they stay as they are until it returns."""

_RING = 8 * 1024 * 1024
"""Bytes that wait to be kept, at the most; half as many are kept in one go."""
_WORTH_KEEPING = 64 * 1024
"""Bytes for which it is worth to begin with keeping."""
_SMALL = 128 * 1024
"""Bytes that come sooner than it is worth to keep some of them meanwhile."""


async def pour(read: Read, keep: Keep, size: int | None) -> None:
    """Take a body to its end, or to where it breaks off: what came until then is kept.

    Args:
        read: Where the bytes come from.
        keep: Where they go.
        size: How many will come, where that is known.
    """
    # With room for a byte more than will come, the end is seen before the ring is full.
    length = _RING if size is None else min(_RING, size + 1)
    if length <= _SMALL:
        await _Intake(keep, None, length).pour(read)
        return
    async with together() as tasks:
        await _Intake(keep, tasks, length).pour(read)


_HEAD_START = 2
"""Rounds of the loop in which the threads that keep bytes are at work, before more are read: the
system takes its time to hand over what has come meanwhile."""


class _Intake:
    """A ring of bytes: filled at one place, and kept from another until it is caught up with."""

    def __init__(self, keep: Keep, tasks: anyio.abc.TaskGroup | None, length: int) -> None:
        self._keep = keep
        self._tasks = tasks
        self._ring = memoryview(bytearray(length))
        self._length = length
        self._came = 0
        self._kept = 0
        self._is_keeping = False
        self._progress = anyio.Event()
        self._error: Exception | None = None

    async def pour(self, read: Read) -> None:
        try:
            while received := await read(await self._free()):
                self._came += received
                self._keep_meanwhile()
        except Exception:
            await self._finish()
            raise
        await self._finish()

    def _keep_meanwhile(self) -> None:
        """Begin to keep what came, if that is worth it."""
        if self._tasks and not self._is_keeping and self._waiting >= _WORTH_KEEPING:
            self._is_keeping = True
            self._tasks.start_soon(self._keep_on)

    @property
    def _waiting(self) -> int:
        return self._came - self._kept

    async def _free(self) -> memoryview:
        """Return where the next bytes may go, when there is room."""
        while self._error or self._waiting == self._length:
            is_under_way = self._error or self._is_keeping
            await (self._progressed() if is_under_way else self._keep_next())
        return self._span(self._came, self._length - self._waiting)

    def _span(self, start: int, length: int) -> memoryview:
        """Return what lies in one piece from a place on."""
        start %= self._length
        return self._ring[start : start + length]

    async def _keep_on(self) -> None:
        """Keep what came, as long as it is worth it: also while a host lets wait for more."""
        try:
            # What goes wrong is raised where the bytes come from.
            with suppress(Exception):
                while self._waiting >= _WORTH_KEEPING:
                    await self._keep_next()
        finally:
            self._is_keeping = False
            self._progress.set()

    async def _keep_next(self) -> None:
        span = self._span(self._kept, min(self._waiting, _RING // 2))
        try:
            await self._keep(span)
        except Exception as error:
            self._error = error
            raise
        self._kept += len(span)
        self._progress.set()

    async def _progressed(self) -> None:
        """Wait until some more is kept, or nothing more will be."""
        if self._is_keeping:
            self._progress = anyio.Event()
            await self._progress.wait()
            for _ in range(_HEAD_START):
                await checkpoint()
        if self._error is not None:
            raise self._error

    async def _finish(self) -> None:
        """Keep what is left."""
        while self._error or self._is_keeping:
            await self._progressed()
        while self._waiting:
            await self._keep_next()

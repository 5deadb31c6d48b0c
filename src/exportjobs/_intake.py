"""A body on its way: bytes are hashed and kept while those behind them still come."""

from collections.abc import Awaitable, Callable

import anyio
import anyio.abc

from exportjobs._tasks import together

Read = Callable[[memoryview], Awaitable[int]]
"""Fills a buffer with what is there and returns how much: 0 at the end."""
Keep = Callable[[memoryview], Awaitable[None]]
"""Takes some bytes over; they stay as they are until it returns."""

_RING = 8 * 1024 * 1024
"""Bytes that wait to be kept, at the most; half as many are kept in one go."""
_WORTH_KEEPING = 64 * 1024
"""Bytes for which it is worth to begin with keeping."""


async def pour(read: Read, keep: Keep, size: int | None) -> None:
    """Take a body to its end, or to where it breaks off: what came until then is kept.

    Args:
        read: Where the bytes come from.
        keep: Where they go.
        size: How many will come, where that is known.
    """
    # With room for a byte more than will come, the end is seen before the ring is full.
    length = _RING if size is None else min(_RING, size + 1)
    async with together() as tasks:
        await _Intake(keep, tasks, length).pour(read)


class _Intake:
    """A ring of bytes: filled at one place, and kept from another until it is caught up with."""

    def __init__(self, keep: Keep, tasks: anyio.abc.TaskGroup, length: int) -> None:
        self._keep = keep
        self._tasks = tasks
        self._ring = memoryview(bytearray(length))
        self._length = length
        self._worth = min(_WORTH_KEEPING, length)
        self._came = 0
        self._kept = 0
        self._is_keeping = False
        self._progress = anyio.Event()
        self._error: Exception | None = None

    async def pour(self, read: Read) -> None:
        try:
            while received := await read(await self._free()):
                self._came += received
                if not self._is_keeping and self._waiting >= self._worth:
                    self._is_keeping = True
                    self._tasks.start_soon(self._keep_on)
        except Exception:
            await self._finish()
            raise
        await self._finish()

    @property
    def _waiting(self) -> int:
        return self._came - self._kept

    async def _free(self) -> memoryview:
        """Return where the next bytes may go, when there is room."""
        while self._error or self._waiting == self._length:
            await self._progressed()
        return self._span(self._came, self._length - self._waiting)

    def _span(self, start: int, length: int) -> memoryview:
        """Return what lies in one piece from a place on."""
        start %= self._length
        return self._ring[start : start + length]

    async def _keep_on(self) -> None:
        """Keep what came, as long as it is worth it: also while a host lets wait for more."""
        try:
            while self._waiting >= self._worth:
                await self._keep_next()
        except Exception as error:  # noqa: BLE001 - it is raised where the bytes come from
            self._error = error
        finally:
            self._is_keeping = False
            self._progress.set()

    async def _keep_next(self) -> None:
        span = self._span(self._kept, min(self._waiting, _RING // 2))
        await self._keep(span)
        self._kept += len(span)
        self._progress.set()

    async def _progressed(self) -> None:
        """Wait until some more is kept, or nothing more will be."""
        if self._is_keeping:
            self._progress = anyio.Event()
            await self._progress.wait()
        if self._error is not None:
            raise self._error

    async def _finish(self) -> None:
        """Keep what is left."""
        while self._is_keeping:
            await self._progressed()
        while self._waiting:
            await self._keep_next()

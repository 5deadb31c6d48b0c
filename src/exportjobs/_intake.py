"""A body on its way: one buffer fills while the bytes of another are hashed and kept."""

from collections.abc import Awaitable, Callable

import anyio

from exportjobs._tasks import together

Read = Callable[[memoryview], Awaitable[int]]
"""Fills a buffer with what is there and returns how much: 0 at the end."""
Keep = Callable[[memoryview], Awaitable[None]]
"""Takes some bytes over; they stay as they are until it returns."""

_BUFFER = 1024 * 1024
_WORTH_KEEPING = 64 * 1024
"""Bytes that are handed over as soon as those before them are kept, without a full buffer."""


async def pour(read: Read, keep: Keep) -> None:
    """Take a body to its end, or to where it breaks off: what came until then is kept."""
    async with together() as tasks:
        await _Intake(keep, tasks).pour(read)


class _Intake:
    def __init__(self, keep: Keep, tasks: anyio.abc.TaskGroup) -> None:
        self._keep = keep
        self._tasks = tasks
        self._buffer, self._other = memoryview(bytearray(_BUFFER)), memoryview(bytearray(_BUFFER))
        self._filled = 0
        self._kept = anyio.Event()
        self._kept.set()

    async def pour(self, read: Read) -> None:
        try:
            while received := await read(self._buffer[self._filled :]):
                self._filled += received
                if self._filled == _BUFFER or self._is_worth_keeping():
                    await self._hand_over()
        except Exception:
            await self._finish()
            raise
        await self._finish()

    async def _finish(self) -> None:
        await self._hand_over()
        await self._kept.wait()

    def _is_worth_keeping(self) -> bool:
        return self._filled >= _WORTH_KEEPING and self._kept.is_set()

    async def _hand_over(self) -> None:
        """Let the bytes be kept while the other buffer fills."""
        await self._kept.wait()
        if not self._filled:
            return
        full, self._kept = self._buffer[: self._filled], anyio.Event()
        self._buffer, self._other = self._other, self._buffer
        self._filled = 0
        self._tasks.start_soon(self._keep_all, full, self._kept)

    async def _keep_all(self, full: memoryview, kept: anyio.Event) -> None:
        try:
            await self._keep(full)
        finally:
            kept.set()

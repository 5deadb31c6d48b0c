"""A body on its way: one buffer fills while the bytes of another are hashed and kept."""

from collections.abc import Awaitable, Callable

import anyio
import anyio.abc

from exportjobs._tasks import together

Read = Callable[[memoryview], Awaitable[int]]
"""Fills a buffer with what is there and returns how much: 0 at the end."""
Keep = Callable[[memoryview], Awaitable[None]]
"""Takes some bytes over; they stay as they are until it returns."""

_BUFFER = 1024 * 1024
"""Bytes that are kept in one go, where they come faster than they can be kept."""
_WORTH_KEEPING = 64 * 1024
"""Bytes that are handed over as soon as those before them are kept, without a full buffer."""


async def pour(read: Read, keep: Keep, size: int | None) -> None:
    """Take a body to its end, or to where it breaks off: what came until then is kept.

    Args:
        read: Where the bytes come from.
        keep: Where they go.
        size: How many will come, where that is known.
    """
    # With room for a byte more than will come, the end is seen before the buffer is full.
    length = _BUFFER if size is None else min(_BUFFER, size + 1)
    async with together() as tasks:
        await _Intake(keep, tasks, length).pour(read)


class _Intake:
    def __init__(self, keep: Keep, tasks: anyio.abc.TaskGroup, length: int) -> None:
        self._keep = keep
        self._tasks = tasks
        self._length = length
        self._buffer = memoryview(bytearray(length))
        self._other: memoryview | None = None
        self._filled = 0
        self._kept = anyio.Event()
        self._kept.set()
        self._error: Exception | None = None

    async def pour(self, read: Read) -> None:
        try:
            while received := await read(self._buffer[self._filled :]):
                self._filled += received
                if self._filled == self._length or self._is_worth_keeping():
                    await self._hand_over()
        except Exception:
            await self._finish()
            raise
        await self._finish()

    def _is_worth_keeping(self) -> bool:
        return self._filled >= _WORTH_KEEPING and self._kept.is_set()

    async def _hand_over(self) -> None:
        """Let the bytes be kept while the other buffer fills."""
        await self._those_before()
        full, self._kept = self._buffer[: self._filled], anyio.Event()
        other = self._other or memoryview(bytearray(self._length))
        self._buffer, self._other = other, self._buffer
        self._filled = 0
        self._tasks.start_soon(self._keep_all, full, self._kept)

    async def _keep_all(self, full: memoryview, kept: anyio.Event) -> None:
        try:
            await self._keep(full)
        except Exception as error:  # noqa: BLE001 - it is raised where the bytes come from
            self._error = error
        finally:
            kept.set()

    async def _those_before(self) -> None:
        await self._kept.wait()
        if self._error is not None:
            raise self._error

    async def _finish(self) -> None:
        await self._those_before()
        if self._filled:
            await self._keep(self._buffer[: self._filled])

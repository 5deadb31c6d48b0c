"""A clock that tests move, so that they need not wait."""

import heapq
from datetime import UTC, datetime, timedelta
from itertools import count
from types import TracebackType
from typing import Self

import anyio
from anyio import to_thread
from anyio.lowlevel import checkpoint

from exportjobs._landing.pipeline import leave

_START = datetime(2026, 1, 1, tzinfo=UTC)
_ROUNDS_UNTIL_IDLE = 50


class ManualClock:
    """A clock that stands still until a test moves it.

    Move it with `advance`. Or enter it with `async with`: then, whenever every task waits and no
    thread is at work, it moves by itself to the next time at which a sleep ends.
    """

    def __init__(self, start: datetime = _START) -> None:
        """Set the clock to a time; `start` is aware."""
        self._start = start
        self._elapsed = 0.0
        self._turns = count()
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._someone_sleeps = anyio.Event()

    def now(self) -> datetime:
        """Return the clock's time, in UTC."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Return by how many seconds the clock was moved."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved by that many seconds."""
        if seconds <= 0:
            await checkpoint()
            return
        woken = anyio.Event()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._turns), woken))
        self._someone_sleeps.set()
        try:
            await woken.wait()
        finally:
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[2] is not woken]
            heapq.heapify(self._sleepers)

    def advance(self, seconds: float) -> None:
        """Move the clock and end the sleeps that are due."""
        self._elapsed += seconds
        for moment, _, woken in self._sleepers:
            if moment <= self._elapsed:
                woken.set()

    async def __aenter__(self) -> Self:
        """Start to move by itself."""
        self._jumping = anyio.create_task_group()
        await self._jumping.__aenter__()
        self._jumping.start_soon(self._jump)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        """Stop moving by itself."""
        return await leave(self._jumping, exc_type, exc, traceback)

    async def _jump(self) -> None:
        while True:
            await _nothing_else_happens()
            if self._sleepers:
                self.advance(max(0.0, self._sleepers[0][0] - self._elapsed))
            else:
                self._someone_sleeps = anyio.Event()
                await self._someone_sleeps.wait()


async def _nothing_else_happens() -> None:
    threads, idle = to_thread.current_default_thread_limiter(), 0
    while idle < _ROUNDS_UNTIL_IDLE:
        await checkpoint()
        # A task needs a few rounds of the event loop to act on what a thread returned.
        idle = 0 if threads.borrowed_tokens else idle + 1

"""Time: the only module that reads a clock or sleeps.

Everything else is given a `Clock`. So tests set the time themselves, and no test really waits.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import anyio
import anyio.abc

_NEVER = float("inf")


class Clock(Protocol):
    """The time, and waiting for it to pass."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC: expiry times are compared with it."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only grow, from an arbitrary start: waits are measured in them."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds, at least until the event loop has run other tasks."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's wall time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep on whichever event loop is running."""
        await anyio.sleep(max(0.0, seconds))


class Alarm:
    """Calls a function at a moment, which may be changed. Moments are monotonic seconds."""

    def __init__(self, clock: Clock, tasks: anyio.abc.TaskGroup, ring: Callable[[], None]) -> None:
        """Wait for nothing until a moment is set; then a task of the group sleeps until it."""
        self._clock = clock
        self._tasks = tasks
        self._ring = ring
        self._moment = _NEVER
        self._sleeping = anyio.CancelScope()

    def set(self, moment: float) -> None:
        """Call the function at a moment instead of the one set before; never, if it is infinite."""
        if moment == self._moment:
            return
        self._sleeping.cancel()
        self._moment, self._sleeping = moment, anyio.CancelScope()
        if moment < _NEVER:
            self._tasks.start_soon(self._sleep, moment, self._sleeping)

    async def _sleep(self, moment: float, sleeping: anyio.CancelScope) -> None:
        with sleeping:
            await self._clock.sleep(moment - self._clock.monotonic())
            self._moment = _NEVER
            self._ring()

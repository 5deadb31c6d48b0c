"""Time: the one room that reads a clock or sleeps.

Every other room is handed a `Clock`, so that tests move time by hand and nothing waits for real.
"""

import time
from datetime import UTC, datetime
from typing import Protocol

import anyio


class Clock(Protocol):
    """What the library asks of time."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC: what expiries are compared with."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only grow, from an arbitrary start: what waits are counted in."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds, at least one turn of the event loop."""
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

"""A clock that is fast: what takes a minute elsewhere is over within a second."""

import time
from datetime import UTC, datetime

import anyio
from attrs import frozen

_TIMES = 100


@frozen
class FastClock:
    """The machine's clock, a hundred times faster. All that began together agree on the time."""

    began_at: float
    """In the machine's time, in seconds."""

    def now(self) -> datetime:
        """Return the wall time in UTC."""
        passed = time.time() - self.began_at
        return datetime.fromtimestamp(self.began_at + passed * _TIMES, UTC)

    def monotonic(self) -> float:
        """Return seconds that only grow."""
        return time.monotonic() * _TIMES

    async def sleep(self, seconds: float) -> None:
        """Sleep for a hundredth of the time."""
        await anyio.sleep(max(0.0, seconds) / _TIMES)

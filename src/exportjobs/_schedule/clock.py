"""Time: the one room that reads a clock or sleeps.

Every other room is handed a `Clock`, so that tests move time by hand and nothing waits for real.
"""

import heapq
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Generic, Protocol, TypeVar

import anyio
import anyio.abc


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


T = TypeVar("T")


class Agenda(Generic[T]):
    """Items in the order of their moments; those of one moment by rank, then as they were added."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self._heap: list[tuple[float, float, int, T]] = []
        self._turns = count()

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self._heap)

    @property
    def next(self) -> float:
        """The earliest moment; infinity if there is nothing to do."""
        return self._heap[0][0] if self._heap else float("inf")

    def add(self, moment: float, item: T, *, rank: float = 0.0) -> None:
        """Note that an item comes at a moment; of those of one moment, the lowest rank first."""
        heapq.heappush(self._heap, (moment, rank, next(self._turns), item))

    def pop(self) -> T:
        """Take off and return the item that comes first.

        Raises:
            IndexError: If there is none.
        """
        return heapq.heappop(self._heap)[3]

    def due(self, now: float) -> list[T]:
        """Take off and return what comes up to now."""
        found: list[T] = []
        while self._heap and self.next <= now:
            found.append(self.pop())
        return found


_NEVER = float("inf")


class Alarm:
    """Rings at a moment, which may be moved as often as need be. Moments are monotonic seconds."""

    def __init__(self, clock: Clock, tasks: anyio.abc.TaskGroup, ring: Callable[[], None]) -> None:
        """Stand still until it is set; the sleeper will have a task of the group."""
        self._clock = clock
        self._tasks = tasks
        self._ring = ring
        self._moment = _NEVER
        self._sleeping = anyio.CancelScope()

    def set(self, moment: float) -> None:
        """Ring at a moment and at no other; never, if it is infinite."""
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

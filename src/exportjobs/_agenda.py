"""Who comes when: one heap for all of a poller's jobs, however many sleep."""

import heapq
from itertools import count
from typing import Generic, TypeVar

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

"""What is due when: a queue ordered by time."""

import heapq
from itertools import count
from typing import Generic, TypeVar

_NEVER = float("inf")
T = TypeVar("T")


class Agenda(Generic[T]):
    """Items ordered by their moment, then by rank, then as they were added."""

    def __init__(self) -> None:
        """Begin with no items."""
        self._heap: list[tuple[float, float, int, T]] = []
        self._order = count()

    def __bool__(self) -> bool:
        """Return whether there are items."""
        return bool(self._heap)

    @property
    def next(self) -> float:
        """The earliest moment; infinity if there are no items."""
        return self._heap[0][0] if self._heap else _NEVER

    def add(self, moment: float, item: T, *, rank: float = 0.0) -> None:
        """Add an item that is due at a moment; of those of one moment the lowest rank is first."""
        heapq.heappush(self._heap, (moment, rank, next(self._order), item))

    def pop(self) -> T:
        """Remove and return the first item.

        Raises:
            IndexError: If there is none.
        """
        return heapq.heappop(self._heap)[3]

    def due(self, now: float) -> list[T]:
        """Remove and return all items that are due by now, in order."""
        found: list[T] = []
        while self._heap and self.next <= now:
            found.append(self.pop())
        return found

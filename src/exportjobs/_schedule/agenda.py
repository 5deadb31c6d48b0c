"""What is due when: a queue ordered by time."""

import heapq
from itertools import count
from typing import Any, Generic, TypeAlias, TypeVar

_NEVER = float("inf")
T = TypeVar("T")

Entry: TypeAlias = list[Any]
"""Where an item stands: moment, rank, order and the item; None once it was withdrawn.

A list, as the heap compares entries often: Python compares lists faster than anything of our own.
"""


class Agenda(Generic[T]):
    """Items ordered by their moment, then by rank, then as they were added."""

    def __init__(self) -> None:
        """Begin with no items."""
        self._heap: list[Entry] = []
        self._order = count()

    def __bool__(self) -> bool:
        """Return whether there are items."""
        return bool(self._heap)

    @property
    def next(self) -> float:
        """The earliest moment; infinity if there are no items."""
        return float(self._heap[0][0]) if self._heap else _NEVER

    def add(self, moment: float, item: T, *, rank: float = 0.0) -> Entry:
        """Add an item that is due at a moment; of those of one moment the lowest rank is first.

        Returns:
            Where it stands, for whoever may have to withdraw it.
        """
        entry: Entry = [moment, rank, next(self._order), item]
        heapq.heappush(self._heap, entry)
        return entry

    def withdraw(self, entry: Entry) -> None:
        """Remove an item before it is due, and keep nothing of it in memory."""
        # Searching the heap would take as long as it is long; the empty entry goes in its turn.
        entry[3] = None
        self._remove_withdrawn()

    def pop(self) -> T:
        """Remove and return the first item.

        Raises:
            IndexError: If there is none.
        """
        item: T = heapq.heappop(self._heap)[3]
        self._remove_withdrawn()
        return item

    def due(self, now: float) -> list[T]:
        """Remove and return all items that are due by now, in order."""
        found: list[T] = []
        while self._heap and self.next <= now:
            found.append(self.pop())
        return found

    def _remove_withdrawn(self) -> None:
        while self._heap and self._heap[0][3] is None:
            heapq.heappop(self._heap)

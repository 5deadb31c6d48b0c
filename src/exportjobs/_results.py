"""How the loop's results reach whoever waits for them."""

from collections import deque
from typing import Generic, Self, TypeVar

import anyio

from exportjobs._finished import Finished

T = TypeVar("T")


class Results:
    """What a run finished, in the order of completion, as an async iterator.

    It holds no task and no scope: leaving it before its end leaves the jobs to the poller.
    """

    def __init__(self, expected: int) -> None:
        """Take the number of results there will be."""
        self._expected = expected
        self._ready: deque[Finished] = deque()
        self._changed = anyio.Event()

    def add(self, finished: Finished) -> None:
        """Hand over a result."""
        self._ready.append(finished)
        self._wake()

    def __len__(self) -> int:
        """Return how many results are still to be taken."""
        return self._expected

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> Finished:
        """Return the next result, waiting for it if need be. Several tasks may share the work.

        Raises:
            StopAsyncIteration: After the last.
        """
        while self._expected:
            if self._ready:
                self._expected -= 1
                self._wake()
                return self._ready.popleft()
            await self._changed.wait()
        raise StopAsyncIteration

    def _wake(self) -> None:
        """Let everyone who waits look again."""
        self._changed.set()
        self._changed = anyio.Event()


class Promise(Generic[T]):
    """One value that is to come."""

    def __init__(self) -> None:
        """Begin without the value."""
        self._kept = anyio.Event()

    def keep(self, value: T) -> None:
        """Hand over the value."""
        self._value = value
        self._kept.set()

    async def wait(self) -> T:
        """Return the value when it has come."""
        await self._kept.wait()
        return self._value

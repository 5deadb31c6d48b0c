"""How what came of exports reaches whoever waits for it."""

from collections import deque
from typing import Generic, Self, TypeVar

import anyio

from exportjobs.adapter._errors import ExportJobsError
from exportjobs.events import Finished

T = TypeVar("T")


class Results:
    """What a run finished, in the order of completion, as an async iterator.

    It holds no task and no scope: leaving it before its end leaves the jobs to the poller.
    """

    def __init__(self, expected: int) -> None:
        """Take the number of results there will be."""
        self._expected = expected
        self._ready: deque[Finished] = deque()
        self._error: ExportJobsError | None = None
        self._changed = anyio.Event()

    def accept(self) -> bool:
        """Return that a run waits for the end of what was accepted."""
        return True

    def add(self, finished: Finished) -> None:
        """Hand over a result."""
        self._ready.append(finished)
        self._wake()

    def fail(self, error: ExportJobsError) -> None:
        """Say why there will be no results at all."""
        self._error = error
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
            DestinationFailed: If nothing can be written where the files should land; nothing was
                submitted.
        """
        while self._expected:
            if self._error is not None:
                self._expected = 0
                self._wake()
                raise self._error
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


class Future(Generic[T]):
    """One value that is to come."""

    def __init__(self) -> None:
        """Begin without the value."""
        self._is_set = anyio.Event()

    def set(self, value: T) -> None:
        """Hand over the value."""
        self._value = value
        self._is_set.set()

    async def wait(self) -> T:
        """Return the value when it has come."""
        await self._is_set.wait()
        return self._value


class Ending(Future[Finished]):
    """The end of one export."""

    def accept(self) -> bool:
        """Return that the end is waited for."""
        return True

    def add(self, finished: Finished) -> None:
        """Take the end."""
        self.set(finished)


class Acceptance(Future[Finished | None]):
    """That a vendor has accepted an export as a job; or the export's end, if it came to that."""

    def accept(self) -> bool:
        """Take that it was accepted, and return that its end is not waited for."""
        self.set(None)
        return False

    def add(self, finished: Finished) -> None:
        """Take the end of an export that was not accepted."""
        self.set(finished)

"""Landing: the files of finished jobs, so many fetched at once."""

from collections.abc import Callable
from functools import partial

import anyio
import anyio.abc
from anyio import CancelScope
from attrs import define, field

from exportjobs._landing.download import Download
from exportjobs._poller.loop.answered import Steps, guarded, internal, job_of
from exportjobs._poller.loop.tracked import Phase, Tracked
from exportjobs._schedule.clock import Agenda
from exportjobs._schedule.decide import End, Step
from exportjobs.adapter._errors import ExportJobsError
from exportjobs.adapter._job import verdict

_NEVER = float("inf")


@define(eq=False)
class _Batch:
    """The files of one job, on their way."""

    tracked: Tracked
    download: Download
    left: set[int] = field(factory=set[int])
    """Which of its artifacts have not landed."""
    flights: set[CancelScope] = field(factory=set[CancelScope])
    """Those that are being fetched."""
    error: ExportJobsError | None = None

    def fail(self, error: ExportJobsError) -> None:
        """Give the job's other files up: without this one, they are of no use."""
        self.error = self.error or error
        for flight in self.flights:
            flight.cancel()


class Landing:
    """Every file that waits to be fetched, the one in front whose address stops working soonest."""

    def __init__(
        self,
        steps: Steps,
        tasks: anyio.abc.TaskGroup,
        apply: Callable[[Tracked, Step], None],
        *,
        at_once: int,
    ) -> None:
        """Take what does the I/O, and whom to tell what came of it."""
        self._steps = steps
        self._tasks = tasks
        self._apply = apply
        self._at_once = at_once
        self._queue: Agenda[tuple[_Batch, int | None]] = Agenda()
        self._flights: set[CancelScope] = set()
        self._landed = anyio.Event()

    def add(self, tracked: Tracked) -> None:
        """Let an ended job's files wait for their turn."""
        download = self._steps.download(tracked)
        if download is None:
            self._apply(tracked, End(verdict(job_of(tracked))))
            return
        tracked.phase = Phase.BUSY
        self._add(_Batch(tracked, download), None)

    def go_round(self) -> None:
        """Fetch as many files as may be fetched at once."""
        while self._queue and len(self._flights) < self._at_once:
            # Whoever leaves the poller lets files land, or gives them up by `abort`.
            flight = CancelScope(shield=True)
            self._flights.add(flight)
            self._tasks.start_soon(self._run, flight, *self._queue.pop())

    async def drained(self) -> None:
        """Begin no other file, and wait for those that are on their way."""
        self._at_once = 0
        while self._flights:
            self._landed = anyio.Event()
            await self._landed.wait()

    def abort(self) -> None:
        """Give up what is on its way; it may be gone on with another time."""
        for flight in self._flights:
            flight.cancel()

    def _add(self, batch: _Batch, index: int | None) -> None:
        ends_at = batch.download.ends_at(index)
        self._queue.add(ends_at.timestamp() if ends_at else _NEVER, (batch, index))

    async def _run(self, flight: CancelScope, batch: _Batch, index: int | None) -> None:
        """See to one file, or before the first to which ones there are; then to the end."""
        step: Step | None = None
        try:
            with flight:
                step = await self._see_to(batch, index)
        finally:
            self._flights.discard(flight)
            self._landed.set()
        if step is None:
            self.go_round()
        else:
            self._apply(batch.tracked, step)

    async def _see_to(self, batch: _Batch, index: int | None) -> Step | None:
        if batch.error is not None:
            return None
        await self._fly(batch, index)
        return None if batch.flights else await self._end(batch)

    async def _fly(self, batch: _Batch, index: int | None) -> None:
        with CancelScope() as flight:
            batch.flights.add(flight)
            try:
                await (self._begin(batch) if index is None else self._fetch(batch, index))
            except ExportJobsError as error:
                batch.fail(error)
            except Exception as error:  # noqa: BLE001 - it is not to end all the others
                batch.fail(internal(error))
            finally:
                batch.flights.discard(flight)

    async def _begin(self, batch: _Batch) -> None:
        batch.left.update(await batch.download.begin())
        for index in sorted(batch.left):
            self._add(batch, index)

    async def _fetch(self, batch: _Batch, index: int) -> None:
        await batch.download.fetch(index)
        batch.left.discard(index)

    async def _end(self, batch: _Batch) -> Step | None:
        """Return how a job ended, or None where some of its files are still waiting."""
        if batch.left and batch.error is None:
            return None
        return await guarded(
            partial(self._steps.conclude, download=batch.download, error=batch.error),
            batch.tracked,
        )

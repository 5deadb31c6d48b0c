"""Stage 4: the files of ended jobs are fetched, so many at once."""

from functools import partial

import anyio
import anyio.abc
from anyio import CancelScope
from attrs import define, field

from exportjobs._landing.download import Download
from exportjobs._landing.source import Connections
from exportjobs._poller.loop.answered import Answers
from exportjobs._poller.loop.inbox import Inbox, guarded, internal
from exportjobs._poller.loop.tracked import Tracked, job_of, ref_of
from exportjobs._schedule.agenda import Agenda
from exportjobs._schedule.decide import End, Step
from exportjobs.adapter._errors import BudgetExhausted, ExportJobsError, RateLimited
from exportjobs.adapter._job import ExportJob, verdict
from exportjobs.adapter._terms import Operation

_NEVER = float("inf")


@define(eq=False)
class _Batch:
    """The files of one job, on their way."""

    tracked: Tracked
    download: Download
    left: set[int] = field(factory=set[int])
    """Which of its artifacts have not landed."""
    in_flight: set[CancelScope] = field(factory=set[CancelScope])
    """Those that are being fetched."""
    error: ExportJobsError | None = None

    def fail(self, error: ExportJobsError) -> None:
        """Give the job's other files up: without this one, they are of no use."""
        self.error = self.error or error
        for scope in self.in_flight:
            scope.cancel()


class LandStage:
    """Every file that waits to be fetched; in front the one whose signed URL ends the soonest."""

    def __init__(
        self,
        answers: Answers,
        inbox: Inbox,
        tasks: anyio.abc.TaskGroup,
        *,
        connections: Connections,
        max_downloads: int,
    ) -> None:
        """Begin with none.

        Args:
            answers: Takes in what came of them.
            inbox: Takes what comes next for their exports.
            tasks: The group in which each is fetched.
            connections: Lead to the hosts that have files.
            max_downloads: How many are fetched at once.
        """
        self._answers = answers
        self._inbox = inbox
        self._tasks = tasks
        self._connections = connections
        self._at_once = max_downloads
        self._queue: Agenda[tuple[_Batch, int | None]] = Agenda()
        self._in_flight: set[CancelScope] = set()
        self._landed = anyio.Event()
        self._landing: set[Tracked] = set()

    def __contains__(self, tracked: Tracked) -> bool:
        """Return whether an export's files are on their way, or wait for that."""
        return tracked in self._landing

    def add(self, tracked: Tracked) -> None:
        """Let an ended job's files wait to be fetched, if they are wanted."""
        job, destination = job_of(tracked), tracked.destination
        if destination is None or not destination.wants(job):
            self._inbox.post(tracked, End(verdict(job)))
            return
        download = Download(
            job,
            tracked.subject,
            tracked.account.session,
            destination,
            connections=self._connections,
            renew=partial(self._renew, tracked),
            clock=self._answers.clock,
            report=self._answers.observers.report,
        )
        self._landing.add(tracked)
        self._add(_Batch(tracked, download), None)

    def start(self) -> None:
        """Fetch as many files as may be fetched at once."""
        while self._queue and len(self._in_flight) < self._at_once:
            # Whoever leaves the poller lets files land, or gives them up by `abort`.
            scope = CancelScope(shield=True)
            self._in_flight.add(scope)
            self._tasks.start_soon(self._run, scope, *self._queue.pop())

    async def drained(self) -> None:
        """Begin no other file, and wait for those that are on their way."""
        self._at_once = 0
        while self._in_flight:
            self._landed = anyio.Event()
            await self._landed.wait()

    def abort(self) -> None:
        """Give up what is on its way; it may be resumed another time."""
        for scope in self._in_flight:
            scope.cancel()

    def _add(self, batch: _Batch, index: int | None) -> None:
        ends_at = batch.download.ends_at(index)
        self._queue.add(ends_at.timestamp() if ends_at else _NEVER, (batch, index))

    async def _run(self, scope: CancelScope, batch: _Batch, index: int | None) -> None:
        """Fetch one file, or find out before the first which ones there are; then end the job."""
        step: Step | None = None
        try:
            with scope:
                step = await self._next(batch, index)
        finally:
            self._in_flight.discard(scope)
            self._landed.set()
        if step is None:
            self._inbox.wake()
        else:
            self._landing.discard(batch.tracked)
            self._inbox.post(batch.tracked, step)

    async def _next(self, batch: _Batch, index: int | None) -> Step | None:
        """Return how a job ended, or None where some of its files are still to come."""
        if batch.error is not None:
            return None
        await self._fetch(batch, index)
        if batch.in_flight or (batch.left and batch.error is None):
            return None
        return await guarded(partial(self._concluded, batch), batch.tracked)

    async def _fetch(self, batch: _Batch, index: int | None) -> None:
        with CancelScope() as scope:
            batch.in_flight.add(scope)
            try:
                await (self._begin(batch) if index is None else self._fetch_one(batch, index))
            except ExportJobsError as error:
                batch.fail(error)
            except Exception as error:  # noqa: BLE001 - it is not to end all the others
                batch.fail(internal(error))
            finally:
                batch.in_flight.discard(scope)

    async def _begin(self, batch: _Batch) -> None:
        batch.left.update(await batch.download.begin())
        for index in sorted(batch.left):
            self._add(batch, index)

    async def _fetch_one(self, batch: _Batch, index: int) -> None:
        await batch.download.fetch(index)
        batch.left.discard(index)

    async def _concluded(self, batch: _Batch, tracked: Tracked) -> Step:
        """End a job whose files have landed, or cannot be had.

        One that came to a bad end has failed whatever became of its files.
        """
        self._answers.download_retried(tracked, batch.download.retries)
        bad_end = verdict(job_of(tracked))
        try:
            if batch.error is not None:
                raise batch.error
            files = await batch.download.conclude()
        except ExportJobsError as failure:
            if bad_end is None:
                return End(failure)
            bad_end.__cause__ = tracked.named(failure)
        else:
            await self._answers.landed(tracked, files)
        return End(bad_end)

    async def _renew(self, tracked: Tracked) -> ExportJob:
        """Have the vendor describe a finished job anew, for the sake of fresh signed URLs."""
        answers, session, ref = self._answers, tracked.account.session, ref_of(tracked)
        begin = partial(session.adapter.poll, ref)
        on_answer = partial(answers.not_before, tracked)
        while True:
            await self._until_it_may_be_polled(tracked)
            try:
                answer = await session.converse(
                    begin, ExportJob, ref, operation=Operation.POLL, on_answer=on_answer
                )
            except BudgetExhausted as error:
                wait = error.retry_after or session.adapter.polling.min_interval
                await answers.clock.sleep(wait.total_seconds())
            except ExportJobsError as error:
                answers.count_poll(tracked)
                if not isinstance(error, RateLimited):
                    raise
                answers.throttled(tracked, error)
            else:
                answers.count_poll(tracked)
                return await answers.described(tracked, answer.value)

    async def _until_it_may_be_polled(self, tracked: Tracked) -> None:
        clock = self._answers.clock
        now = clock.monotonic()
        first = tracked.account.may_poll_from(tracked, now, clock.now().timestamp())
        if first > now:
            await clock.sleep(first - now)

"""One step of one export: the I/O that the loop starts, each returning what comes next."""

from collections.abc import Awaitable
from datetime import timedelta
from functools import partial

from attrs import evolve, frozen

from exportjobs._clock import Clock
from exportjobs._decide import Ask, End, Step
from exportjobs._download import Delivery, Download, Surroundings
from exportjobs._errors import ExportJobsError, LedgerFailed, RateLimited
from exportjobs._events import (
    NotRecorded,
    Observer,
    Polled,
    PollFailed,
    StatusUnknown,
    Submitted,
    Throttled,
)
from exportjobs._export import Export, Resumption
from exportjobs._job import ExportJob, JobRef
from exportjobs._ledger import Ledger
from exportjobs._session import Answer
from exportjobs._tracked import Tracked
from exportjobs._transport import Transport


@frozen
class Steps:
    """The I/O of the loop, with what it needs."""

    clock: Clock
    ledger: Ledger
    files: Transport
    report: Observer

    async def submit(self, tracked: Tracked) -> Step:
        """Submit an export that there is room for, or take up a job submitted earlier."""
        account = tracked.account
        try:
            tracked.row = tracked.row or await self.ledger.intend(tracked.work)
            if isinstance(tracked.work, Resumption):
                return Ask(0.0)
            answer = await account.session.converse(tracked.work.submit, ExportJob)
        except ExportJobsError as error:
            account.refusals += 1
            return account.counsel.after_submit_error(error, account.refusals)
        account.refusals = 0
        return await self._accepted(tracked, tracked.work, answer)

    async def _accepted(self, tracked: Tracked, export: Export, answer: Answer[ExportJob]) -> Step:
        named = evolve(
            answer.value.ref, kind=export.kind, digest=export.digest, submitted_at=self.clock.now()
        )
        tracked.job = evolve(answer.value, ref=named)
        await self._note(tracked, self.ledger.record(tracked.row, tracked.job))
        tracked.answered_at = self.clock.monotonic()
        step = tracked.account.counsel.after_submit(tracked.job, answer.asked)
        self.report(Submitted(tracked.subject, tracked.job, _next_in(step)))
        self._note_status(tracked, tracked.job)
        return step

    async def ask(self, tracked: Tracked) -> Step:
        """Ask for a job's status."""
        account = tracked.account
        try:
            answer = await self._polled(tracked)
        except ExportJobsError as error:
            return self._unanswered(tracked, error)
        tracked.failures = 0
        job = await self._described(tracked, answer.value)
        step = account.counsel.after_poll(job, answer.asked, unknown=tracked.unknown)
        self.report(Polled(tracked.subject, job, _next_in(step)))
        return step

    async def _polled(self, tracked: Tracked) -> Answer[ExportJob]:
        session, ref = tracked.account.session, ref_of(tracked)
        tracked.polls += 1
        return await session.converse(partial(session.adapter.poll, ref), ExportJob, ref)

    def _unanswered(self, tracked: Tracked, error: ExportJobsError) -> Step:
        if not isinstance(error, RateLimited):
            tracked.failures += 1
            tracked.failed_polls += 1
        submitted_at = ref_of(tracked).submitted_at
        age = self.clock.now() - submitted_at if submitted_at else timedelta.max
        step = tracked.account.counsel.after_poll_error(error, failures=tracked.failures, age=age)
        if isinstance(step, Ask):
            self.report(PollFailed(tracked.subject, error, step.seconds))
        return step

    async def _described(self, tracked: Tracked, snapshot: ExportJob) -> ExportJob:
        """Take in a newer snapshot of a job and return what is now known of it."""
        known, now = tracked.job, self.clock.monotonic()
        snapshot = evolve(snapshot, ref=ref_of(tracked))
        job = known.advance(snapshot) if known else snapshot
        tracked.job = job
        if known and job.status.is_terminal and not known.status.is_terminal:
            tracked.latency = timedelta(seconds=now - tracked.answered_at)
        tracked.answered_at = now
        if known is None or (known.status, known.raw_status) != (job.status, job.raw_status):
            await self._note(tracked, self.ledger.record(tracked.row, job))
        self._note_status(tracked, job)
        return job

    def _note_status(self, tracked: Tracked, job: ExportJob) -> None:
        """Count the answers in a row whose status nobody knows, and tell of the first."""
        tracked.unknown = 0 if job.reading.recognised else tracked.unknown + 1
        if tracked.unknown == 1:
            self.report(StatusUnknown(tracked.subject, job.raw_status))

    async def land(self, tracked: Tracked) -> Step:
        """Download a finished job's files, if they are wanted."""
        job = tracked.job
        if job is None or tracked.folder is None:
            return End()
        renew = partial(self._renew, tracked)
        delivery = Delivery(job, tracked.subject, tracked.account.session, tracked.folder, renew)
        download = Download(delivery, Surroundings(self.files, self.clock, self.report))
        try:
            tracked.files = await download.land()
        except ExportJobsError as error:
            return End(error.about(vendor=job.ref.vendor, ref=job.ref))
        finally:
            tracked.retried_downloads = download.retries
        await self._note(tracked, self.ledger.land(tracked.row, tracked.files))
        return End()

    async def _renew(self, tracked: Tracked) -> ExportJob:
        """Describe a finished job anew, for the sake of fresh addresses."""
        adapter = tracked.account.session.adapter
        while True:
            try:
                answer = await self._polled(tracked)
            except RateLimited as error:
                wait = error.retry_after or adapter.pace.interval
                self.report(Throttled(tracked.subject, wait.total_seconds()))
                await self.clock.sleep(wait.total_seconds())
            else:
                return await self._described(tracked, answer.value)

    async def cancel(self, tracked: Tracked) -> ExportJob:
        """Cancel a job and return what is then known of it."""
        session, ref = tracked.account.session, ref_of(tracked)
        tracked.row = tracked.row or await self.ledger.intend(tracked.work)
        answer = await session.converse(partial(session.adapter.cancel, ref), ExportJob, ref)
        return await self._described(tracked, answer.value)

    async def _note(self, tracked: Tracked, writing: Awaitable[None]) -> None:
        """Record something that has happened already: it stands, even if the ledger fails."""
        try:
            await writing
        except LedgerFailed as error:
            self.report(NotRecorded(tracked.subject, error))


def _next_in(step: Step) -> float | None:
    return step.seconds if isinstance(step, Ask) else None


def job_of(tracked: Tracked) -> ExportJob:
    """Return a tracked job that has been described.

    Raises:
        LookupError: If it has not.
    """
    if tracked.job is None:
        raise LookupError(str(tracked.subject))
    return tracked.job


def ref_of(tracked: Tracked) -> JobRef:
    """Return the name of a tracked job that has been submitted.

    Raises:
        LookupError: If it has not.
    """
    if tracked.ref is None:
        raise LookupError(str(tracked.subject))
    return tracked.ref

"""What each answer teaches: of the job, for the ledger, and about jobs of its kind."""

from collections.abc import Awaitable
from datetime import timedelta

from attrs import evolve, frozen

from exportjobs._clock import Clock
from exportjobs._errors import LedgerFailed
from exportjobs._events import NotRecorded, Observer, StatusUnknown
from exportjobs._export import Export
from exportjobs._job import ExportJob, JobRef, JobStatus
from exportjobs._ledger import Ledger
from exportjobs._tracked import Tracked


@frozen
class Witness:
    """Takes in what vendors say of jobs, and sees that it is not forgotten."""

    clock: Clock
    ledger: Ledger
    report: Observer

    async def accepted(self, tracked: Tracked, export: Export, job: ExportJob) -> ExportJob:
        """Take in a job that its vendor has just accepted."""
        now = self.clock.now()
        named = evolve(job.ref, kind=export.kind, digest=export.digest, submitted_at=now)
        tracked.job = evolve(job, ref=named)
        await self.note(tracked, self.ledger.record(tracked.row, tracked.job))
        tracked.began_at = tracked.answered_at = self.clock.monotonic()
        self._see_status(tracked, None, tracked.job)
        self._see_progress(tracked, tracked.job, tracked.began_at)
        return tracked.job

    async def described(self, tracked: Tracked, snapshot: ExportJob) -> ExportJob:
        """Take in a newer snapshot of a job and return what is now known of it."""
        known, now = tracked.job, self.clock.monotonic()
        snapshot = evolve(snapshot, ref=ref_of(tracked))
        job = known.advance(snapshot) if known else snapshot
        tracked.job = job
        if job.status.is_terminal and not (known and known.status.is_terminal):
            await self._see_end(tracked, job, now)
        self._see_progress(tracked, job, now)
        tracked.answered_at = now
        if known is None or (known.status, known.raw_status) != (job.status, job.raw_status):
            await self.note(tracked, self.ledger.record(tracked.row, job, tracked.polls))
        self._see_status(tracked, known, job)
        return job

    async def note(self, tracked: Tracked, writing: Awaitable[None]) -> None:
        """Record something that has happened already: it stands, even if the ledger fails."""
        try:
            await writing
        except LedgerFailed as error:
            self.report(NotRecorded(tracked.subject, error))

    def _see_status(self, tracked: Tracked, known: ExportJob | None, job: ExportJob) -> None:
        """Tell of a status that nobody knows, once for as long as it lasts."""
        if not job.reading.recognised and (known is None or known.reading.recognised):
            self.report(StatusUnknown(tracked.subject, job.raw_status))

    def _see_progress(self, tracked: Tracked, job: ExportJob, now: float) -> None:
        fraction = job.progress.fraction if job.progress else None
        if fraction is not None:
            tracked.course = tracked.course.reported(now - tracked.began_at, fraction)

    async def _see_end(self, tracked: Tracked, job: ExportJob, now: float) -> None:
        """Note how late the end was seen, and learn how long jobs of the kind take."""
        if tracked.answered_at is None:
            return
        tracked.latency = timedelta(seconds=now - tracked.answered_at)
        if job.status is JobStatus.CANCELLED:
            return
        after, by = tracked.answered_at - tracked.began_at, now - tracked.began_at
        took = _duration(job)
        if took is not None and after <= took <= by:
            after = by = took
        account, kind = tracked.account, tracked.work.kind
        learned = account.learned[kind] = account.durations(kind).ended(
            after, by, turn=tracked.number
        )
        await self.note(tracked, self.ledger.learn(tracked.work, learned))


def _duration(job: ExportJob) -> float | None:
    """Return the seconds that a job took by its vendor's own clock, if the vendor tells."""
    if job.created_at is None or job.finished_at is None:
        return None
    try:
        return (job.finished_at - job.created_at).total_seconds()
    except TypeError:
        # An adapter may have left the zone off one of them.
        return None


def ref_of(tracked: Tracked) -> JobRef:
    """Return the name of a tracked job that has been submitted.

    Raises:
        LookupError: If it has not.
    """
    if tracked.ref is None:
        raise LookupError(str(tracked.subject))
    return tracked.ref


def job_of(tracked: Tracked) -> ExportJob:
    """Return a tracked job that has been described.

    Raises:
        LookupError: If it has not.
    """
    if tracked.job is None:
        raise LookupError(str(tracked.subject))
    return tracked.job


def export_of(tracked: Tracked) -> Export:
    """Return the export that is to be submitted.

    Raises:
        LookupError: If it is a job that was submitted earlier.
    """
    if isinstance(tracked.work, Export):
        return tracked.work
    raise LookupError(str(tracked.subject))

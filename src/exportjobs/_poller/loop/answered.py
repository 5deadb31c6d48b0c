"""What an answer changes in an export, be it a vendor's or the ledger's, or that there is none.

Nobody else writes what is known of an export: a stage has the answer, and hands it over here.
"""

from collections.abc import Awaitable
from datetime import datetime, timedelta

from attrs import evolve, frozen

from exportjobs._http.session import Answer
from exportjobs._ledger.entry import LedgerEntry
from exportjobs._ledger.ledger import Ledger
from exportjobs._ledger.matching import LIST_DELAY
from exportjobs._ledger.tables import Tables
from exportjobs._poller.loop.account import Account
from exportjobs._poller.loop.tracked import Tracked, ref_of
from exportjobs._schedule.clock import Clock
from exportjobs._schedule.decide import Doubt, End, Poll, Step
from exportjobs._schedule.schedule import PollBounds
from exportjobs.adapter._adapter import Export
from exportjobs.adapter._errors import (
    BudgetExhausted,
    ConcurrencyLimitReached,
    DeadlineExceeded,
    ExportJobsError,
    LedgerFailed,
    RateLimited,
    ResponseError,
)
from exportjobs.adapter._job import ExportJob, JobStatus
from exportjobs.adapter._terms import Operation
from exportjobs.events import (
    LandedFile,
    LedgerWriteFailed,
    Observers,
    PollFailed,
    PollingSlowed,
    StatusUnknown,
    Throttled,
)

_MARGIN = 1.1
"""What jitter may make of a wait."""
_PLENTY = 2.0
"""How many times longer than the budget asks for a wait has to be, for the budget to be ample."""


@frozen
class Answers:
    """The one writer of what is known of exports, here and in the ledger."""

    clock: Clock
    ledger: Ledger
    observers: Observers

    # The ledger's answers.

    def entered(self, tracked: Tracked, entry: LedgerEntry) -> None:
        """Take in what the ledger knows of an export."""
        tracked.row, tracked.is_followed = entry.number, entry.is_taken
        tracked.account.register_row(tracked)
        if not entry.is_taken and entry.ref is not None:
            tracked.job = tracked.job or entry.job
            self.count_from(tracked, entry.ref.submitted_at)
            tracked.account.register(tracked)

    def numbered(self, tracked: Tracked, row: int) -> None:
        """Take in an export's number in the ledger."""
        tracked.row = row

    async def intended(self, tracked: Tracked, export: Export) -> None:
        """Write down that an export is about to be submitted.

        Raises:
            LedgerFailed: If that cannot be written: then it must not be submitted.
        """
        tracked.row = await self.ledger.write(Tables.intend, tracked.row, export)
        tracked.account.register_row(tracked)

    async def landed(self, tracked: Tracked, files: tuple[LandedFile, ...]) -> None:
        """Take in that all files of an export have landed."""
        tracked.files = files
        await self.note(tracked, self.ledger.write(Tables.land, tracked.row, files))

    def stands(self, tracked: Tracked, files: tuple[LandedFile, ...]) -> None:
        """Take in that the files which landed earlier are still there."""
        tracked.files = files

    def count_from(self, tracked: Tracked, submitted_at: datetime | None) -> None:
        """Count an export's time from when it was submitted, if that is known."""
        if submitted_at is not None:
            age = (self.clock.now() - submitted_at).total_seconds()
            tracked.began_at = self.clock.monotonic() - age

    async def note(self, tracked: Tracked, writing: Awaitable[None]) -> None:
        """Record something that has happened already: it stands, even if the ledger fails."""
        try:
            await writing
        except LedgerFailed as error:
            self.observers.report(LedgerWriteFailed(tracked.subject, error))

    # Whether it was submitted.

    async def accepted(self, tracked: Tracked, export: Export, job: ExportJob) -> ExportJob:
        """Take in a job that its vendor has just accepted."""
        now = self.clock.now()
        named = evolve(job.ref, kind=export.kind, digest=export.digest, submitted_at=now)
        tracked.job = evolve(job, ref=named)
        tracked.account.register(tracked)
        _reset_failures(tracked)
        await self.note(tracked, self.ledger.write(Tables.record, tracked.row, tracked.job))
        tracked.began_at = tracked.answered_at = self.clock.monotonic()
        self._report_unknown_status(tracked, None, tracked.job)
        self._see_progress(tracked, tracked.job, tracked.began_at)
        return tracked.job

    def doubted(self, tracked: Tracked, doubt: Doubt) -> Step:
        """Take in that nobody knows whether an export was submitted, and decide what to do.

        Once in its life, where its vendor has a list of jobs, that is looked into.
        """
        if self.ledger.is_durable:
            doubt.error.recorded(tracked.row, str(self.ledger.path))
        if tracked.was_cleared or not tracked.account.can("list_jobs"):
            return End(doubt.error)
        tracked.doubt = doubt
        tracked.account.doubtful.add(tracked)
        age = (self.clock.now() - doubt.sent_at).total_seconds()
        return Poll(max(0.0, LIST_DELAY - age))

    def cleared(self, tracked: Tracked, job: ExportJob | None = None) -> None:
        """Take in that the doubt about an export is over, and the job that it became, if any."""
        tracked.doubt = None
        tracked.account.doubtful.discard(tracked)
        if job is not None:
            tracked.job = job
            tracked.account.register(tracked)

    # The vendor's answers about its job.

    def polled(self, tracked: Tracked) -> None:
        """Count a poll that was answered."""
        self.count_poll(tracked)
        tracked.account.throttled = 0
        _reset_failures(tracked)

    def count_poll(self, tracked: Tracked) -> None:
        """Count a poll, whatever came of it."""
        tracked.polls += 1

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
            await self.note(
                tracked, self.ledger.write(Tables.record, tracked.row, job, tracked.polls)
            )
        self._report_unknown_status(tracked, known, job)
        return job

    def next_poll(self, tracked: Tracked, job: ExportJob, answer: Answer[ExportJob]) -> Step:
        """Decide what comes next after a job was accepted or described."""
        bounds = self.bounds(tracked.account, Operation.POLL, answer.server_wait)
        context = tracked.context(self.clock.monotonic())
        step = tracked.account.policy.after_answer(job, context, bounds)
        if isinstance(step, Poll):
            self.report_spacing(tracked, step, bounds)
        return step

    def not_before(self, tracked: Tracked, moment: float) -> None:
        """Take in that the server wants no poll of a job before a moment."""
        tracked.not_before = max(tracked.not_before, moment)

    def download_retried(self, tracked: Tracked, times: int) -> None:
        """Take in how often downloads of its files were begun again."""
        tracked.retried_downloads = times

    # No answer, or one that does not help.

    def failed(self, tracked: Tracked, error: ExportJobsError) -> None:
        """Take in why there is no answer, without counting it as a poll that failed."""
        tracked.last_error = error

    def poll_failed(self, tracked: Tracked, error: ExportJobsError) -> Step:
        """Take in that a poll got no answer that helps, and decide what comes next."""
        tracked.last_error = error
        if isinstance(error, BudgetExhausted):
            return self._after_poll_error(tracked, error)
        tracked.polls += tracked.doubt is None
        if isinstance(error, RateLimited | ConcurrencyLimitReached):
            step: Step = self.throttled(tracked, error)
        else:
            tracked.failures += 1
            tracked.failed_polls += 1
            step = self._after_poll_error(tracked, error)
        if isinstance(step, Poll):
            self.observers.report(PollFailed(tracked.subject, error, step.seconds))
        return step

    def throttled(self, tracked: Tracked, error: ResponseError) -> Poll:
        """Let a job's whole account wait as its vendor asks, longer each time in a row."""
        account = tracked.account
        account.throttled += not isinstance(error, BudgetExhausted)
        step = account.policy.after_throttle(error, account.throttled)
        self.pause(tracked, step.seconds)
        return step

    def pause(self, tracked: Tracked, seconds: float) -> None:
        """Let a job's whole account wait."""
        account = tracked.account
        account.allowance = account.allowance.paused(self.clock.monotonic() + seconds)
        self.observers.report(Throttled(tracked.subject, seconds))

    # What bears on every request of an account.

    def bounds(self, account: Account, of: Operation, server_wait: timedelta | None) -> PollBounds:
        """Return what bears on every poll of a sort after an answer.

        Where jobs are polled one by one, each has its share of the budget.
        """
        now = self.clock.now().timestamp()
        sharers = account.allowance.outstanding if of is Operation.POLL else 1
        spacing = account.session.budgets.spacing(of, now) * max(1, sharers)
        return PollBounds(server_wait, spacing)

    def report_spacing(self, tracked: Tracked, step: Poll, bounds: PollBounds) -> None:
        """Report that it is the account's budget that decides, if that was not reported before."""
        account = tracked.account
        if bounds.server_wait is not None or not tracked.recognised:
            return
        if step.seconds > bounds.spacing * _PLENTY:
            account.is_spread = False
        elif step.seconds <= bounds.spacing * _MARGIN and not account.is_spread:
            account.is_spread = True
            self.observers.report(PollingSlowed(tracked.subject, bounds.spacing))

    def _after_poll_error(self, tracked: Tracked, error: ExportJobsError) -> Step:
        submitted_at = tracked.ref.submitted_at if tracked.ref else None
        age = self.clock.now() - submitted_at if submitted_at else timedelta.max
        policy = tracked.account.policy
        return policy.after_poll_error(error, failures=tracked.failures, age=age)

    def _report_unknown_status(
        self, tracked: Tracked, known: ExportJob | None, job: ExportJob
    ) -> None:
        """Report a status that nobody knows, once for as long as it lasts."""
        if not job.reading.recognised and (known is None or known.reading.recognised):
            self.observers.report(StatusUnknown(tracked.subject, job.raw_status))

    def _see_progress(self, tracked: Tracked, job: ExportJob, now: float) -> None:
        fraction = job.progress.fraction if job.progress else None
        if fraction is not None:
            tracked.trend = tracked.trend.reported(now - tracked.began_at, fraction)

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
        account, kind = tracked.account, tracked.export.kind
        learned = account.durations(kind).ended(after, by, turn=tracked.number)
        account.learned[kind] = learned
        await self.note(tracked, self.ledger.write(Tables.learn, tracked.export, learned))


def too_late(tracked: Tracked, reason: str) -> ExportJobsError:
    """Return the error that ends the wait for an export."""
    if tracked.doubt is not None:
        return tracked.doubt.error
    remedy = None if tracked.ref else "run it again with a later deadline"
    late = DeadlineExceeded(reason + last_error(tracked), remedy=remedy)
    late.__cause__ = tracked.last_error
    return late


def last_error(tracked: Tracked) -> str:
    """Return what went wrong last, to be said of an export that is given up."""
    if tracked.last_error is None:
        return ""
    count = tracked.failures
    times = f"{count} poll{'s' * (count != 1)} failed; at last: " if count else ""
    return f" ({times}{tracked.last_error.reason})"


def seconds_until(step: Step) -> float | None:
    """Return the seconds until the next poll, if there is one."""
    return step.seconds if isinstance(step, Poll) else None


def _reset_failures(tracked: Tracked) -> None:
    tracked.failures, tracked.last_error = 0, None


def _duration(job: ExportJob) -> float | None:
    """Return the seconds that a job took by its vendor's own clock, if the vendor tells."""
    if job.created_at is None or job.finished_at is None:
        return None
    try:
        return (job.finished_at - job.created_at).total_seconds()
    except TypeError:
        # An adapter may have left the zone off one of them.
        return None

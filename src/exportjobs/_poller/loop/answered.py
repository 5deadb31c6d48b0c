"""What each answer teaches: of the job, for the ledger, and about jobs of its kind."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from attrs import evolve, frozen

from exportjobs._http.session import Answer, Heard
from exportjobs._landing.download import Delivery, Download, Surroundings
from exportjobs._landing.source import Ways
from exportjobs._ledger.ledger import Ledger
from exportjobs._ledger.matching import SETTLES
from exportjobs._poller.loop.account import Account
from exportjobs._poller.loop.tracked import Tracked
from exportjobs._schedule.clock import Clock
from exportjobs._schedule.decide import Doubt, End, Poll, Step
from exportjobs._schedule.schedule import PollBounds
from exportjobs.adapter._adapter import Export
from exportjobs.adapter._errors import (
    AuthenticationFailed,
    BrokenAdapter,
    BudgetExhausted,
    ConcurrencyLimitReached,
    DeadlineExceeded,
    ExportJobsError,
    InternalError,
    LedgerFailed,
    PollerClosed,
    RateLimited,
    SubmitOutcomeUnknown,
    retold,
)
from exportjobs.adapter._job import ExportJob, JobRef, JobStatus, verdict
from exportjobs.adapter._terms import Limits, Operation
from exportjobs.events import (
    LedgerWriteFailed,
    Observer,
    Polled,
    PollFailed,
    PollingSlowed,
    StatusUnknown,
    Submitted,
    Throttled,
)


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
            self.report(LedgerWriteFailed(tracked.subject, error))

    def _see_status(self, tracked: Tracked, known: ExportJob | None, job: ExportJob) -> None:
        """Tell of a status that nobody knows, once for as long as it lasts."""
        if not job.reading.recognised and (known is None or known.reading.recognised):
            self.report(StatusUnknown(tracked.subject, job.raw_status))

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


_MARGIN = 1.1
"""What jitter may make of a wait."""
_ROOM_ASKED = 3
"""Times in a row that a vendor may be too busy to tell how many jobs it takes."""
_PLENTY = 2.0
"""How many times longer than the budget asks for a wait has to be, for the budget to be ample."""


@frozen
class Steps:
    """The I/O of the loop, with what it needs."""

    clock: Clock
    ledger: Ledger
    ways: Ways
    report: Observer
    witness: Witness

    async def submit(self, tracked: Tracked) -> Step:
        """Submit an export that there is room for."""
        account, export = tracked.account, export_of(tracked)
        sent_at = self.clock.now()
        try:
            tracked.row = await self.ledger.intend(tracked.row, export)
            tracked.is_being_submitted = True
            answer = await account.session.converse(
                export.submit, ExportJob, operation=Operation.SUBMIT
            )
        except ExportJobsError as error:
            return await self._refused(tracked, error, sent_at)
        account.refusals = 0
        tracked.heard()
        job = await self.witness.accepted(tracked, export, answer.value)
        tracked.is_being_submitted = False
        step = self._next(tracked, job, answer)
        self.report(Submitted(tracked.subject, job, next_in(step)))
        return step

    async def _refused(self, tracked: Tracked, error: ExportJobsError, sent_at: datetime) -> Step:
        account = tracked.account
        account.refusals += 1
        tracked.is_being_submitted, tracked.last_error = False, error
        step = account.policy.after_submit_error(error, account.refusals)
        if isinstance(step, End) and isinstance(step.error, SubmitOutcomeUnknown):
            return self.doubt(tracked, Doubt(step.error, sent_at))
        if tracked.row and not isinstance(error, BrokenAdapter):
            await self.witness.note(tracked, self.ledger.take_back(tracked.row))
        return step

    def doubt(self, tracked: Tracked, doubt: Doubt) -> Step:
        """Decide about a submit of which nobody knows what came of it.

        Once in its life, where its vendor has a list of jobs, that is looked into.
        """
        if self.ledger.is_durable:
            doubt.error.choose(tracked.row, str(self.ledger.path))
        if tracked.was_cleared or not tracked.account.lists:
            return End(doubt.error)
        tracked.doubt = doubt
        tracked.account.doubtful.add(tracked)
        age = (self.clock.now() - doubt.sent_at).total_seconds()
        return Poll(max(0.0, SETTLES - age))

    def left(self, tracked: Tracked) -> ExportJobsError:
        """Return the error of an export that is left before its end."""
        if tracked.doubt is not None:
            return tracked.doubt.error
        if tracked.is_being_submitted:
            will_look = self.ledger.is_durable and tracked.account.lists
            remedy = "exportjobs resume looks for its job" if will_look else None
            return SubmitOutcomeUnknown("left before the answer to its submit", remedy=remedy)
        return _left(tracked)

    def dispel(self, tracked: Tracked) -> None:
        """Note that a submit is not in doubt any more, or will stay so."""
        tracked.doubt = None
        tracked.account.doubtful.discard(tracked)

    async def ask(self, tracked: Tracked, heard: Heard) -> Step:
        """Ask for a job's status, and tell of each answer that the question takes."""
        try:
            answer = await self._polled(tracked, heard)
        except ExportJobsError as error:
            return self.unanswered(tracked, error)
        tracked.account.throttled = 0
        tracked.heard()
        tracked.singly = False
        job = await self.witness.described(tracked, answer.value)
        step = self._next(tracked, job, answer)
        self.report(Polled(tracked.subject, job, next_in(step)))
        return step

    async def learn_room(self, tracked: Tracked) -> AuthenticationFailed | None:
        """Ask how many jobs an account may have, for the sake of an export that waits.

        Returns:
            The error that stops the account, if one does.
        """
        account = tracked.account
        session = account.session
        try:
            answer = await session.converse(session.adapter.limits, Limits)
        except AuthenticationFailed as error:
            return error
        except RateLimited as error:
            self.throttled(tracked, error)
            account.asks_room = account.throttled < _ROOM_ASKED
        except ExportJobsError:
            # Refusals will tell what could not be asked.
            account.asks_room = False
        else:
            account.asks_room = False
            until = self.clock.monotonic() + account.policy.schedule.slow
            account.allowance = account.allowance.told(answer.value, until)
        return None

    def download(self, tracked: Tracked) -> Download | None:
        """Return what fetches an ended job's files, if they are wanted."""
        job = tracked.job
        if job is None or tracked.destination is None or not tracked.destination.wants(job):
            return None
        session, renew = tracked.account.session, partial(self._renew, tracked)
        delivery = Delivery(job, tracked.subject, session, tracked.destination, renew)
        return Download(delivery, Surroundings(self.ways, self.clock, self.report))

    async def conclude(
        self, tracked: Tracked, download: Download, error: ExportJobsError | None
    ) -> Step:
        """End a job whose files have landed, or cannot be had.

        One that came to a bad end has failed whatever became of its files.
        """
        tracked.retried_downloads = download.retries
        bad_end = verdict(job_of(tracked))
        try:
            if error is not None:
                raise error
            tracked.files = await download.conclude()
        except ExportJobsError as failure:
            if bad_end is None:
                return End(failure)
            bad_end.__cause__ = tracked.named(failure)
        else:
            await self.witness.note(tracked, self.ledger.land(tracked.row, tracked.files))
        return End(bad_end)

    async def cancel(self, tracked: Tracked) -> ExportJob:
        """Cancel a job and return what is then known of it."""
        session, ref = tracked.account.session, ref_of(tracked)
        if not tracked.row:
            (entry,) = await self.ledger.enter([(0, tracked.work, None)])
            tracked.row = entry.number
        try:
            answer = await session.converse(partial(session.adapter.cancel, ref), ExportJob, ref)
        except ExportJobsError as error:
            tracked.last_error = error
            raise
        return await self.witness.described(tracked, answer.value)

    def bounds(self, account: Account, of: Operation, asked: timedelta | None) -> PollBounds:
        """Return what bears on every question of a sort after an answer.

        Where jobs are asked about one by one, each has its share of the budget.
        """
        now = self.clock.now().timestamp()
        sharers = account.allowance.outstanding if of is Operation.POLL else 1
        return PollBounds(asked, account.session.budgets.spacing(of, now) * max(1, sharers))

    def pause(self, tracked: Tracked, seconds: float) -> None:
        """Let a job's whole account wait."""
        account = tracked.account
        account.allowance = account.allowance.paused(self.clock.monotonic() + seconds)
        self.report(Throttled(tracked.subject, seconds))

    def throttled(self, tracked: Tracked, error: RateLimited | ConcurrencyLimitReached) -> Poll:
        """Let a job's whole account wait as its vendor asks, longer each time in a row."""
        account = tracked.account
        account.throttled += not isinstance(error, BudgetExhausted)
        step = account.policy.after_throttle(error, account.throttled)
        self.pause(tracked, step.seconds)
        return step

    def economise(self, tracked: Tracked, step: Poll, bounds: PollBounds) -> None:
        """Tell when it is the account's budget that decides, if that was not told before."""
        account = tracked.account
        if bounds.server_wait is not None or not tracked.recognised:
            return
        if step.seconds > bounds.spacing * _PLENTY:
            account.thrifty = False
        elif step.seconds <= bounds.spacing * _MARGIN and not account.thrifty:
            account.thrifty = True
            self.report(PollingSlowed(tracked.subject, bounds.spacing))

    def _next(self, tracked: Tracked, job: ExportJob, answer: Answer[ExportJob]) -> Step:
        account = tracked.account
        bounds = self.bounds(account, Operation.POLL, answer.server_wait)
        context = tracked.context(self.clock.monotonic())
        step = account.policy.after_answer(job, context, bounds)
        if isinstance(step, Poll):
            self.economise(tracked, step, bounds)
        return step

    async def _polled(self, tracked: Tracked, heard: Heard) -> Answer[ExportJob]:
        session, ref = tracked.account.session, ref_of(tracked)
        tracked.polls += 1
        begin = partial(session.adapter.poll, ref)
        try:
            return await session.converse(
                begin, ExportJob, ref, operation=Operation.POLL, heard=heard
            )
        except BudgetExhausted:
            tracked.polls -= 1
            raise

    def unanswered(self, tracked: Tracked, error: ExportJobsError) -> Step:
        """Decide after a question about a job got no answer that helps."""
        tracked.last_error = error
        if isinstance(error, RateLimited | ConcurrencyLimitReached) and not isinstance(
            error, BudgetExhausted
        ):
            step: Step = self.throttled(tracked, error)
        else:
            step = self._failed(tracked, error)
        if isinstance(step, Poll) and not isinstance(error, BudgetExhausted):
            self.report(PollFailed(tracked.subject, error, step.seconds))
        return step

    def _failed(self, tracked: Tracked, error: ExportJobsError) -> Step:
        if not isinstance(error, BudgetExhausted):
            tracked.failures += 1
            tracked.failed_polls += 1
        submitted_at = tracked.ref.submitted_at if tracked.ref else None
        age = self.clock.now() - submitted_at if submitted_at else timedelta.max
        policy = tracked.account.policy
        return policy.after_poll_error(error, failures=tracked.failures, age=age)

    async def _renew(self, tracked: Tracked) -> ExportJob:
        """Describe a finished job anew, for the sake of fresh addresses."""
        while True:
            await self._leave_alone(tracked)
            try:
                answer = await self._polled(tracked, tracked.leave_alone)
            except BudgetExhausted as error:
                wait = error.retry_after or tracked.account.session.adapter.polling.min_interval
                await self.clock.sleep(wait.total_seconds())
            except RateLimited as error:
                self.throttled(tracked, error)
            else:
                return await self.witness.described(tracked, answer.value)

    async def _leave_alone(self, tracked: Tracked) -> None:
        """Wait until the account may be asked about a job."""
        now = self.clock.monotonic()
        hold = tracked.account.hold(tracked, now, self.clock.now().timestamp())
        if hold > now:
            await self.clock.sleep(hold - now)


async def guarded(step: Callable[[Tracked], Awaitable[Step]], tracked: Tracked) -> Step:
    """Take a step; a mistake of ours ends the one export that it was made about."""
    try:
        return await step(tracked)
    except Exception as error:  # noqa: BLE001 - it is not to end all the others
        return End(internal(error))


def internal(error: Exception) -> InternalError:
    """Return the error that stands for a mistake of this library's own."""
    mistake = InternalError(f"the library made a mistake ({type(error).__name__})")
    mistake.__cause__ = retold(error)
    return mistake


def too_late(tracked: Tracked, reason: str) -> ExportJobsError:
    """Return the error that ends the wait for an export."""
    if tracked.doubt is not None:
        return tracked.doubt.error
    remedy = None if tracked.ref else "run it again with a later deadline"
    late = DeadlineExceeded(reason + _of_late(tracked), remedy=remedy)
    late.__cause__ = tracked.last_error
    return late


def _left(tracked: Tracked) -> ExportJobsError:
    """Return the error of an export that is left while it is known how it stands."""
    if tracked.is_followed:
        reason = "left to another process, which is at work on it"
        return PollerClosed(reason, remedy="run it again to see what came of it")
    if tracked.ref is None:
        return PollerClosed("left before it was submitted", remedy="run it again")
    if tracked.job is None or not tracked.job.status.is_terminal:
        return PollerClosed(f"left at its vendor{_of_late(tracked)}")
    asked = "its files landed" if tracked.listeners else "anyone asked for its files"
    return verdict(tracked.job) or PollerClosed(f"left before {asked}")


def _of_late(tracked: Tracked) -> str:
    """Return what went wrong of late, to be said of an export that is given up."""
    if tracked.last_error is None:
        return ""
    count = tracked.failures
    times = f"{count} poll{'s' * (count != 1)} failed; at last: " if count else ""
    return f" ({times}{tracked.last_error.reason})"


def next_in(step: Step) -> float | None:
    """Return the seconds until the next question, if there is one."""
    return step.seconds if isinstance(step, Poll) else None

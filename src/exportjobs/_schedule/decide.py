"""What comes next for an export, given what just happened: decisions only."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from attrs import evolve, frozen

from exportjobs._schedule.schedule import (
    FAILURES_ALLOWED,
    NOT_FOUND_GRACE,
    Jitter,
    PollBounds,
    PollContext,
    Schedule,
)
from exportjobs.adapter._errors import (
    AuthenticationFailed,
    BudgetExhausted,
    ConcurrencyLimitReached,
    ExportJobsError,
    JobNotFound,
    MalformedResponse,
    NetworkError,
    QuotaExceeded,
    RateLimited,
    Rejected,
    ResponseError,
    SubmitOutcomeUnknown,
    VendorError,
    VendorUnavailable,
)
from exportjobs.adapter._job import ExportJob, JobStatus, verdict

_MAX_BUDGET_WAIT = timedelta(hours=1)
"""The longest wait for a budget to be renewed; a later renewal ends the export with an error."""


@frozen
class SubmitAgain:
    """Submit it again after so many seconds, or sooner if a slot is released before."""

    seconds: float
    reason: str
    pauses_account: bool = False

    @property
    def ok(self) -> bool:
        """Whether the account works: no answer said that it must wait or stop."""
        return False


@frozen
class Poll:
    """Poll it in so many seconds."""

    seconds: float
    server_wait: float = 0.0
    """Seconds that the server asked to wait; the job must not be polled sooner for any reason."""
    ok: bool = True
    """Whether the account works: no answer said that it must wait or stop."""
    alone: bool = False
    """Whether the next request is to be about this job alone, not about all of its account."""


@frozen
class Land:
    """Download its files."""

    ok: ClassVar[bool] = True


@frozen
class End:
    """It has ended; with an error, unless it succeeded."""

    error: ExportJobsError | None = None
    stops_account: bool = False

    @property
    def ok(self) -> bool:
        """Whether the account works: no answer said that it must wait or stop."""
        return not self.stops_account


@frozen
class Submit:
    """Submit it when a slot is free."""

    ok: ClassVar[bool] = True


@frozen
class Follow:
    """Another process works on it: look in the ledger again in so many seconds."""

    seconds: float
    ok: ClassVar[bool] = True


Step = Submit | SubmitAgain | Follow | Poll | Land | End


@frozen
class Doubt:
    """A submit whose outcome is unknown."""

    error: SubmitOutcomeUnknown
    sent_at: datetime


@frozen
class Policy:
    """A vendor's schedule and a source of jitter, which every decision is made with."""

    schedule: Schedule
    jitter: Jitter

    def after_answer(self, job: ExportJob, context: PollContext, bounds: PollBounds) -> Step:
        """Decide after a job was accepted or described."""
        if job.status.is_terminal:
            return self.after_end(job)
        return _poll_in(self.schedule.after(context, bounds, self.jitter), bounds.server_wait)

    def after_list(self, contexts: Sequence[PollContext], bounds: PollBounds) -> Poll:
        """Decide after one answer described several jobs that have not ended."""
        return _poll_in(self.schedule.after_list(contexts, bounds, self.jitter), bounds.server_wait)

    def after_end(self, job: ExportJob) -> Step:
        """Decide after a job has ended; one that failed may have files too."""
        has_files = job.status is JobStatus.DONE or job.artifacts
        return Land() if has_files else End(verdict(job))

    def after_submit_error(self, error: ExportJobsError, refusals: int) -> Step:
        """Decide after a submit failed, for the nth time in a row on the account."""
        match error:
            case BudgetExhausted(retry_after=timedelta() as wait) if wait <= _MAX_BUDGET_WAIT:
                return SubmitAgain(wait.total_seconds(), error.reason)
            case BudgetExhausted():
                return End(_quota_exceeded(error))
            case ConcurrencyLimitReached() | RateLimited() | VendorUnavailable():
                seconds = self.schedule.after_failure(refusals, error.retry_after, self.jitter)
                throttled = not isinstance(error, ConcurrencyLimitReached)
                return SubmitAgain(seconds, error.reason, pauses_account=throttled)
            case JobNotFound():
                remedy = "check the base URL and the ids in the request"
                return End(Rejected(error.reason, vendor=error.vendor, remedy=remedy))
            case MalformedResponse():
                reason = f"no clear answer to a submit: {error.reason}"
                return End(SubmitOutcomeUnknown(reason, vendor=error.vendor))
            case _:
                return End(error, stops_account=isinstance(error, AuthenticationFailed))

    def after_poll_error(self, error: ExportJobsError, *, failures: int, age: timedelta) -> Step:
        """Decide after a poll failed, for the nth time in a row, of a job of some age."""
        server_wait = error.retry_after if isinstance(error, ResponseError) else None
        seconds = self.schedule.after_failure(failures, server_wait, self.jitter)
        again = _poll_in(seconds, server_wait)
        match error:
            case BudgetExhausted():
                return again
            case RateLimited() | ConcurrencyLimitReached():
                return self.after_throttle(error, failures)
            case AuthenticationFailed():
                return End(error, stops_account=True)
            case JobNotFound() if age <= NOT_FOUND_GRACE:
                return again
            case NetworkError() | VendorError() | QuotaExceeded() if failures < FAILURES_ALLOWED:
                return again
            case _:
                return End(error)

    def after_throttle(self, error: ResponseError, throttled: int) -> Poll:
        """Decide after an account was told to wait, for the nth time in a row."""
        seconds = self.schedule.after_failure(throttled, error.retry_after, self.jitter)
        return evolve(_poll_in(seconds, error.retry_after), ok=False)


def _poll_in(seconds: float, server_wait: timedelta | None) -> Poll:
    return Poll(seconds, server_wait.total_seconds() if server_wait else 0.0)


def _quota_exceeded(error: BudgetExhausted) -> QuotaExceeded:
    return QuotaExceeded(error.reason, vendor=error.vendor, retry_after=error.retry_after)

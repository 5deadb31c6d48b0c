"""What comes next for an export, given what just happened: decisions only."""

from datetime import timedelta

from attrs import frozen

from exportjobs._errors import (
    AuthenticationFailed,
    ExportJobsError,
    JobNotFound,
    MalformedResponse,
    NetworkError,
    QuotaExceeded,
    RateLimited,
    Refusal,
    Rejected,
    SlotsFull,
    SubmitOutcomeUnknown,
    VendorError,
    VendorUnavailable,
)
from exportjobs._finished import verdict
from exportjobs._job import ExportJob, JobStatus
from exportjobs._schedule import FAILURES_ALLOWED, NOT_FOUND_GRACE, Jitter, Schedule


@frozen
class SubmitAgain:
    """Submit it when so many seconds have passed, or sooner if there is room before."""

    seconds: float
    reason: str
    pauses_account: bool = False


@frozen
class Ask:
    """Ask for its status in so many seconds."""

    seconds: float
    pauses_account: bool = False


@frozen
class Land:
    """Download its files."""


@frozen
class End:
    """It has come to its end; with an error, unless it ended well."""

    error: ExportJobsError | None = None
    stops_account: bool = False


Step = SubmitAgain | Ask | Land | End


@frozen
class Counsel:
    """A vendor's schedule and a source of jitter: what every decision is made with."""

    schedule: Schedule
    jitter: Jitter

    def after_submit(self, job: ExportJob, asked: timedelta | None = None) -> Step:
        """Decide after a job was accepted."""
        return self._if_ended(job) or Ask(self.schedule.first(asked, self.jitter))

    def after_poll(
        self, job: ExportJob, asked: timedelta | None = None, *, unknown: int = 0
    ) -> Step:
        """Decide after a job was described, with a status unknown for the nth time in a row."""
        wait = self.schedule.after(asked, self.jitter, unknown=unknown)
        return self._if_ended(job) or Ask(wait)

    def after_submit_error(self, error: ExportJobsError, refusals: int) -> Step:
        """Decide after a submit failed, for the nth time in a row on the account."""
        match error:
            case SlotsFull() | RateLimited() | VendorUnavailable():
                seconds = self.schedule.after_failure(refusals, error.retry_after, self.jitter)
                throttled = not isinstance(error, SlotsFull)
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
        """Decide after a question failed, for the nth time in a row, about a job of some age."""
        asked = error.retry_after if isinstance(error, Refusal) else None
        again = self.schedule.after_failure(failures, asked, self.jitter)
        match error:
            case RateLimited() | SlotsFull():
                return Ask(again, pauses_account=True)
            case AuthenticationFailed():
                return End(error, stops_account=True)
            case JobNotFound() if age <= NOT_FOUND_GRACE:
                return Ask(again)
            case NetworkError() | VendorError() | QuotaExceeded() if failures < FAILURES_ALLOWED:
                return Ask(again)
            case _:
                return End(error)

    def _if_ended(self, job: ExportJob) -> Step | None:
        if not job.status.is_terminal:
            return None
        return Land() if job.status is JobStatus.DONE else End(verdict(job))

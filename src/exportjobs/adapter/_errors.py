"""Every error of the library, by whose fault it is.

    ExportJobsError
    ├── RequestError             the caller asked for something that cannot be
    │   ├── InvalidArgument         (ValueError) an argument, caught before anything is sent
    │   ├── InvalidRef              (ValueError) a job's ref that cannot be read
    │   ├── UnknownVendor           (LookupError) no adapter of that name
    │   ├── UnknownAccount          (LookupError) a ref of an account that was not handed over
    │   ├── BrokenAdapter           an installed adapter that cannot be used
    │   ├── Unsupported             a thing this vendor cannot do
    │   ├── WrongContext            (RuntimeError) the wrong door, or one not entered
    │   └── Rejected                the vendor refused the request
    ├── AccountError             the account, not the request
    │   ├── AuthenticationFailed    the credentials are not accepted
    │   ├── PermissionDenied        they are, but not for this
    │   ├── RateLimited             too many requests: later
    │   │   └── BudgetExhausted         as many as the vendor allows: not sent at all
    │   ├── ConcurrencyLimitReached too many jobs at once: when one has ended
    │   └── QuotaExceeded           the allowance is used up
    ├── VendorError              the vendor's answer
    │   ├── VendorUnavailable       a 5xx
    │   ├── MalformedResponse       an answer that is not what it should be
    │   └── UntrustedAddress        an address we do not go to
    ├── NetworkError             (ConnectionError) the way there
    │   ├── Unreachable             no connection: nothing was sent
    │   └── SubmitOutcomeUnknown    sent, and no answer: the job may or may not exist
    ├── JobError                 the job itself
    │   ├── JobFailed               it ended as failed
    │   ├── JobCancelled            it ended as cancelled
    │   └── JobNotFound             (LookupError) the vendor does not know it
    ├── DeadlineExceeded         (TimeoutError) our waiting ended, the job did not
    ├── PollerClosed             the poller was left before the job came to its end
    ├── InternalError            a mistake of this library's own
    └── FileError                the file
        ├── DownloadFailed          the bytes could not be had whole
        │   ├── SignedUrlRejected       a signed URL was refused, and so were its renewals
        │   └── Corrupted               they came whole, but are not what was promised
        ├── DestinationFailed       (OSError) they could not be written
        └── LedgerFailed            what happened could not be recorded

An error names the vendor, the job, the cause and the remedy, and holds no secret and no signed URL.
"""

from datetime import timedelta
from shlex import quote
from typing import TYPE_CHECKING, ClassVar, Self, TypedDict, TypeVar, Unpack

from exportjobs.adapter._redact import optional_safe_text, safe_text

if TYPE_CHECKING:
    from exportjobs.adapter._job import JobRef


class Context(TypedDict, total=False):
    """What every error may be told beside what happened."""

    vendor: str | None
    account: str | None
    ref: "JobRef | None"
    remedy: str | None


class ExportJobsError(Exception):
    """The root of every error that the library raises on purpose.

    Attributes:
        reason: What happened, in one line.
        vendor: The vendor's name, where one is concerned.
        account: The account's name, where one is concerned; shown if it is not "default".
        ref: The job, where one is concerned and known.
        remedy: What to do next, in one line.
    """

    default_remedy: ClassVar[str] = ""

    def __init__(
        self,
        reason: str,
        *,
        vendor: str | None = None,
        account: str | None = None,
        ref: "JobRef | None" = None,
        remedy: str | None = None,
    ) -> None:
        """Take what happened, where, and what to do about it."""
        super().__init__(safe_text(reason))
        self.reason: str = safe_text(reason)
        self.vendor: str | None = vendor
        self.account: str | None = account
        self.ref: JobRef | None = ref
        self.remedy: str = self.default_remedy if remedy is None else safe_text(remedy)

    def __str__(self) -> str:
        """Return vendor, job, cause and remedy on one line."""
        where = str(self.ref) if self.ref else self._account
        text = f"{where}: {self.reason}" if where else self.reason
        return f"{text}; {self.remedy}" if self.remedy else text

    def __repr__(self) -> str:
        """Return the error's name and its one line."""
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by what is kept, as the arguments are keywords."""
        return (_rebuild, (type(self), self.__dict__))

    def copy_for(self, ref: "JobRef | None") -> Self:
        """Return this error told of another job."""
        return _rebuild(type(self), {**self.__dict__, "ref": ref})

    def about(
        self, *, vendor: str, account: str | None = None, ref: "JobRef | None" = None
    ) -> Self:
        """Return this error, told whom it concerns where it did not know."""
        self.vendor = self.vendor or vendor
        self.account = self.account or account
        self.ref = self.ref or ref
        return self

    @property
    def _account(self) -> str | None:
        """The vendor, and which of the user's accounts there if it has a name of its own."""
        if self.vendor is None or self.account in {None, "default"}:
            return self.vendor
        return f"{self.vendor}/{self.account}"


_E = TypeVar("_E", bound=ExportJobsError)


def _rebuild(cls: type[_E], kept: dict[str, object]) -> _E:
    error = cls.__new__(cls, kept["reason"])
    error.__dict__.update(kept)
    return error


class RequestError(ExportJobsError):
    """The caller asked for something that cannot be."""


class InvalidArgument(RequestError, ValueError):
    """An argument that cannot be right; nothing was sent.

    Attributes:
        field: The argument's name.
    """

    def __init__(self, field: str, reason: str, **context: Unpack[Context]) -> None:
        """Take the argument's name and what is wrong with it."""
        super().__init__(f"{field}: {reason}", **context)
        self.field: str = field


class InvalidRef(RequestError, ValueError):
    """A job's ref that cannot be read, or does not belong to this account."""

    default_remedy = "pass a ref as JobRef.to_json() wrote it"

    def __init__(self, reason: str, **context: Unpack[Context]) -> None:
        """Take what is wrong with the ref."""
        super().__init__(f"job ref: {reason}", **context)


class UnknownVendor(RequestError, LookupError):
    """No installed distribution offers an adapter of that name."""


class UnknownAccount(RequestError, LookupError):
    """A ref belongs to an account that the poller was not given."""

    default_remedy = "hand its adapter over: Poller(accounts=[...])"


class BrokenAdapter(RequestError):
    """An installed adapter that cannot be used; the others are unaffected."""


class Unsupported(RequestError):
    """The vendor's API has no such operation."""


class WrongContext(RequestError, RuntimeError):
    """The synchronous door was tried inside an event loop, or a poller that was not entered."""


class ResponseError(ExportJobsError):
    """What every answer has that says no.

    Attributes:
        http_status: The HTTP status of the answer.
        code: The vendor's own code for the refusal, if it gave one.
        retry_after: How long the vendor asks us to wait, if it says.
    """

    def __init__(
        self,
        reason: str,
        *,
        http_status: int | None = None,
        code: str | None = None,
        retry_after: timedelta | None = None,
        **context: Unpack[Context],
    ) -> None:
        """Take what the vendor said and how."""
        super().__init__(reason, **context)
        self.http_status: int | None = http_status
        self.code: str | None = optional_safe_text(code)
        self.retry_after: timedelta | None = retry_after


class Rejected(ResponseError, RequestError):
    """The vendor refused the request as it stands; asking again changes nothing."""

    default_remedy = "correct the request"


class AccountError(ResponseError):
    """The account may not do this, now or at all."""


class AuthenticationFailed(AccountError):
    """The vendor does not accept the account's credentials."""

    default_remedy = "check the account's credentials and that they have not expired"


class PermissionDenied(AccountError):
    """The credentials are accepted, but not for this."""

    default_remedy = "ask the vendor's administrator for access"


class RateLimited(AccountError):
    """Too many requests; the account waits, the job does not suffer."""

    default_remedy = "it passes by itself"


class BudgetExhausted(RateLimited):
    """The account has sent as many requests as its vendor allows; this one was not sent."""

    default_remedy = "it passes when the vendor's count begins anew"


class ConcurrencyLimitReached(AccountError):
    """Too many jobs are running on the account; there is room when one has ended."""

    default_remedy = "it passes when one of the account's jobs has ended"


class QuotaExceeded(AccountError):
    """The account's allowance is used up; waiting for a job to end does not help."""

    default_remedy = "wait until the allowance is renewed, or have the vendor raise it"


class VendorError(ExportJobsError):
    """The vendor's answer is at fault."""


class VendorUnavailable(ResponseError, VendorError):
    """The vendor answered with a server error."""

    default_remedy = "try again later"


class MalformedResponse(VendorError):
    """The vendor's answer is not what its documentation promises.

    Attributes:
        problems: One line for each thing that is wrong, such as
            "required field missing @ $.status".
    """

    default_remedy = "if it lasts, the vendor's API may have changed: report it"

    def __init__(self, *problems: str, **context: Unpack[Context]) -> None:
        """Take what is wrong, a line for each thing."""
        super().__init__("answer cannot be understood: " + "; ".join(problems), **context)
        self.problems: tuple[str, ...] = tuple(safe_text(problem) for problem in problems)


class UntrustedAddress(VendorError):
    """An address that we do not go to: another host's, or one without encryption."""


class NetworkError(ExportJobsError, ConnectionError):
    """The vendor could not be reached, or the connection broke."""

    default_remedy = "check the network and try again"


class Unreachable(NetworkError):
    """No connection was made, so nothing was sent."""


class SubmitOutcomeUnknown(NetworkError):
    """A request that creates a job was sent and no answer came.

    The job may or may not exist. It is not sent again: that could cost a second export.

    Attributes:
        number: The export's number in the ledger, where there is one that lasts.
    """

    number: int | None = None

    default_remedy = "look for the job at the vendor before submitting again"

    def choose(self, number: int, ledger: str) -> None:
        """Say what can be done about an export that stands in a ledger under a number."""
        self.number = number
        self.remedy: str = (
            f"look for the job at the vendor, then say what is so: exportjobs adopt {number} ID, "
            f"exportjobs resubmit {number} or exportjobs abandon {number}, each with --ledger "
            f"{quote(ledger)} (in Python poller.records has adopt, resubmit and abandon)"
        )


class JobError(ExportJobsError):
    """The job itself came to a bad end."""


class JobFailed(JobError):
    """The vendor says that the job failed."""

    default_remedy = "submit it again, or ask the vendor"


class JobCancelled(JobError):
    """The job was cancelled before it was done."""

    default_remedy = "submit it again if it is still wanted"


class JobNotFound(ResponseError, JobError, LookupError):
    """The vendor does not know the job, or knows it no more."""

    default_remedy = "check the job's id and account, or submit it again"


class DeadlineExceeded(ExportJobsError, TimeoutError):
    """Our waiting ended. The job did not: it can be resumed by its ref."""

    default_remedy = "resume the job by its ref, with a later deadline"


class PollerClosed(ExportJobsError):
    """The poller was left before the job came to its end: it can be resumed by its ref."""

    default_remedy = "resume the job by its ref"


class InternalError(ExportJobsError):
    """This library made a mistake about one export; the others go on."""

    default_remedy = "report it, with the traceback"


class FileError(ExportJobsError):
    """The job is done, but its file did not land."""


class DownloadFailed(FileError):
    """The bytes could not be had whole."""

    default_remedy = "resume the job by its ref to download again"


class SignedUrlRejected(DownloadFailed):
    """The file's host refused its address, as it does when a signed URL has expired."""


class Corrupted(DownloadFailed):
    """The bytes are not those that the vendor or the file's host vouches for."""

    default_remedy = "resume the job by its ref to download again; if it lasts, ask the vendor"


class DestinationFailed(FileError, OSError):
    """The file could not be written."""

    default_remedy = "free some space or choose another folder, then resume the job by its ref"


class LedgerFailed(FileError):
    """The ledger cannot be opened, read or written."""

    default_remedy = "check the ledger's path and the space left, or choose another file"


def mistaken(error: Exception, where: str = "") -> BrokenAdapter:
    """Return the error that stands for a mistake of an adapter's, in a place such as " in poll"."""
    return BrokenAdapter(f"the adapter made a mistake{where} ({type(error).__name__}: {error})")


def retold(error: Exception) -> Exception:
    """Return an error with its name, its traceback, and its text made safe: a cause to chain."""
    told = Exception(f"{type(error).__name__}: {safe_text(str(error))}")
    return told.with_traceback(error.__traceback__)

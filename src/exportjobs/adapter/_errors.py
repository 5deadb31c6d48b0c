"""Every error of the library; its branches say whose fault an error is.

    ExportJobsError
    ├── RequestError             the caller's request
    │   ├── InvalidArgument         (ValueError) an argument; nothing was sent
    │   ├── InvalidRef              (ValueError) a job's ref that cannot be read
    │   ├── UnknownVendor           (LookupError) no adapter of that name
    │   ├── UnknownAccount          (LookupError) a ref of an account that the poller lacks
    │   ├── BrokenAdapter           an installed adapter that cannot be used
    │   ├── Unsupported             an operation that the vendor does not have
    │   ├── WrongContext            (RuntimeError) run in an event loop, or no `async with`
    │   └── Rejected                the vendor refused the request
    ├── AccountError             the account, not the request
    │   ├── AuthenticationFailed    the credentials are not accepted
    │   ├── PermissionDenied        they are accepted, but not for this
    │   ├── RateLimited             too many requests: retried later
    │   │   └── BudgetExhausted         all that the vendor allows: not sent
    │   ├── ConcurrencyLimitReached too many jobs at once: submitted when one ends
    │   └── QuotaExceeded           the allowance is used up
    ├── VendorError              the vendor's answer
    │   ├── VendorUnavailable       a 5xx
    │   ├── MalformedResponse       an answer that cannot be read
    │   └── UntrustedAddress        a URL that we do not request
    ├── NetworkError             (ConnectionError) the connection
    │   ├── Unreachable             no connection: nothing was sent
    │   └── SubmitOutcomeUnknown    sent, not answered: the job may or may not exist
    ├── JobError                 the job itself
    │   ├── JobFailed               it ended as failed
    │   ├── JobCancelled            it ended as cancelled
    │   └── JobNotFound             (LookupError) the vendor does not know it
    ├── DeadlineExceeded         (TimeoutError) our wait ended, the job did not
    ├── PollerClosed             the poller was closed before the job ended
    ├── InternalError            a bug in this library
    └── FileError                the file
        ├── DownloadFailed          the bytes could not be downloaded completely
        │   ├── SignedUrlRejected       a signed URL was rejected, and so were its renewals
        │   └── Corrupted               they are complete, but a check failed
        ├── DestinationFailed       (OSError) the file could not be written
        └── LedgerFailed            the ledger could not be read or written

An error names the vendor, the job, the cause and the remedy; it has no secret and no signed URL.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Self, TypedDict, TypeVar, Unpack

from exportjobs.adapter._redact import optional_safe_text, safe_text

if TYPE_CHECKING:
    from exportjobs.adapter._job import JobRef


class Context(TypedDict, total=False):
    """What every error may be given beside the reason."""

    vendor: str | None
    account: str | None
    ref: "JobRef | None"
    remedy: str | None


class ExportJobsError(Exception):
    """The root of every error that the library raises on purpose.

    Attributes:
        reason: What happened, in one line.
        vendor: The vendor's name, if it is about one.
        account: The account's name, if it is about one; shown if it is not "default".
        ref: The job, if it is about one and its id is known.
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
        """Take what happened, where, and what to do."""
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
        """Pickle the attributes, because the arguments are keywords."""
        return (_rebuild, (type(self), self.__dict__))

    def copy_for(self, ref: "JobRef | None") -> Self:
        """Return a copy of this error that is about another job."""
        return _rebuild(type(self), {**self.__dict__, "ref": ref})

    def about(
        self, *, vendor: str, account: str | None = None, ref: "JobRef | None" = None
    ) -> Self:
        """Return this error with vendor, account and job filled in where it had none."""
        self.vendor = self.vendor or vendor
        self.account = self.account or account
        self.ref = self.ref or ref
        return self

    @property
    def _account(self) -> str | None:
        """The vendor, and the account's name if it is not the default one."""
        if self.vendor is None or self.account in {None, "default"}:
            return self.vendor
        return f"{self.vendor}/{self.account}"


_E = TypeVar("_E", bound=ExportJobsError)


def _rebuild(cls: type[_E], kept: dict[str, object]) -> _E:
    error = cls.__new__(cls, kept["reason"])
    error.__dict__.update(kept)
    return error


class RequestError(ExportJobsError):
    """The caller's request is at fault."""


class InvalidArgument(RequestError, ValueError):
    """An argument is invalid; nothing was sent.

    Attributes:
        field: The argument's name.
    """

    def __init__(self, field: str, reason: str, **context: Unpack[Context]) -> None:
        """Take the argument's name and what is wrong with it."""
        super().__init__(f"{field}: {reason}", **context)
        self.field: str = field


class InvalidRef(RequestError, ValueError):
    """A job's ref cannot be read, or belongs to another account."""

    default_remedy = "pass a ref as JobRef.to_json() wrote it"

    def __init__(self, reason: str, **context: Unpack[Context]) -> None:
        """Take what is wrong with the ref."""
        super().__init__(f"job ref: {reason}", **context)


class UnknownVendor(RequestError, LookupError):
    """No installed distribution offers an adapter of that name."""


class UnknownAccount(RequestError, LookupError):
    """A ref belongs to an account that the poller was not given."""

    default_remedy = "pass its adapter: Poller(accounts=[...])"


class BrokenAdapter(RequestError):
    """An adapter cannot be used; the others are unaffected."""


class Unsupported(RequestError):
    """The vendor's API has no such operation."""


class WrongContext(RequestError, RuntimeError):
    """`run` was called inside an event loop, or a Poller used outside its `async with`."""


class ResponseError(ExportJobsError):
    """The vendor answered a request with an error.

    Attributes:
        http_status: The HTTP status of the answer.
        code: The vendor's own error code, if it gave one.
        retry_after: How long the vendor asks us to wait, if it does.
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
    """The vendor rejected the request; repeating it unchanged does not help."""

    default_remedy = "correct the request"


class AccountError(ResponseError):
    """The account may not do this now, or at all."""


class AuthenticationFailed(AccountError):
    """The vendor does not accept the account's credentials."""

    default_remedy = "check the account's credentials and that they have not expired"


class PermissionDenied(AccountError):
    """The credentials are accepted, but not for this."""

    default_remedy = "ask the vendor's administrator for access"


class RateLimited(AccountError):
    """The account sent too many requests; it pauses, and the job is not affected."""

    default_remedy = "try again after the pause"


class BudgetExhausted(RateLimited):
    """The account has sent as many requests as its vendor allows; this one was not sent."""

    default_remedy = "try again when the budget resets"


class ConcurrencyLimitReached(AccountError):
    """The account has as many jobs as may run at once; a slot is free when one ends."""

    default_remedy = "wait until one of the account's jobs has ended"


class QuotaExceeded(AccountError):
    """The account's quota is used up; waiting for a job to end does not help."""

    default_remedy = "wait until the quota resets, or ask the vendor to raise it"


class VendorError(ExportJobsError):
    """The vendor's answer is at fault."""


class VendorUnavailable(ResponseError, VendorError):
    """The vendor answered with a server error."""

    default_remedy = "try again later"


class MalformedResponse(VendorError):
    """The vendor's answer cannot be read.

    Attributes:
        problems: One line per problem, such as "required field missing @ $.status".
    """

    default_remedy = "if it persists, the vendor's API may have changed: report it"

    def __init__(self, *problems: str, **context: Unpack[Context]) -> None:
        """Take the problems, one line each."""
        super().__init__("cannot read the answer: " + "; ".join(problems), **context)
        self.problems: tuple[str, ...] = tuple(safe_text(problem) for problem in problems)


class UntrustedAddress(VendorError):
    """A URL that we do not request: on another host, or without encryption."""


class NetworkError(ExportJobsError, ConnectionError):
    """The vendor could not be reached, or the connection broke."""

    default_remedy = "check the network and try again"


class Unreachable(NetworkError):
    """No connection was made, so nothing was sent."""


class SubmitOutcomeUnknown(NetworkError):
    """A request that creates a job was sent and not answered.

    The job may or may not exist. The request is not repeated: that could create a second job.

    Attributes:
        number: The export's number in the ledger, where that is a file.
        ledger: The path of that file.
    """

    number: int | None = None
    ledger: str | None = None

    default_remedy = "look for the job at the vendor before you submit it again"

    def recorded(self, number: int, ledger: str) -> None:
        """Take where the export is recorded, which is what can be done about it from there."""
        self.number, self.ledger = number, ledger
        self.remedy: str = (
            "look for the job at the vendor, then call one of: "
            f"poller.records.adopt({number}, job_id), poller.records.resubmit({number}), "
            f"poller.records.abandon({number})"
        )


class JobError(ExportJobsError):
    """The job itself did not succeed."""


class JobFailed(JobError):
    """The vendor says that the job failed."""

    default_remedy = "submit it again, or ask the vendor"


class JobCancelled(JobError):
    """The job was cancelled before it was done."""

    default_remedy = "submit it again if it is still wanted"


class JobNotFound(ResponseError, JobError, LookupError):
    """The vendor does not know the job, or no longer knows it."""

    default_remedy = "check the job's id and account, or submit it again"


class DeadlineExceeded(ExportJobsError, TimeoutError):
    """Our wait ended. The job did not: it can be resumed by its ref."""

    default_remedy = "resume the job by its ref, with a later deadline"


class PollerClosed(ExportJobsError):
    """The poller was closed before the job ended: the job can be resumed by its ref."""

    default_remedy = "resume the job by its ref"


class InternalError(ExportJobsError):
    """A bug in this library stopped one export; the others continue."""

    default_remedy = "report it, with the traceback"


class FileError(ExportJobsError):
    """The job is done, but a file did not land, or the ledger failed."""


class DownloadFailed(FileError):
    """A file could not be downloaded completely."""

    default_remedy = "resume the job by its ref to download again"


class SignedUrlRejected(DownloadFailed):
    """The file's host rejected the signed URL, as it does when that has expired."""


class Corrupted(DownloadFailed):
    """The bytes do not match a size or digest that the vendor or the file's host gave."""

    default_remedy = "resume the job by its ref to download again; if it persists, ask the vendor"


class DestinationFailed(FileError, OSError):
    """The file could not be written."""

    default_remedy = "free some space or choose another folder, then resume the job by its ref"


class LedgerFailed(FileError):
    """The ledger cannot be opened, read or written."""

    default_remedy = "check the ledger's path and the free space, or choose another file"


def mistaken(error: Exception, where: str = "") -> BrokenAdapter:
    """Return the error for an exception of an adapter's code, in a place such as " in poll"."""
    return BrokenAdapter(f"the adapter failed{where} ({type(error).__name__}: {error})")


def retold(error: Exception) -> Exception:
    """Return a copy of an exception to chain as a cause, with its text made safe."""
    told = Exception(f"{type(error).__name__}: {safe_text(str(error))}")
    return told.with_traceback(error.__traceback__)

"""Submit, poll and download bulk exports of any vendor in one loop.

The entry points are `run`, for plain code, and `Poller`, for an event loop. They are imported when
they are first used, and so is all else that an adapter does without: what only writes an adapter,
or asks for help on the command line, does not wait for the HTTP client, the event loops and SQLite.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from exportjobs.adapter._adapter import ExistingJob, Export
from exportjobs.adapter._errors import (
    AccountError,
    AuthenticationFailed,
    BrokenAdapter,
    BudgetExhausted,
    ConcurrencyLimitReached,
    Corrupted,
    DeadlineExceeded,
    DestinationFailed,
    DownloadFailed,
    ExportJobsError,
    FileError,
    InternalError,
    InvalidArgument,
    InvalidRef,
    JobCancelled,
    JobError,
    JobFailed,
    JobNotFound,
    LedgerFailed,
    MalformedResponse,
    NetworkError,
    PermissionDenied,
    PollerClosed,
    QuotaExceeded,
    RateLimited,
    Rejected,
    RequestError,
    SignedUrlRejected,
    SubmitOutcomeUnknown,
    UnknownAccount,
    UnknownVendor,
    Unreachable,
    Unsupported,
    UntrustedAddress,
    VendorError,
    VendorUnavailable,
    WrongContext,
)
from exportjobs.adapter._job import Artifact, ExportJob, JobRef, JobStatus, Progress

if TYPE_CHECKING:
    from exportjobs._landing.into.function import FileStream
    from exportjobs._ledger.entry import LedgerEntry
    from exportjobs._ledger.records import Records
    from exportjobs._poller.poller import Poller
    from exportjobs._poller.run import resume_all, run
    from exportjobs.adapter._registry import Installed, installed, load_adapter
    from exportjobs.events import Event, Finished, LandedFile, Observer, Stats

__all__ = [
    "AccountError",
    "Artifact",
    "AuthenticationFailed",
    "BrokenAdapter",
    "BudgetExhausted",
    "ConcurrencyLimitReached",
    "Corrupted",
    "DeadlineExceeded",
    "DestinationFailed",
    "DownloadFailed",
    "Event",
    "ExistingJob",
    "Export",
    "ExportJob",
    "ExportJobsError",
    "FileError",
    "FileStream",
    "Finished",
    "Installed",
    "InternalError",
    "InvalidArgument",
    "InvalidRef",
    "JobCancelled",
    "JobError",
    "JobFailed",
    "JobNotFound",
    "JobRef",
    "JobStatus",
    "LandedFile",
    "LedgerEntry",
    "LedgerFailed",
    "MalformedResponse",
    "NetworkError",
    "Observer",
    "PermissionDenied",
    "Poller",
    "PollerClosed",
    "Progress",
    "QuotaExceeded",
    "RateLimited",
    "Records",
    "Rejected",
    "RequestError",
    "SignedUrlRejected",
    "Stats",
    "SubmitOutcomeUnknown",
    "UnknownAccount",
    "UnknownVendor",
    "Unreachable",
    "Unsupported",
    "UntrustedAddress",
    "VendorError",
    "VendorUnavailable",
    "WrongContext",
    "installed",
    "load_adapter",
    "resume_all",
    "run",
]

_DEFERRED = {
    "Event": "exportjobs.events",
    "FileStream": "exportjobs._landing.into.function",
    "Finished": "exportjobs.events",
    "Installed": "exportjobs.adapter._registry",
    "LandedFile": "exportjobs.events",
    "LedgerEntry": "exportjobs._ledger.entry",
    "Observer": "exportjobs.events",
    "Poller": "exportjobs._poller.poller",
    "Records": "exportjobs._ledger.records",
    "Stats": "exportjobs.events",
    "installed": "exportjobs.adapter._registry",
    "load_adapter": "exportjobs.adapter._registry",
    "resume_all": "exportjobs._poller.run",
    "run": "exportjobs._poller.run",
}

# Hidden from type checkers, which would take it to mean that every name exists.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Return what is imported when it is first used."""
        if name not in _DEFERRED:
            raise import_module("exportjobs.adapter._renamed").no_such_name(__name__, name)
        found = getattr(import_module(_DEFERRED[name]), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        """Return the names that are there, used before or not."""
        return sorted({*globals(), *__all__})

"""Submit, poll and download bulk exports of any vendor in one loop.

The two doors are `run`, for plain code, and `Poller`, for an event loop. They are opened when they
are first used: what only writes an adapter, or only names its vendors, does not wait for the HTTP
client, the event loops and SQLite to be imported.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from exportjobs._ledger.entry import LedgerEntry
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
from exportjobs.adapter._registry import Installed, installed, load_adapter
from exportjobs.events import Event, Finished, LandedFile, Observer, Stats

if TYPE_CHECKING:
    from exportjobs._landing.into.function import FileStream
    from exportjobs._ledger.records import Records
    from exportjobs._poller.poller import Poller
    from exportjobs._poller.run import resume_all, run

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

_DOORS = {
    "FileStream": "exportjobs._landing.into.function",
    "Poller": "exportjobs._poller.poller",
    "Records": "exportjobs._ledger.records",
    "resume_all": "exportjobs._poller.run",
    "run": "exportjobs._poller.run",
}

# Hidden from type checkers, which would take it to mean that every name exists.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Return one of the doors, importing what is behind it."""
        if name not in _DOORS:
            raise import_module("exportjobs.adapter._renamed").no_such_name(__name__, name)
        door = getattr(import_module(_DOORS[name]), name)
        globals()[name] = door
        return door

    def __dir__() -> list[str]:
        """Return the names that are there, the doors among them even before they were opened."""
        return sorted({*globals(), *__all__})

"""The API for adapters: an adapter imports from here, and from nowhere else in the library.

An adapter is one account at one vendor: its credentials, its base URL, and how the vendor's API
works. It is frozen, does no I/O and reads no clock. Each of its flows is a generator that yields
requests, is sent responses, and returns a result; the library sends, waits, retries, signs in and
downloads.
"""

from typing import TYPE_CHECKING

from attrs import evolve, field, frozen
from attrs.validators import optional

from exportjobs.adapter._adapter import (
    API_VERSION,
    Adapter,
    ExistingJob,
    Export,
    ExportKind,
    credential,
    export,
)
from exportjobs.adapter._errors import (
    AuthenticationFailed,
    ConcurrencyLimitReached,
    ExportJobsError,
    InvalidArgument,
    JobNotFound,
    MalformedResponse,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    Rejected,
    ResponseError,
    Unsupported,
    VendorUnavailable,
)
from exportjobs.adapter._flow import Flow, Request, Response, Token, path
from exportjobs.adapter._job import (
    Artifact,
    ExportJob,
    JobRef,
    JobStatus,
    Progress,
    Reading,
    StatusMap,
)
from exportjobs.adapter._renamed import no_such_name
from exportjobs.adapter._structure import is_object, structure
from exportjobs.adapter._terms import Budget, Limits, Operation, PollPolicy

__all__ = [
    "API_VERSION",
    "Adapter",
    "Artifact",
    "AuthenticationFailed",
    "Budget",
    "ConcurrencyLimitReached",
    "ExistingJob",
    "Export",
    "ExportJob",
    "ExportJobsError",
    "ExportKind",
    "Flow",
    "InvalidArgument",
    "JobNotFound",
    "JobRef",
    "JobStatus",
    "Limits",
    "MalformedResponse",
    "Operation",
    "PermissionDenied",
    "PollPolicy",
    "Progress",
    "QuotaExceeded",
    "RateLimited",
    "Reading",
    "Rejected",
    "Request",
    "Response",
    "ResponseError",
    "StatusMap",
    "Token",
    "Unsupported",
    "VendorUnavailable",
    "credential",
    "evolve",
    "export",
    "field",
    "frozen",
    "is_object",
    "optional",
    "path",
    "structure",
]

# Hidden from type checkers, which would take it to mean that every name exists.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Refuse a name that does not exist; one that was renamed with its new name."""
        raise no_such_name(__name__, name)

"""Everything that an adapter's author needs: import from here and from nowhere else in the library.

An adapter is one account at one vendor: credentials, a base URL, and pure knowledge of the vendor's
API. It is frozen, does no I/O and reads no clock. Each of its flows is a generator that yields
requests, is sent responses, and returns what they amount to; the library sends, waits, retries,
signs in and downloads.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import ClassVar
from urllib.parse import urlsplit

from attrs import Attribute, evolve, field, frozen
from attrs.validators import optional

from exportjobs._address import is_loopback
from exportjobs._errors import (
    AuthenticationFailed,
    ExportJobsError,
    InvalidArgument,
    JobNotFound,
    MalformedResponse,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    Refusal,
    Rejected,
    SlotsFull,
    Unsupported,
    VendorUnavailable,
)
from exportjobs._export import Export, ExportKind, Resumption, export
from exportjobs._flow import Flow, Request, Response, Token, path, unwrapped
from exportjobs._job import (
    Artifact,
    ExportJob,
    JobRef,
    JobStatus,
    Progress,
    Reading,
    StatusMap,
)
from exportjobs._pace import Budget, Limits, Operation, Pace
from exportjobs._structure import is_object, structure

__all__ = [
    "API_VERSION",
    "Adapter",
    "Artifact",
    "AuthenticationFailed",
    "Budget",
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
    "Pace",
    "PermissionDenied",
    "Progress",
    "QuotaExceeded",
    "RateLimited",
    "Reading",
    "Refusal",
    "Rejected",
    "Request",
    "Response",
    "Resumption",
    "SlotsFull",
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
    "unwrapped",
]

API_VERSION = 1
"""The version of what this module promises to adapters: it rises when that grows or changes."""

_OPTIONAL_FLOWS = ("list_jobs", "cancel", "limits", "sign_in")


def credential(adapter: "Adapter", attribute: "Attribute[str]", value: object) -> None:
    """Check a field that holds a secret: text that can stand in an HTTP header.

    Use it as `field(repr=False, validator=credential)`. What it finds wrong is said without showing
    the secret.

    Raises:
        InvalidArgument: If the value is not text, is blank, or has characters no header may have.
    """
    if not isinstance(value, str):
        reason = "is no text"
    elif not value.strip():
        reason = "is empty"
    elif not (value.isascii() and value.isprintable() and value == value.strip()):
        reason = "has characters that no HTTP header may hold"
    else:
        return
    raise InvalidArgument(
        attribute.name,
        reason,
        vendor=adapter.vendor,
        remedy="pass the secret as the vendor issued it",
    )


@frozen
class Adapter(ABC):
    """One account at one vendor.

    A subclass names its `vendor`, its `base_url` and its credentials, says with `authenticate` how
    a request is signed, writes a flow under `@export` for each kind of export, and one to `poll`.
    The other flows are optional: one that is not overridden is a thing the vendor cannot do.
    """

    vendor: ClassVar[str]
    """The vendor's name: what the entry point and every ref say."""
    api_version: ClassVar[int] = 1
    """The `API_VERSION` that the adapter was written for, as a figure: the constant itself would
    always be the installed one. An adapter that does not say was written for the first."""
    statuses: ClassVar[StatusMap] = StatusMap()
    """The vendor's vocabulary, for whoever wants to see it; the flows say what they read with."""
    pace: ClassVar[Pace] = Pace()
    """When to ask for a job's status, in so far as the vendor decides."""
    slots: ClassVar[int | None] = None
    """Jobs that may be outstanding on the account at once, where the vendor publishes it."""
    budgets: ClassVar[tuple[Budget, ...]] = ()
    """How many requests the vendor allows an account in so much time, where it publishes it."""
    scope: ClassVar[tuple[str, ...]] = ()
    """Arguments of exports that a job's ref has to hold too, as a poll needs them."""
    error_codes: ClassVar[Mapping[str, type[Refusal]]] = MappingProxyType({})
    """Which error each of the vendor's own codes stands for; the others go by HTTP status."""

    base_url: str = field(default="", kw_only=True)
    """Below what every request goes; a subclass gives the vendor's address as the default."""
    name: str = field(default="default", kw_only=True)
    """Which of the user's accounts at the vendor this is; it stands in every ref."""
    sign_in_url: str = field(default="", init=False, repr=False)
    """Below what the requests of `sign_in` go; below the base URL if it is empty. An adapter whose
    vendor issues tokens elsewhere makes it an argument, with the vendor's address for a default."""

    def __attrs_post_init__(self) -> None:
        """Check what every adapter has.

        Raises:
            InvalidArgument: If a base URL is none, or would carry credentials in the open.
        """
        self._check_base_url("base_url", self.base_url)
        if self.sign_in_url:
            self._check_base_url("sign_in_url", self.sign_in_url)
        if not self.name or not self.name.isprintable() or "/" in self.name:
            raise self.invalid(
                "name", "is not a printable word without slashes", "use a short name"
            )

    @property
    def account(self) -> tuple[str, str]:
        """The vendor's name and the account's: what the library keeps accounts apart by."""
        return (self.vendor, self.name)

    @classmethod
    def kinds(cls) -> Mapping[str, ExportKind]:
        """Return the kinds of export that the adapter offers, by name, in the order written."""
        found = {
            name: member.__export_kind__
            for base in reversed(cls.__mro__)
            for name, member in vars(base).items()
            if hasattr(member, "__export_kind__")
        }
        return MappingProxyType(found)

    @classmethod
    def capabilities(cls) -> frozenset[str]:
        """Return which of the optional flows the adapter has."""
        return frozenset(n for n in _OPTIONAL_FLOWS if getattr(cls, n) is not getattr(Adapter, n))

    @abstractmethod
    def authenticate(self, request: Request) -> Request:
        """Return the request with the account's credentials on it."""

    @abstractmethod
    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one job's status."""

    def sign_in(self) -> Flow[Token]:
        """Trade the credentials for a token, which then goes along as `bear` says."""
        raise self.unsupported("signing in")

    def bear(self, request: Request, token: Token) -> Request:
        """Return the request with the token that signing in gave: as `Authorization: Bearer`."""
        return request.with_header("Authorization", f"Bearer {token.value}")

    def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Flow[tuple[ExportJob, ...]]:  # noqa: ARG002 - for overrides
        """Ask for many jobs' statuses at once; paging may end when all the wanted ids were seen."""
        raise self.unsupported("listing jobs")

    def may_have_made(self, job: ExportJob, export: Export) -> bool:
        """Return whether a listed job can be what an export became.

        It is asked when no answer came to a submit: a job is then adopted if it is the only one of
        the time in question. An adapter whose list tells what was exported compares that.
        """
        return job.ref.kind in {"", export.kind}

    def cancel(self, ref: JobRef) -> Flow[ExportJob]:  # noqa: ARG002 - for overrides
        """Cancel a job. Cancelling one that has ended returns its final state."""
        raise self.unsupported("cancelling a job")

    def limits(self) -> Flow[Limits]:
        """Ask what the account may do now."""
        raise self.unsupported("reading limits")

    def resume(self, ref: JobRef) -> Resumption:
        """Return a job submitted earlier as something to run again to its end.

        Raises:
            InvalidArgument: If it is no ref.
            InvalidRef: If the job belongs to another account.
        """
        return Resumption(self, ref)

    def ref(self, job_id: str, **scope: str) -> JobRef:
        """Return a new job's name; the library adds the kind and when it was submitted.

        Raises:
            MalformedResponse: If the id is empty or not printable, and could not be read back.
        """
        if not job_id or not job_id.isprintable():
            raise MalformedResponse("expected a printable id @ $")
        return JobRef(vendor=self.vendor, account=self.name, id=job_id, scope=scope)

    def invalid(self, argument: str, reason: str, remedy: str) -> InvalidArgument:
        """Return the error for an argument that cannot be right."""
        return InvalidArgument(argument, reason, vendor=self.vendor, remedy=remedy)

    def check_order(self, argument: str, start: date | None, end: date | None) -> None:
        """Check that a range of days or times does not end before it begins.

        Raises:
            InvalidArgument: If it does.
        """
        if start is not None and end is not None and start > end:
            raise self.invalid(argument, "is after the end", "let the range begin before it ends")

    def unsupported(self, operation: str) -> Unsupported:
        """Return the error for something the vendor's API does not have."""
        return Unsupported(f"the vendor's API has no way of {operation}", vendor=self.vendor)

    def _check_base_url(self, argument: str, url: str) -> None:
        none = self.invalid(argument, "is not a base URL", "pass one such as https://host/path")
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise none from None
        if parts.scheme == "http" and not is_loopback(host):
            raise self.invalid(argument, "would send credentials unencrypted", "use https")
        if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
            raise none
        if not url.isprintable() or " " in url:
            raise none
        if parts.username is not None or parts.password is not None:
            raise self.invalid(argument, "holds credentials", "pass them as their own arguments")

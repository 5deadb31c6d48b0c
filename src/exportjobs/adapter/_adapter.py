"""An export that is asked for but not yet sent, and the decorator that makes its constructor."""

import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cached_property, update_wrapper
from types import MappingProxyType
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar, get_type_hints
from urllib.parse import urlsplit

from attrs import Attribute, Factory, field, frozen

from exportjobs.adapter._errors import (
    ExportJobsError,
    InvalidArgument,
    InvalidRef,
    MalformedResponse,
    ResponseError,
    Unsupported,
    mistaken,
    retold,
)
from exportjobs.adapter._flow import Flow, Request, Token
from exportjobs.adapter._job import (
    ExportJob,
    JobRef,
    StatusMap,
    check_ref,
)
from exportjobs.adapter._redact import hiding, unprinted
from exportjobs.adapter._structure import conform, dump_json, freeze_members
from exportjobs.adapter._terms import Budget, Limits, PollPolicy
from exportjobs.adapter._urls import is_loopback

P = ParamSpec("P")
A = TypeVar("A", bound="Adapter")


def _digest(export: "Export") -> str:
    return hashlib.sha256(export.to_json().encode()).hexdigest()


@frozen
class Export:
    """A request for an export that has not been sent.

    It is whole without a closure: the account, the kind and the arguments are enough to build it
    again in another process. Two that ask for the same are equal.
    """

    adapter: "Adapter" = field(eq=False, repr=False)
    kind: str
    """The name of the constructor that made it."""
    arguments: Mapping[str, Any] = field(eq=False, repr=lambda given: repr(dict(given)))
    """By name; those that are the default are left out."""
    digest: str = field(init=False, repr=False, default=Factory(_digest, takes_self=True))
    """SHA-256, in hexadecimal, of vendor, account, kind and arguments."""

    @property
    def account(self) -> tuple[str, str]:
        """The vendor's name and the account's."""
        return self.adapter.account

    def to_json(self) -> str:
        """Return vendor, account, kind and arguments in canonical JSON; no credentials."""
        vendor, account = self.account
        arguments = dict(self.arguments)
        return dump_json(
            {"vendor": vendor, "account": account, "kind": self.kind, "arguments": arguments}
        )

    def submit(self) -> Flow[ExportJob]:
        """Return the flow that submits this export."""
        return self.adapter.kinds()[self.kind].flow(self.adapter, **self.arguments)


def _is_of_this_account(work: "ExistingJob", _: object, ref: JobRef) -> None:
    check_ref(ref, work.adapter.vendor)
    if ref.account_key != work.account:
        raise InvalidRef(
            f"belongs to {'/'.join(ref.account_key)}, not to {'/'.join(work.account)}",
            vendor=work.adapter.vendor,
            ref=ref,
            remedy="resume it with the adapter of its own account",
        )


@frozen
class ExistingJob:
    """A job that was submitted before and is to be seen to its end."""

    adapter: "Adapter" = field(eq=False, repr=False)
    ref: JobRef = field(validator=_is_of_this_account)

    @property
    def account(self) -> tuple[str, str]:
        """The vendor's name and the account's."""
        return self.adapter.account

    @property
    def kind(self) -> str:
        """What was exported."""
        return self.ref.kind


@frozen(slots=False)
class ExportKind:
    """One kind of export of an adapter: its name, its arguments and how it is submitted."""

    flow: Callable[..., Flow[ExportJob]]

    @property
    def name(self) -> str:
        """The constructor's name."""
        return self.flow.__name__

    @property
    def summary(self) -> str:
        """The first line of the constructor's docstring."""
        return (inspect.getdoc(self.flow) or "").partition("\n")[0]

    @cached_property
    def signature(self) -> inspect.Signature:
        """The constructor's signature without `self`, its annotations resolved."""
        hints = get_type_hints(self.flow)
        _, *parameters = inspect.signature(self.flow).parameters.values()
        return inspect.Signature([p.replace(annotation=hints[p.name]) for p in parameters])

    def scope(self, names: Iterable[str], arguments: Mapping[str, object]) -> Mapping[str, str]:
        """Return what a job's ref holds of an export's arguments, those by default included."""
        defaults = {name: one.default for name, one in self.signature.parameters.items()}
        values = {**defaults, **arguments}
        said = {name: values[name] for name in names if name in values}
        nothing = (None, "", inspect.Parameter.empty)
        return {name: str(value) for name, value in said.items() if value not in nothing}

    def bind(self, adapter: "Adapter", /, *args: object, **kwargs: object) -> Export:
        """Return the export that these arguments ask for.

        The submitting flow is run up to its first request, which is thrown away: so everything that
        an adapter checks before it sends is checked here, and nothing is sent.

        Raises:
            InvalidArgument: If an argument cannot be right.
            TypeError: If one is missing or not known.
            BrokenAdapter: If the flow made a mistake before its first request.
        """
        try:
            given = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{adapter.vendor} {self.name}: {error}") from None
        arguments = {
            name: value
            for name, raw in given.arguments.items()
            if (value := self._conform(adapter, name, raw))
            != self.signature.parameters[name].default
        }
        export = Export(adapter, self.name, freeze_members(arguments))
        with hiding(unprinted(adapter)):
            self._try(export)
        return export

    def _try(self, export: Export) -> None:
        vendor, account = export.account
        try:
            next(export.submit(), None)
        except ExportJobsError as error:
            raise error.about(vendor=vendor, account=account) from None
        except Exception as error:  # noqa: BLE001 - it is raised again, as the library's own
            mistake = mistaken(error, f" in {self.name}")
            raise mistake.about(vendor=vendor) from retold(error)

    def _conform(self, adapter: "Adapter", name: str, value: object) -> object:
        try:
            conformed: object = conform(value, self.signature.parameters[name].annotation)
            dump_json(conformed)
        except ValueError as error:
            raise InvalidArgument(name, str(error), vendor=adapter.vendor) from None
        except TypeError as error:
            reason = f"holds a {error}, which has no form in JSON"
            raise InvalidArgument(name, reason, vendor=adapter.vendor) from None
        return conformed


def export(
    flow: Callable[Concatenate[A, P], Flow[ExportJob]],
) -> Callable[Concatenate[A, P], Export]:
    """Turn a submitting flow into a constructor that returns an `Export` and sends nothing.

    The flow's signature and docstring are the single source for the library call, the command line
    and the documentation.
    """
    kind = ExportKind(flow)

    def construct(adapter: A, /, *args: P.args, **kwargs: P.kwargs) -> Export:
        return kind.bind(adapter, *args, **kwargs)

    update_wrapper(construct, flow)
    construct.__export_kind__ = kind  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    return construct


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
    polling: ClassVar[PollPolicy] = PollPolicy()
    """When to ask for a job's status, in so far as the vendor decides."""
    slots: ClassVar[int | None] = None
    """Jobs that may be outstanding on the account at once, where the vendor publishes it."""
    budgets: ClassVar[tuple[Budget, ...]] = ()
    """How many requests the vendor allows an account in so much time, where it publishes it."""
    scope: ClassVar[tuple[str, ...]] = ()
    """Arguments of exports that a job's ref has to hold too, as a poll needs them."""
    error_codes: ClassVar[Mapping[str, type[ResponseError]]] = MappingProxyType({})
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
        """Trade the credentials for a token, which then goes along as `apply_token` says."""
        raise self.unsupported("signing in")

    def apply_token(self, request: Request, token: Token) -> Request:
        """Return the request with the token that signing in gave: as `Authorization: Bearer`."""
        return request.with_header("Authorization", f"Bearer {token.value}")

    def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Flow[tuple[ExportJob, ...]]:  # noqa: ARG002 - for overrides
        """Ask for many jobs' statuses at once; paging may end when all the wanted ids were seen."""
        raise self.unsupported("listing jobs")

    def matches_export(self, job: ExportJob, export: Export) -> bool:
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

    def resume(self, ref: JobRef) -> ExistingJob:
        """Return a job submitted earlier as something to run again to its end.

        Raises:
            InvalidArgument: If it is no ref.
            InvalidRef: If the job belongs to another account.
        """
        return ExistingJob(self, ref)

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


Work = Export | ExistingJob
"""What the loop takes up: an export to submit, or a job to see to its end."""

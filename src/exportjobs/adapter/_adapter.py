"""An adapter, the exports that it makes, and the decorator for their constructors."""

import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cached_property, update_wrapper
from types import MappingProxyType
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar, get_type_hints

from attrs import Attribute, Factory, field, frozen

from exportjobs.adapter._errors import (
    BrokenAdapter,
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
from exportjobs.adapter._job import ExportJob, JobRef, StatusMap, check_ref
from exportjobs.adapter._redact import hiding, unprinted
from exportjobs.adapter._renamed import UPGRADE_PAGE, old_member
from exportjobs.adapter._structure import conform, dump_json, freeze_members
from exportjobs.adapter._terms import Budget, Limits, PollPolicy
from exportjobs.adapter._urls import base_url_problem

P = ParamSpec("P")
A = TypeVar("A", bound="Adapter")


def _digest(export: "Export") -> str:
    return hashlib.sha256(export.to_json().encode()).hexdigest()


@frozen
class Export:
    """A request for an export that has not been sent.

    Account, kind and arguments are enough to build it again in another process. Two exports with
    the same account, kind and arguments are equal.
    """

    adapter: "Adapter" = field(eq=False, repr=False)
    kind: str
    """The name of the constructor that made it."""
    arguments: Mapping[str, Any] = field(eq=False, repr=lambda given: repr(dict(given)))
    """By name, without those that equal the default."""
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
    """A job that was submitted earlier and is to be waited for."""

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
        """Return which of an export's arguments a job's ref holds, defaults included."""
        defaults = {name: one.default for name, one in self.signature.parameters.items()}
        values = {**defaults, **arguments}
        said = {name: values[name] for name in names if name in values}
        nothing = (None, "", inspect.Parameter.empty)
        return {name: str(value) for name, value in said.items() if value not in nothing}

    def bind(self, adapter: "Adapter", /, *args: object, **kwargs: object) -> Export:
        """Return the export with these arguments.

        The submitting flow runs up to its first request, which is discarded: whatever the adapter
        checks before its first request is checked here, and nothing is sent.

        Raises:
            InvalidArgument: If an argument is invalid.
            TypeError: If an argument is missing or unknown.
            BrokenAdapter: If the flow fails before its first request, by a bug of the adapter.
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
        except Exception as error:  # noqa: BLE001 - raised again, as an error of the library
            mistake = mistaken(error, f" in {self.name}")
            raise mistake.about(vendor=vendor) from retold(error)

    def _conform(self, adapter: "Adapter", name: str, value: object) -> object:
        try:
            conformed: object = conform(value, self.signature.parameters[name].annotation)
            dump_json(conformed)
        except ValueError as error:
            raise InvalidArgument(name, str(error), vendor=adapter.vendor) from None
        except TypeError as error:
            reason = f"contains a {error}, which cannot be written as JSON"
            raise InvalidArgument(name, reason, vendor=adapter.vendor) from None
        return conformed


def export(
    flow: Callable[Concatenate[A, P], Flow[ExportJob]],
) -> Callable[Concatenate[A, P], Export]:
    """Turn a submitting flow into a constructor that returns an `Export` and sends nothing.

    The library call, the command line and the documentation are made from the flow's signature and
    docstring.
    """
    kind = ExportKind(flow)

    def construct(adapter: A, /, *args: P.args, **kwargs: P.kwargs) -> Export:
        return kind.bind(adapter, *args, **kwargs)

    update_wrapper(construct, flow)
    construct.__export_kind__ = kind  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    return construct


# Open until the last issue of this round has added to it: version 2 still changes until then.
API_VERSION = 2
"""The version of the API for adapters: it rises when that API grows or changes."""
_OPTIONAL_FLOWS = ("list_jobs", "cancel", "limits", "sign_in")


def credential(adapter: "Adapter", attribute: "Attribute[str]", value: object) -> None:
    """Check a field that holds a secret: a string that can be sent in an HTTP header.

    Use it as `field(repr=False, validator=credential)`. Its errors do not show the secret.

    Raises:
        InvalidArgument: If the value is not a string, is blank, or has characters that are not
            allowed in an HTTP header.
    """
    if not isinstance(value, str):
        reason = "must be a string"
    elif not value.strip():
        reason = "is empty"
    elif not (value.isascii() and value.isprintable() and value == value.strip()):
        reason = "has characters that are not allowed in an HTTP header"
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

    A subclass defines `vendor`, `base_url`, the fields for its credentials, `authenticate`, one
    flow under `@export` for each kind of export, and `poll`. The other flows are optional: a flow
    that is not overridden is an operation that the vendor's API does not have.
    """

    vendor: ClassVar[str]
    """The vendor's name, as in the entry point and in every ref."""
    api_version: ClassVar[int] = 2
    """The `API_VERSION` that the adapter was written for, as a number: the constant itself would
    always be the installed version. An adapter that does not set it is taken to be of version 2."""
    statuses: ClassVar[StatusMap] = StatusMap()
    """The vendor's status words, for display only: a flow reads with the map that it names."""
    polling: ClassVar[PollPolicy] = PollPolicy()
    """How often to poll this vendor's jobs."""
    slots: ClassVar[int | None] = None
    """How many jobs the account may have outstanding at once, where the vendor publishes it."""
    budgets: ClassVar[tuple[Budget, ...]] = ()
    """How many requests the vendor allows an account in a period, where it publishes it."""
    scope: ClassVar[tuple[str, ...]] = ()
    """Arguments of exports that a job's ref must hold too, because a poll needs them."""
    error_codes: ClassVar[Mapping[str, type[ResponseError]]] = MappingProxyType({})
    """The error for each of the vendor's own codes; other answers are read by HTTP status."""

    base_url: str = field(default="", kw_only=True)
    """The URL that the paths of all requests are added to; a subclass sets the vendor's default."""
    name: str = field(default="default", kw_only=True)
    """Which of the user's accounts at the vendor this is; every ref holds it."""
    sign_in_url: str = field(default="", init=False, repr=False)
    """The base URL of the requests of `sign_in`; empty for `base_url`. Where the vendor issues
    tokens at another host, the adapter makes it an argument whose default is that host."""

    def __init_subclass__(cls, **options: object) -> None:
        """Refuse a class that still has an attribute or method of API version 1.

        Raises:
            BrokenAdapter: If it has: the library would ignore it, and call its new name.
        """
        super().__init_subclass__(**options)
        if problem := old_member(cls):
            vendor = getattr(cls, "vendor", None)
            raise BrokenAdapter(problem, vendor=vendor, remedy=f"see {UPGRADE_PAGE}")

    def __attrs_post_init__(self) -> None:
        """Check the fields that every adapter has.

        Raises:
            InvalidArgument: If a base URL is invalid, or would send credentials unencrypted.
        """
        self._check_base_url("base_url", self.base_url)
        if self.sign_in_url:
            self._check_base_url("sign_in_url", self.sign_in_url)
        if not self.name or not self.name.isprintable() or "/" in self.name:
            raise self.invalid(
                "name",
                "must be a printable text without slashes, and not empty",
                "use a short name",
            )

    @property
    def account(self) -> tuple[str, str]:
        """The vendor's name and the account's, which identify an account."""
        return (self.vendor, self.name)

    @classmethod
    def kinds(cls) -> Mapping[str, ExportKind]:
        """Return the adapter's kinds of export by name, in the order of their definition."""
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
        """Return the request with the account's credentials added."""

    @abstractmethod
    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Request one job's status."""

    def sign_in(self) -> Flow[Token]:
        """Exchange the credentials for a token, which `apply_token` adds to later requests."""
        raise self.unsupported("signing in")

    def apply_token(self, request: Request, token: Token) -> Request:
        """Return the request with the token of `sign_in` added, as `Authorization: Bearer`."""
        return request.with_header("Authorization", f"Bearer {token.value}")

    def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Flow[tuple[ExportJob, ...]]:  # noqa: ARG002 - for overrides
        """Request many jobs' statuses at once; it may stop once all `wanted` ids were listed."""
        raise self.unsupported("listing jobs")

    def matches_export(self, job: ExportJob, export: Export) -> bool | None:
        """Return whether a listed job is the one that a submit of an export created.

        It is called after a submit whose outcome is unknown. Return True only where the list proves
        it, such as `job.raw["query"] == export.arguments["query"]`; False where the job cannot be
        it; None where the list does not say enough, such as the kind of export alone. By default a
        job of another kind gives False, any other None.
        """
        return None if job.ref.kind in {"", export.kind} else False

    def cancel(self, ref: JobRef) -> Flow[ExportJob]:  # noqa: ARG002 - for overrides
        """Cancel a job. Cancelling one that has ended returns its final state."""
        raise self.unsupported("cancelling a job")

    def limits(self) -> Flow[Limits]:
        """Request what the account may do now."""
        raise self.unsupported("reading limits")

    def resume(self, ref: JobRef) -> ExistingJob:
        """Return a job that was submitted earlier, to pass to `run` and wait for.

        Raises:
            InvalidArgument: If `ref` is not a JobRef.
            InvalidRef: If the job belongs to another account.
        """
        return ExistingJob(self, ref)

    def ref(self, job_id: str, **scope: str) -> JobRef:
        """Return a new job's ref; the library adds the kind and the time of the submit.

        Raises:
            MalformedResponse: If the id is empty or not printable.
        """
        if not job_id or not job_id.isprintable():
            raise MalformedResponse("expected a printable id @ $")
        return JobRef(vendor=self.vendor, account=self.name, id=job_id, scope=scope)

    def invalid(self, argument: str, reason: str, remedy: str) -> InvalidArgument:
        """Return the error for an invalid argument."""
        return InvalidArgument(argument, reason, vendor=self.vendor, remedy=remedy)

    def check_order(self, argument: str, start: date | None, end: date | None) -> None:
        """Check that a range of days or times does not end before it starts.

        Raises:
            InvalidArgument: If it does.
        """
        if start is not None and end is not None and start > end:
            raise self.invalid(
                argument, "is after the end", "pass a range that ends after it starts"
            )

    def unsupported(self, operation: str) -> Unsupported:
        """Return the error for an operation that the vendor's API does not have."""
        return Unsupported(f"the vendor's API does not support {operation}", vendor=self.vendor)

    def _check_base_url(self, argument: str, url: str) -> None:
        if problem := base_url_problem(url):
            raise self.invalid(argument, *problem)


Work = Export | ExistingJob
"""What a poller runs: an export to submit, or a job to wait for."""

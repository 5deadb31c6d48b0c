"""An export that is asked for but not yet sent, and the decorator that makes its constructor."""

import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, get_type_hints

from attrs import Factory, field, frozen

from exportjobs._errors import (
    ExportJobsError,
    InvalidArgument,
    InvalidRef,
    mistaken,
    retold,
)
from exportjobs._flow import Flow
from exportjobs._frozen import freeze_members
from exportjobs._job import ExportJob, JobRef, check_ref
from exportjobs._redact import hiding, unprinted
from exportjobs._structure import conform, dump_json

if TYPE_CHECKING:
    from exportjobs.adapter import Adapter

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


def _is_of_this_account(work: "Resumption", _: object, ref: JobRef) -> None:
    check_ref(ref, work.adapter.vendor)
    if ref.account_key != work.account:
        raise InvalidRef(
            f"belongs to {'/'.join(ref.account_key)}, not to {'/'.join(work.account)}",
            vendor=work.adapter.vendor,
            ref=ref,
            remedy="resume it with the adapter of its own account",
        )


@frozen
class Resumption:
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

"""`exportjobs run VENDOR KIND`: one real export, its options made from the kind's own signature."""

import inspect
import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from attrs import frozen
from cyclopts import App, Group, Parameter

from exportjobs._poller.run import run
from exportjobs.adapter import Adapter
from exportjobs.adapter._adapter import Export, ExportKind
from exportjobs.adapter._errors import BrokenAdapter, InvalidArgument
from exportjobs.adapter._registry import Installed, installed
from exportjobs.cli._credentials import adapter_from_environment
from exportjobs.cli._exit_code import ExitCode
from exportjobs.cli._leaving import ResumeCommand
from exportjobs.cli._session import GRACE, exit_code, run_shown

_JSON = Annotated[str | None, Parameter(metavar="JSON")]
_TIME = Annotated[str | None, Parameter(metavar="TIME")]


@Parameter(name="*", group=Group("Landing", sort_key=1), negative=())
@frozen(kw_only=True)
class Landing:
    """What every export of the command line has, whatever its vendor."""

    into: Annotated[
        str,
        Parameter(help="A folder, made if need be, or a bucket such as s3://reports/daily."),
    ]
    unpack: Annotated[bool, Parameter(help="Unpack zip and tar archives beside themselves.")] = (
        False
    )
    account: Annotated[str, Parameter(help="What to call the account in refs and names.")] = (
        "default"
    )
    poll_interval: Annotated[float | None, Parameter(help="Seconds between two polls.")] = None
    deadline: Annotated[float, Parameter(help="Seconds to wait for the job at most.")] = 86400.0
    on_exit: Annotated[
        Literal["detach", "cancel"], Parameter(help="What becomes of the job on Ctrl-C.")
    ] = "detach"
    ledger: Annotated[
        Path | None,
        Parameter(help="An SQLite file to remember the job in; EXPORTJOBS_LEDGER if not given."),
    ] = None
    run_key: Annotated[
        str | None,
        Parameter(
            help="A name for the run, such as its date: the ledger sees to it that in runs of one "
            "name an export is submitted once and landed once."
        ),
    ] = None
    as_json: Annotated[
        bool, Parameter(name="--json", help="Print one JSON object instead of a table.")
    ] = False


@frozen
class _Command:
    """One kind of export as a command."""

    vendor: str
    adapter: type[Adapter]
    kind: ExportKind

    def __call__(self, landing: Landing, arguments: Mapping[str, object]) -> int:
        """Run the export and return the exit code."""
        account = adapter_from_environment(
            self.vendor, self.adapter, os.environ, name=landing.account
        )
        begin = partial(
            run,
            [self._export(account, arguments)],
            into=landing.into,
            unpack=landing.unpack,
            run_key=landing.run_key,
            poll_interval=landing.poll_interval,
            deadline=landing.deadline,
            on_exit=landing.on_exit,
            grace=GRACE,
            ledger=landing.ledger,
        )
        again = ResumeCommand(landing.into, landing.ledger, landing.account, landing.unpack)
        return exit_code(
            run_shown(
                lambda observers: begin(observers=observers),
                as_json_lines=landing.as_json,
                again=again,
            )
        )

    def _export(self, account: Adapter, arguments: Mapping[str, object]) -> Export:
        parameters = self.kind.signature.parameters
        asked = {
            name: self._from_json(name, value) if _is_json(parameters[name].annotation) else value
            for name, value in arguments.items()
        }
        return self.kind.bind(account, **asked)

    def _from_json(self, argument: str, text: object) -> object:
        try:
            return json.loads(text) if isinstance(text, str) else text
        except ValueError:
            remedy = 'write it as in \'{"key": "value"}\''
            raise InvalidArgument(
                argument, "is not JSON", vendor=self.vendor, remedy=remedy
            ) from None


def _function(command: _Command) -> Callable[..., int]:
    """Return a command as the function that cyclopts reads its options from."""
    parameters = command.kind.signature.parameters

    def function(*given: object, landing: Landing, **named: object) -> int:
        return command(landing, {**dict(zip(parameters, given, strict=False)), **named})

    own = [one.replace(annotation=_typed(one.annotation)) for one in parameters.values()]
    common = inspect.Parameter("landing", inspect.Parameter.KEYWORD_ONLY, annotation=Landing)
    function.__signature__ = inspect.Signature([*own, common])  # type: ignore[attr-defined]
    function.__doc__ = command.kind.flow.__doc__
    return function


def _typed(annotation: object) -> object:
    """Return how an argument is read from a command line; the adapter checks it in any case."""
    wanted = _without_none(annotation)
    if _is_json(annotation):
        return _JSON
    if isinstance(wanted, type) and issubclass(wanted, date):
        return _TIME
    if get_origin(wanted) is Sequence:
        return GenericAlias(list, get_args(wanted)) | None
    return annotation


def _is_json(annotation: object) -> bool:
    wanted = _without_none(annotation)
    if get_origin(wanted) is Sequence:
        (wanted,) = get_args(wanted)
    return get_origin(wanted) is Mapping


def _without_none(annotation: object) -> Any:  # noqa: ANN401 - a type, however it is made
    if get_origin(annotation) not in {Union, UnionType}:
        return annotation
    kinds = [one for one in get_args(annotation) if one is not NoneType]
    return kinds[0] if len(kinds) == 1 else annotation


def vendor_app(vendor: str, adapter: type[Adapter]) -> App:
    """Return the commands of a vendor, one for each kind of export."""
    summary = (inspect.getdoc(adapter) or "").partition("\n")[0]
    vendor_app = App(name=vendor, help=summary)
    for name, kind in adapter.kinds().items():
        vendor_app.command(_function(_Command(vendor, adapter, kind)), name=name.replace("_", "-"))
    return vendor_app


def _add(found: Installed) -> None:
    """Add a vendor's commands; one that cannot be used says why when it is tried."""
    try:
        app.command(vendor_app(found.vendor, found.load()))
    except BrokenAdapter as broken:
        app.command(_refusing(broken), name=found.vendor, help="Cannot be used.")


def _refusing(error: BrokenAdapter) -> Callable[..., ExitCode]:
    def refuse(*_: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> ExitCode:
        raise error

    return refuse


app = App(
    name="run",
    help="Run one export of a vendor, with credentials from the environment.",
    default_parameter=Parameter(negative_iterable=()),
)
for _found in installed().values():
    _add(_found)

"""`exportjobs run VENDOR KIND`: one real export, its options made from the kind's own signature.

A command is built when it is asked for, and what runs the export is imported when one runs.
"""

import inspect
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any, Literal, get_args, get_origin

from cyclopts import App, Group, Parameter

from exportjobs.adapter import Adapter
from exportjobs.adapter._adapter import ExportKind
from exportjobs.adapter._errors import BrokenAdapter
from exportjobs.adapter._registry import Installed, installed
from exportjobs.cli._annotations import is_json, without_none
from exportjobs.cli._deferred import deferred
from exportjobs.cli._exit_code import ExitCode
from exportjobs.cli._text import reflowed

_JSON = Annotated[str | None, Parameter(metavar="JSON")]
_TIME = Annotated[str | None, Parameter(metavar="TIME")]
_GROUP = Group("Landing", sort_key=1)
_PREFIX = "landing_"
"""What the common options are called in a command's signature: no kind has such an argument."""


def _option(
    name: str,
    hint: object,
    help_: str,
    default: object = inspect.Parameter.empty,
    metavar: str | None = None,
) -> inspect.Parameter:
    """Return an option that every export has, whatever its vendor."""
    about = Parameter(
        name=f"--{name.removeprefix('as_').replace('_', '-')}",
        help=help_,
        metavar=metavar,
        group=_GROUP,
        negative=(),
        show_default=_shown if default else False,
    )
    return inspect.Parameter(
        f"{_PREFIX}{name}",
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[hint, about],
    )


def _shown(default: object) -> str:
    return f"{default:g}" if isinstance(default, float) else str(default)


_RUN_KEY = (
    "A name for the run, such as its date. With a ledger, runs of the same name submit and land "
    "each export only once."
)
_ON_EXIT = "On Ctrl-C, leave the job running at the vendor, or cancel it."
_LEDGER = "An SQLite file that records the export; EXPORTJOBS_LEDGER if not given."
_POLL_INTERVAL = "The time between two polls; adaptive if not given."
_INTO = "A folder, created if needed, or a bucket such as s3://reports/daily."
_ACCOUNT = "A name for the account, used in job refs and file names."
# A parameter each, not a class: cyclopts would read its source file for what its fields mean.
_LANDING = (
    _option("into", str, _INTO, metavar="PLACE"),
    _option("unpack", bool, "Extract zip and tar archives next to them.", default=False),
    _option("account", str, _ACCOUNT, "default", "NAME"),
    _option("poll_interval", float | None, _POLL_INTERVAL, None, "SECONDS"),
    _option("deadline", float, "The longest time to wait for the job.", 86400.0, "SECONDS"),
    _option("on_exit", Literal["detach", "cancel"], _ON_EXIT, "detach"),
    _option("ledger", Path | None, _LEDGER, None),
    _option("run_key", str | None, _RUN_KEY, None, "NAME"),
    _option("as_json", bool, "Print one JSON object instead of a table.", default=False),
)


def _command(vendor: str, adapter: type[Adapter], kind: ExportKind) -> App:
    """Return the command of a kind of export."""
    command = App(name=kind.name.replace("_", "-"))
    command.default(_function(vendor, adapter, kind))
    return command


def _function(vendor: str, adapter: type[Adapter], kind: ExportKind) -> Callable[..., int]:
    """Return the function that cyclopts reads the options of a command from."""
    parameters = kind.signature.parameters

    def function(*given: object, **named: object) -> int:
        from exportjobs.cli._export import export  # noqa: PLC0415 - not needed for help

        named.update(zip(parameters, given, strict=False))
        arguments = {name: value for name, value in named.items() if name in parameters}
        # What was not given is not handed over.
        common: dict[str, Any] = {
            one.name.removeprefix(_PREFIX): named.get(one.name, one.default) for one in _LANDING
        }
        return export(vendor, adapter, kind, arguments, **common)

    own = [one.replace(annotation=_typed(one.annotation)) for one in parameters.values()]
    function.__signature__ = inspect.Signature([*own, *_LANDING])  # type: ignore[attr-defined]
    function.__doc__ = reflowed(kind.flow.__doc__)
    return function


def _typed(annotation: object) -> object:
    """Return how an argument is read from a command line; the adapter checks it in any case."""
    wanted = without_none(annotation)
    if is_json(annotation):
        return _JSON
    if isinstance(wanted, type) and issubclass(wanted, date):
        return _TIME
    if get_origin(wanted) is Sequence:
        return GenericAlias(list, get_args(wanted)) | None
    return annotation


def vendor_app(vendor: str, adapter: type[Adapter]) -> App:
    """Return the commands of a vendor, one for each kind of export, each built when it is used."""
    summary = (inspect.getdoc(adapter) or "").partition("\n")[0]
    vendor_app = App(name=vendor, help=summary)
    for name, kind in adapter.kinds().items():
        path = deferred(partial(_command, vendor, adapter, kind))
        vendor_app.command(path, name=name.replace("_", "-"), help=reflowed(kind.flow.__doc__))
    return vendor_app


def _vendor(found: Installed) -> App:
    """Return a vendor's commands; one that cannot be used says why when it is tried."""
    try:
        return vendor_app(found.vendor, found.load())
    except BrokenAdapter as broken:
        app = App(name=found.vendor, help="Cannot be used.")
        app.default(_refusing(broken))
        return app


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
    app.command(deferred(partial(_vendor, _found)), name=_found.vendor)

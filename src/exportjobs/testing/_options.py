"""Check that the command line's options for an export give the same export again.

Needs the extra `exportjobs[cli]`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeAlias, cast

from cyclopts import App, CycloptsError

from exportjobs.adapter._adapter import Export
from exportjobs.adapter._errors import ExportJobsError
from exportjobs.adapter._structure import dump_json, parse_json
from exportjobs.cli import _run
from exportjobs.testing._annotations import is_mapping
from exportjobs.testing._breach import Breach
from exportjobs.testing._recorded import Recorded

_Names: TypeAlias = Mapping[str, tuple[str, ...]]
"""The options of a command, by argument: its own, and for a bool the opposite one too."""


def check_options(recorded: Recorded) -> None:
    """Check that no option has two meanings, and that the options give the recorded export."""
    adapter, export = recorded.adapter, recorded.export
    app = _run.vendor_app(adapter.vendor, type(adapter))
    for kind in adapter.kinds():
        arguments = app[_command(kind)].assemble_argument_collection()
        _check_names(kind, [name for argument in arguments for name in argument.names])
        if kind == export.kind:
            names = {argument.field_info.name: argument.names for argument in arguments}
            _check_given(export, app, list(_options(export, names)))


def _command(kind: str) -> str:
    return kind.replace("_", "-")


def _check_names(kind: str, names: Iterable[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            mistake = f"{kind}'s option {name} is one that every export has"
            raise Breach(mistake, "give the argument another name")


def _check_given(export: Export, app: App, options: Sequence[str]) -> None:
    if _parsed(export, app, options) != export:
        remedy = "use plain types, and empty defaults for arguments that may be empty"
        given = " ".join(options) or "(none)"
        raise Breach(f"the options {given} do not give the export again", remedy)


def _options(export: Export, names: _Names) -> Iterator[str]:
    parameters = export.adapter.kinds()[export.kind].signature.parameters
    for argument, value in export.arguments.items():
        yield from _option(names[argument], value, parameters[argument].annotation)


def _option(names: tuple[str, ...], value: object, annotation: object) -> Iterator[str]:
    if is_mapping(annotation):
        yield f"{names[0]}={dump_json(value)}"
    elif isinstance(value, bool):
        yield names[0] if value else names[1]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in cast("Sequence[object]", value):
            yield from _option(names, item, None)
    else:
        yield f"{names[0]}={value.isoformat() if isinstance(value, date) else value}"


def _parsed(export: Export, app: App, options: Sequence[str]) -> Export | None:
    kind, command = export.adapter.kinds()[export.kind], [_command(export.kind), "--into=."]
    try:
        _, bound, *_ = app.parse_args([*command, *options], exit_on_error=False, print_error=False)
        given = {
            name: parse_json(value.encode()) if is_mapping(argument.annotation) else value
            for name, argument in kind.signature.parameters.items()
            if (value := bound.arguments.get(name)) is not None
        }
        return kind.bind(export.adapter, **given)
    except (CycloptsError, ExportJobsError):
        return None

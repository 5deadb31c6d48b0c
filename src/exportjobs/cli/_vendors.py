"""`exportjobs vendors`: which adapters are installed, what they export, and which can be used."""

import json
from collections.abc import Sequence
from typing import Annotated, TypeAlias

from attrs import frozen
from cyclopts import Parameter
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from exportjobs.adapter import Adapter
from exportjobs.adapter._errors import BrokenAdapter
from exportjobs.adapter._registry import Installed, installed
from exportjobs.cli._credentials import Variable, variables
from exportjobs.cli._exit_code import ExitCode
from exportjobs.cli._output import Output

_Flag: TypeAlias = Annotated[bool, Parameter(negative=())]
_ANY = 10_000


@frozen
class _Tried:
    """An installed adapter, and the class or the error that importing it gave."""

    installed: Installed
    found: type[Adapter] | BrokenAdapter

    @property
    def origin(self) -> str:
        """The distribution that offers it and its version; or all that do, if several claim it."""
        one = self.installed
        if one.rivals:
            return ", ".join((one.distribution, *one.rivals))
        return f"{one.distribution} {one.version}"


def vendors(
    *,
    check: _Flag = False,
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> ExitCode:
    """List the installed adapters: distribution, kinds of export, capabilities and credentials.

    Args:
        check: Load each adapter and print whether it can be used; exit with 1 if one cannot.
        as_json: Print one JSON object per adapter instead.
    """
    tried = [_tried(one) for one in installed().values()]
    console = Output(highlight=False)
    if as_json:
        for one in tried:
            console.out(json.dumps(_as_json(one)))
    elif check:
        _print_checks(tried, console)
    else:
        for one in tried:
            console.print(_heading(one))
            console.print(_details(one))
    is_bad = any(isinstance(one.found, BrokenAdapter) for one in tried)
    return ExitCode.EXPORT_FAILED if check and is_bad else ExitCode.DONE


def _tried(adapter: Installed) -> _Tried:
    try:
        return _Tried(adapter, adapter.load())
    except BrokenAdapter as broken:
        return _Tried(adapter, broken)


def _as_json(tried: _Tried) -> dict[str, object]:
    named: dict[str, object] = {
        "vendor": tried.installed.vendor,
        "distribution": tried.installed.distribution,
        "version": tried.installed.version,
    }
    if isinstance(tried.found, BrokenAdapter):
        return {**named, "error": str(tried.found)}
    return {
        **named,
        "api_version": tried.found.api_version,
        "kinds": {name: kind.summary for name, kind in tried.found.kinds().items()},
        "capabilities": sorted(tried.found.capabilities()),
        "environment": [one.name for one in variables(tried.installed.vendor, tried.found)],
    }


def _print_checks(everything: Sequence[_Tried], console: Console) -> None:
    """Print a row for each adapter; a file or a pipe gets every row on one line."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("vendor", "distribution", "api", "result"):
        table.add_column(heading, overflow="fold")
    for one in everything:
        table.add_row(Text(one.installed.vendor), Text(one.origin), *_finding(one))
    if not console.is_terminal:
        options = console.options.update(max_width=_ANY)
        console.width = Measurement.get(console, options, table).maximum
    console.print(table)


def _finding(tried: _Tried) -> tuple[str, Text]:
    match tried.found:
        case BrokenAdapter() as broken:
            return "-", Text(f"{broken.reason}; {broken.remedy}", style="red")
        case found:
            return str(found.api_version), Text("can be used", style="green")


def _heading(tried: _Tried) -> Text:
    return Text.assemble((tried.installed.vendor, "bold"), f"  {tried.origin}")


def _details(tried: _Tried) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", min_width=14, justify="right")
    grid.add_column()
    if isinstance(tried.found, BrokenAdapter):
        grid.add_row("unusable", Text(str(tried.found), style="red"))
        return grid
    known = variables(tried.installed.vendor, tried.found)
    grid.add_row("exports", ", ".join(tried.found.kinds()))
    grid.add_row("supports", ", ".join(sorted(tried.found.capabilities())) or "-")
    grid.add_row("environment", _names(known, required=True))
    grid.add_row("optional", _names(known, required=False), end_section=True)
    return grid


def _names(known: Sequence[Variable], *, required: bool) -> str:
    return ", ".join(one.name for one in known if one.required is required) or "-"

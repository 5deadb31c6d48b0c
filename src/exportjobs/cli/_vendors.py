"""`exportjobs vendors`: which adapters are installed, and what they export."""

import json
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from exportjobs._errors import BrokenAdapter
from exportjobs._registry import Installed, installed
from exportjobs.cli._credentials import Variable, variables
from exportjobs.cli._output import Output


def vendors(*, as_json: Annotated[bool, Parameter(name="--json", negative=())] = False) -> None:
    """List the installed adapters: distribution, kinds of export, capabilities and credentials.

    Args:
        as_json: Print one JSON object for each adapter instead.
    """
    console = Output(highlight=False)
    for adapter in installed().values():
        if as_json:
            console.out(json.dumps(_as_json(adapter)))
        else:
            console.print(f"[bold]{adapter.vendor}[/]  {adapter.distribution} {adapter.version}")
            console.print(_details(adapter))


def _as_json(adapter: Installed) -> dict[str, object]:
    named = {
        "vendor": adapter.vendor,
        "distribution": adapter.distribution,
        "version": adapter.version,
    }
    try:
        loaded = adapter.load()
    except BrokenAdapter as broken:
        return {**named, "error": str(broken)}
    return {
        **named,
        "kinds": {name: kind.summary for name, kind in loaded.kinds().items()},
        "capabilities": sorted(loaded.capabilities()),
        "environment": [variable.name for variable in variables(adapter.vendor, loaded)],
    }


def _details(adapter: Installed) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", min_width=14, justify="right")
    grid.add_column()
    try:
        loaded = adapter.load()
    except BrokenAdapter as broken:
        grid.add_row("unusable", Text(str(broken), style="red"))
        return grid
    grid.add_row("exports", ", ".join(loaded.kinds()))
    grid.add_row("can also", ", ".join(sorted(loaded.capabilities())) or "-")
    grid.add_row(
        "environment",
        ", ".join(map(_variable, variables(adapter.vendor, loaded))),
        end_section=True,
    )
    return grid


def _variable(variable: Variable) -> str:
    return variable.name if variable.required else f"({variable.name})"

"""`exportjobs vendors`: which adapters are installed, and what they export."""

import json
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from exportjobs._registry import Installed, installed
from exportjobs.cli._credentials import Variable, variables


def vendors(*, as_json: Annotated[bool, Parameter(name="--json", negative=())] = False) -> None:
    """List the installed adapters: distribution, kinds of export, capabilities and credentials.

    Args:
        as_json: Print one JSON object for each adapter instead.
    """
    console = Console(highlight=False)
    for adapter in installed().values():
        if as_json:
            console.out(json.dumps(_as_json(adapter)))
        else:
            console.print(f"[bold]{adapter.vendor}[/]  {adapter.distribution} {adapter.version}")
            console.print(_details(adapter))


def _as_json(adapter: Installed) -> dict[str, object]:
    loaded = adapter.load()
    return {
        "vendor": adapter.vendor,
        "distribution": adapter.distribution,
        "version": adapter.version,
        "kinds": {name: kind.summary for name, kind in loaded.kinds().items()},
        "capabilities": sorted(loaded.capabilities()),
        "environment": [variable.name for variable in variables(adapter.vendor, loaded)],
    }


def _details(adapter: Installed) -> Table:
    loaded = adapter.load()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", min_width=14, justify="right")
    grid.add_column()
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

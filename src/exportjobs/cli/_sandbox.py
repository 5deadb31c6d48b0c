"""`exportjobs sandbox`: the four vendors' APIs on this machine, until interrupted."""

import shlex
import threading
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from exportjobs._registry import load_adapter
from exportjobs.cli._credentials import variables
from exportjobs.sandbox import Fault, Sandbox, SandboxAccount


def sandbox(
    *,
    port: int = 0,
    faults: Annotated[bool, Parameter(negative=())] = False,
    speed: float = 1.0,
) -> None:
    """Serve the vendors' APIs on loopback until Ctrl-C, and print how to reach them.

    Args:
        port: The API's port; a free one if 0. The signed URLs have a port of their own.
        faults: Answer with every fault that a vendor may show.
        speed: How many times faster than usual the jobs run.
    """
    console = Console(soft_wrap=True, highlight=False)
    with Sandbox(tuple(Fault) if faults else (), speed=speed, api_port=port) as server:
        for account in server.accounts:
            console.print(f"# {account.label}", markup=False)
            for line in _environment(account):
                console.print(line, markup=False)
        console.print("# stop with Ctrl-C", markup=False)
        threading.Event().wait()


def _environment(account: SandboxAccount) -> list[str]:
    """Return the lines that let a shell's `exportjobs run` reach an account of the sandbox."""
    given = {**account.credentials, "base_url": account.base_url}
    return [
        f"export {variable.name}={shlex.quote(given[variable.argument])}"
        for variable in variables(account.vendor, load_adapter(account.vendor))
        if variable.argument in given
    ]

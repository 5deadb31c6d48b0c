"""`exportjobs sandbox`: the four vendors' APIs on this machine, until interrupted."""

import shlex
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from exportjobs.adapter._errors import InvalidArgument
from exportjobs.adapter._registry import load_adapter
from exportjobs.cli._credentials import variables
from exportjobs.cli._output import Output

if TYPE_CHECKING:
    from exportjobs.sandbox import SandboxAccount


def sandbox(
    *,
    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65535))] = 0,
    faults: Annotated[bool, Parameter(negative=())] = False,
    speed: Annotated[float, Parameter(validator=Number(gt=0))] = 1.0,
) -> None:
    """Serve the vendors' APIs on this machine until Ctrl-C, and print how to reach them.

    Args:
        port: The port of the APIs, 0 for a free one. Signed URLs have another port.
        faults: Inject every fault that the sandbox knows.
        speed: How many times faster than usual the jobs run.
    """
    from exportjobs.sandbox import Fault, Sandbox  # noqa: PLC0415 - not needed for help

    server = Sandbox(tuple(Fault) if faults else (), speed=speed, api_port=port)
    try:
        server.start()
    except OSError as error:
        raise InvalidArgument("port", str(error), remedy="choose another, or 0") from error
    with ExitStack() as running:
        running.callback(server.stop)
        _print_how_to_reach(server.accounts)
        threading.Event().wait()


def _print_how_to_reach(accounts: Iterable["SandboxAccount"]) -> None:
    """Print what a shell may take over; of a vendor's several accounts, the first is for use."""
    output = Output(soft_wrap=True, highlight=False)
    seen: set[str] = set()
    for account in accounts:
        output.out(f"# {account.label}")
        for line in _environment(account):
            output.out(f"# {line}" if account.vendor in seen else line)
        seen.add(account.vendor)
    output.out("# jobs end within seconds: add --poll-interval 1 to exportjobs run")
    output.out("# stop with Ctrl-C")


def _environment(account: "SandboxAccount") -> list[str]:
    """Return the lines that let a shell's `exportjobs run` reach an account of the sandbox."""
    given = {**account.credentials, "base_url": account.base_url}
    return [
        f"export {variable.name}={shlex.quote(given[variable.argument])}"
        for variable in variables(account.vendor, load_adapter(account.vendor))
        if variable.argument in given
    ]

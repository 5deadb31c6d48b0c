"""`exportjobs demo`: an export of every kind of every vendor, over real HTTP on this machine."""

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

import exportjobs
from exportjobs.adapter import Adapter
from exportjobs.adapter._adapter import Export
from exportjobs.adapter._registry import load_adapter
from exportjobs.cli._exit_code import ExitCode
from exportjobs.events import Finished

if TYPE_CHECKING:
    from exportjobs.sandbox import Sandbox

_ORGANIZATION = "vytxeTZskVKR7C7WgdSP3d"
_INTERVAL = 0.2
_DEADLINE = 300.0

# The arguments of each kind's exports; a kind that is not here is exported once, by its defaults.
_ARGUMENTS: dict[str, tuple[dict[str, object], ...]] = {
    "forecast": ({"forecast_id": "deal_owner", "format": "CSV"}, {"forecast_id": "pipeline"}),
    "organization": (
        {"organization_id": _ORGANIZATION},
        {"organization_id": _ORGANIZATION, "archive_format": "tar.gz"},
    ),
    "clients": ({}, {"include_headers": False}, {"filter": {"statuses": ["Active"]}}),
}


def demo(
    *,
    into: Path,
    faults: Annotated[bool, Parameter(negative=())] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> int:
    """Export every kind of every vendor from a local sandbox, and land the files.

    Args:
        into: The folder to land the files in, created if needed.
        faults: Have the sandbox inject every fault that it knows.
        as_json: Print one JSON object per export instead of a table.
    """
    # Not needed for help.
    from exportjobs.cli._session import exit_code, run_shown  # noqa: PLC0415
    from exportjobs.sandbox import Fault, Sandbox  # noqa: PLC0415

    with Sandbox(tuple(Fault) if faults else ()) as sandbox:
        begin = partial(
            exportjobs.run,
            exports_of(sandbox),
            into=into,
            poll_interval=_INTERVAL,
            deadline=_DEADLINE,
        )
        everything = run_shown(
            lambda observers: begin(ledger=":memory:", observers=observers), as_json_lines=as_json
        )
        served = {file.sha256 for file in sandbox.served}
    return max(exit_code(everything), _compare(everything, served))


def exports_of(sandbox: "Sandbox") -> list[Export]:
    """Return an export of every kind of every vendor in a sandbox."""
    accounts = (
        load_adapter(account.vendor)(
            **account.credentials, base_url=account.base_url, name=account.label
        )
        for account in sandbox.accounts
    )
    return [export for account in accounts for export in one_of_each(account)]


def one_of_each(account: Adapter) -> Iterable[Export]:
    """Yield the demo's exports of an account: every kind, some of them more than once."""
    for name in account.kinds():
        constructor: Callable[..., Export] = getattr(account, name)
        for arguments in _ARGUMENTS.get(name, ({},)):
            yield constructor(**arguments)


def _trouble(everything: Sequence[Finished]) -> str:
    stats = [finished.stats for finished in everything]
    polls = sum(stats.polls for stats in stats)
    failed = sum(stats.failed_polls for stats in stats)
    again = sum(stats.retried_downloads for stats in stats)
    return f"in {polls} polls, of which {failed} failed, and {again} downloads retried"


def _compare(everything: Sequence[Finished], served: set[str]) -> ExitCode:
    """Compare what landed with what the sandbox served, byte for byte by its digest."""
    files = [file for finished in everything for file in finished.files]
    wrong = [file for file in files if file.sha256 not in served]
    for file in wrong:
        sys.stderr.write(f"exportjobs: {file}: not what the sandbox served\n")
    if not wrong:
        sys.stderr.write(
            f"{len(files)} files landed, each with the SHA-256 of what was served, "
            f"{_trouble(everything)}\n"
        )
    return ExitCode.EXPORT_FAILED if wrong else ExitCode.DONE

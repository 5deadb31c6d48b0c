"""`exportjobs resume` and `exportjobs cancel`: jobs that were submitted before."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

import exportjobs
from exportjobs._ledger.entry import LedgerEntry
from exportjobs.adapter import Adapter
from exportjobs.adapter._errors import InvalidArgument
from exportjobs.adapter._job import ExportJob, JobRef
from exportjobs.adapter._registry import load_adapter
from exportjobs.cli._credentials import adapter_from_environment
from exportjobs.cli._ledger import AsJson, LedgerFile, awaited, entries, entry, existing
from exportjobs.cli._output import Output
from exportjobs.events import Finished, Observer

if TYPE_CHECKING:
    from exportjobs._poller.arguments import ResumeOptions


def resume(
    *refs: str,
    into: str,
    ledger: LedgerFile = None,
    account: str = "default",
    unpack: Annotated[bool, Parameter(negative=())] = False,
    deadline: Annotated[float | None, Parameter(metavar="SECONDS")] = None,
    on_exit: Literal["detach", "cancel"] = "detach",
    as_json: AsJson = False,
) -> int:
    """Wait for jobs submitted earlier and download their files.

    Args:
        refs: Job refs in JSON. Without any, everything outstanding in the ledger is resumed.
        into: A folder, created if needed, or a bucket such as s3://reports/daily.
        ledger: The ledger file; EXPORTJOBS_LEDGER if not given.
        account: The name of the account whose exports in the ledger are resumed.
        unpack: Extract zip and tar archives next to them.
        deadline: The longest time to wait for a job, from its submit; no limit if not given.
        on_exit: On Ctrl-C, leave the jobs running at the vendor, or cancel them.
        as_json: Print one JSON object per export instead of a table.
    """
    # Not needed for help.
    from exportjobs.cli._closing import ResumeCommand  # noqa: PLC0415
    from exportjobs.cli._session import GRACE, exit_code, run_shown  # noqa: PLC0415

    known = tuple(map(JobRef.from_json, refs))
    file = ledger if known else existing(ledger)
    accounts = _accounts(known or _outstanding(file, account))
    if not accounts:
        Output(highlight=False).print("nothing is outstanding")
        return 0

    def begin(observers: tuple[Observer, ...]) -> Iterator[Finished]:
        options: ResumeOptions = {
            "deadline": deadline,
            "grace": GRACE,
            "ledger": file,
            "observers": observers,
            "on_exit": on_exit,
        }
        if known:
            works = [_of(accounts, ref).resume(ref) for ref in known]
            return exportjobs.run(works, into=into, unpack=unpack, **options)
        return exportjobs.resume_all(accounts, into=into, unpack=unpack, **options)

    resuming = ResumeCommand(into, ledger, account, unpack, by_ref=bool(known))
    return exit_code(run_shown(begin, as_json_lines=as_json, resuming=resuming))


def cancel(ref: str, /, *, ledger: LedgerFile = None, as_json: AsJson = False) -> None:
    """Cancel a job at its vendor, and print its status.

    Args:
        ref: The job: its number in the ledger, or its ref in JSON.
        ledger: The ledger file; EXPORTJOBS_LEDGER if not given.
        as_json: Print a JSON object instead.
    """
    wanted = _named(ref, ledger)
    (account,) = _accounts([wanted])

    async def ask() -> ExportJob:
        async with exportjobs.Poller(accounts=[account], ledger=ledger) as poller:
            return await poller.cancel(wanted)

    job = awaited(ask)
    members = {"ref": json.loads(job.ref.to_json()), "status": job.status}
    output = Output(highlight=False)
    output.out(json.dumps(members) if as_json else f"{job.ref}: {job.status}")


def _outstanding(file: Path | None, account: str) -> list[LedgerEntry]:
    """Return what is outstanding on accounts of a name, and print which other names there are."""
    outstanding = [one for one in entries(file) if one.is_outstanding]
    others = sorted({one.account for one in outstanding} - {account})
    if others:
        names = ", ".join(f"--account {name}" for name in others)
        sys.stderr.write(f"exportjobs: other accounts have outstanding exports too: {names}\n")
    return [one for one in outstanding if one.account == account]


def _named(text: str, ledger: Path | None) -> JobRef:
    if not text.isdigit():
        return JobRef.from_json(text)
    found = entry(ledger, int(text))
    if found.ref is None:
        reason = f"export {text} has no job: its state is {found.state!r}"
        raise InvalidArgument("ref", reason)
    return found.ref


def _accounts(named: Iterable[JobRef | LedgerEntry]) -> list[Adapter]:
    """Return the accounts of some jobs, with their credentials from the environment."""
    keys = sorted({one.account_key for one in named})
    return [
        adapter_from_environment(vendor, load_adapter(vendor), os.environ, name=name)
        for vendor, name in keys
    ]


def _of(accounts: Iterable[Adapter], ref: JobRef) -> Adapter:
    return next(one for one in accounts if one.account == ref.account_key)

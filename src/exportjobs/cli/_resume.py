"""`exportjobs resume` and `exportjobs cancel`: jobs that were submitted before."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import anyio
from cyclopts import Parameter

from exportjobs._ledger.entry import LedgerEntry
from exportjobs._ledger.records import Records
from exportjobs._poller.poller import Poller
from exportjobs._poller.run import resume_all, run
from exportjobs.adapter import Adapter
from exportjobs.adapter._errors import InvalidArgument
from exportjobs.adapter._job import ExportJob, JobRef
from exportjobs.adapter._registry import load_adapter
from exportjobs.cli._credentials import adapter_from_environment
from exportjobs.cli._leaving import ResumeCommand
from exportjobs.cli._ledger import AsJson, LedgerFile, asked, existing
from exportjobs.cli._output import Output
from exportjobs.cli._session import GRACE, exit_code, run_shown
from exportjobs.events import Finished, Observer

if TYPE_CHECKING:
    from exportjobs._poller.arguments import ResumeOptions


def resume(
    *refs: str,
    into: str,
    ledger: LedgerFile = None,
    account: str = "default",
    unpack: Annotated[bool, Parameter(negative=())] = False,
    deadline: float | None = None,
    on_exit: Literal["detach", "cancel"] = "detach",
    as_json: AsJson = False,
) -> int:
    """See jobs that were submitted before to their end: all that a ledger has outstanding, or some.

    Args:
        refs: Jobs, each as the JSON that names it; all that is outstanding in the ledger if there
            are none.
        into: A folder, made if need be, or a bucket such as s3://reports/daily.
        ledger: The ledger; the one that EXPORTJOBS_LEDGER names if not given.
        account: Whose exports are taken up, of those that the ledger knows.
        unpack: Unpack zip and tar archives beside themselves.
        deadline: Seconds since its submit after which a job is waited for no more; no limit if not
            given.
        on_exit: What becomes of the jobs on Ctrl-C.
        as_json: Print one JSON object for each export instead of a table.
    """
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
            return run(works, into=into, unpack=unpack, **options)
        return resume_all(accounts, into=into, unpack=unpack, **options)

    again = ResumeCommand(into, ledger, account, unpack, by_ref=bool(known))
    return exit_code(run_shown(begin, as_json_lines=as_json, again=again))


def cancel(ref: str, /, *, ledger: LedgerFile = None, as_json: AsJson = False) -> None:
    """Cancel a job at its vendor, and say what became of it.

    Args:
        ref: The job: its number in the ledger, or the JSON that names it.
        ledger: The ledger; the one that EXPORTJOBS_LEDGER names if not given.
        as_json: Print a JSON object instead.
    """
    wanted = _named(ref, ledger)
    (account,) = _accounts([wanted])

    async def ask() -> ExportJob:
        async with Poller(accounts=[account], ledger=ledger) as poller:
            return await poller.cancel(wanted)

    job = anyio.run(ask)
    told = {"ref": json.loads(job.ref.to_json()), "status": job.status}
    output = Output(highlight=False)
    output.out(json.dumps(told) if as_json else f"{job.ref}: {job.status}")


def _outstanding(file: Path | None, account: str) -> list[LedgerEntry]:
    """Return what is outstanding of an account's name, and say what there is of others."""
    entries = [one for one in asked(file, Records.entries) if one.is_outstanding]
    others = sorted({one.account for one in entries} - {account})
    if others:
        names = ", ".join(f"--account {name}" for name in others)
        sys.stderr.write(f"exportjobs: there is more outstanding of other accounts: {names}\n")
    return [one for one in entries if one.account == account]


def _named(text: str, ledger: Path | None) -> JobRef:
    if not text.isdigit():
        return JobRef.from_json(text)
    entries = {one.number: one for one in asked(ledger, Records.entries)}
    entry = entries.get(int(text))
    if entry is None:
        reason = f"the ledger has no export {text}"
        raise InvalidArgument("ref", reason, remedy="exportjobs jobs lists those that there are")
    if entry.ref is None:
        raise InvalidArgument("ref", f"export {text} has no job: it is {entry.state}")
    return entry.ref


def _accounts(named: Iterable[JobRef | LedgerEntry]) -> list[Adapter]:
    """Return the accounts of some jobs, with their credentials from the environment."""
    keys = sorted({one.account_key for one in named})
    return [
        adapter_from_environment(vendor, load_adapter(vendor), os.environ, name=name)
        for vendor, name in keys
    ]


def _of(accounts: Iterable[Adapter], ref: JobRef) -> Adapter:
    return next(one for one in accounts if one.account == ref.account_key)

"""Which ledger a command means, and what is done with it without a vendor."""

import json
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import anyio
from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from exportjobs._ledger.entry import LedgerEntry
from exportjobs._ledger.records import Records
from exportjobs._poller.poller import Poller
from exportjobs.adapter._errors import InvalidArgument
from exportjobs.cli._output import Output
from exportjobs.cli._report import print_whole

T = TypeVar("T")

LedgerFile = Annotated[Path | None, Parameter(name="--ledger")]
AsJson = Annotated[bool, Parameter(name="--json", negative=())]


def existing(ledger: Path | None) -> Path:
    """Return the file of a ledger that is there.

    Raises:
        InvalidArgument: If none is named, or there is none.
    """
    named = ledger or os.environ.get("EXPORTJOBS_LEDGER")
    if not named:
        raise InvalidArgument(
            "ledger", "is missing", remedy="pass --ledger, or set EXPORTJOBS_LEDGER"
        )
    if not Path(named).is_file():
        raise InvalidArgument("ledger", f"there is none at {named}", remedy="check the path")
    return Path(named)


def asked(ledger: Path | None, question: Callable[[Records], Awaitable[T]]) -> T:
    """Return what the records of a ledger answer."""
    file = existing(ledger)

    async def ask() -> T:
        async with Poller(ledger=file) as poller:
            return await question(poller.records)

    return anyio.run(ask)


def jobs(
    *,
    ledger: LedgerFile = None,
    outstanding: Annotated[bool, Parameter(negative=())] = False,
    as_json: AsJson = False,
) -> None:
    """List what a ledger knows: every export, its job and how it stands.

    Args:
        ledger: The ledger; the one that EXPORTJOBS_LEDGER names if not given.
        outstanding: Only those with something left to be done.
        as_json: Print one JSON object for each export instead.
    """
    output = Output(highlight=False)
    entries = asked(ledger, Records.entries)
    shown = [one for one in entries if one.is_outstanding or not outstanding]
    if as_json:
        for entry in shown:
            output.out(json.dumps(_members(entry)))
    elif shown:
        print_whole(_table(shown), output)
    else:
        output.print("nothing is outstanding" if entries else "the ledger is empty")


def adopt(number: int, job_id: str, /, *, ledger: LedgerFile = None) -> None:
    """Let an export in doubt have a job that you found at its vendor.

    Args:
        number: The export's, as `exportjobs jobs` lists it.
        job_id: The vendor's own id of the job.
        ledger: The ledger; the one that EXPORTJOBS_LEDGER names if not given.
    """
    ref = asked(ledger, lambda records: records.adopt(number, job_id))
    _say(f"export {number} is {ref}: exportjobs resume goes on with it")


def resubmit(number: int, /, *, ledger: LedgerFile = None) -> None:
    """Let an export in doubt be submitted once more, as there is no job of it.

    Args:
        number: The export's, as `exportjobs jobs` lists it.
        ledger: The ledger; the one that EXPORTJOBS_LEDGER names if not given.
    """
    asked(ledger, lambda records: records.resubmit(number))
    _say(f"export {number} will be submitted by exportjobs resume, or by a run of its key")


def abandon(number: int, /, *, ledger: LedgerFile = None) -> None:
    """Give an export in doubt up.

    Args:
        number: The export's, as `exportjobs jobs` lists it.
        ledger: The ledger; the one that EXPORTJOBS_LEDGER names if not given.
    """
    asked(ledger, lambda records: records.abandon(number))
    _say(f"export {number} is abandoned")


def forget(*numbers: int, ledger: LedgerFile = None) -> None:
    """Remove exports from a ledger. Their jobs, if they have any, go on at their vendors.

    Args:
        numbers: The exports', as `exportjobs jobs` lists them.
        ledger: The ledger; the one that EXPORTJOBS_LEDGER names if not given.
    """
    if not numbers:
        raise InvalidArgument("numbers", "are missing", remedy="exportjobs jobs lists them")
    for number in numbers:
        entry = asked(ledger, partial(Records.forget, number=number))
        _say(f"forgot export {number}, {entry} ({entry.state})")


def _say(text: str) -> None:
    Output(highlight=False).print(text, markup=False, soft_wrap=True)


def _table(entries: list[LedgerEntry]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("number", justify="right")
    for heading in ("export", "run", "state", "submitted", "polls", "files"):
        table.add_column(
            heading, overflow="fold", justify="right" if heading == "polls" else "left"
        )
    for one in entries:
        submitted = one.sent_at or (one.ref and one.ref.submitted_at)
        cells = (
            str(one.number),
            str(one),
            one.run_key or "",
            one.state,
            f"{submitted:%Y-%m-%d %H:%M}" if submitted else "",
            str(one.polls),
            "\n".join(map(str, one.files)),
        )
        table.add_row(*map(Text, cells))
    return table


def _members(entry: LedgerEntry) -> dict[str, object]:
    moments = ("sent_at", "seen_at", "landed_at", "resubmit_at", "abandoned_at")
    return {
        "number": entry.number,
        "run_key": entry.run_key,
        "vendor": entry.vendor,
        "account": entry.account,
        "kind": entry.kind,
        "arguments": json.loads(entry.export_json)["arguments"] if entry.export_json else None,
        "ref": json.loads(entry.ref.to_json()) if entry.ref else None,
        "state": entry.state,
        "raw_status": entry.reading.raw if entry.reading else None,
        "polls": entry.polls,
        **{name: (at := getattr(entry, name)) and at.isoformat() for name in moments},
        "files": [{"path": str(f), "size": f.size, "sha256": f.sha256} for f in entry.files],
    }

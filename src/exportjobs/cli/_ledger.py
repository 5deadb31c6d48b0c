"""Which ledger a command means, and what is done with it without a vendor."""

import json
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

import exportjobs
from exportjobs._ledger.entry import LedgerEntry
from exportjobs.adapter._errors import InvalidArgument
from exportjobs.cli._output import Output

if TYPE_CHECKING:
    from exportjobs._ledger.records import Records

T = TypeVar("T")

LedgerFile = Annotated[Path | None, Parameter(name="--ledger")]
AsJson = Annotated[bool, Parameter(name="--json", negative=())]
_LISTED = "exportjobs jobs lists the numbers"


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
        raise InvalidArgument("ledger", f"there is no file {named}", remedy="check the path")
    return Path(named)


def awaited(ask: Callable[[], Awaitable[T]]) -> T:
    """Return what an asynchronous function returns."""
    import anyio  # noqa: PLC0415 - not needed for help

    return anyio.run(ask)


def entries(ledger: Path | None) -> tuple[LedgerEntry, ...]:
    """Return the exports of a ledger."""
    return _answer(ledger, lambda records: records.entries())


def entry(ledger: Path | None, number: int) -> LedgerEntry:
    """Return an export of a ledger.

    Raises:
        InvalidArgument: If it has none of that number.
    """
    for one in entries(ledger):
        if one.number == number:
            return one
    raise InvalidArgument("number", f"the ledger has no export {number}", remedy=_LISTED)


def _answer(ledger: Path | None, question: Callable[["Records"], Awaitable[T]]) -> T:
    file = existing(ledger)

    async def ask() -> T:
        async with exportjobs.Poller(ledger=file) as poller:
            return await question(poller.records)

    return awaited(ask)


def jobs(
    *,
    ledger: LedgerFile = None,
    outstanding: Annotated[bool, Parameter(negative=())] = False,
    as_json: AsJson = False,
) -> None:
    """List the exports in a ledger, each with its job and its state.

    Args:
        ledger: The ledger file; EXPORTJOBS_LEDGER if not given.
        outstanding: Only those that are not finished.
        as_json: Print one JSON object per export instead.
    """
    from exportjobs.cli._report import print_whole  # noqa: PLC0415 - not needed for help

    output = Output(highlight=False)
    everything = entries(ledger)
    shown = [one for one in everything if one.is_outstanding or not outstanding]
    if as_json:
        for one in shown:
            output.out(json.dumps(_members(one)))
    elif shown:
        print_whole(_table(shown), output)
    else:
        output.print("nothing is outstanding" if everything else "the ledger is empty")


def adopt(number: int, job_id: str, /, *, ledger: LedgerFile = None) -> None:
    """Attach a job id that you found at the vendor to an export whose submit outcome is unknown.

    Args:
        number: The export's number, from `exportjobs jobs`.
        job_id: The vendor's own id of the job.
        ledger: The ledger file; EXPORTJOBS_LEDGER if not given.
    """
    entry(ledger, number)
    ref = _answer(ledger, lambda records: records.adopt(number, job_id))
    _say(f"export {number} has the job {ref}; to resume it, run: exportjobs resume")


def resubmit(number: int, /, *, ledger: LedgerFile = None) -> None:
    """Mark an export whose submit outcome is unknown as to be submitted again.

    Args:
        number: The export's number, from `exportjobs jobs`.
        ledger: The ledger file; EXPORTJOBS_LEDGER if not given.
    """
    entry(ledger, number)
    _answer(ledger, lambda records: records.resubmit(number))
    _say(f"export {number} will be submitted again by: exportjobs resume")


def abandon(number: int, /, *, ledger: LedgerFile = None) -> None:
    """Mark an export whose submit outcome is unknown as abandoned.

    Args:
        number: The export's number, from `exportjobs jobs`.
        ledger: The ledger file; EXPORTJOBS_LEDGER if not given.
    """
    entry(ledger, number)
    _answer(ledger, lambda records: records.abandon(number))
    _say(f"export {number} is abandoned")


def forget(*numbers: int, ledger: LedgerFile = None) -> None:
    """Remove exports from a ledger. Jobs of theirs that are running keep running at the vendor.

    Args:
        numbers: The exports' numbers, from `exportjobs jobs`.
        ledger: The ledger file; EXPORTJOBS_LEDGER if not given.
    """
    if not numbers:
        raise InvalidArgument("numbers", "are missing", remedy=_LISTED)
    for number in numbers:
        one = entry(ledger, number)
        _answer(ledger, partial(_forget, number))
        _say(f"removed export {number} from the ledger: {one} ({one.state})")


async def _forget(number: int, records: "Records") -> None:
    await records.forget(number)


def _say(text: str) -> None:
    Output(highlight=False).print(text, markup=False, soft_wrap=True)


def _table(shown: list[LedgerEntry]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("number", justify="right")
    for heading in ("export", "run", "state", "submitted", "polls", "files"):
        table.add_column(
            heading, overflow="fold", justify="right" if heading == "polls" else "left"
        )
    for one in shown:
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

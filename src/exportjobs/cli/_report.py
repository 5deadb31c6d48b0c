"""The results of a run: a table for people, or a JSON object for each export."""

import json
from collections.abc import Iterable, Sequence
from functools import partial

from attrs import define, field
from rich.console import Console
from rich.filesize import decimal
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from exportjobs.cli._output import Output
from exportjobs.cli._remedies import message
from exportjobs.events import Finished

_WHOLE = 64
_SHORT = 12
_ANY = 10_000
_COUNTS = {"rows", "bytes"}


def as_json(finished: Finished) -> str:
    """Return one finished export as a JSON object on one line; sizes in bytes, times in seconds."""
    vendor, account = finished.export.account
    job = None if finished.ref is None else finished.job
    stats, error = finished.stats, finished.error
    return json.dumps(
        {
            "vendor": vendor,
            "account": account,
            "kind": finished.export.kind,
            "ok": finished.ok,
            "ref": json.loads(job.ref.to_json()) if job else None,
            "status": job.status if job else None,
            "raw_status": job.raw_status if job else None,
            "record_count": job.record_count if job else None,
            "warnings": list(job.warnings) if job else [],
            "error": {"type": type(error).__name__, "message": str(error)} if error else None,
            "files": [
                {
                    "path": str(file),
                    "size": file.size,
                    "sha256": file.sha256,
                    "part": file.part,
                    "verified_by": list(file.verified_by),
                }
                for file in finished.files
            ],
            "polls": stats.polls,
            "failed_polls": stats.failed_polls,
            "retried_downloads": stats.retried_downloads,
            "latency": stats.latency.total_seconds() if stats.latency else None,
        }
    )


@define(eq=False)
class Report:
    """The results of a run on standard output: JSON at once for each export, or one table."""

    as_json_lines: bool
    everything: list[Finished] = field(factory=list[Finished], init=False)
    _known: set[int] = field(factory=set[int], init=False)
    _output: Output = field(factory=partial(Output, highlight=False), init=False)

    def add(self, finished: Finished) -> None:
        """Take in a result, unless it was taken in before."""
        if id(finished) in self._known:
            return
        self._known.add(id(finished))
        self.everything.append(finished)
        if self.as_json_lines:
            self._output.out(as_json(finished))

    def close(self) -> None:
        """Print what was not printed yet."""
        if self.everything and not self.as_json_lines:
            print_table(self.everything, self._output)


def print_table(everything: Sequence[Finished], console: Console) -> None:
    """Print a row for each landed file, and the reason of each export that did not land.

    Digests are cut short where a terminal has no room for them, and where that is not enough, each
    file is on a line of its own, so that its path can be copied. A file or a pipe gets the table.
    """
    tables = (_table(everything, digits=digits) for digits in (_WHOLE, _SHORT))
    fitting = (one for one in tables if whole_width(one, console) <= console.width)
    if not console.is_terminal:
        print_whole(_table(everything, digits=_WHOLE), console)
    elif table := next(fitting, None):
        console.print(table)
    else:
        _print_lines(everything, console)
    for finished in everything:
        if finished.error is not None:
            _say(console, message(finished.error))
        for warning in finished.job.warnings if finished.ref else ():
            _say(console, f"{finished.ref}: warning: {warning}")


def _print_lines(everything: Iterable[Finished], console: Console) -> None:
    for finished in everything:
        (name, status, rows, *_), *_ = _rows(finished, _SHORT)
        _say(console, f"{name}: {status}{rows and f', {rows} rows'}")
        for file in finished.files:
            _say(console, f"  {file} ({decimal(file.size)}, SHA-256 {file.sha256[:_SHORT]})")


def print_whole(table: Table, console: Console) -> None:
    """Print a table, folded only for a terminal: a file or a pipe has room for everything."""
    if not console.is_terminal:
        console.width = whole_width(table, console)
    console.print(table)


def whole_width(table: Table, console: Console) -> int:
    """Return how many columns a table takes that is not folded."""
    return Measurement.get(console, console.options.update(max_width=_ANY), table).maximum


def _table(everything: Iterable[Finished], *, digits: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("ref", "status", "rows", "bytes", "sha256", "path"):
        table.add_column(
            heading, overflow="fold", justify="right" if heading in _COUNTS else "left"
        )
    for finished in everything:
        for cells in _rows(finished, digits):
            table.add_row(*map(Text, cells))
    return table


def _rows(finished: Finished, digits: int) -> list[tuple[str, ...]]:
    job = finished.job if finished.ref else None
    name = str(finished.ref or "/".join((*finished.export.account, finished.export.kind)))
    status = "landed" if finished.ok else (job.status.value if job else "not submitted")
    rows = str(job.record_count) if job and job.record_count is not None else ""
    cells = [(decimal(file.size), file.sha256[:digits], str(file)) for file in finished.files]
    first, *others = cells or [("", "", "")]
    return [(name, status, rows, *first), *((name, status, "", *other) for other in others)]


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)

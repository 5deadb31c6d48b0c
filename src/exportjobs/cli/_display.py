"""How a run is shown while it goes on: a live table on a terminal, else a line for each step."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import decimal
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from exportjobs.cli._progress import Board, Row
from exportjobs.cli._remedies import message
from exportjobs.events import (
    Ended,
    Event,
    Landed,
    ListFailed,
    Observer,
    PollingSlowed,
    SignedUrlRenewed,
    Submitted,
    Throttled,
)

_STYLES = {"waiting": "dim", "running": "cyan", "landing": "blue", "landed": "green"}
_ROOMY = 100
_NOTABLE = 0.1
"""Seconds: less than that would read as none at all."""
_TOLD = (Submitted, Throttled, PollingSlowed, ListFailed, SignedUrlRenewed, Landed, Ended)


@contextmanager
def shown(board: Board, console: Console, *, quiet: bool) -> Generator[tuple[Observer, ...]]:
    """Show a run while the block lasts; yields the observers to run it with."""
    if console.is_terminal and not quiet:
        with Live(
            get_renderable=lambda: _table(board.rows, console.width, console.height),
            console=console,
            transient=True,
        ):
            yield (board,)
    elif quiet:
        yield (board,)
    else:
        yield (board, lambda event: _tell(event, console))


def _tell(event: Event, console: Console) -> None:
    if not isinstance(event, _TOLD):
        return
    match event:
        case Ended() if event.finished.error is not None:
            text = f"failed: {message(event.finished.error)}"
        case PollingSlowed() if event.seconds >= _NOTABLE:
            every = f"a status request every {event.seconds:.1f} s"
            text = f"{event.subject}: {event.message}: {every}"
        case PollingSlowed():
            text = f"{event.subject}: {event.message}"
        case ListFailed():
            text = f"{event.subject}: list of jobs failed: {message(event.error)}"
        case Throttled():
            text = f"{event.subject}: rate limited: waiting {event.seconds:.0f} s"
        case Landed():
            text = f"{event.subject}: {event.message}: {event.file.path}"
        case _:
            text = f"{event.subject}: {event.message}"
    console.print(text, style=None, markup=False, highlight=False, soft_wrap=True)


def _table(rows: tuple[Row, ...], width: int, height: int) -> Table:
    """Return the rows that fit, the busiest first to be kept, under a line that counts them all."""
    room = max(1, height - 5)
    kept = rows if len(rows) <= room else tuple(sorted(rows, key=lambda row: row.ended))[:room]
    table = Table(title=_summary(rows), title_justify="left", expand=True, box=None, pad_edge=False)
    table.add_column("export", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("status", no_wrap=True, width=8)
    roomy = width >= _ROOMY
    if roomy:
        table.add_column("progress", no_wrap=True, width=12)
        table.add_column("bytes", no_wrap=True, width=8, justify="right")
    table.add_column("waits for", no_wrap=True, overflow="ellipsis", width=24 if roomy else 14)
    for row in kept:
        style = _STYLES.get(row.status, "red" if row.status == "failed" else "")
        bytes_so_far = decimal(row.received) if row.received else ""
        details = (_progress(row), bytes_so_far) if roomy else ()
        table.add_row(str(row.subject), Text(row.status, style=style), *details, row.waits_for)
    return table


def _summary(rows: Iterable[Row]) -> str:
    states = [row.status for row in rows]
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    plural = "" if len(states) == 1 else "s"
    return f"{len(states)} export{plural}: " + ", ".join(
        f"{n} {state}" for state, n in counts.items()
    )


def _progress(row: Row) -> ProgressBar | Text:
    fraction = row.progress.fraction if row.progress else None
    return Text("") if fraction is None else ProgressBar(total=1.0, completed=fraction, width=12)

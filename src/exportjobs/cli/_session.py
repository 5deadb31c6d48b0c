"""A run as commands see it: shown while it goes on, told when it is over, and left cleanly."""

import sys
from collections.abc import Callable, Iterable

from rich.console import Console

from exportjobs.cli._board import Board
from exportjobs.cli._display import shown
from exportjobs.cli._exit_code import ExitCode
from exportjobs.cli._leaving import (
    Farewell,
    ResumeCommand,
    tell_what_can_be_resumed,
    tell_what_is_left,
)
from exportjobs.cli._report import Report
from exportjobs.events import Event, Finished, LedgerWriteFailed, Observer

GRACE = 10.0
"""Seconds that files on their way may take to land on Ctrl-C; a second one leaves at once."""


def run_shown(
    begin: Callable[[tuple[Observer, ...]], Iterable[Finished]],
    *,
    as_json_lines: bool,
    again: ResumeCommand | None = None,
) -> list[Finished]:
    """Run exports, showing on standard error how it goes and on standard output what came of it.

    On leaving early, what came to its end meanwhile is printed too, and what is left is named:
    nothing that was paid for is forgotten.

    Args:
        begin: Begins the run, with observers.
        as_json_lines: Whether to print JSON in place of a table.
        again: What to type to go on with what is left; None where nothing can be.

    Raises:
        KeyboardInterrupt: If it was interrupted, once everything is cleaned up.
        ExportJobsError: If it could not begin.
    """
    board, errors, report = Board(), Console(stderr=True), Report(as_json_lines=as_json_lines)
    try:
        with shown(board, errors, quiet=as_json_lines) as observers:
            for finished in begin((*observers, _tell_what_is_not_recorded, Farewell(errors))):
                report.add(finished)
    except BaseException:
        for finished in board.ended:
            report.add(finished)
        report.close()
        if again is not None:
            tell_what_is_left(board.left, again)
        raise
    report.close()
    if again is not None:
        tell_what_can_be_resumed(report.everything, again)
    return report.everything


def exit_code(everything: Iterable[Finished]) -> ExitCode:
    """Return success only if every export landed."""
    return ExitCode.DONE if all(one.ok for one in everything) else ExitCode.EXPORT_FAILED


def _tell_what_is_not_recorded(event: Event) -> None:
    """Print a job that the ledger could not take down, so that it can be resumed by its ref."""
    if isinstance(event, LedgerWriteFailed):
        ref = event.subject.ref.to_json() if event.subject.ref else str(event.subject)
        sys.stderr.write(f"exportjobs: not recorded: {event.error}: {ref}\n")

"""A run as commands see it: progress while it goes on, a report at the end, a clean exit."""

import sys
from collections.abc import Callable, Iterable

from rich.console import Console

from exportjobs.cli._closing import (
    ResumeCommand,
    ShutdownNotice,
    print_detached,
    print_resumable,
)
from exportjobs.cli._display import shown
from exportjobs.cli._exit_code import ExitCode
from exportjobs.cli._progress import Board
from exportjobs.cli._remedies import message
from exportjobs.cli._report import Report
from exportjobs.events import Event, Finished, LedgerWriteFailed, Observer

GRACE = 10.0
"""Seconds that downloads under way may take to finish on Ctrl-C; a second one exits at once."""


def run_shown(
    begin: Callable[[tuple[Observer, ...]], Iterable[Finished]],
    *,
    as_json_lines: bool,
    resuming: ResumeCommand | None = None,
) -> list[Finished]:
    """Run exports, with progress on standard error and results on standard output.

    Where it is interrupted, what has finished is printed too, and what has not is named: no job
    that was paid for is forgotten.

    Args:
        begin: Begins the run, with observers.
        as_json_lines: Whether to print JSON in place of a table.
        resuming: The command that resumes what has not finished; None where nothing can be.

    Raises:
        KeyboardInterrupt: If it was interrupted, once everything is cleaned up.
        ExportJobsError: If it could not begin.
    """
    board, errors, report = Board(), Console(stderr=True), Report(as_json_lines=as_json_lines)
    try:
        with shown(board, errors, quiet=as_json_lines) as observers:
            for finished in begin((*observers, _print_unrecorded, ShutdownNotice(errors))):
                report.add(finished)
    except BaseException:
        for finished in board.ended:
            report.add(finished)
        report.close()
        if resuming is not None:
            print_detached(board.detached, resuming)
        raise
    report.close()
    if resuming is not None:
        print_resumable(report.everything, resuming)
    return report.everything


def exit_code(everything: Iterable[Finished]) -> ExitCode:
    """Return success only if every export landed."""
    return ExitCode.DONE if all(one.ok for one in everything) else ExitCode.EXPORT_FAILED


def _print_unrecorded(event: Event) -> None:
    """Print a job that could not be written to the ledger, so that it can be resumed by its ref."""
    if isinstance(event, LedgerWriteFailed):
        ref = event.subject.ref.to_json() if event.subject.ref else str(event.subject)
        sys.stderr.write(f"exportjobs: not recorded: {message(event.error)}: {ref}\n")

"""A run as commands see it: shown while it goes on, told when it is over, and left cleanly."""

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from attrs import frozen
from rich.console import Console

from exportjobs._events import Event, NotRecorded, Observer
from exportjobs._finished import Finished
from exportjobs._job import JobRef
from exportjobs.cli._board import Board
from exportjobs.cli._display import shown
from exportjobs.cli._exit_code import ExitCode
from exportjobs.cli._output import Output
from exportjobs.cli._report import as_json, print_table

GRACE = 10.0
"""Seconds that files on their way may take to land on Ctrl-C; a second one leaves at once."""


@frozen
class ResumeCommand:
    """What to type to go on with jobs that were left at their vendors."""

    into: str
    ledger: Path | None = None

    def of(self, refs: Iterable[JobRef]) -> str:
        """Return the command: the ledger knows the jobs by itself."""
        named = [] if self.ledger is None else ["--ledger", str(self.ledger)]
        is_kept = bool(named or os.environ.get("EXPORTJOBS_LEDGER"))
        jobs = [] if is_kept else [ref.to_json() for ref in refs]
        return shlex.join(["exportjobs", "resume", *jobs, *named, "--into", self.into])


def run_shown(
    begin: Callable[[tuple[Observer, ...]], Iterable[Finished]],
    *,
    as_json_lines: bool,
    again: ResumeCommand | None = None,
) -> list[Finished]:
    """Run exports, showing on standard error how it goes and on standard output what came of it.

    On leaving early, the jobs that go on at their vendors are named if they can be resumed: nothing
    that was paid for is forgotten.

    Args:
        begin: Begins the run, with observers.
        as_json_lines: Whether to print JSON in place of a table.
        again: What to type to go on with what is left; None where nothing can be.

    Raises:
        KeyboardInterrupt: If it was interrupted, once everything is cleaned up.
        ExportJobsError: If it could not begin.
    """
    board, errors, output = Board(), Console(stderr=True), Output(highlight=False)
    everything: list[Finished] = []
    try:
        with shown(board, errors, quiet=as_json_lines) as observers:
            for finished in begin((*observers, _tell_what_is_not_recorded)):
                everything.append(finished)
                if as_json_lines:
                    output.out(as_json(finished))
    except BaseException:
        _tell_what_is_left(board.left, again)
        raise
    if not as_json_lines:
        print_table(everything, output)
    return everything


def exit_code(everything: Iterable[Finished]) -> ExitCode:
    """Return success only if every export landed."""
    return ExitCode.DONE if all(one.ok for one in everything) else ExitCode.EXPORT_FAILED


def _tell_what_is_left(refs: Sequence[JobRef], again: ResumeCommand | None) -> None:
    if refs and again is not None:
        for ref in refs:
            sys.stderr.write(f"exportjobs: left at its vendor: {ref}\n")
        sys.stderr.write(f"exportjobs: go on with: {again.of(refs)}\n")


def _tell_what_is_not_recorded(event: Event) -> None:
    """Print a job that the ledger could not take down, so that it can be resumed by its ref."""
    if isinstance(event, NotRecorded):
        ref = event.subject.ref.to_json() if event.subject.ref else str(event.subject)
        sys.stderr.write(f"exportjobs: not recorded: {event.error}: {ref}\n")

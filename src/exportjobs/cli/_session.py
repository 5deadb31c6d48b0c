"""A run as commands see it: shown while it goes on, told when it is over, and left cleanly."""

import sys
from collections.abc import Iterable

from rich.console import Console

from exportjobs._finished import Finished, Work
from exportjobs._into import Into
from exportjobs._options import PollerOptions
from exportjobs._run import run
from exportjobs.cli._board import Board
from exportjobs.cli._display import shown
from exportjobs.cli._exit_code import ExitCode
from exportjobs.cli._output import Output
from exportjobs.cli._report import as_json, print_table


def run_shown(
    works: Iterable[Work],
    *,
    into: Into,
    unpack: bool = False,
    as_json_lines: bool,
    options: PollerOptions,
    resumable: bool = True,
) -> list[Finished]:
    """Run exports, showing on standard error how it goes and on standard output what came of it.

    On leaving early, the jobs that go on at their vendors are named if they can be resumed: nothing
    that was paid for is forgotten.

    Raises:
        KeyboardInterrupt: If it was interrupted, once everything is cleaned up.
        ExportJobsError: If it could not begin.
    """
    board, errors, output = Board(), Console(stderr=True), Output(highlight=False)
    everything: list[Finished] = []
    try:
        with shown(board, errors, quiet=as_json_lines) as observers:
            watched: PollerOptions = {**options, "observers": observers}
            for finished in run(works, into=into, unpack=unpack, **watched):
                everything.append(finished)
                if as_json_lines:
                    output.out(as_json(finished))
    except BaseException:
        for ref in board.left if resumable else ():
            sys.stderr.write(f"exportjobs: left at its vendor: {ref.to_json()}\n")
        raise
    if not as_json_lines:
        print_table(everything, output)
    return everything


def exit_code(everything: Iterable[Finished]) -> ExitCode:
    """Return success only if every export landed."""
    return ExitCode.DONE if all(one.ok for one in everything) else ExitCode.EXPORT_FAILED

"""What is told of exports that a run did not see to their end, and how to go on with them."""

import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import define, field, frozen
from rich.console import Console

from exportjobs._errors import DeadlineExceeded, FileError, PollerLeft, SubmitOutcomeUnknown
from exportjobs._events import Event, Leaving, Left
from exportjobs._finished import Finished
from exportjobs._job import JobRef


@frozen
class ResumeCommand:
    """What to type to go on with jobs that were left at their vendors."""

    into: str
    ledger: Path | None = None
    account: str = "default"
    unpack: bool = False

    @property
    def has_ledger(self) -> bool:
        """Whether a ledger knows the jobs by itself."""
        return bool(self.ledger or os.environ.get("EXPORTJOBS_LEDGER"))

    def of(self, refs: Iterable[JobRef]) -> str:
        """Return the command."""
        known = ["--account", self.account] if self.account != "default" else []
        named = known if self.has_ledger else [ref.to_json() for ref in refs]
        file = ["--ledger", str(self.ledger)] if self.ledger else []
        unpack = ["--unpack"] if self.unpack else []
        return shlex.join(["exportjobs", "resume", *named, *file, "--into", self.into, *unpack])


@define(eq=False)
class Farewell:
    """Tells once that a run is being left and what it waits for. An observer."""

    console: Console
    _is_told: bool = field(default=False, init=False)

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, Leaving) and not self._is_told:
            self._is_told = True
            text = "files that are on their way may land; Ctrl-C again leaves at once"
            self.console.print(
                f"exportjobs: for {event.seconds:.0f} s, {text}", highlight=False, soft_wrap=True
            )


def tell_what_is_left(left: Sequence[Left], again: ResumeCommand) -> None:
    """Name what was left before its end, and how to go on with it."""
    for event in left:
        sys.stderr.write(f"exportjobs: {event.subject}: {event.error.reason}\n")
    refs = [one.subject.ref for one in left if isinstance(one.error, PollerLeft)]
    in_doubt = any(isinstance(one.error, SubmitOutcomeUnknown) for one in left)
    _tell_command(refs, again, is_known=again.has_ledger and in_doubt)


def tell_what_can_be_resumed(everything: Iterable[Finished], again: ResumeCommand) -> None:
    """Tell how to go on with jobs that may yet come to a good end."""
    given_up = [one for one in everything if isinstance(one.error, DeadlineExceeded | FileError)]
    _tell_command([one.ref for one in given_up], again)


def _tell_command(
    refs: Iterable[JobRef | None], again: ResumeCommand, *, is_known: bool = False
) -> None:
    known = [ref for ref in refs if ref is not None]
    if known or is_known:
        sys.stderr.write(f"exportjobs: go on with: {again.of(known)}\n")

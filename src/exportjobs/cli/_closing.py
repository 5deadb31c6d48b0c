"""What is printed of exports that were not waited for to their end, and the command to resume."""

import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import define, field, frozen
from rich.console import Console

from exportjobs._poller.arguments import ledger_file
from exportjobs.adapter._errors import (
    DeadlineExceeded,
    FileError,
    PollerClosed,
    SubmitOutcomeUnknown,
)
from exportjobs.adapter._job import JobRef
from exportjobs.cli._remedies import option, remedy
from exportjobs.events import Detached, Event, Finished, ShuttingDown


@frozen
class ResumeCommand:
    """The command that resumes jobs that may still be running at their vendors."""

    into: str
    ledger: Path | None = None
    account: str = "default"
    unpack: bool = False
    by_ref: bool = False
    """Whether jobs are named although a ledger knows them: of all that it knows, it was those."""

    @property
    def has_ledger(self) -> bool:
        """Whether a ledger knows the jobs by itself."""
        return ledger_file(self.ledger) is not None

    def of(self, refs: Iterable[JobRef]) -> str:
        """Return the command."""
        known = option("--account", self.account) if self.account != "default" else []
        is_known = self.has_ledger and not self.by_ref
        named = known if is_known else [ref.to_json() for ref in refs]
        file = option("--ledger", str(self.ledger)) if self.ledger else []
        unpack = ["--unpack"] if self.unpack else []
        into = option("--into", self.into)
        return shlex.join(["exportjobs", "resume", *named, *file, *into, *unpack])


@define(eq=False)
class ShutdownNotice:
    """Prints once that the command is closing and what it waits for. An observer."""

    console: Console
    _is_printed: bool = field(default=False, init=False)

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, ShuttingDown) and not self._is_printed:
            self._is_printed = True
            self.console.print(
                f"exportjobs: waiting up to {event.seconds:.0f} s for downloads; "
                "press Ctrl-C again to exit now",
                highlight=False,
                soft_wrap=True,
            )


def print_detached(detached: Sequence[Detached], resuming: ResumeCommand) -> None:
    """Print which exports were not waited for, and how to resume them."""
    for event in detached:
        is_up_to_you = _is_unknown(event) and not resuming.has_ledger
        what_to_do = f"; {remedy(event.error)}" if is_up_to_you else ""
        sys.stderr.write(f"exportjobs: {event.subject}: {event.error.reason}{what_to_do}\n")
    refs = [one.subject.ref for one in detached if isinstance(one.error, PollerClosed)]
    is_known = resuming.has_ledger and any(map(_is_unknown, detached))
    _print_command(refs, resuming, is_known=is_known)


def _is_unknown(detached: Detached) -> bool:
    return isinstance(detached.error, SubmitOutcomeUnknown)


def print_resumable(everything: Iterable[Finished], resuming: ResumeCommand) -> None:
    """Print how to resume jobs that did not land but still may."""
    given_up = [one for one in everything if isinstance(one.error, DeadlineExceeded | FileError)]
    _print_command([one.ref for one in given_up], resuming)


def _print_command(
    refs: Iterable[JobRef | None], resuming: ResumeCommand, *, is_known: bool = False
) -> None:
    known = [ref for ref in refs if ref is not None]
    if known or is_known:
        sys.stderr.write(f"exportjobs: to resume, run: {resuming.of(known)}\n")

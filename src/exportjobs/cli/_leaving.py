"""What is told of exports that a run did not see to their end, and how to go on with them."""

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
from exportjobs.events import Detached, Event, Finished, ShuttingDown


@frozen
class ResumeCommand:
    """What to type to go on with jobs that were left at their vendors."""

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
        known = _option("--account", self.account) if self.account != "default" else []
        is_known = self.has_ledger and not self.by_ref
        named = known if is_known else [ref.to_json() for ref in refs]
        file = _option("--ledger", str(self.ledger)) if self.ledger else []
        unpack = ["--unpack"] if self.unpack else []
        into = _option("--into", self.into)
        return shlex.join(["exportjobs", "resume", *named, *file, *into, *unpack])


def _option(name: str, value: str) -> list[str]:
    """Return an option with its value, which may look like an option itself."""
    return [f"{name}={value}"] if value.startswith("-") else [name, value]


@define(eq=False)
class Farewell:
    """Tells once that a run is being left and what it waits for. An observer."""

    console: Console
    _is_told: bool = field(default=False, init=False)

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, ShuttingDown) and not self._is_told:
            self._is_told = True
            text = "files that are on their way may land; Ctrl-C again leaves at once"
            self.console.print(
                f"exportjobs: for {event.seconds:.0f} s, {text}", highlight=False, soft_wrap=True
            )


def tell_what_is_left(left: Sequence[Detached], again: ResumeCommand) -> None:
    """Name what was left before its end, and how to go on with it."""
    for event in left:
        is_up_to_you = _is_in_doubt(event) and not again.has_ledger
        remedy = f"; {event.error.remedy}" if is_up_to_you else ""
        sys.stderr.write(f"exportjobs: {event.subject}: {event.error.reason}{remedy}\n")
    refs = [one.subject.ref for one in left if isinstance(one.error, PollerClosed)]
    _tell_command(refs, again, is_known=again.has_ledger and any(map(_is_in_doubt, left)))


def _is_in_doubt(left: Detached) -> bool:
    return isinstance(left.error, SubmitOutcomeUnknown)


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

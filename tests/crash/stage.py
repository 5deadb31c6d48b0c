"""The sandbox in a process of its own, so that what the vendors know outlives whoever is killed.

It is run, not imported: `Stage` starts it. At the line "open SECONDS" it prints the accounts of a
fresh sandbox, whose clock began then; at the line "tell" what each account was asked to do.
"""

import json
import logging
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from subprocess import Popen
from typing import Any, TypeAlias, cast

from attrs import define, frozen

from exportjobs.sandbox import Sandbox

from .clock import FastClock
from .nursery import pipe, started

Account: TypeAlias = Mapping[str, Any]

_FILES = "/results"
"""Where Clari's files are, which are not in the blob store."""
_SPEED = 0.2
"""Jobs take about 3 s: less than a process takes to begin, by the clock."""


@frozen
class Told:
    """What an account's vendor knows."""

    files: Mapping[str, list[str]]
    """The digests of the files of each job that was made; all are done soon."""
    fetched: list[str]
    """The path of each file that was asked for, as often as that was."""


@define
class Stage:
    """Opens one sandbox after the other."""

    _program: Popen[str]

    @classmethod
    @contextmanager
    def open(cls) -> Generator["Stage"]:
        """Start the process."""
        with started("stage") as running:
            yield cls(running)

    def begin(self, began_at: float) -> Mapping[str, Account]:
        """Open a sandbox in place of the one before, and return its accounts by their labels."""
        return cast("Mapping[str, Account]", self._ask(f"open {began_at}"))

    def tell(self, label: str) -> Told:
        """Return what an account's vendor knows."""
        return Told(**self._ask("tell")[label])

    def _ask(self, line: str) -> Mapping[str, Any]:
        stdin = pipe(self._program.stdin)
        stdin.write(f"{line}\n")
        stdin.flush()
        return cast("Mapping[str, Any]", json.loads(pipe(self._program.stdout).readline()))


def _accounts(sandbox: Sandbox) -> Mapping[str, Account]:
    return {
        one.label: {
            "vendor": one.vendor,
            "arguments": {**one.credentials, "base_url": one.base_url, "name": one.label},
        }
        for one in sandbox.accounts
    }


def _told(sandbox: Sandbox, label: str) -> Mapping[str, object]:
    """Return what became of what was asked for; a request without an answer was heard as well."""
    files: dict[str, list[str]] = {}
    for file in sandbox.served:
        files.setdefault(file.job_id, []).append(file.sha256)
    asked = (one for one in sandbox.requests if (one.method, one.label) == ("GET", label))
    fetched = [one.path for one in asked if one.origin == "blob" or one.path.endswith(_FILES)]
    return {"files": files, "fetched": fetched}


def main() -> None:
    """Answer each line with one."""
    # Clients that die in the middle of a request are what this is about.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    sandbox = Sandbox()
    for line in sys.stdin:
        word, _, began_at = line.strip().partition(" ")
        if word == "open":
            sandbox.stop()
            sandbox = Sandbox(speed=_SPEED, clock=FastClock(float(began_at)))
            sandbox.start()
            answer: Mapping[str, object] = _accounts(sandbox)
        else:
            answer = {one.label: _told(sandbox, one.label) for one in sandbox.accounts}
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()
    sandbox.stop()


if __name__ == "__main__":
    main()

"""Where processes are started that are to be killed."""

import json
import os
import signal
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO

from attrs import define

_ROOT = Path(__file__).parents[2]
_LOOK = 0.005


@define
class Nursery:
    """Starts processes of one program, one at a time."""

    _program: Popen[str]
    process: int = 0

    @classmethod
    @contextmanager
    def open(cls, program: str = "child") -> Generator["Nursery"]:
        """Start what starts them."""
        with started(program) as running:
            yield cls(running)

    def begin(self, **told: object) -> None:
        """Start a process; one that a test has left behind is killed before."""
        if self.process:
            self.kill()
        self.process = self._ask(json.dumps(told))

    def kill(self) -> int:
        """Kill the process and return its exit code; if it had come to its end, that is 0."""
        self.process = 0
        return self._ask("kill")

    def wait(self, seconds: float) -> int:
        """Wait for the process to end by itself, or to die by itself, and return its exit code."""
        self._await("Z", seconds)
        return self.kill()

    def await_stop(self, seconds: float) -> None:
        """Wait for the process to be stopped."""
        self._await("T", seconds)

    def go_on(self) -> None:
        """Let the process go on that was stopped."""
        os.kill(self.process, signal.SIGCONT)

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended by itself; it is a zombie until it is killed."""
        return self._state == "Z"

    @property
    def _state(self) -> str:
        stat = Path(f"/proc/{self.process}/stat").read_text()
        return stat.rpartition(")")[2].split()[0]

    def _await(self, state: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._state != state:
            assert time.monotonic() < until, f"not within {seconds} s"
            time.sleep(_LOOK)

    def _ask(self, line: str) -> int:
        stdin = pipe(self._program.stdin)
        stdin.write(f"{line}\n")
        stdin.flush()
        return int(pipe(self._program.stdout).readline())


@contextmanager
def started(program: str) -> Generator[Popen[str]]:
    """Start one of the programs beside this module; it ends when nothing more is to come."""
    with Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", f"tests.crash.{program}"],
        stdin=PIPE,
        stdout=PIPE,
        text=True,
        cwd=_ROOT,
    ) as running:
        yield running
        pipe(running.stdin).close()


def pipe(stream: IO[str] | None) -> IO[str]:
    """Return a pipe that is there."""
    assert stream is not None
    return stream

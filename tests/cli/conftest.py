"""A command, run in this process or as a user runs it."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from subprocess import PIPE, Popen
from typing import TypeAlias

import pytest
from attrs import frozen

from exportjobs.cli._app import execute
from exportjobs.sandbox import Sandbox

PROGRAM = Path(sys.executable).with_name("exportjobs")


@frozen
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command: TypeAlias = Callable[..., Outcome]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process, with an environment that holds nothing of the machine's."""

    def run(*arguments: str, environment: Mapping[str, str] | None = None) -> Outcome:
        kept = dict(os.environ)
        os.environ.update(environment or {})
        try:
            code = execute(arguments)
        finally:
            os.environ.clear()
            os.environ.update(kept)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def program() -> Callable[..., Popen[str]]:
    """Start the installed program as a user does."""

    def start(*arguments: str) -> Popen[str]:
        return Popen(  # noqa: S603 - our own program
            [PROGRAM, *arguments], stdout=PIPE, stderr=PIPE, text=True
        )

    return start


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve the vendors."""
    with Sandbox(speed=20) as running:
        yield running

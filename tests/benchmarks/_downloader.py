"""Downloaders, each in a process and an environment of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _arena import why
from _environments import CONTENDERS, environments


@dataclass(frozen=True)
class Downloader:
    """One way of fetching files."""

    name: str
    script: str
    environment: str | None = None
    """None for one that needs no more than an interpreter."""
    options: Mapping[str, Any] = field(default_factory=dict)
    program: str | None = None
    """What it runs, which is there or is not."""
    ours: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether the program that it runs, if any, is there."""
        return self.program is None or shutil.which(self.program) is not None


@dataclass(frozen=True)
class Outcome:
    """What a downloader said in the end: its figures, or why there are none."""

    figures: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


def interpreters(downloaders: Iterable[Downloader]) -> dict[str | None, Path]:
    """Make the environments that are missing and return each one's interpreter."""
    found: dict[str | None, Path] = {None: Path(sys.executable)}
    found.update(environments({one.environment for one in downloaders if one.environment}))
    return found


def run(
    downloader: Downloader,
    python: Path,
    base_url: str,
    settings: Mapping[str, Any],
    *,
    variables: Mapping[str, str] | None = None,
    patience: float = 300,
) -> Outcome:
    """Let a downloader fetch what the settings name."""
    options = {**downloader.options, **settings.get("options", {})}
    command = [
        str(python),
        str(CONTENDERS / f"{downloader.script}.py"),
        f"--base-url={base_url}",
        f"--settings={json.dumps({**settings, 'options': options})}",
    ]
    with subprocess.Popen(
        command,
        cwd=settings["folder"],
        env={**os.environ, **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        return _outcome(process, patience)


def _outcome(process: "subprocess.Popen[str]", patience: float) -> Outcome:
    """Wait for a process, but not for ever, and return what came of it."""
    try:
        output, complaints = process.communicate(timeout=patience)
    except BaseException as error:
        # Whatever it runs ends with it: they have a session of their own.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if isinstance(error, subprocess.TimeoutExpired):
            return Outcome(error="took too long")
        raise
    # obstore now and then crashes as the interpreter ends, when all is done and said.
    if process.returncode > 0 or not output.strip():
        return Outcome(error=_why(process.returncode, complaints))
    return Outcome(json.loads(output.strip().splitlines()[-1]))


def _why(code: int, complaints: str) -> str:
    """Return why a process that said nothing failed."""
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return why(code, complaints) or "said nothing"

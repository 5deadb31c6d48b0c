"""The processes: one vendor, and contenders that come and go."""

import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from _contest import Contender, Sample, Setting, sampled
from _environments import CONTENDERS

_LOOK_EVERY = 0.05
_VENDOR = Path(__file__).with_name("vendor.py")


class Arena:
    """A vendor's process, and one for each contender that is in it; all end with it."""

    def __init__(self, pythons: Mapping[str, Path], *, patience: float) -> None:
        """Take each contender's interpreter and how many seconds one may take."""
        self._pythons = pythons
        self._patience = patience
        self._contenders: set[subprocess.Popen[str]] = set()
        self._closed = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start the vendor."""
        # A session of its own: Ctrl-C reaches us alone, and the end of its input tells the vendor.
        self._vendor = subprocess.Popen(
            [sys.executable, str(_VENDOR)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._vendor.stdout is not None
        self._url = f"http://127.0.0.1:{json.loads(self._vendor.stdout.readline())['port']}"
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End all processes."""
        self.clear()
        assert self._vendor.stdin is not None
        self._vendor.stdin.close()
        try:
            self._vendor.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._vendor.kill()

    def clear(self) -> None:
        """End the contenders, and let no other in."""
        with self._lock:
            self._closed = True
            for process in self._contenders:
                process.kill()

    def run(self, contender: Contender, setting: Setting, knobs: Mapping[str, Any]) -> Sample:
        """Let a contender see its jobs to the end."""
        run = self._ask("/runs", {**knobs, **setting.knobs})["run"]
        command = [
            str(self._pythons[contender.environment]),
            str(CONTENDERS / f"{contender.script}.py"),
            f"--base-url={self._url}/runs/{run}",
            f"--settings={json.dumps(setting.options)}",
        ]
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as complaints:
            process = self._start(command, folder, complaints.fileno())
            threads = self._watch(process)
            output, _ = process.communicate()
            with self._lock:
                self._contenders.discard(process)
            complaints.seek(0)
            reason = why(process.returncode, complaints.read())
        statistics = self._ask(f"/runs/{run}/statistics")
        if reason or statistics["fetched"] < statistics["jobs"] or not statistics["jobs"]:
            jobs = {"jobs": statistics["jobs"], "landed": statistics["fetched"]}
            return Sample(**jobs, error=reason or "left jobs behind")
        return sampled(statistics, json.loads(output.strip().splitlines()[-1]), threads)

    def _start(self, command: list[str], folder: str, stderr: int) -> subprocess.Popen[str]:
        with self._lock:
            if self._closed:
                raise RuntimeError("the arena is closed")
            process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
            self._contenders.add(process)
        return process

    def _watch(self, process: subprocess.Popen[str]) -> int | None:
        """Wait for a process, but not for ever, and return how many threads it had at most."""
        most, until = None, time.monotonic() + self._patience
        while process.poll() is None:
            if time.monotonic() > until:
                process.kill()
            threads = _threads(process.pid)
            most = max(most or 0, threads) if threads else most
            time.sleep(_LOOK_EVERY)
        return most

    def _ask(self, path: str, body: object = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self._url}{path}", data) as response:
            return dict(json.load(response))


def _threads(pid: int) -> int | None:
    """Return how many threads a process has, where the system tells."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    return next(
        (int(line.split()[1]) for line in status.splitlines() if line.startswith("Threads:")), None
    )


def why(returncode: int, complaints: str) -> str | None:
    """Return why a contender failed, if it did."""
    if returncode == 0:
        return None
    if returncode < 0:
        return "took too long"
    lines = [line.strip("| +-") for line in complaints.splitlines() if line.strip("| +-")]
    return lines[-1][:100] if lines else f"exit code {returncode}"

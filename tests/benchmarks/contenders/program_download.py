"""curl, wget and aria2: each one's own command line, run and watched."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from _fetch import Wanted, fetch, peak

_LOOK_EVERY = 0.02
_RUNS = 4
"""Times that a program is run which goes on where its last run ended."""


def main(wanted: Wanted) -> dict[str, object]:
    """Fetch the files, and return what the program is and what memory it took."""
    program = wanted.options["program"]
    runs = _RUNS if wanted.options.get("again") else 1
    for run in range(runs):
        code, memory = _run(_COMMANDS[program](wanted))
        if code == 0:
            return {"rss": memory, "versions": _version(program)}
        if run + 1 < runs:
            time.sleep(0.1)
    sys.exit(code)


def _run(command: list[str]) -> tuple[int, float]:
    """Run a command and return its exit code and the most memory that it took."""
    memory = 0.0
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while True:
            memory = max(memory, peak(process.pid))
            try:
                return process.wait(_LOOK_EVERY), memory
            except subprocess.TimeoutExpired:
                continue


def _curl(wanted: Wanted) -> list[str]:
    command = ["curl", "--silent", "--show-error", "--fail", "--location", *_headers(wanted)]
    if wanted.options.get("resumes"):
        command += ["--continue-at", "-"]
    if wanted.options.get("retries"):
        command += ["--retry", "3", "--retry-all-errors"]
    if wanted.count > 1:
        command += ["--parallel", "--parallel-max", str(wanted.at_once)]
    for url, target in wanted.files:
        command += [url, "--output", str(target)]
    return command


def _wget(wanted: Wanted) -> list[str]:
    ((url, target),) = wanted.files
    command = ["wget", "--quiet", "--continue", "--tries=4", "--waitretry=1"]
    command += [f"--header={name}: {value}" for name, value in wanted.headers.items()]
    return [*command, "--output-document", str(target), url]


def _aria2(wanted: Wanted) -> list[str]:
    command = ["aria2c", "--quiet", "--no-conf", "--retry-wait=1", "--max-tries=4"]
    command += [f"--header={name}: {value}" for name, value in wanted.headers.items()]
    command += [f"--dir={wanted.folder}", f"--max-concurrent-downloads={wanted.at_once}"]
    if "authority" in wanted.options:
        command.append(f"--ca-certificate={wanted.options['authority']}")
    if wanted.count == 1:
        ((url, target),) = wanted.files
        return [*command, "--out", target.name, url]
    listed = wanted.folder.with_suffix(".urls")
    listed.write_text("".join(f"{url}\n" for url, _ in wanted.files), encoding="utf-8")
    return [*command, f"--input-file={listed}"]


def _headers(wanted: Wanted) -> list[str]:
    return [part for name, value in wanted.headers.items() for part in ("-H", f"{name}: {value}")]


_COMMANDS: dict[str, Callable[[Wanted], list[str]]] = {
    "curl": _curl,
    "wget": _wget,
    "aria2c": _aria2,
}


def _version(program: str) -> dict[str, str]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    number = re.search(r"\d+(?:\.\d+)+", said.stdout)
    return {Path(program).name: number[0] if number else "?"}


if __name__ == "__main__":
    fetch(main)

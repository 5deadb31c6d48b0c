"""What it costs to start: importing the library, and help on the command line.

uv run --group benchmarks tests/benchmarks/startup.py [--rounds 15]
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from _program import machine
from _report import table
from attrs import frozen

COMMAND = "uv run --group benchmarks tests/benchmarks/startup.py"
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks" / "startup.md"

COMMAND_LINE = "import cyclopts, rich.console, exportjobs_clari"
ENGINE = "import httpx, attrs, cattrs, anyio, stamina, sqlite3"
VALUES = "import attrs, cattrs"


@frozen
class Start:
    """Something that is started, and the imports that it is measured against."""

    name: str
    words: tuple[str, ...]
    against: str
    bound: float | None = None


def help_of(*words: str, bound: float | None = 1.3) -> Start:
    """Return a command of the command line."""
    return Start(f"`{' '.join(('exportjobs', *words))}`", words, COMMAND_LINE, bound)


STARTS = (
    help_of("--help"),
    help_of("run", "clari", "forecast", "--help"),
    help_of("__complete", "run", "clari", "forecast", "--format", ""),
    help_of("run", "clari", "--help", bound=None),
    help_of("run", "--help", bound=None),
    help_of("--install-completion", "--shell", "bash", "--output", "completion", bound=None),
    Start("`from exportjobs import run`", (), ENGINE, 1.3),
    Start("`import exportjobs, exportjobs_clari`", (), VALUES, 1.8),
)


def installed(folder: Path) -> Path:
    """Build the library, install it with the extra `all` as a user does, and return its Python."""
    python = folder / "venv" / "bin" / "python"
    uv("build", "--wheel", "--out-dir", str(folder / "dist"), str(ROOT))
    (wheel,) = (folder / "dist").glob("*.whl")
    uv("venv", "--python", sys.executable, str(folder / "venv"))
    # Compiled, as pip does it: else the first start of each module would be measured.
    options = ("--compile-bytecode", "--python", str(python))
    uv("pip", "install", *options, f"exportjobs[all] @ {wheel.as_uri()}")
    return python


def uv(*words: str) -> None:
    """Run uv."""
    subprocess.run(["uv", *words, "--quiet"], check=True)


def seconds(words: Sequence[str], folder: Path) -> float:
    """Return the processor time, user and system, that a process took."""
    # A home of its own, as a completion script is made known to the shell.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    process = subprocess.Popen(
        words,
        cwd=folder,
        env={**kept, "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{words} exited with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def commands(python: Path) -> Mapping[str, Sequence[str]]:
    """Return what is started, by name."""
    program = str(python.with_name("exportjobs"))
    codes = {code: (str(python), "-c", code) for code in (COMMAND_LINE, ENGINE, VALUES)}
    ours = {
        one.name: (program, *one.words) if one.words else (str(python), "-c", one.name.strip("`"))
        for one in STARTS
    }
    return {**codes, **ours}


def least(python: Path, folder: Path, rounds: int) -> Mapping[str, float]:
    """Return the least time of some rounds, in each of which everything is started in turn."""
    everything = commands(python)
    found = dict.fromkeys(everything, float("inf"))
    for number in range(rounds):
        for name, words in everything.items():
            found[name] = min(found[name], seconds(words, folder))
        print(f"round {number + 1} of {rounds}")
    return found


def page(found: Mapping[str, float], rounds: int) -> str:
    """Return the report."""
    rows = [
        (
            one.name,
            f"{1000 * found[one.name]:.0f}",
            f"`{one.against}`",
            f"{1000 * found[one.against]:.0f}",
            f"{found[one.name] / found[one.against]:.2f}",
            "" if one.bound is None else f"{one.bound:.1f}",
        )
        for one in STARTS
    ]
    head = ("what is started", "ms", "measured against", "its ms", "ratio", "bound")
    return (
        "# Start-up\n\n"
        "Processor time, user and system, of a whole process. The library is installed from its\n"
        "wheel with the extra `all`, and compiled. `--install-completion` writes a script that\n"
        "holds all commands, options and choices, for which every export of every vendor is read\n"
        "once; while you type, a shell starts nothing, or `__complete`.\n\n"
        f"- Run with `{COMMAND}`; machine: {machine()}.\n"
        f"- The least of {rounds} rounds, in each of which everything is started in turn.\n\n"
        + table(head, rows)
    )


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description="What it costs to start.")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        report = page(least(installed(folder), folder, given.rounds), given.rounds)
    print(report)
    if given.rounds == parser.get_default("rounds"):
        PAGE.write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Help and completion do not wait for what they do not need."""

import subprocess
import sys
from pathlib import Path

import pytest
from cyclopts.completion import ShellDetectionError

from exportjobs.cli._app import app

from .conftest import Command

VENDORS = ("clari", "closient", "csv", "demandbase", "demandbase-v1")
ENGINES = {
    "the HTTP client": {"httpx", "httpcore", "h11"},
    "event loops": {"anyio", "asyncio", "trio", "stamina"},
    "SQLite": {"sqlite3", "_sqlite3"},
    "the sandbox": {"starlette", "uvicorn"},
}
REPORTING = """
import sys
sys.argv = ["exportjobs", *{words!r}]
from exportjobs.cli import main
try:
    main()
except SystemExit as left:
    code = left.code
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def imported(words: list[str], home: Path) -> set[str]:
    """Run a command in a process of its own and return the modules that it imported."""
    # Without the environment: a measurement of coverage would import modules of its own.
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", REPORTING.format(words=words)],
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
        env={"HOME": str(home), "PATH": ""},
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["run", "--help"],
        ["run", "clari", "--help"],
        ["run", "clari", "forecast", "--help"],
        ["resume", "--help"],
        ["demo", "--help"],
        ["jobs", "--help"],
        ["--version"],
        ["__complete", "run", "clari", "forecast", "--format", ""],
        ["--install-completion", "--shell", "bash", "--output", "completion"],
    ],
    ids=" ".join,
)
def test_no_engine_is_imported(words: list[str], tmp_path: Path) -> None:
    """Neither for help nor for completion."""
    modules = imported(words, tmp_path)

    assert {name: found for name, engine in ENGINES.items() if (found := engine & modules)} == {}


@pytest.mark.parametrize(
    ("words", "vendors"),
    [
        (["--help"], set[str]()),
        (["run", "clari", "--help"], {"exportjobs_clari"}),
        (["run", "clari", "forecast", "--help"], {"exportjobs_clari"}),
        (["__complete", "run", "clari", "forecast", ""], set[str]()),
    ],
    ids=" ".join,
)
def test_only_the_vendor_that_was_asked_for_is_loaded(
    words: list[str], vendors: set[str], tmp_path: Path
) -> None:
    """The others are as good as not installed."""
    modules = imported(words, tmp_path)

    assert {name for name in modules if name.startswith("exportjobs_") and "." not in name} == (
        vendors
    )


def test_only_the_command_that_was_asked_for_is_built(tmp_path: Path) -> None:
    """Of an adapter with three kinds of export, one is read."""
    built = """
import sys
from exportjobs.cli import _run
read = []
command = _run._command
_run._command = lambda *given: read.append(given[2].name) or command(*given)
sys.argv = ["exportjobs", "run", "clari", "forecast", "--help"]
from exportjobs.cli import main
try:
    main()
finally:
    print(*read, file=sys.stderr)
"""

    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", built], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert done.stderr == "forecast\n"


def test_the_completion_script_knows_every_export(command: Command, tmp_path: Path) -> None:
    """The options of each, with what may be chosen."""
    script = tmp_path / "completion"

    outcome = command(
        *("--install-completion", "--shell", "bash", "--output", str(script)),
        environment={"HOME": str(tmp_path)},
    )

    assert outcome.code == 0
    assert outcome.out.startswith(f"completion script written to {script}\n")
    assert {"--types-to-export", "--include-headers", "--run-key", "demandbase-v1"} <= set(
        script.read_text().replace('"', " ").replace("'", " ").split()
    )


def test_no_value_has_to_be_completed_by_the_program(command: Command) -> None:
    """So a shell that asks is answered at once, as cyclopts would: else that would have to go."""
    runs = [app["run"][vendor] for vendor in VENDORS]
    commands = [inner[name] for inner in (app, *runs) for name in inner if name[0] != "-"]
    commands = [one for one in commands if one.default_command is not None]
    arguments = [one for inner in commands for one in inner.assemble_argument_collection()]

    assert [one.name for one in arguments if one.parameter.completer is not None] == []
    assert command("__complete", "run", "").out == "\n\x1fbegin\n"


def test_a_shell_that_cannot_be_detected_is_to_be_named(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that names the option."""

    def fail() -> None:
        raise ShellDetectionError

    monkeypatch.setattr("cyclopts.completion.detect.detect_shell", fail)

    outcome = command("--install-completion")

    assert outcome.code == 2
    assert outcome.err == "exportjobs: shell: cannot be detected; pass --shell\n"

"""Readers that leave, ports that are taken, plugins that are broken: it goes on."""

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from textwrap import dedent
from typing import Any

import pytest

from exportjobs import JobRef
from exportjobs.cli._closing import ResumeCommand

Command = Callable[..., Any]
Program = Callable[..., Popen[str]]
PROGRAM = Path(sys.executable).with_name("exportjobs")


REF = JobRef("clari", "eu", "a1", kind="activity")


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        (ResumeCommand("landing"), [REF.to_json(), "--into", "landing"]),
        (
            ResumeCommand("my landing", Path("l.db"), "eu", unpack=True),
            ["--account", "eu", "--ledger", "l.db", "--into", "my landing", "--unpack"],
        ),
        (
            ResumeCommand("landing", Path("l.db"), by_ref=True),
            [REF.to_json(), "--ledger", "l.db", "--into", "landing"],
        ),
        (ResumeCommand("-x", Path("-l.db")), ["--ledger=-l.db", "--into=-x"]),
        (
            ResumeCommand("landing", Path(":memory:")),
            [REF.to_json(), "--ledger", ":memory:", "--into", "landing"],
        ),
    ],
    ids=["no-ledger", "ledger", "by-ref", "dashes", "memory"],
)
def test_what_is_to_be_typed_names_all_that_is_needed(
    command: ResumeCommand, typed: list[str]
) -> None:
    """And survives a shell."""
    assert shlex.split(command.of([REF])) == ["exportjobs", "resume", *typed]


@pytest.fixture
def broken_plugin(tmp_path: Path) -> Iterator[str]:
    """Install a distribution whose adapter cannot be imported."""
    metadata = tmp_path / "exportjobs_acme-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: exportjobs-acme\nVersion: 0.1\n"
    )
    (metadata / "entry_points.txt").write_text(
        dedent("""\
            [exportjobs.adapters]
            acme = exportjobs_acme_that_is_not_there:Acme
        """)
    )
    sys.path.insert(0, str(tmp_path))
    yield "exportjobs-acme"
    sys.path.remove(str(tmp_path))


def test_a_reader_that_leaves_does_not_stop_the_exports(program: Program, tmp_path: Path) -> None:
    """With its output cut short, as by `head`, everything lands and the exit code says so."""
    process = program("demo", "--into", str(tmp_path), "--json")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()

    process.stdout = None
    _, err = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "Traceback" not in err
    assert len(list(tmp_path.iterdir())) >= 18


def test_what_an_encoding_lacks_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log in ASCII is no reason to fail, nor to leave something out."""
    for name, value in {
        "PYTHONIOENCODING": "ascii",
        "CLARI_API_KEY": "k-1",
        "CLARI_BASE_URL": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    process = Popen(  # noqa: S603 - our own program
        [PROGRAM, "run", "clari", "activity", "--into", tmp_path / "名前"], stdout=PIPE, stderr=PIPE
    )
    out, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert b"http://127.0.0.1:1/\\u2026" in out + err
    assert b"Traceback" not in err


def test_output_that_cannot_be_written_takes_one_line(tmp_path: Path) -> None:
    """A full disk behind standard output is told as such, not as a traceback."""
    with Path("/dev/full").open("w") as full:
        process = Popen(  # noqa: S603 - our own program
            [PROGRAM, "demo", "--into", tmp_path], stdout=full, stderr=PIPE, text=True
        )
        _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert err.splitlines()[-1] == "exportjobs: cannot write (No space left on device)"


def test_a_broken_plugin_is_listed_beside_the_others(command: Command, broken_plugin: str) -> None:
    """The distribution at fault is named, and every other vendor is there."""
    outcome = command("vendors", "--json")

    listed = {one["vendor"]: one for one in map(json.loads, outcome.out.splitlines())}
    assert outcome.code == 0
    assert broken_plugin in listed["acme"]["error"]
    assert "forecast" in listed["clari"]["kinds"]


def test_a_broken_plugin_is_told_of_to_people_too(command: Command, broken_plugin: str) -> None:
    """So it is without JSON."""
    outcome = command("vendors")

    assert outcome.code == 0
    assert broken_plugin in " ".join(outcome.out.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "99999"], "Must be <= 65535"),
        (["--speed", "0"], "Must be > 0"),
    ],
    ids=["port", "speed"],
)
def test_a_sandbox_that_cannot_be_takes_one_line(
    command: Command, arguments: list[str], said: str
) -> None:
    """Exit code 2 and one line for a port or a speed that is none."""
    outcome = command("sandbox", *arguments)

    assert outcome.code == 2
    assert said in outcome.err
    assert outcome.err.count("\n") == 1


def test_the_sandbox_prints_how_to_reach_it_until_it_is_interrupted(program: Program) -> None:
    """Lines that a shell can take over; a second sandbox on its port is refused in one line."""
    process = program("sandbox", "--speed", "20")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    port = lines[2].split(":")[2].split("/")[0]
    second = program("sandbox", "--port", port)

    _, refused = second.communicate(timeout=30)
    process.terminate()
    out, _ = process.communicate(timeout=30)

    assert lines[1].startswith("export CLARI_API_KEY=")
    assert (second.returncode, refused.count("\n")) == (2, 1)
    assert port in refused
    assert "export CSV_TENANT=" in out
    assert process.returncode == 143

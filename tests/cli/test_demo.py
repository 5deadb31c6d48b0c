"""The demo: what a stranger sees first."""

import json
import signal
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from subprocess import Popen

import pytest

Program = Callable[..., Popen[str]]
KINDS = 21


def landed(lines: str) -> list[dict[str, object]]:
    """Read the JSON objects of a run."""
    return [json.loads(line) for line in lines.splitlines()]


def test_the_demo_lands_every_kind_of_every_vendor(program: Program, tmp_path: Path) -> None:
    """One JSON object for each export; the digests are those of the files; exit code 0."""
    process = program("demo", "--into", str(tmp_path), "--json")

    out, err = process.communicate(timeout=60)

    finished = landed(out)
    assert process.returncode == 0, err
    assert len(finished) >= 18
    assert len({(one["vendor"], one["kind"]) for one in finished}) == KINDS
    assert all(one["ok"] for one in finished)
    for one in finished:
        for file in one["files"]:  # type: ignore[attr-defined]
            assert sha256(Path(file["path"]).read_bytes()).hexdigest() == file["sha256"]
    assert "each with the SHA-256 of what was served" in err


@pytest.mark.parametrize("_time", range(3))
def test_the_demo_lands_everything_with_every_fault(
    program: Program, tmp_path: Path, _time: int
) -> None:
    """Time and again, with everything going wrong."""
    process = program("demo", "--into", str(tmp_path), "--json", "--faults")

    out, err = process.communicate(timeout=100)

    assert process.returncode == 0, err
    assert [one["error"] for one in landed(out) if not one["ok"]] == []
    assert len({(one["vendor"], one["kind"]) for one in landed(out)}) == KINDS


def test_the_demo_tells_its_steps_and_prints_a_table(program: Program, tmp_path: Path) -> None:
    """Off a terminal: a line for each step, then a row for each file with its whole digest."""
    process = program("demo", "--into", str(tmp_path))

    out, err = process.communicate(timeout=60)

    files = (file for file in tmp_path.iterdir() if not file.name.endswith(".manifest.json"))
    digests = {sha256(file.read_bytes()).hexdigest() for file in files}
    assert process.returncode == 0
    assert out.splitlines()[0].split() == ["ref", "status", "rows", "bytes", "sha256", "path"]
    assert all(digest in out for digest in digests)
    assert "export submitted" in err
    assert "file landed" in err


def test_a_second_run_into_the_same_folder_is_no_surprise(program: Program, tmp_path: Path) -> None:
    """It lands beside what is there, and takes the place of what has the same name."""
    first = program("demo", "--into", str(tmp_path), "--json")
    first.communicate(timeout=60)
    before = {file.name for file in tmp_path.iterdir()}

    second = program("demo", "--into", str(tmp_path), "--json")
    out, err = second.communicate(timeout=60)

    wanted = {file["path"]: file["sha256"] for one in landed(out) for file in one["files"]}  # type: ignore[attr-defined]
    assert second.returncode == 0, err
    assert before <= {file.name for file in tmp_path.iterdir()}
    assert {path: sha256(Path(path).read_bytes()).hexdigest() for path in wanted} == wanted
    assert list(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "terminate"]
)
def test_an_interrupted_demo_leaves_soon_and_marks_what_is_half_done(
    program: Program, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    """Within seconds, with the code that shells expect; a part of a file can be gone on with."""
    process = program("demo", "--into", str(tmp_path), "--json", "--faults")
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(sent)
    _, err = process.communicate(timeout=5)

    assert process.returncode == code
    assert "Traceback" not in err
    parts = [path for path in tmp_path.glob("*.part") if ".manifest." not in path.name]
    assert all(path.with_name(f"{path.name}.json").exists() for path in parts)

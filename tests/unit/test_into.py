"""What a run takes as the place where files land."""

from pathlib import Path

import pytest

from exportjobs import DestinationFailed, InvalidArgument
from exportjobs._folder import Folder
from exportjobs._handover import FileStream
from exportjobs._into import destination
from exportjobs.testing import ManualClock


def test_a_folder_is_made(tmp_path: Path) -> None:
    """With those above it, and nothing is left in it by the check."""
    folder = tmp_path / "landing" / "today"

    found = destination(str(folder), ManualClock(), unpack=False)

    assert isinstance(found, Folder)
    assert list(folder.iterdir()) == []
    assert isinstance(destination(folder, ManualClock(), unpack=True), Folder)


def test_a_run_may_land_nothing() -> None:
    """No folder is none, and not the current one."""
    assert destination(None, ManualClock(), unpack=False) is None


@pytest.mark.parametrize(
    "below",
    [
        pytest.param("taken", id="a-file"),
        pytest.param("taken/landing", id="below-a-file"),
        pytest.param("x" * 5000, id="too-long"),
        pytest.param("bad\0name", id="null"),
    ],
)
def test_what_is_no_folder(tmp_path: Path, below: str) -> None:
    """It is found out before a job is paid for."""
    (tmp_path / "taken").write_text("a file")

    with pytest.raises(DestinationFailed, match="choose another folder"):
        destination(tmp_path / below, ManualClock(), unpack=False)


def test_a_function_unpacks_nothing() -> None:
    """Archives are unpacked in a folder, and there is none."""

    def take(stream: FileStream) -> None:
        raise AssertionError(stream)

    with pytest.raises(InvalidArgument, match="unpack"):
        destination(take, ManualClock(), unpack=True)

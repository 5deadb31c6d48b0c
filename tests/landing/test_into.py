"""What a run takes as the place where files land."""

from pathlib import Path

import pytest
from tests.support.errors import raises_error

from exportjobs import DestinationFailed, InvalidArgument
from exportjobs._landing.into import destination
from exportjobs._landing.into.folder import Folder
from exportjobs._landing.into.function import FileStream
from exportjobs.testing import ManualClock


def test_a_folder_is_made(tmp_path: Path) -> None:
    """With those above it, when it is prepared; nothing is left in it by the check."""
    folder = tmp_path / "landing" / "today"

    found = destination(str(folder), ManualClock(), unpack=False)

    assert isinstance(found, Folder)
    assert not folder.exists()
    found.prepare()
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

    found = destination(tmp_path / below, ManualClock(), unpack=False)

    assert found is not None
    with pytest.raises(DestinationFailed, match="choose another folder"):
        found.prepare()


@pytest.mark.parametrize("into", ["", "  "], ids=["empty", "blank"])
def test_an_empty_text_is_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, into: str
) -> None:
    """It is a variable of the shell that was not set."""
    monkeypatch.chdir(tmp_path)

    with raises_error(
        InvalidArgument, reason="into: is empty", remedy="name a folder; . is the current one"
    ):
        destination(into, ManualClock(), unpack=False)

    assert list(tmp_path.iterdir()) == []
    assert isinstance(destination(".", ManualClock(), unpack=False), Folder)


@pytest.mark.parametrize("into", ["s3:/bucket/daily", "gs:/bucket", "az:\\box\\p", "abfss:/box"])
def test_an_address_that_lacks_a_slash_is_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, into: str
) -> None:
    """No folder of the scheme's name is made."""
    monkeypatch.chdir(tmp_path)

    with raises_error(
        InvalidArgument,
        reason="into: is a URL that lacks a slash",
        remedy=f"write it with {into.partition(':')[0]}://",
    ):
        destination(into, ManualClock(), unpack=False)

    assert list(tmp_path.iterdir()) == []


def test_a_function_unpacks_nothing() -> None:
    """Archives are unpacked in a folder, and there is none."""

    def take(stream: FileStream) -> None:
        raise AssertionError(stream)

    with raises_error(
        InvalidArgument, reason="unpack: needs a folder", remedy='pass into="a folder"'
    ):
        destination(take, ManualClock(), unpack=True)

"""A file that appears under its final name only when it is whole."""

import hashlib
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from exportjobs import DestinationFailed, LandedFile
from exportjobs._part_file import PartFile, prepare_folder

MEBIBYTE = 1024 * 1024


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return the final name of a file."""
    return tmp_path / "q3.csv"


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file grow beyond a few bytes, but not while the test runner writes its report."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


async def test_nothing_stands_under_the_final_name_before_the_end(target: Path) -> None:
    """While bytes come they are kept under `NAME.part`, even when the buffer has been written."""
    with PartFile(target) as part:
        await part.write(bytes(3 * MEBIBYTE))
        before = names(target.parent)
        await part.land()

    assert before == ["q3.csv.part"]
    assert names(target.parent) == ["q3.csv"]


@pytest.mark.parametrize("total", [0, 1, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 3 * MEBIBYTE + 7])
@pytest.mark.parametrize("step", [1013, 65_536, MEBIBYTE, 2 * MEBIBYTE + 1])
async def test_every_byte_lands_and_is_counted_in_the_digest(
    target: Path, total: int, step: int
) -> None:
    """However the bytes come in pieces, size and SHA-256 are those of the file on disk."""
    content = os.urandom(total)

    with PartFile(target) as part:
        for start in range(0, total, step):
            await part.write(content[start : start + step])
        landed = await part.land(part=7)

    assert target.read_bytes() == content
    assert landed == LandedFile(target, total, hashlib.sha256(content).hexdigest(), 7)


async def test_a_write_tells_when_it_reached_the_disk(target: Path) -> None:
    """Small pieces are gathered; the caller learns when they were written."""
    with PartFile(target) as part:
        first = await part.write(b"a")
        second = await part.write(bytes(MEBIBYTE))
        received = part.received

    assert (first, second) == (False, True)
    assert received == MEBIBYTE + 1


async def test_an_error_leaves_nothing(target: Path) -> None:
    """A download that fails in the middle removes what it had."""

    async def fail() -> None:
        with PartFile(target) as part:
            await part.write(bytes(2 * MEBIBYTE))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert names(target.parent) == []


async def test_a_cancellation_leaves_nothing(target: Path) -> None:
    """A download that is cancelled in the middle removes what it had."""
    with anyio.CancelScope() as scope, PartFile(target) as part:
        await part.write(bytes(2 * MEBIBYTE))
        scope.cancel()
        await part.write(bytes(2 * MEBIBYTE))
        await part.land()

    assert scope.cancelled_caught
    assert names(target.parent) == []


async def test_a_file_that_does_not_land_leaves_the_one_before(target: Path) -> None:
    """A failed download does not touch an earlier file of the same name."""
    target.write_text("yesterday")

    with PartFile(target) as part:
        await part.write(b"today")

    assert target.read_text() == "yesterday"
    assert names(target.parent) == ["q3.csv"]


async def test_a_file_that_lands_replaces_the_one_before_at_once(target: Path) -> None:
    """Whoever has the earlier file open goes on reading it; the name shows the new one."""
    target.write_text("yesterday")

    with target.open() as opened, PartFile(target) as part:
        await part.write(b"today")
        await part.land()
        seen = opened.read()

    assert seen == "yesterday"
    assert target.read_text() == "today"


async def test_what_an_earlier_process_left_is_overwritten(target: Path) -> None:
    """The remains of a download that was killed do not end up in the next."""
    target.with_name("q3.csv.part").write_bytes(bytes(100))

    with PartFile(target) as part:
        await part.write(b"a,b\n")
        await part.land()

    assert target.read_bytes() == b"a,b\n"
    assert names(target.parent) == ["q3.csv"]


async def test_a_full_disk_names_the_file_and_leaves_nothing(target: Path) -> None:
    """Bytes that find no room end with an error of the file, its path and the cause."""
    with (
        full_disk(),
        pytest.raises(DestinationFailed, match=r"q3\.csv") as caught,
        PartFile(target) as part,
    ):
        await part.write(bytes(MEBIBYTE))

    assert "cannot be written" in str(caught.value)
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value.__cause__, OSError)
    assert "free some space" in str(caught.value)
    assert names(target.parent) == []


async def test_a_disk_that_is_full_at_the_end_leaves_the_file_before(target: Path) -> None:
    """Bytes that find no room when the file should land do not harm the earlier one."""
    target.write_text("yesterday")

    with full_disk(), PartFile(target) as part:
        await part.write(bytes(100))
        with pytest.raises(DestinationFailed):
            await part.land()

    assert target.read_text() == "yesterday"
    assert names(target.parent) == ["q3.csv"]


async def test_a_folder_in_the_place_of_the_file_is_told_of(target: Path) -> None:
    """A final name that is taken by a folder ends with an error that names it."""
    (target / "inside").mkdir(parents=True)

    with pytest.raises(DestinationFailed, match=r"q3\.csv"), PartFile(target) as part:
        await part.land()

    assert names(target.parent) == ["q3.csv"]


def test_a_folder_that_went_away_is_told_of(tmp_path: Path) -> None:
    """A folder that was removed meanwhile ends with an error that names the file."""
    with (
        pytest.raises(DestinationFailed, match=r"gone.*q3\.csv"),
        PartFile(tmp_path / "gone/q3.csv"),
    ):
        raise AssertionError


def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    """A folder that does not exist is made, and the test of it leaves no trace."""
    folder = prepare_folder(tmp_path / "a" / "b")

    assert folder.is_dir()
    assert names(folder) == []
    assert prepare_folder(folder) == folder


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(
            Path("/proc"),
            id="read-only",
        ),
        pytest.param(Path(__file__), id="a-file"),
        pytest.param(Path(__file__) / "below", id="below-a-file"),
    ],
)
def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    """A folder in which nobody, not even root, can make a file is refused with its path."""
    with pytest.raises(DestinationFailed, match="cannot be written") as caught:
        prepare_folder(folder)

    assert str(folder) in str(caught.value)

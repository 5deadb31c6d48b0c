"""A file has its final name only when it is whole, and is gone on with if it is not."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from tests.support.disks import full_disk, names
from tests.support.errors import assert_error, raises_error
from tests.support.hosts import take

from exportjobs import DestinationFailed, DownloadFailed, LandedFile
from exportjobs._landing.into.disk import prepare_folder
from exportjobs._landing.into.part_file import PartFile
from exportjobs._landing.opening import Opening, Version
from exportjobs.adapter._errors import Corrupted

MEBIBYTE = 1024 * 1024
TAG = '"a-1"'
CONTENT = os.urandom(3 * MEBIBYTE + 7)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return the final name of a file."""
    return tmp_path / "q3.csv"


def part_of(target: Path, suffix: str = ".csv") -> PartFile:
    """Return the bytes on their way to a file; nothing is opened."""
    return PartFile(target.parent, target.name.removesuffix(".csv"), suffix)


def opened(size: int | None = None, etag: str = TAG) -> Opening:
    """Return a whole file that is about to come, whose host tells its versions apart."""
    return Opening(0, size, Version(etag, "", size))


async def fill(part: PartFile, content: bytes, *, step: int = MEBIBYTE) -> None:
    """Keep some bytes, a piece at a time."""
    for start in range(0, len(content), step):
        await take(part, memoryview(content)[start : start + step])


def mebibyte(number: int) -> memoryview:
    """Return one of those that the content has, from 0."""
    return memoryview(CONTENT)[number * MEBIBYTE : (number + 1) * MEBIBYTE]


async def leave(target: Path, content: bytes, of: Opening | None = None) -> None:
    """Be a process that had some bytes and did not come to the end."""
    async with part_of(target) as part:
        await part.begin(of or opened(len(CONTENT)), {}, ".csv")
        await fill(part, content)


async def land(target: Path, content: bytes, of: Opening | None = None) -> LandedFile:
    """Fetch a file from its first byte on."""
    async with part_of(target) as part:
        await part.begin(of or opened(len(content)), {}, ".csv")
        await fill(part, content)
        return await part.land(part=None)


async def taken_up(target: Path) -> int:
    """Return how many bytes the next process goes on with, whose digest is that of those bytes."""
    async with part_of(target) as part:
        sha256 = hashlib.sha256(CONTENT[: part.received]).hexdigest()
        assert part.digests.sha256 == sha256
        return part.received


async def test_nothing_stands_under_the_final_name_before_the_end(target: Path) -> None:
    """While bytes come they are kept under `NAME.part`, and their story beside it."""
    async with part_of(target) as part:
        await part.begin(opened(), {}, ".csv")
        await fill(part, CONTENT)
        before = names(target.parent)
        await part.land(part=None)

    assert before == ["q3.csv.part", "q3.csv.part.json"]
    assert names(target.parent) == ["q3.csv"]


@pytest.mark.parametrize("total", [0, 1, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 3 * MEBIBYTE + 7])
@pytest.mark.parametrize("step", [65_539, MEBIBYTE, 2 * MEBIBYTE + 1])
async def test_every_byte_lands_and_is_counted_in_the_digest(
    target: Path, total: int, step: int
) -> None:
    """However the bytes come in pieces, size and SHA-256 are those of the file on disk."""
    content = CONTENT[:total]

    async with part_of(target) as part:
        await part.begin(opened(total), {}, ".csv")
        await fill(part, content, step=step)
        landed = await part.land(part=7)

    assert target.read_bytes() == content
    assert landed == LandedFile(target, total, hashlib.sha256(content).hexdigest(), 7)
    assert names(target.parent) == ["q3.csv"]


async def test_the_suffix_may_be_known_only_when_the_file_comes(target: Path) -> None:
    """The type that it is served as gives the name; what it is fetched under stays."""
    async with part_of(target, "") as part:
        await part.begin(opened(), {}, ".csv")
        await fill(part, CONTENT)
        before = names(target.parent)
        landed = await part.land(part=None)

    assert before == ["q3.part", "q3.part.json"]
    assert landed.path == target
    assert names(target.parent) == ["q3.csv"]


async def test_what_a_process_left_is_gone_on_with(target: Path) -> None:
    """The next one has bytes, version and suffix, and ends with the digest of them all."""
    promises = {"md5": hashlib.md5(CONTENT, usedforsecurity=False).digest()}
    async with part_of(target, "") as part:
        await part.begin(opened(len(CONTENT)), promises, ".csv")
        await fill(part, CONTENT[: MEBIBYTE + 5])

    async with part_of(target, "") as part:
        found = (part.received, part.version, part.suffix, part.expected)
        await fill(part, CONTENT[MEBIBYTE + 5 :])
        landed = await part.land(part=2)

    assert found == (MEBIBYTE + 5, opened(len(CONTENT)).version, ".csv", promises)
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    assert landed == LandedFile(target, len(CONTENT), sha256, 2, ("md5",))
    assert target.read_bytes() == CONTENT
    assert names(target.parent) == ["q3.csv"]


async def test_a_file_is_gone_on_with_again_and_again(target: Path) -> None:
    """Many processes may each fetch a little."""
    at = [0, 1, 5, 70_000, MEBIBYTE, 2 * MEBIBYTE + 1, len(CONTENT)]
    async with part_of(target) as part:
        await part.begin(opened(len(CONTENT)), {}, ".csv")
        await fill(part, CONTENT[: at[1]])

    for start, end in pairwise(at[1:]):
        async with part_of(target) as part:
            assert part.received == start
            await fill(part, CONTENT[start:end])

    async with part_of(target) as part:
        landed = await part.land(part=None)

    assert landed.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert target.read_bytes() == CONTENT


async def test_what_was_written_after_the_last_note_is_kept(target: Path) -> None:
    """A process that is killed loses nothing that it has written."""
    async with part_of(target) as part:
        await part.begin(opened(len(CONTENT)), {}, ".csv")
        await fill(part, CONTENT[:MEBIBYTE])
        noted = target.with_name("q3.csv.part.json").read_bytes()
        written = target.with_name("q3.csv.part").read_bytes()

    assert json.loads(noted)["received"] == 0
    target.with_name("q3.csv.part.json").write_bytes(noted)
    assert written == CONTENT[:MEBIBYTE]
    assert await taken_up(target) == MEBIBYTE


async def test_a_large_file_is_noted_as_it_grows(target: Path) -> None:
    """A byte that changes on the disk of a process that is killed is found out."""
    content = bytes(20 * MEBIBYTE)
    sidecar = target.with_name("q3.csv.part.json")
    noted: list[int] = []
    async with part_of(target) as part:
        await part.begin(opened(2 * len(content)), {}, ".csv")
        for _ in range(20):
            await take(part, memoryview(content)[:MEBIBYTE])
            noted.append(json.loads(sidecar.read_bytes())["received"])

    assert max(noted) >= 10 * MEBIBYTE
    assert len(set(noted)) < 5


@pytest.mark.parametrize("at", [0, 1, MEBIBYTE // 2, MEBIBYTE - 1])
async def test_a_byte_that_changed_begins_from_zero(target: Path, at: int) -> None:
    """What is on the disk is not believed, but hashed."""
    await leave(target, CONTENT[:MEBIBYTE])
    with target.with_name("q3.csv.part").open("r+b") as file:
        file.seek(at)
        file.write(bytes([CONTENT[at] ^ 1]))

    assert await taken_up(target) == 0


@pytest.mark.parametrize("length", [0, 1, MEBIBYTE - 1])
async def test_a_file_that_became_shorter_begins_from_zero(target: Path, length: int) -> None:
    """Where noted bytes are missing, what is there cannot be proven."""
    await leave(target, CONTENT[:MEBIBYTE])
    os.truncate(target.with_name("q3.csv.part"), length)

    assert await taken_up(target) == 0


async def test_a_file_that_is_longer_than_it_can_be_begins_from_zero(target: Path) -> None:
    """Something else wrote there."""
    await leave(target, CONTENT)
    with target.with_name("q3.csv.part").open("ab") as file:
        file.write(b"x")

    assert await taken_up(target) == 0


def _other(**members: object) -> Callable[[bytes], bytes]:
    return lambda content: json.dumps({**json.loads(content), **members}).encode()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda content: content.rstrip()[:-1], id="cut"),
        pytest.param(lambda content: content[:16], id="cut-short"),
        pytest.param(lambda _: os.urandom(2048), id="garbage"),
        pytest.param(lambda _: b"[" * 2048, id="deep"),
        pytest.param(_other(exportjobs=2), id="other-version"),
        pytest.param(_other(suffix="/../../evil"), id="hostile-suffix"),
        pytest.param(_other(suffix=".csv\x00"), id="control-character"),
        pytest.param(_other(sha256="0" * 64), id="other-digest"),
        pytest.param(_other(received=MEBIBYTE - 1), id="other-count"),
        pytest.param(_other(received=10**17), id="impossible-count"),
        pytest.param(_other(size=5), id="smaller-than-what-came"),
        pytest.param(_other(promises={"unknown": "00"}), id="unknown-algorithm"),
        pytest.param(_other(promises={"shake_128": "00"}), id="digest-of-any-length"),
    ],
)
async def test_a_note_that_is_not_ours_begins_from_zero(
    target: Path, spoil: Callable[[bytes], bytes]
) -> None:
    """Whatever became of it, the next process lands the file whole."""
    await leave(target, CONTENT[:MEBIBYTE])
    sidecar = target.with_name("q3.csv.part.json")
    sidecar.write_bytes(spoil(sidecar.read_bytes()))

    async with part_of(target) as part:
        assert part.received == 0
        assert part.version == Version()
        await part.begin(opened(len(CONTENT)), {}, ".csv")
        await fill(part, CONTENT)
        await part.land(part=None)

    assert target.read_bytes() == CONTENT
    assert names(target.parent) == ["q3.csv"]


async def test_a_note_without_its_file_begins_from_zero(target: Path) -> None:
    """A note alone proves nothing, and is not left behind."""
    await leave(target, CONTENT[:MEBIBYTE])
    target.with_name("q3.csv.part").unlink()

    assert await taken_up(target) == 0
    assert names(target.parent) == []


async def test_a_file_without_its_note_is_not_gone_on_with(target: Path) -> None:
    """The remains of a download that cannot be continued do not end up in the next."""
    target.with_name("q3.csv.part").write_bytes(bytes(100))

    await land(target, b"a,b\n")

    assert target.read_bytes() == b"a,b\n"
    assert names(target.parent) == ["q3.csv"]


async def test_a_file_whose_versions_cannot_be_told_apart_leaves_nothing(target: Path) -> None:
    """Without a validator nobody could ask for the rest of it."""
    await leave(target, CONTENT[:MEBIBYTE], Opening(0, len(CONTENT), Version("", "", len(CONTENT))))

    assert names(target.parent) == []


async def test_a_file_whose_note_does_not_fit_leaves_nothing(target: Path) -> None:
    """What no other process can go on with does not lie about."""
    await leave(target, CONTENT[:MEBIBYTE], opened(len(CONTENT), '"' + "x" * 4000 + '"'))

    assert names(target.parent) == []


async def test_what_is_discarded_leaves_nothing(target: Path) -> None:
    """Bytes that were no good are none to the next process either."""
    async with part_of(target) as part:
        await part.begin(opened(len(CONTENT)), {}, ".csv")
        await fill(part, CONTENT)
        part.discard()

    assert names(target.parent) == []


async def test_what_was_taken_up_may_be_begun_anew(target: Path) -> None:
    """Nothing of the version before is in what lands."""
    await leave(target, CONTENT)

    async with part_of(target) as part:
        assert part.received == len(CONTENT)
        await part.begin(opened(4, '"b"'), {}, ".csv")
        assert part.received == 0
        await fill(part, b"a,b\n")
        landed = await part.land(part=None)

    assert target.read_bytes() == b"a,b\n"
    assert landed.sha256 == hashlib.sha256(b"a,b\n").hexdigest()
    assert names(target.parent) == ["q3.csv"]


async def test_a_version_that_was_begun_anew_is_the_one_that_stays(target: Path) -> None:
    """A process that is killed after its file changed leaves the later version alone."""
    async with part_of(target) as part:
        await part.begin(opened(len(CONTENT)), {}, ".csv")
        await fill(part, bytes(2 * MEBIBYTE))
        await part.begin(opened(len(CONTENT), '"b"'), {}, ".csv")
        await fill(part, CONTENT[:MEBIBYTE])

    async with part_of(target) as part:
        assert (part.received, part.version.etag) == (MEBIBYTE, '"b"')
    assert target.with_name("q3.csv.part").read_bytes() == CONTENT[:MEBIBYTE]


async def test_a_broken_promise_does_not_land(target: Path) -> None:
    """The final name stays as it was."""
    target.write_text("yesterday")

    async with part_of(target) as part:
        await part.begin(opened(), {"md5": bytes(16), "crc32": bytes(4)}, ".csv")
        await fill(part, CONTENT)
        with pytest.raises(Corrupted, match=r"crc32, md5"):
            await part.land(part=None)
        part.discard()

    assert target.read_text() == "yesterday"
    assert names(target.parent) == ["q3.csv"]


async def test_a_broken_archive_does_not_land(target: Path) -> None:
    """What a suffix promises is looked into before the final name is given."""
    async with part_of(target, ".zip") as part:
        await part.begin(opened(), {}, ".zip")
        await fill(part, b"PK\x03\x04 no zip")
        with pytest.raises(DownloadFailed):
            await part.land(part=None)
        part.discard()

    assert names(target.parent) == []


async def test_a_second_one_may_not_write_the_same_file(target: Path) -> None:
    """Two processes with one folder do not write into each other's file."""
    async with part_of(target) as part:
        await part.begin(opened(len(CONTENT)), {}, ".csv")
        await fill(part, CONTENT[:MEBIBYTE])
        with raises_error(
            DestinationFailed,
            reason=f"is being written by another process: {target}.part",
            remedy="wait for that process, or choose another folder",
        ):
            async with part_of(target):
                raise AssertionError
        await fill(part, CONTENT[MEBIBYTE:])
        await part.land(part=None)

    assert target.read_bytes() == CONTENT
    assert names(target.parent) == ["q3.csv"]


async def test_the_next_one_may_write_when_the_first_is_done(target: Path) -> None:
    """A lock ends with the one that has it, whether its file landed or not."""
    for content in (b"first", b"second"):
        await land(target, content)
        assert target.read_bytes() == content
    await leave(target, CONTENT[:5])

    assert await taken_up(target) == 5


async def test_an_error_leaves_what_can_be_gone_on_with(target: Path) -> None:
    """Whatever ends a download in the middle, its bytes are not lost."""

    async def fail() -> None:
        async with part_of(target) as part:
            await part.begin(opened(len(CONTENT)), {}, ".csv")
            await fill(part, CONTENT[: 2 * MEBIBYTE])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await taken_up(target) == 2 * MEBIBYTE


@pytest.mark.parametrize(("stored", "hashed"), [(1, 1), (2, 1), (1, 2), (2, 2), (2, 0), (0, 2)])
async def test_a_cancellation_leaves_what_can_be_gone_on_with(
    target: Path, stored: int, hashed: int
) -> None:
    """Whichever of storing and hashing was ahead: all that was stored need not come again."""
    with anyio.CancelScope() as scope:
        async with part_of(target) as part:
            await part.begin(opened(len(CONTENT)), {}, ".csv")
            for start in range(stored):
                await part.store(mebibyte(start))
            for start in range(hashed):
                await part.hashers[0](mebibyte(start))
            scope.cancel()
            await anyio.lowlevel.checkpoint()
            raise AssertionError

    assert scope.cancelled_caught
    async with part_of(target) as part:
        assert part.received == stored * MEBIBYTE
        await fill(part, CONTENT[stored * MEBIBYTE :])
        file = await part.land(part=None)
    assert target.read_bytes() == CONTENT
    assert file.sha256 == hashlib.sha256(CONTENT).hexdigest()


async def test_a_cancellation_before_the_first_byte_leaves_nothing(target: Path) -> None:
    """There is nothing to go on with."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with part_of(target) as part:
            await part.begin(opened(len(CONTENT)), {}, ".csv")

    assert names(target.parent) == []


async def test_a_file_that_does_not_land_leaves_the_one_before(target: Path) -> None:
    """A failed download does not touch an earlier file of the same name."""
    target.write_text("yesterday")

    await leave(target, b"today", Opening())

    assert target.read_text() == "yesterday"
    assert names(target.parent) == ["q3.csv"]


async def test_a_file_that_lands_replaces_the_one_before_at_once(target: Path) -> None:
    """Whoever has the earlier file open goes on reading it; the name shows the new one."""
    target.write_text("yesterday")

    with target.open() as before:
        await land(target, b"today")
        seen = before.read()

    assert seen == "yesterday"
    assert target.read_text() == "today"


async def test_the_note_holds_no_address(target: Path) -> None:
    """What stands in a folder opens nothing at the vendor's."""
    async with part_of(target) as part:
        await part.begin(opened(len(CONTENT)), {"md5": bytes(16)}, ".csv")
        await fill(part, CONTENT)
        note = target.with_name("q3.csv.part.json").read_text()

    members = {"exportjobs", "etag", "modified", "size", "suffix", "promises", "received", "sha256"}
    assert set(json.loads(note)) == members
    assert "://" not in note


async def test_a_full_disk_names_the_file_and_leaves_nothing(target: Path) -> None:
    """Bytes that find no room end with an error of the file, its path and the cause."""
    with full_disk(), pytest.raises(DestinationFailed, match=r"q3\.csv") as caught:
        await land(target, bytes(MEBIBYTE), Opening())

    assert "cannot be written" in str(caught.value)
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value.__cause__, OSError)
    assert "free some space" in str(caught.value)
    assert names(target.parent) == []


async def test_what_came_before_the_disk_was_full_is_gone_on_with(target: Path) -> None:
    """A user who makes room does not fetch it all again."""
    with full_disk(MEBIBYTE + 100), pytest.raises(DestinationFailed):
        await land(target, CONTENT)

    assert await taken_up(target) >= MEBIBYTE


async def test_a_file_that_is_larger_than_the_room_is_not_begun(target: Path) -> None:
    """It is known before the first byte that it will not fit."""
    size = shutil.disk_usage(target.parent).free * 4

    async with part_of(target) as part:
        with pytest.raises(
            DestinationFailed, match=rf"needs {size} bytes, and \d+ are free"
        ) as caught:
            await part.begin(opened(size), {}, ".csv")

    assert "free some space" in str(caught.value)
    assert names(target.parent) == []


async def test_a_version_that_does_not_fit_leaves_nothing_of_the_one_before(target: Path) -> None:
    """What is no longer there is not noted."""
    await leave(target, CONTENT)
    size = shutil.disk_usage(target.parent).free * 4

    async with part_of(target) as part:
        with pytest.raises(DestinationFailed, match="are free"):
            await part.begin(opened(size, '"b"'), {}, ".csv")

    assert names(target.parent) == []


async def test_a_folder_in_the_place_of_the_file_is_told_of(target: Path) -> None:
    """A final name that is taken by a folder ends with an error that names it."""
    (target / "inside").mkdir(parents=True)

    with pytest.raises(DestinationFailed, match=r"q3\.csv"):
        await land(target, b"a,b\n", Opening())

    assert names(target.parent) == ["q3.csv"]


async def test_what_could_not_be_given_its_name_is_gone_on_with(target: Path) -> None:
    """When the folder in its place is gone, the file need not be fetched again."""
    target.mkdir()
    with pytest.raises(DestinationFailed):
        await land(target, CONTENT)
    target.rmdir()

    async with part_of(target) as part:
        assert part.received == len(CONTENT)
        await part.land(part=None)

    assert target.read_bytes() == CONTENT
    assert names(target.parent) == ["q3.csv"]


async def test_a_folder_that_went_away_is_told_of(tmp_path: Path) -> None:
    """A folder that was removed meanwhile ends with an error that names the file."""
    with pytest.raises(DestinationFailed, match=r"gone.*q3\.csv"):
        await land(tmp_path / "gone/q3.csv", b"")


async def test_a_folder_that_goes_away_meanwhile_is_told_of(tmp_path: Path) -> None:
    """What was written before is lost, and said to be."""
    folder = tmp_path / "gone"
    folder.mkdir()

    async def lose() -> None:
        async with part_of(folder / "q3.csv") as part:
            await part.begin(opened(len(CONTENT)), {}, ".csv")
            await fill(part, CONTENT)
            shutil.rmtree(folder)
            await part.land(part=None)

    with pytest.raises((DestinationFailed, DownloadFailed), match=r"gone.*q3\.csv"):
        await lose()

    assert names(tmp_path) == []


def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    """A folder that does not exist is made, and the test of it leaves no trace."""
    folder = prepare_folder(tmp_path / "a" / "b")

    assert folder.is_dir()
    assert names(folder) == []
    assert prepare_folder(folder) == folder


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(Path("/proc"), id="read-only"),
        pytest.param(Path(__file__), id="a-file"),
        pytest.param(Path(__file__) / "below", id="below-a-file"),
    ],
)
def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    """A folder in which nobody, not even root, can make a file is refused with its path."""
    with pytest.raises(DestinationFailed) as caught:
        prepare_folder(folder)

    cause = getattr(caught.value.__cause__, "strerror", None)
    assert_error(
        caught.value,
        DestinationFailed,
        reason=f"cannot be written ({cause}): {folder}",
        remedy="choose another folder",
    )

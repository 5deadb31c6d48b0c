"""A folder in which the files of jobs land, and what stands beside them until all are there."""

import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from tests.support.disks import names
from tests.support.hosts import take

from exportjobs import DestinationFailed, DownloadFailed, ExportJob, JobRef, JobStatus, LandedFile
from exportjobs._landing.into.disk import prepare_folder
from exportjobs._landing.into.folder import Folder
from exportjobs._landing.opening import Opening
from exportjobs.adapter import Artifact, Reading
from exportjobs.testing import ManualClock

STEM = "acme.default.report.q3"
NOTES = f"{STEM}.manifest.json.part"
MANIFEST = f"{STEM}.manifest.json"


@pytest.fixture
def folder(tmp_path: Path, clock: ManualClock) -> Folder:
    """Return the folder."""
    return Folder(tmp_path, clock, unpacks=False)


@pytest.fixture
def unpacking(tmp_path: Path, clock: ManualClock) -> Folder:
    """Return a folder in which archives are unpacked."""
    return Folder(tmp_path, clock, unpacks=True)


def job(count: int, *, suffix: str = ".csv", job_id: str = "q3") -> ExportJob:
    """Return a finished job with so many files."""
    numbers = range(1, count + 1)
    artifacts = tuple(Artifact(f"https://h/{number}{suffix}", part=number) for number in numbers)
    ref = JobRef("acme", "default", job_id, kind="report")
    return ExportJob(ref, Reading(JobStatus.DONE, "done"), artifacts=artifacts)


async def land(folder: Folder, of: ExportJob, index: int, content: bytes) -> LandedFile:
    """Let one file land."""
    async with folder.sink(of, index) as sink:
        await sink.begin(Opening(), {}, sink.suffix)
        await take(sink, memoryview(content))
        return await sink.land(of.artifacts[index].part)


def zipped(**members: bytes) -> bytes:
    """Return an archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in members.items():
            archive.writestr(name.replace("_", "."), member)
    return content.getvalue()


async def test_a_job_with_one_file_has_no_manifest(folder: Folder, tmp_path: Path) -> None:
    """The file says all there is to say."""
    one = job(1)

    file = await land(folder, one, 0, b"a")
    files = await folder.conclude(one, (file,))

    assert files == (file,)
    assert names(tmp_path) == [f"{STEM}.csv"]
    assert await folder.landed(one) == {}


async def test_a_job_with_no_file_leaves_nothing_but_its_manifest(
    folder: Folder, tmp_path: Path
) -> None:
    """Done and empty is told as such."""
    assert await folder.landed(job(0)) == {}
    assert await folder.conclude(job(0), ()) == ()
    assert names(tmp_path) in ([], [MANIFEST])


async def test_a_manifest_stands_only_when_all_files_do(folder: Folder, tmp_path: Path) -> None:
    """Whoever waits for it finds everything that it names."""
    three = job(3)
    files = []
    for index in range(3):
        files.append(await land(folder, three, index, b"%d" % index))
        assert MANIFEST not in names(tmp_path)
        assert NOTES in names(tmp_path)

    await folder.conclude(three, tuple(files))

    written = json.loads((tmp_path / MANIFEST).read_bytes())
    assert [entry["name"] for entry in written["files"]] == names(tmp_path)[1:]
    for entry in written["files"]:
        content = (tmp_path / entry["name"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["size"] == len(content)
    assert len(names(tmp_path)) == 4


async def test_what_landed_is_found_by_the_next_process(
    folder: Folder, tmp_path: Path, clock: ManualClock
) -> None:
    """Each with its part, its size and its digest."""
    three = job(3)
    first = await land(folder, three, 0, b"first")
    third = await land(folder, three, 2, b"third")

    found = await Folder(tmp_path, clock, unpacks=False).landed(three)

    assert found == {0: first, 2: third}


async def test_what_proves_a_file_is_still_known_to_the_next_process(
    folder: Folder, tmp_path: Path
) -> None:
    """The manifest says the same, however many processes it took."""
    two = job(2)
    md5 = hashlib.md5(b"first", usedforsecurity=False).digest()
    async with folder.sink(two, 0) as sink:
        await sink.begin(Opening(), {"md5": md5}, sink.suffix)
        await take(sink, memoryview(b"first"))
        await sink.land(1)

    found = await folder.landed(two)

    assert found[0].verified_by == ("md5",)
    assert names(tmp_path) == [NOTES, f"{STEM}.part-00001.csv"]


@pytest.mark.parametrize(
    "name",
    ["../outside.csv", "/etc/passwd", f"{STEM}.part-00001.csv/../../outside.csv", "", ".", "\x00"],
)
async def test_a_note_leads_to_no_file_outside(
    tmp_path: Path, clock: ManualClock, name: str
) -> None:
    """What somebody else wrote there is not taken for a part of the job."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "outside.csv").write_bytes(b"secret")
    entry = {"name": name, "sha256": hashlib.sha256(b"secret").hexdigest()}
    (inside / NOTES).write_text(json.dumps(entry) + "\n")

    found = await Folder(inside, clock, unpacks=False).landed(job(2))

    assert found == {}


async def test_a_part_is_not_taken_for_one_whose_number_begins_alike(
    folder: Folder, tmp_path: Path
) -> None:
    """Numbers may have more digits than are usual."""
    many = job(100_001)
    await land(folder, many, 99_999, b"the hundred thousandth")

    found = await folder.landed(many)

    assert list(found) == [99_999]
    assert f"{STEM}.part-100000.csv" in names(tmp_path)


async def test_a_file_that_was_noted_and_never_got_its_name_is_not_there(
    folder: Folder, tmp_path: Path
) -> None:
    """A process may die between the two."""
    (tmp_path / f"{STEM}.part-00001.csv" / "inside").mkdir(parents=True)
    with pytest.raises(DestinationFailed):
        await land(folder, job(2), 0, b"a")
    shutil.rmtree(tmp_path / f"{STEM}.part-00001.csv")

    assert await folder.landed(job(2)) == {}


async def test_what_a_manifest_names_is_not_fetched_again(folder: Folder) -> None:
    """A job that is asked for once more is there already, as far as it is as it was."""
    two = job(2)
    first, second = [await land(folder, two, index, b"a") for index in (0, 1)]
    await folder.conclude(two, (first, second))
    second.path.write_bytes(b"b")

    assert await folder.landed(two) == {0: first}


async def test_what_landed_since_the_manifest_counts(folder: Folder) -> None:
    """The later note of the same file is the one that is true."""
    two = job(2)
    files = [await land(folder, two, index, b"a") for index in (0, 1)]
    await folder.conclude(two, tuple(files))
    later = await land(folder, two, 0, b"b")

    assert await folder.landed(two) == {0: later, 1: files[1]}


async def test_another_jobs_notes_are_its_own(folder: Folder) -> None:
    """A folder may be that of many jobs."""
    await land(folder, job(2), 0, b"a")

    assert await folder.landed(job(2, job_id="q4")) == {}


async def test_an_earlier_manifest_stays_until_the_next_is_whole(
    folder: Folder, tmp_path: Path
) -> None:
    """A job that is fetched again is never without the one or the other."""
    two = job(2)
    files = [await land(folder, two, index, b"a") for index in (0, 1)]
    await folder.conclude(two, tuple(files))
    before = (tmp_path / MANIFEST).read_bytes()

    await land(folder, two, 0, b"b")

    assert (tmp_path / MANIFEST).read_bytes() == before


async def test_a_folder_that_went_away_is_told_of(folder: Folder, tmp_path: Path) -> None:
    """Whatever is to be written next."""
    two = job(2)
    file = await land(folder, two, 0, b"a")
    shutil.rmtree(tmp_path)

    with pytest.raises(DestinationFailed, match="cannot be written"):
        await land(folder, two, 1, b"b")
    with pytest.raises(DestinationFailed, match="cannot be written"):
        await folder.conclude(two, (file, file))
    assert await folder.landed(two) == {}


async def test_a_folder_in_the_place_of_the_manifest_is_told_of(
    folder: Folder, tmp_path: Path
) -> None:
    """The files stay, and so do their notes."""
    two = job(2)
    files = [await land(folder, two, index, b"a") for index in (0, 1)]
    (tmp_path / MANIFEST / "inside").mkdir(parents=True)

    with pytest.raises(DestinationFailed):
        await folder.conclude(two, tuple(files))

    assert set(await folder.landed(two)) == {0, 1}


async def test_an_archive_is_unpacked_where_that_is_wanted(
    unpacking: Folder, tmp_path: Path
) -> None:
    """What is in it is what landed, with its own digests; other files stay as they are."""
    one = job(1, suffix=".zip")
    file = await land(unpacking, one, 0, zipped(a_csv=b"1", b_csv=b"22"))

    files = await unpacking.conclude(one, (file,))

    assert [found.path.read_bytes() for found in files] == [b"1", b"22"]
    assert [found.sha256 for found in files] == [
        hashlib.sha256(content).hexdigest() for content in (b"1", b"22")
    ]
    assert all(found.path.is_relative_to(tmp_path) for found in files)
    assert [found.part for found in files] == [1, 1]


async def test_a_file_that_is_no_archive_is_left_as_it_is(unpacking: Folder) -> None:
    """There is nothing in it."""
    file = await land(unpacking, job(1), 0, b"a,b\n")

    assert await unpacking.conclude(job(1), (file,)) == (file,)


async def test_an_archive_that_climbs_out_is_refused(unpacking: Folder, tmp_path: Path) -> None:
    """Nothing is written beside the folder."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("../../outside.csv", b"evil")
    one = job(1, suffix=".zip")
    around = names(tmp_path.parent)
    file = await land(unpacking, one, 0, content.getvalue())

    with pytest.raises(DownloadFailed):
        await unpacking.conclude(one, (file,))

    assert names(tmp_path.parent) == around


async def test_a_folder_is_made_ready_once(tmp_path: Path, clock: ManualClock) -> None:
    """What a path names need not be there yet."""
    folder = Folder(prepare_folder(tmp_path / "a" / "b"), clock, unpacks=False)

    file = await land(folder, job(1), 0, b"a")

    assert file.path == tmp_path / "a" / "b" / f"{STEM}.csv"

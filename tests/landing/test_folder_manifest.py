"""A manifest says which files a job has; the lines before it, which of them are there already."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs._landing.into.folder import line, manifest, noted
from exportjobs.adapter._job import ExportJob, JobRef, JobStatus, Reading
from exportjobs.events import LandedFile

REF = JobRef("acme", "default", "q3", kind="report", scope={"region": "eu"})
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FILES = (
    LandedFile("/landing/acme.part-00001.csv", 8, "a" * 64, 1, ("md5",)),
    LandedFile("/landing/acme.part-00002.csv", 0, "b" * 64),
)

any_text = st.text(st.characters(exclude_categories=()))


def job(moment: datetime | None = None) -> ExportJob:
    """Return a job that is done, and was made and finished in one moment."""
    done = Reading(JobStatus.DONE, "done")
    return ExportJob(REF, done, created_at=moment, finished_at=moment)


def test_a_manifest_names_the_job_and_its_files() -> None:
    """Sizes in bytes, names without a folder, in the order of the parts."""
    written = json.loads(manifest(job(), FILES, landed_at=NOON))

    assert written == {
        "exportjobs": 1,
        "job": json.loads(REF.to_json()),
        "created_at": None,
        "finished_at": None,
        "landed_at": "2026-03-01T12:00:00+00:00",
        "files": [
            {
                "name": "acme.part-00001.csv",
                "part": 1,
                "size": 8,
                "sha256": "a" * 64,
                "verified_by": ["md5"],
            },
            {
                "name": "acme.part-00002.csv",
                "part": None,
                "size": 0,
                "sha256": "b" * 64,
                "verified_by": [],
            },
        ],
    }


def test_a_manifests_times_are_in_utc() -> None:
    """Whatever zone the vendor's are in."""
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    done = job(elsewhere)

    written = json.loads(manifest(done, FILES, landed_at=elsewhere))

    assert {written["created_at"], written["finished_at"], written["landed_at"]} == {
        "2026-03-01T12:00:00+00:00"
    }


def test_a_manifest_is_a_text_file() -> None:
    """It is read by people, and its last line ends."""
    text = manifest(job(), FILES, landed_at=NOON)

    assert text.endswith("}\n")
    assert len(text.splitlines()) > 10


def digests(text: str) -> dict[str, str]:
    """Return what some lines say, by name."""
    return {one.name: one.sha256 for one in noted(text)}


def test_what_is_noted_is_found() -> None:
    """One line for each file, its name and its digest."""
    text = "".join(map(line, FILES))

    assert len(text.splitlines()) == 2
    assert digests(text) == {"acme.part-00001.csv": "a" * 64, "acme.part-00002.csv": "b" * 64}


@given(cut=st.integers(0, len("".join(map(line, FILES)))))
def test_a_line_that_was_cut_off_is_left_out(cut: int) -> None:
    """What a dying process wrote half of is fetched again; the lines before it count."""
    text = "".join(map(line, FILES))[:cut]
    lengths = [len(line(file).rstrip()) for file in FILES]
    whole = sum(cut >= end for end in (lengths[0], lengths[0] + 1 + lengths[1]))

    assert len(list(noted(text))) == whole


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "[]\n",
        "null\n",
        "{}\n",
        '{"name": "a.csv"}\n',
        '{"sha256": "a"}\n',
        '"name"\n',
        "\x00\x00\n",
        "1" * 5000 + "\n",
    ],
)
def test_lines_that_note_nothing_are_left_out(text: str) -> None:
    """Whatever stands between them, the other lines are read."""
    assert list(noted(text)) == []
    assert digests(text + line(FILES[0])) == {"acme.part-00001.csv": "a" * 64}


@given(text=any_text)
@example(text="[" * 2000)
@example(text='{"name": 1, "sha256": null}')
def test_any_text_is_read(text: str) -> None:
    """There is no exception for whatever is found on a disk."""
    assert all(isinstance(name, str) for name in digests(text).values())

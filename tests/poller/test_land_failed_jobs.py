"""The files of jobs that did not end well: they land, and the job has failed all the same."""

import json
from pathlib import Path

import httpx
import pytest
from tests.support.acme import Acme, MakePoller, finish, ref_of, reports, signed, status
from tests.support.acme_api import Vendor

from exportjobs import (
    Event,
    ExistingJob,
    FileStream,
    JobCancelled,
    JobFailed,
    JobStatus,
    SignedUrlRejected,
)
from exportjobs.events import Ended
from exportjobs.testing import ManualClock

WHY = b"the range has no end"


def ended(word: str, *names: str) -> httpx.Response:
    """Return what the vendor says of a report that came to a bad end and has files."""
    links = [signed(name) for name in names]
    said = {"id": "q1", "status": word, "links": links, "reason": "out of paper"}
    return httpx.Response(200, json=said)


@pytest.mark.parametrize(
    ("word", "error"), [("failed", JobFailed), ("cancelled", JobCancelled)], ids=str
)
async def test_what_a_bad_end_left_behind_lands_under_a_name_that_says_so(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path, word: str, error: type[Exception]
) -> None:
    """The error is the job's own; its files are never taken for those of a job that is done."""
    vendor.report("q1", ended(word, "why.txt"))
    vendor.files["why.txt"] = [WHY]

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), tmp_path)

    assert type(finished.error) is error
    assert finished.job.status == word
    (file,) = finished.files
    assert file.path.name == f"acme.default.report.q1.{word}.txt"
    assert file.path.read_bytes() == WHY
    assert list(tmp_path.iterdir()) == [file.path]
    with pytest.raises(error):
        finished.raise_for_status()


async def test_several_of_them_are_told_by_a_manifest(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """As those of a job that is done, and in the order of its parts."""
    vendor.report("q1", ended("failed", "a.csv", "b.csv"))
    vendor.files |= {"a.csv": [b"a"], "b.csv": [b"b"]}

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), tmp_path)

    stem = "acme.default.report.q1"
    names = [f"{stem}.failed.part-00001.csv", f"{stem}.failed.part-00002.csv"]
    manifest = json.loads((tmp_path / f"{stem}.manifest.json").read_text())
    assert isinstance(finished.error, JobFailed)
    assert [file.path.name for file in finished.files] == names
    assert [file["name"] for file in manifest["files"]] == names


async def test_a_file_that_cannot_be_had_does_not_hide_why_the_job_failed(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """The job's own end is told, with the download's as its cause."""
    vendor.report("q1", ended("failed", "why.txt"))
    vendor.files["why.txt"] = [status(403)]

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), tmp_path)

    assert isinstance(finished.error, JobFailed)
    assert isinstance(finished.error.__cause__, SignedUrlRejected)
    assert finished.files == ()
    assert list(tmp_path.iterdir()) == []


async def test_files_that_nobody_wants_are_left_where_they_are(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """Without a place to land, a job that failed has failed."""
    vendor.report("q1", ended("failed", "why.txt"))

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), into=None)

    assert isinstance(finished.error, JobFailed)
    assert vendor.said == ["POST /reports/q1", "GET /reports/q1"]
    assert [event.finished for event in events if isinstance(event, Ended)] == [finished]


async def test_a_function_is_given_the_files_of_jobs_that_are_done_alone(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """It takes what comes for data, which an explanation is not."""
    vendor.report("q1", ended("failed", "why.txt"))
    vendor.report("q2", "done", links=(signed("q2.csv"),))
    vendor.files["q2.csv"] = [b"a,b"]
    taken: list[str] = []

    async def take(stream: FileStream) -> None:
        taken.append(stream.name)
        async for _ in stream:
            pass

    async with make_poller() as poller:
        results = poller.run(reports(Acme(), "q1", "q2"), into=take)
        errors = {str(finished.ref): finished.error async for finished in results}

    assert taken == ["acme.default.report.q2.csv"]
    assert isinstance(errors["acme/default/report/q1"], JobFailed)
    assert errors["acme/default/report/q2"] is None


async def test_a_job_that_had_failed_before_is_landed_when_it_is_taken_up(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock, tmp_path: Path
) -> None:
    """Another process fetches what the first did not."""
    vendor.report("q1", ended("failed", "why.txt"), since=0)
    vendor.files["why.txt"] = [WHY]
    account = Acme()

    async with make_poller(accounts=[account]) as poller:
        work = ExistingJob(account, ref_of("q1", clock))
        (finished,) = await finish(poller, [work], tmp_path)

    assert finished.job.status is JobStatus.FAILED
    assert [file.path.read_bytes() for file in finished.files] == [WHY]

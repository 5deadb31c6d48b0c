"""What the loop hands over in the end."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.acme import Acme

from exportjobs import (
    DownloadFailed,
    ExistingJob,
    ExportJobsError,
    Finished,
    JobCancelled,
    JobFailed,
    JobStatus,
    LandedFile,
    Rejected,
    Stats,
)
from exportjobs.adapter import ExportJob, JobRef, Reading
from exportjobs.adapter._job import verdict

REF = JobRef("acme", "default", "R1", kind="report")
WORK = ExistingJob(Acme(), REF)


def job(status: JobStatus, error: str | None = None) -> ExportJob:
    """Return a job in a status."""
    return ExportJob(REF, Reading(status, status.value), error=error)


@pytest.mark.parametrize(
    ("status", "error", "kind", "reason"),
    [
        pytest.param(
            JobStatus.FAILED,
            "no such quarter",
            JobFailed,
            "the job failed: no such quarter",
            id="failed",
        ),
        pytest.param(
            JobStatus.FAILED,
            None,
            JobFailed,
            "the job failed: the vendor does not say why",
            id="failed-in-silence",
        ),
        pytest.param(
            JobStatus.CANCELLED, "x", JobCancelled, "the job was cancelled", id="cancelled"
        ),
    ],
)
def test_a_bad_end_is_an_error(
    status: JobStatus, error: str | None, kind: type[ExportJobsError], reason: str
) -> None:
    """It names vendor, job and what the vendor says."""
    found = verdict(job(status, error))

    assert type(found) is kind
    assert (found.reason, found.vendor, found.ref) == (reason, "acme", REF)


@pytest.mark.parametrize("status", [JobStatus.DONE, JobStatus.QUEUED, JobStatus.RUNNING])
def test_no_other_status_is_an_error(status: JobStatus) -> None:
    """Not even where the vendor has something to complain of."""
    assert verdict(job(status, "a row was skipped")) is None


def test_what_landed_is_ok() -> None:
    """The job, its ref and its files are there, and nothing is raised."""
    done = job(JobStatus.DONE)
    file = LandedFile(Path("q3.csv"), 3, "ab" * 32)

    finished = Finished(WORK, done, (file,))

    finished.raise_for_status()
    assert finished.ok
    assert finished.error is None
    assert (finished.job, finished.ref, finished.files) == (done, REF, (file,))


def test_a_job_that_is_done_and_empty_is_ok() -> None:
    """No files are not a failure."""
    finished = Finished(WORK, job(JobStatus.DONE))

    assert finished.ok
    assert finished.files == ()


def test_an_export_that_was_not_submitted_has_no_job() -> None:
    """Asking for the job raises the reason why there is none."""
    error = Rejected("no such quarter", vendor="acme")
    finished = Finished(WORK, error=error)

    with pytest.raises(Rejected) as asked:
        finished.job  # noqa: B018 - a property that raises
    with pytest.raises(Rejected) as raised:
        finished.raise_for_status()

    assert asked.value is error
    assert raised.value is error
    assert (finished.ok, finished.ref) == (False, None)


def test_an_export_that_failed_later_has_a_job_and_an_error() -> None:
    """A done job whose file did not land is not ok, and can be resumed by its ref."""
    done, error = job(JobStatus.DONE), DownloadFailed("cut off", ref=REF)
    finished = Finished(WORK, done, error=error)

    with pytest.raises(DownloadFailed) as raised:
        finished.raise_for_status()

    assert raised.value is error
    assert (finished.ok, finished.job, finished.ref) == (False, done, REF)


def test_a_finished_export_has_a_story() -> None:
    """Nothing happened, unless it is told."""
    told = Stats(polls=3, failed_polls=1, latency=timedelta(seconds=5))

    assert Finished(WORK, job(JobStatus.DONE)).stats == Stats()
    assert Finished(WORK, job(JobStatus.DONE), stats=told).stats.polls == 3


def test_a_landed_file_can_be_opened_as_it_is(tmp_path: Path) -> None:
    """Everything that takes a path takes it."""
    path = tmp_path / "q3.csv"
    path.write_text("a,b\n")
    file = LandedFile(path, 4, "ab" * 32, part=1)

    with open(file) as opened:  # noqa: PTH123 - what a caller may write
        content = opened.read()

    assert content == "a,b\n"
    assert os.fspath(file) == str(path)
    assert Path(file) == path
    assert os.stat(file).st_size == file.size  # noqa: PTH116 - what a caller may write


def test_a_landed_file_prints_as_its_path() -> None:
    """`print(*finished.files)` is what the README does."""
    file = LandedFile(Path("landing") / "q3.csv", 4, "ab" * 32)

    assert f"{file}" == str(Path("landing") / "q3.csv")

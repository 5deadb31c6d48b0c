"""What the loop hands over in the end: the job, its files and how it went."""

import os
from datetime import timedelta
from pathlib import Path

from attrs import field, frozen

from exportjobs._errors import ExportJobsError, JobCancelled, JobFailed
from exportjobs._export import Export, Resumption
from exportjobs._job import ExportJob, JobRef, JobStatus

Work = Export | Resumption
"""What the loop takes up: an export to submit, or a job to see to its end."""


@frozen
class LandedFile(os.PathLike[str]):
    """A file that landed whole. It can be opened as it is, and prints as where it is."""

    location: str = field(converter=str)
    """A path, the address of an object in a store, or the name under which it was handed over."""
    size: int
    """Bytes."""
    sha256: str
    """In hexadecimal, of those bytes."""
    part: int | None = None
    """The part's number, from 1, where the job has several."""
    proven_by: tuple[str, ...] = ()
    """Digests that the vendor or the file's host had promised, and that the bytes have."""
    value: object = field(default=None, repr=False)
    """What was made of it, where it was handed to a function."""

    @property
    def path(self) -> Path:
        """Where it is, if it is on this machine."""
        return Path(self.location)

    def __fspath__(self) -> str:
        """Return the path, for `open` and its like."""
        return self.location

    def __str__(self) -> str:
        """Return where it is."""
        return self.location


@frozen(kw_only=True)
class Story:
    """How an export went."""

    polls: int = 0
    """Times its status was asked for, alone or with others."""
    failed_polls: int = 0
    """How many of them got no answer that helps."""
    retried_downloads: int = 0
    """Times that a download was begun again, or taken up where it broke off."""
    latency: timedelta | None = None
    """The longest that the job can have been ended without our knowing it."""


@frozen
class Finished:
    """The end of one export: landed, failed, cancelled, or given up with an error."""

    work: Work
    """What was handed to the loop."""
    _job: ExportJob | None = None
    files: tuple[LandedFile, ...] = ()
    """In the order of the job's parts; none where the job is done and empty. Of a job that came to
    a bad end, what it left behind: the vendor's explanation, or as much data as there was."""
    error: ExportJobsError | None = None
    """Why it did not end well; None where it did."""
    story: Story = field(factory=Story)

    @property
    def ok(self) -> bool:
        """Whether the job is done and all its files have landed."""
        return self.error is None

    @property
    def job(self) -> ExportJob:
        """The job as its vendor last described it.

        Raises:
            ExportJobsError: If there is none, because the export could not be submitted.
        """
        if self._job is None:
            raise self.error or AssertionError("a finished export has a job or an error")
        return self._job

    @property
    def ref(self) -> JobRef | None:
        """The job's durable name, or None if the export could not be submitted."""
        return self._job.ref if self._job else None

    def raise_for_status(self) -> None:
        """Raise unless the job is done and all its files have landed.

        Raises:
            ExportJobsError: Why it did not end well.
        """
        if self.error is not None:
            raise self.error


def verdict(job: ExportJob) -> ExportJobsError | None:
    """Return the error that a job's terminal status stands for; None for one that is done."""
    vendor = job.ref.vendor
    match job.status:
        case JobStatus.FAILED:
            reason = f"the job failed: {job.error or 'the vendor does not say why'}"
            return JobFailed(reason, vendor=vendor, ref=job.ref)
        case JobStatus.CANCELLED:
            return JobCancelled("the job was cancelled", vendor=vendor, ref=job.ref)
        case _:
            return None

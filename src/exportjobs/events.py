"""Events, with which observers are called while exports run, and the results of exports."""

import logging
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from attrs import asdict, field, frozen

from exportjobs.adapter._adapter import Work
from exportjobs.adapter._errors import ExportJobsError
from exportjobs.adapter._job import ExportJob, JobRef
from exportjobs.adapter._renamed import no_such_name

__all__ = [
    "Detached",
    "DownloadProgress",
    "DownloadRetried",
    "Ended",
    "Event",
    "Finished",
    "Landed",
    "LandedFile",
    "LedgerWriteFailed",
    "ListFailed",
    "Observer",
    "PollFailed",
    "Polled",
    "PollingSlowed",
    "ShuttingDown",
    "SignedUrlRenewed",
    "Stats",
    "StatusUnknown",
    "Subject",
    "Submitted",
    "Throttled",
    "Waiting",
]


@frozen
class LandedFile(os.PathLike[str]):
    """A complete, verified file. `open` takes it, and it prints as its location."""

    location: str = field(converter=str)
    """A path, the URL of an object in a bucket, or the name that was given to a function."""
    size: int
    """In bytes."""
    sha256: str
    """The SHA-256 of its bytes, in hexadecimal."""
    part: int | None = None
    """The number of the part, from 1, if the job has several files."""
    verified_by: tuple[str, ...] = ()
    """Algorithms of the digests that the vendor or the file's host announced; all of them match."""
    value: object = field(default=None, repr=False)
    """What the function returned, if `into=` was a function."""

    @property
    def path(self) -> Path:
        """The path of a file on this machine."""
        return Path(self.location)

    def __fspath__(self) -> str:
        """Return the path, for `open` and other functions that take one."""
        return self.location

    def __str__(self) -> str:
        """Return the location."""
        return self.location


@frozen(kw_only=True)
class Stats:
    """How often an export was polled, what failed on the way, and how late its end was noticed."""

    polls: int = 0
    """How often the job was polled, alone or by a list of the account's jobs."""
    failed_polls: int = 0
    """How many of those polls failed for another reason than a rate limit."""
    retried_downloads: int = 0
    """How often a download was resumed, or restarted from zero."""
    latency: timedelta | None = None
    """The longest possible time between the end of the job and the poll that noticed it."""


@frozen
class Finished:
    """The result of one export: it landed, failed, was cancelled, or was given up with an error."""

    export: Work
    """The export, or the existing job, that the caller passed in."""
    _job: ExportJob | None = None
    files: tuple[LandedFile, ...] = ()
    """In the order of the job's parts; empty if the job is done and has no data. If it failed or
    was cancelled: what the vendor has of it, such as an error report or part of the data."""
    error: ExportJobsError | None = None
    """Why the export failed; None if it did not."""
    stats: Stats = field(factory=Stats)

    @property
    def ok(self) -> bool:
        """Whether the job is done, and all its files have landed where `into` was given."""
        return self.error is None

    @property
    def job(self) -> ExportJob:
        """The job as the vendor last described it.

        Raises:
            ExportJobsError: Why there is no job, if the export could not be submitted.
        """
        if self._job is None:
            raise self.error or AssertionError("a finished export has a job or an error")
        return self._job

    @property
    def ref(self) -> JobRef | None:
        """The job's ref, or None if the export could not be submitted."""
        return self._job.ref if self._job else None

    def raise_for_status(self) -> None:
        """Raise the error, if there is one.

        Raises:
            ExportJobsError: Why the export failed.
        """
        if self.error is not None:
            raise self.error


@frozen
class Subject:
    """The export that an event is about. `number` counts the exports of a poller, from 1."""

    number: int
    vendor: str
    account: str
    kind: str
    ref: JobRef | None = None

    def __str__(self) -> str:
        """Return the job's ref, or vendor, account and kind before there is one."""
        return str(self.ref or f"{self.vendor}/{self.account}/{self.kind}")


@frozen
class Event:
    """Something that happened to one export."""

    level: ClassVar[int] = logging.DEBUG
    """The level at which it is logged."""
    message: ClassVar[str] = ""
    """The log message: the same text for every event of the class."""
    subject: Subject
    """The export."""


@frozen
class Waiting(Event):
    """The export waits to be submitted, for a concurrency slot or until a pause has ended."""

    message = "export waiting"
    reason: str
    """What it waits for, or why the vendor rejected the last attempt."""
    seconds: float | None = None
    """Seconds until the next attempt; None if it waits for another job to end."""


@frozen
class Submitted(Event):
    """The vendor accepted the export as a job, or lists the job of an earlier submit."""

    level = logging.INFO
    message = "export submitted"
    job: ExportJob
    next_in: float | None = None
    """Seconds until the first poll; None if the job has ended already."""


@frozen
class Polled(Event):
    """A poll was answered."""

    message = "job polled"
    job: ExportJob
    next_in: float | None = None
    """Seconds until the next poll; None after the last one."""


@frozen
class PollFailed(Event):
    """A poll failed; the job itself did not, and is polled again."""

    message = "poll failed"
    error: ExportJobsError
    next_in: float
    """Seconds until the next poll."""


@frozen
class StatusUnknown(Event):
    """The vendor returned a status that the adapter does not know."""

    level = logging.WARNING
    message = "status unknown to the adapter"
    raw_status: str
    """The status as the vendor wrote it."""


@frozen
class Throttled(Event):
    """The vendor asked the account to wait: its submits and polls pause."""

    level = logging.WARNING
    message = "account throttled by its vendor"
    seconds: float
    """How long it waits."""


@frozen
class PollingSlowed(Event):
    """The account's request budget runs low, so its jobs are polled less often."""

    level = logging.WARNING
    message = "polling slowed to keep within the budget"
    seconds: float
    """Seconds between two polls of a job, for now."""


@frozen
class ListFailed(Event):
    """The vendor's list of jobs could not be read; the account's jobs are polled one by one."""

    level = logging.WARNING
    message = "listing jobs failed"
    error: ExportJobsError


@frozen
class LedgerWriteFailed(Event):
    """A step of the export could not be written to the ledger; the export continues."""

    level = logging.WARNING
    message = "ledger write failed"
    error: ExportJobsError


@frozen
class DownloadProgress(Event):
    """Bytes of a file arrived."""

    message = "download progress"
    name: str
    """The file's name."""
    received: int
    """Bytes so far."""
    size: int | None = None
    """Bytes in total, if the file's host announces that."""


@frozen
class DownloadRetried(Event):
    """A download was interrupted; it is resumed, or restarted from zero."""

    message = "download retried"
    number: int
    """The number of the file among the job's files, from 1."""
    error: ExportJobsError
    """Why it was interrupted."""


@frozen
class SignedUrlRenewed(Event):
    """A signed URL had expired or was rejected, and the vendor issued a new one."""

    level = logging.INFO
    message = "signed URL renewed"


@frozen
class Landed(Event):
    """A file landed: it is complete, verified, and has its final name."""

    level = logging.INFO
    message = "file landed"
    file: LandedFile


@frozen
class ShuttingDown(Event):
    """The poller is closing, and waits for the downloads of this export."""

    level = logging.INFO
    message = "waiting for downloads"
    seconds: float
    """The longest time that it waits, in seconds."""


@frozen
class Detached(Event):
    """The poller was closed before the export ended."""

    level = logging.INFO
    message = "export detached"
    error: ExportJobsError
    """`PollerClosed`; `SubmitOutcomeUnknown` if no answer to its submit had arrived; `JobFailed` or
    `JobCancelled` if the job had ended that way and nobody waited for it."""


@frozen
class Ended(Event):
    """The export ended, with or without an error."""

    level = logging.INFO
    message = "export ended"
    finished: Finished = field(repr=False)


Observer = Callable[[Event], None]
"""A function that is called with every event, at once and in order; it must return quickly."""
_logger = logging.getLogger("exportjobs")
_logger.addHandler(logging.NullHandler())


@frozen
class Observers:
    """All observers of a poller. If one raises, that is logged and changes nothing else."""

    _observers: tuple[Observer, ...]

    def report(self, event: Event) -> None:
        """Call each observer with an event, in order."""
        for observer in self._observers:
            try:
                observer(event)
            except Exception:
                _logger.warning("observer failed", exc_info=True)


def log(event: Event) -> None:
    """Log an event: a constant message, with the data in `extra`."""
    if _logger.isEnabledFor(event.level):
        _logger.log(event.level, event.message, extra={"exportjobs": _loggable(event)})


def _loggable(event: Event) -> dict[str, object]:
    members = asdict(event, recurse=False)
    return {name: str(_short(value)) for name, value in members.items() if value is not None}


def _short(value: object) -> object:
    match value:
        case ExportJob():
            return value.status
        case Finished():
            return value.error or "done"
        case _:
            return value


# Hidden from type checkers, which would take it to mean that every name exists.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Refuse a name that does not exist; one that was renamed with its new name."""
        raise no_such_name(__name__, name)

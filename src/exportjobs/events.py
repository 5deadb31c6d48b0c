"""What happened while exports ran, as values that observers are told, and what came of them."""

import logging
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from attrs import asdict, field, frozen

from exportjobs.adapter._adapter import Work
from exportjobs.adapter._errors import ExportJobsError
from exportjobs.adapter._job import ExportJob, JobRef

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
    """A file that landed whole. It can be opened as it is, and prints as where it is."""

    location: str = field(converter=str)
    """A path, the address of an object in a store, or the name under which it was handed over."""
    size: int
    """Bytes."""
    sha256: str
    """In hexadecimal, of those bytes."""
    part: int | None = None
    """The part's number, from 1, where the job has several."""
    verified_by: tuple[str, ...] = ()
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
class Stats:
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

    export: Work
    """What was handed to the loop."""
    _job: ExportJob | None = None
    files: tuple[LandedFile, ...] = ()
    """In the order of the job's parts; none where the job is done and empty. Of a job that came to
    a bad end, what it left behind: the vendor's explanation, or as much data as there was."""
    error: ExportJobsError | None = None
    """Why it did not end well; None where it did."""
    stats: Stats = field(factory=Stats)

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


@frozen
class Subject:
    """Which export an event is about. `number` counts what the loop has taken up, from 1."""

    number: int
    vendor: str
    account: str
    kind: str
    ref: JobRef | None = None

    def __str__(self) -> str:
        """Return the job's ref, or what is known before there is one."""
        return str(self.ref or f"{self.vendor}/{self.account}/{self.kind}")


@frozen
class Event:
    """Something that happened to one export."""

    level: ClassVar[int] = logging.DEBUG
    """The level at which it is logged."""
    message: ClassVar[str] = ""
    """What is logged: the same for every event of the class."""
    subject: Subject
    """Which export it is about."""


@frozen
class Waiting(Event):
    """It is not submitted yet, as the account has no room or is paused."""

    message = "export waits"
    reason: str
    seconds: float | None = None
    """Until it is tried again; None if only the end of another job can tell."""


@frozen
class Submitted(Event):
    """The vendor accepted it as a job."""

    level = logging.INFO
    message = "export submitted"
    job: ExportJob
    next_in: float | None = None
    """Seconds until the first question; None where there is none to ask."""


@frozen
class Polled(Event):
    """The vendor described the job."""

    message = "job polled"
    job: ExportJob
    next_in: float | None = None
    """Seconds until the next question; None after the last."""


@frozen
class PollFailed(Event):
    """A question about the job got no answer that helps."""

    message = "poll failed"
    error: ExportJobsError
    next_in: float
    """Seconds until the next question."""


@frozen
class StatusUnknown(Event):
    """The vendor used a status word that its adapter does not know."""

    level = logging.WARNING
    message = "status unknown to the adapter"
    raw_status: str


@frozen
class Throttled(Event):
    """The vendor asked the account to wait; every job of the account does."""

    level = logging.WARNING
    message = "account throttled by its vendor"
    seconds: float
    """How long every job of the account waits."""


@frozen
class PollingSlowed(Event):
    """The account's budget of requests is being spread, so that it lasts: questions come later."""

    level = logging.WARNING
    message = "budget spread out"
    seconds: float
    """Between two questions of the account, for now."""


@frozen
class ListFailed(Event):
    """The vendor's list of jobs could not be had; the account's jobs are asked about one by one."""

    level = logging.WARNING
    message = "list failed"
    error: ExportJobsError


@frozen
class LedgerWriteFailed(Event):
    """Something happened that the ledger could not take down."""

    level = logging.WARNING
    message = "ledger failed"
    error: ExportJobsError


@frozen
class DownloadProgress(Event):
    """Bytes of one of its files arrived."""

    message = "file downloading"
    name: str
    received: int
    """Bytes so far."""
    size: int | None = None
    """Bytes in all, where the file's host says so."""


@frozen
class DownloadRetried(Event):
    """A download broke off and begins again."""

    message = "download begins again"
    number: int
    """Which of the job's files, from 1."""
    error: ExportJobsError


@frozen
class SignedUrlRenewed(Event):
    """A signed URL had expired or was refused, and the vendor issued another."""

    level = logging.INFO
    message = "signed URL renewed"


@frozen
class Landed(Event):
    """One of its files lies whole under its final name."""

    level = logging.INFO
    message = "file landed"
    file: LandedFile


@frozen
class ShuttingDown(Event):
    """The poller is being left, and its files may still land."""

    level = logging.INFO
    message = "files have a last chance to land"
    seconds: float
    """How long."""


@frozen
class Detached(Event):
    """The poller was left before it came to its end."""

    level = logging.INFO
    message = "export left"
    error: ExportJobsError
    """How it was left: `PollerClosed` or, in its submit, `SubmitOutcomeUnknown`; `JobCancelled` or
    `JobFailed` where it came to that end without anyone asking."""


@frozen
class Ended(Event):
    """It came to its end, well or not."""

    level = logging.INFO
    message = "export ended"
    finished: Finished = field(repr=False)


Observer = Callable[[Event], None]
"""Is told every event, at once and in order; it must return quickly."""
_logger = logging.getLogger("exportjobs")
_logger.addHandler(logging.NullHandler())


@frozen
class Observers:
    """Everyone who is told what happens. One that raises is reported in the log, and no more."""

    _observers: tuple[Observer, ...]

    def report(self, event: Event) -> None:
        """Tell each of them of an event, in their order."""
        for observer in self._observers:
            try:
                observer(event)
            except Exception:
                _logger.warning("observer failed", exc_info=True)


def log(event: Event) -> None:
    """Write an event to the logger `exportjobs`: a constant message, the data under `extra`."""
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

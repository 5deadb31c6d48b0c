"""What happened, as values, and the observer that writes them to the log."""

import logging
from collections.abc import Callable
from typing import ClassVar

from attrs import asdict, field, frozen

from exportjobs._errors import ExportJobsError
from exportjobs._finished import Finished, LandedFile
from exportjobs._job import ExportJob, JobRef


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
class Economising(Event):
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
class NotRecorded(Event):
    """Something happened that the ledger could not take down."""

    level = logging.WARNING
    message = "ledger failed"
    error: ExportJobsError


@frozen
class Downloading(Event):
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
class LeaseRenewed(Event):
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
class Leaving(Event):
    """The poller is being left, and its files may still land."""

    level = logging.INFO
    message = "files have a last chance to land"
    seconds: float
    """How long."""


@frozen
class Left(Event):
    """The poller was left before it came to its end."""

    level = logging.INFO
    message = "export left"
    error: ExportJobsError
    """How it was left: `PollerLeft` or, in its submit, `SubmitOutcomeUnknown`; `JobCancelled` or
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

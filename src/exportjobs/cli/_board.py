"""What is known of every export of a run, kept up by its events."""

import threading

from attrs import evolve, frozen

from exportjobs._events import (
    Downloading,
    DownloadRetried,
    Ended,
    Event,
    Landed,
    LeaseRenewed,
    Polled,
    PollFailed,
    Subject,
    Submitted,
    Throttled,
    Waiting,
)
from exportjobs._job import ExportJob, JobRef, Progress


@frozen
class Row:
    """One export as it is shown."""

    subject: Subject
    status: str = "waiting"
    progress: Progress | None = None
    landed: int = 0
    """Bytes of its files that lie on disk."""
    arriving: int = 0
    """Bytes of the file that is on its way."""
    waits_for: str = ""
    ended: bool = False

    @property
    def received(self) -> int:
        """Bytes of its files so far."""
        return self.landed + self.arriving

    def after(self, event: Event) -> "Row":  # noqa: C901, PLR0911 - one case for each event
        """Return the row after something happened."""
        row = evolve(self, subject=event.subject)
        match event:
            case Waiting():
                return evolve(row, waits_for=_until(event.reason, event.seconds))
            case Submitted():
                return _described(row, event.job, _until("the first poll", event.next_in))
            case Polled():
                return _described(row, event.job, _until("the next poll", event.next_in))
            case PollFailed():
                return evolve(row, waits_for=_until("another try", event.next_in))
            case Throttled():
                return evolve(row, waits_for=_until("the vendor's leave", event.seconds))
            case Downloading():
                return evolve(row, status="landing", arriving=event.received, waits_for="bytes")
            case DownloadRetried() | LeaseRenewed():
                return evolve(row, status="landing", waits_for=event.message)
            case Landed():
                landed = row.landed + event.file.size
                return evolve(row, landed=landed, arriving=0, waits_for="")
            case Ended():
                status = "landed" if event.finished.ok else "failed"
                return evolve(row, status=status, waits_for="", ended=True)
            case _:
                return row


def _described(row: Row, job: ExportJob, waits_for: str) -> Row:
    waiting = "its turn to land" if job.status.is_terminal else waits_for
    return evolve(row, status=job.status.value, progress=job.progress, waits_for=waiting)


def _until(what: str, seconds: float | None) -> str:
    return what if seconds is None else f"{what}, {seconds:.1f} s"


class Board:
    """The rows of a run, in the order taken up. An observer: call it with every event."""

    def __init__(self) -> None:
        """Begin without rows."""
        self._rows: dict[int, Row] = {}
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take in an event, from whichever thread."""
        with self._lock:
            number = event.subject.number
            self._rows[number] = self._rows.get(number, Row(event.subject)).after(event)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows as they stand."""
        with self._lock:
            return tuple(self._rows.values())

    @property
    def left(self) -> tuple[JobRef, ...]:
        """The jobs that were submitted and have not come to their end."""
        return tuple(row.subject.ref for row in self.rows if row.subject.ref and not row.ended)

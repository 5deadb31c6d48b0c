"""How far every export of a run is, kept up to date by its events."""

import threading
from collections.abc import Mapping

from attrs import evolve, field, frozen

from exportjobs.adapter._job import ExportJob, Progress
from exportjobs.events import (
    Detached,
    DownloadProgress,
    DownloadRetried,
    Ended,
    Event,
    Finished,
    Landed,
    Polled,
    PollFailed,
    ShuttingDown,
    SignedUrlRenewed,
    Subject,
    Submitted,
    Throttled,
    Waiting,
)


@frozen
class Row:
    """One export as it is shown."""

    subject: Subject
    status: str = "waiting"
    progress: Progress | None = None
    landed: int = 0
    """Bytes of its files that have landed."""
    arriving: Mapping[str, int] = field(factory=dict[str, int])
    """Bytes of each file that is being downloaded, by name."""
    waits_for: str = ""
    ended: bool = False

    @property
    def received(self) -> int:
        """Bytes of its files so far."""
        return self.landed + sum(self.arriving.values())

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
                return evolve(row, waits_for=_until("a retry", event.next_in))
            case Throttled():
                return evolve(row, waits_for=_until("the rate limit", event.seconds))
            case DownloadProgress():
                arriving = {**row.arriving, event.name: event.received}
                return evolve(row, status="landing", arriving=arriving, waits_for="its download")
            case DownloadRetried():
                return evolve(row, status="landing", waits_for="its download, retried")
            case SignedUrlRenewed():
                return evolve(row, status="landing", waits_for="its download, new URL")
            case Landed():
                name = event.file.path.name
                arriving = {one: size for one, size in row.arriving.items() if one != name}
                landed = row.landed + event.file.size
                return evolve(row, landed=landed, arriving=arriving, waits_for="")
            case ShuttingDown():
                return evolve(row, waits_for=_until("its download", event.seconds))
            case Ended():
                status = "landed" if event.finished.ok else "failed"
                return evolve(row, status=status, waits_for="", ended=True)
            case _:
                return row


def _described(row: Row, job: ExportJob, waits_for: str) -> Row:
    waiting = "a download slot" if job.status.is_terminal else waits_for
    return evolve(row, status=job.status.value, progress=job.progress, waits_for=waiting)


def _until(what: str, seconds: float | None) -> str:
    return what if seconds is None else f"{what}, {seconds:.1f} s"


class Board:
    """The rows of a run, in the order taken up. An observer: call it with every event."""

    def __init__(self) -> None:
        """Begin without rows."""
        self._rows: dict[int, Row] = {}
        self._ended: list[Finished] = []
        self._detached: list[Detached] = []
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take in an event, from whichever thread."""
        with self._lock:
            number = event.subject.number
            self._rows[number] = self._rows.get(number, Row(event.subject)).after(event)
            match event:
                case Ended():
                    self._ended.append(event.finished)
                case Detached():
                    self._detached.append(event)
                case _:
                    pass

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows as they stand."""
        with self._lock:
            return tuple(self._rows.values())

    @property
    def ended(self) -> tuple[Finished, ...]:
        """What has ended, in that order."""
        with self._lock:
            return tuple(self._ended)

    @property
    def detached(self) -> tuple[Detached, ...]:
        """What was not waited for to its end."""
        with self._lock:
            return tuple(self._detached)

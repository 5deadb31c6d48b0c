"""What happened, as values, and the observer that writes them to the log."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.acme import Acme

from exportjobs import (
    DownloadFailed,
    ExistingJob,
    Finished,
    JobFailed,
    LandedFile,
    NetworkError,
    PollerClosed,
)
from exportjobs import events as room
from exportjobs.adapter import (
    Artifact,
    ExportJob,
    JobRef,
    JobStatus,
    Reading,
    StatusMap,
)
from exportjobs.events import (
    Detached,
    DownloadProgress,
    DownloadRetried,
    Ended,
    Event,
    Landed,
    LedgerWriteFailed,
    ListFailed,
    Polled,
    PollFailed,
    PollingSlowed,
    ShuttingDown,
    SignedUrlRenewed,
    StatusUnknown,
    Subject,
    Submitted,
    Throttled,
    Waiting,
    log,
)

URL = "https://files.acme.example/q3.csv?sig=do-not-tell"


REF = JobRef("acme", "default", "R1", kind="report")
SUBJECT = Subject(1, "acme", "default", "report", REF)
JOB = ExportJob(
    REF,
    StatusMap().read(f"see {URL}"),
    artifacts=(Artifact(URL, expires_at=datetime(2026, 3, 1, tzinfo=UTC)),),
    error=f"not ready: {URL}",
    raw={"url": URL},
)
DONE = ExportJob(REF, Reading(JobStatus.DONE, "done"), artifacts=JOB.artifacts, raw=JOB.raw)
FILE = LandedFile(Path("landing/q3.csv"), 4, "ab" * 32)
WORK = ExistingJob(Acme(), REF)
ERROR = NetworkError(f"broke at {URL}", vendor="acme", ref=REF)

EVENTS: list[tuple[Event, str, dict[str, str]]] = [
    (
        Waiting(SUBJECT, "a concurrency slot", 5.0),
        "export waiting",
        {"reason": "a concurrency slot", "seconds": "5.0"},
    ),
    (Waiting(SUBJECT, "a concurrency slot"), "export waiting", {"reason": "a concurrency slot"}),
    (Submitted(SUBJECT, JOB), "export submitted", {"job": "running"}),
    (Polled(SUBJECT, DONE, 9.0), "job polled", {"job": "done", "next_in": "9.0"}),
    (PollFailed(SUBJECT, ERROR, 9.0), "poll failed", {"error": str(ERROR), "next_in": "9.0"}),
    (
        StatusUnknown(SUBJECT, JOB.raw_status),
        "status unknown to the adapter",
        {"raw_status": "see https://files.acme.example/…"},
    ),
    (Throttled(SUBJECT, 60.0), "account throttled by its vendor", {"seconds": "60.0"}),
    (
        PollingSlowed(SUBJECT, 288.0),
        "polling slowed to keep within the budget",
        {"seconds": "288.0"},
    ),
    (ListFailed(SUBJECT, ERROR), "listing jobs failed", {"error": str(ERROR)}),
    (LedgerWriteFailed(SUBJECT, ERROR), "ledger write failed", {"error": str(ERROR)}),
    (
        DownloadProgress(SUBJECT, "q3.csv", 0, 9),
        "download progress",
        {"name": "q3.csv", "received": "0", "size": "9"},
    ),
    (
        DownloadRetried(SUBJECT, 2, ERROR),
        "download retried",
        {"number": "2", "error": str(ERROR)},
    ),
    (SignedUrlRenewed(SUBJECT), "signed URL renewed", {}),
    (ShuttingDown(SUBJECT, 10.0), "waiting for downloads", {"seconds": "10.0"}),
    (Detached(SUBJECT, PollerClosed("no", remedy="")), "export detached", {"error": "no"}),
    (Landed(SUBJECT, FILE), "file landed", {"file": str(FILE)}),
    (Ended(SUBJECT, Finished(WORK, DONE, (FILE,))), "export ended", {"finished": "done"}),
    (
        Ended(SUBJECT, Finished(WORK, JOB, error=JobFailed(f"see {URL}", ref=REF))),
        "export ended",
        {"finished": str(JobFailed("see https://files.acme.example/…", ref=REF))},
    ),
]
KINDS = [
    kind
    for kind in vars(room).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """Return what is written to the library's logger while a test runs."""
    written: list[logging.LogRecord] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(record)

    keeper, logger = Keeper(), logging.getLogger("exportjobs")
    level = logger.level
    logger.addHandler(keeper)
    logger.setLevel(logging.DEBUG)
    yield written
    logger.setLevel(level)
    logger.removeHandler(keeper)


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_explains_itself(kind: type[Event]) -> None:
    """A docstring of its own, a constant message and a level no higher than a warning."""
    assert "__doc__" in vars(kind)
    assert (kind.__doc__ or "").rstrip().endswith(".")
    assert kind.message == kind.message.strip() != ""
    assert not set(kind.message) & set("{}%")
    assert kind.level in {logging.DEBUG, logging.INFO, logging.WARNING}


def test_no_two_events_share_a_message() -> None:
    """Logs are searched by it."""
    assert len({kind.message for kind in KINDS}) == len(KINDS)


def test_every_event_of_the_room_is_tried_here() -> None:
    """A new event comes into the table of this module."""
    assert {type(event) for event, _, _ in EVENTS} == set(KINDS)


@pytest.mark.parametrize(
    ("event", "message", "data"),
    [
        pytest.param(*row, id=f"{number}-{type(row[0]).__name__}")
        for number, row in enumerate(EVENTS)
    ],
)
def test_an_event_is_logged_with_its_data_aside(
    records: list[logging.LogRecord], event: Event, message: str, data: dict[str, str]
) -> None:
    """The message is constant, the data plain text under `extra`."""
    log(event)

    (record,) = records
    assert (record.name, record.levelno) == ("exportjobs", event.level)
    assert record.getMessage() == message
    assert vars(record)["exportjobs"] == {"subject": "acme/default/report/R1", **data}


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(event, id=f"{number}-{type(event).__name__}")
        for number, (event, _, _) in enumerate(EVENTS)
    ],
)
def test_no_signed_url_and_no_secret_is_logged_or_shown(
    records: list[logging.LogRecord], event: Event
) -> None:
    """Whatever the vendor said: not in the log, and not in what an observer would print."""
    log(event)

    for told in (str(vars(records[0])), repr(event), str(event)):
        assert "do-not-tell" not in told
        assert "files.acme.example/q3" not in told


def test_a_log_that_is_not_wanted_costs_nothing(records: list[logging.LogRecord]) -> None:
    """Below the logger's level, an event is not even made into text."""

    class Unprintable(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise AssertionError

    logging.getLogger("exportjobs").setLevel(logging.INFO)

    log(Waiting(SUBJECT, Unprintable("room")))
    log(SignedUrlRenewed(SUBJECT))

    assert [record.getMessage() for record in records] == ["signed URL renewed"]


def test_the_library_is_silent_until_it_is_asked() -> None:
    """Its logger has a handler that drops what nobody else takes."""
    handlers = logging.getLogger("exportjobs").handlers

    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)


@pytest.mark.parametrize(
    ("ref", "text"),
    [(REF, "acme/default/report/R1"), (None, "acme/default/report")],
    ids=["submitted", "not-yet"],
)
def test_a_subject_is_named_as_far_as_it_is_known(ref: JobRef | None, text: str) -> None:
    """By its ref, once there is one."""
    assert str(Subject(1, "acme", "default", "report", ref)) == text


def test_an_event_is_a_value() -> None:
    """Two that tell the same are equal, and keep their objects for those who want more."""
    error = DownloadFailed("cut off", ref=REF)
    one = DownloadRetried(SUBJECT, 1, error)

    assert one == DownloadRetried(SUBJECT, 1, error)
    assert one.error is error
    assert Throttled(SUBJECT, timedelta(minutes=1).total_seconds()) != Throttled(SUBJECT, 1.0)

"""A clock that stands still, an observer's notes, and Acme with vendors that answer in turn."""

from pathlib import Path

import httpx
import pytest
from tests.support.acme import API, Acme
from tests.support.hosts import Begin, Landing, Open, Reply, in_turn, landing

from exportjobs import Event, ExportJob, JobRef, JobStatus
from exportjobs._http.origins import Hosts
from exportjobs._http.session import Session
from exportjobs._http.transport import Transport
from exportjobs._landing.into.folder import Folder
from exportjobs.adapter import Artifact, Reading
from exportjobs.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that a test moves."""
    return ManualClock()


@pytest.fixture
def events() -> list[Event]:
    """Return what was reported so far."""
    return []


@pytest.fixture
def seen() -> list[httpx.Request]:
    """Return the requests that were sent."""
    return []


@pytest.fixture
def begin(
    clock: ManualClock, seen: list[httpx.Request], events: list[Event], tmp_path: Path
) -> Begin:
    """Return a function that begins a download from hosts that answer in turn."""

    def make(
        *replies: Reply,
        artifacts: tuple[Artifact, ...],
        job_id: str = "q3",
        base_url: str = API,
        allowed: tuple[str, ...] | None = None,
    ) -> Landing:
        transport = Transport(in_turn(*replies, seen=seen))
        ref = JobRef("acme", "default", job_id, kind="report")
        job = ExportJob(ref, Reading(JobStatus.DONE, "done"), artifacts=artifacts)
        folder = Folder(tmp_path, clock, unpacks=False)
        adapter, hosts = Acme(base_url=base_url), Hosts(allowed)
        return landing(job, folder, transport, clock, events.append, adapter=adapter, hosts=hosts)

    return make


@pytest.fixture
def open_session(clock: ManualClock, seen: list[httpx.Request]) -> Open:
    """Return a function that opens Acme's session with a vendor that answers in turn."""

    def make(*replies: Reply) -> Session:
        return Session(Acme(), Transport(in_turn(*replies, seen=seen)), clock)

    return make

"""Recognisable secrets are planted everywhere, and looked for wherever one can look."""

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.support.acme import (
    KEY,
    SIGNATURE,
    Acme,
    Answer,
    MakePoller,
    SignedIn,
    finish,
    reports,
    signed,
    status,
)
from tests.support.acme_api import Vendor

import exportjobs
from exportjobs import Event, ExportJob, ExportJobsError, Finished, JobRef
from exportjobs._http.session import Session
from exportjobs._http.transport import Transport
from exportjobs.events import Polled
from exportjobs.testing import ManualClock

TOKEN = "token-do-not-tell"  # noqa: S105 - it is to be recognised
SECRETS = (KEY, SIGNATURE, TOKEN, "sig=")


def leaks(text: str) -> list[str]:
    """Return the secrets that stand in a text."""
    return [secret for secret in SECRETS if secret in text]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Return a function that returns everything that was logged, `extra` included."""
    caplog.set_level(logging.DEBUG)

    def everything() -> str:
        return "\n".join(repr(record.__dict__) + record.getMessage() for record in caplog.records)

    return everything


@pytest.fixture
def account(vendor: Vendor) -> SignedIn:
    """Return an account that signs in for a recognisable token."""
    reply = httpx.Response(200, json={"token": TOKEN, "lifetime": 3600})
    vendor.router.post(path="/v1/token").mock(return_value=reply)
    return SignedIn()


async def test_a_job_that_goes_well_leaks_nothing(
    *,
    vendor: Vendor,
    make_poller: MakePoller,
    account: SignedIn,
    events: list[Event],
    logged: Callable[[], str],
    tmp_path: Path,
) -> None:
    """Log, events, results and ledger of a whole export hold no secret."""
    vendor.report("q1", "running", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [b"a,b\n"]
    ledger = tmp_path / "ledger.db"

    async with make_poller(ledger=ledger) as poller:
        (finished,) = await finish(poller, reports(account, "q1"), tmp_path / "landing")
        record = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*"))

    assert finished.ok
    assert leaks(logged()) == []
    assert leaks("".join(map(repr, events)) + "".join(map(str, events))) == []
    assert (
        leaks(repr(finished) + str(finished) + repr(finished.job) + finished.job.ref.to_json())
        == []
    )
    assert leaks(record.decode("latin-1")) == []


async def test_the_log_has_something_to_look_through(
    vendor: Vendor,
    make_poller: MakePoller,
    logged: Callable[[], str],
    events: list[Event],
) -> None:
    """The places that are searched above are not empty."""
    vendor.report("q1", "done", links=(signed("q1.csv"),))

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"))

    (polled,) = [event for event in events if isinstance(event, Polled)]
    assert "export submitted" in logged()
    assert SIGNATURE in polled.job.artifacts[0].url


def quoting(code: int) -> httpx.Response:
    """Return a refusal in which the vendor quotes the address that it was about."""
    return httpx.Response(code, json={"message": f"cannot serve {signed('q1.csv')} today"})


def naming(code: int) -> httpx.Response:
    """Return an answer in which the vendor quotes the credentials that it was asked with."""
    words = f"neither {KEY} nor {TOKEN} will do"
    body = {"id": "q1", "status": "failed", "reason": words, "message": words}
    return httpx.Response(code, json=body)


QUEUED: list[Answer] = ["queued"]
DONE: list[Answer] = ["done"]
FAILURES: dict[str, tuple[list[Answer], list[Answer], list[Answer]]] = {
    "submit-refused": ([quoting(400)], [], []),
    "submit-unclear": ([httpx.ReadTimeout(f"at {signed('q1.csv')}")], [], []),
    "submit-unauthorised": ([quoting(401)], [], []),
    "poll-refused": (QUEUED, [quoting(403)], []),
    "poll-broken": (QUEUED, [httpx.ReadError(f"at {signed('q1.csv')}")], []),
    "poll-nonsense": (QUEUED, [httpx.Response(200, content=signed("q1.csv").encode())], []),
    "submit-quotes-credentials": ([naming(401)], [], []),
    "poll-quotes-credentials": (QUEUED, [naming(403)], []),
    "job-quotes-credentials": (QUEUED, [naming(200)], []),
    "file-quotes-credentials": (QUEUED, DONE, [naming(400)]),
    "status-is-a-url": (QUEUED, [signed("q1.csv"), "failed"], []),
    "file-refused": (QUEUED, DONE, [status(403)]),
    "file-broken": (QUEUED, DONE, [httpx.ReadError(f"at {signed('q1.csv')}")]),
    "file-gone": (QUEUED, DONE, [httpx.Response(400, text=signed("q1.csv"))]),
    "file-cut": (QUEUED, DONE, [httpx.Response(200, headers={"Content-Length": "9"})]),
    "file-elsewhere": (
        QUEUED,
        DONE,
        [httpx.Response(302, headers={"Location": f"http://evil.test/?sig={SIGNATURE}"})],
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_job_that_goes_wrong_leaks_nothing(
    *,
    vendor: Vendor,
    make_poller: MakePoller,
    account: SignedIn,
    events: list[Event],
    logged: Callable[[], str],
    tmp_path: Path,
    failure: str,
) -> None:
    """Wherever an export breaks, its error, log, events and ledger hold no secret."""
    submits, polls, files = FAILURES[failure]
    vendor.report("q1", *polls, submits=submits, links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = files
    ledger = tmp_path / "ledger.db"

    async with make_poller(ledger=ledger) as poller:
        (finished,) = await finish(poller, reports(account, "q1"), tmp_path / "landing")
        record = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*"))

    error = finished.error
    assert isinstance(error, ExportJobsError)
    printed = "".join(traceback.format_exception(error))
    assert leaks(f"{error}{error!r}{error.reason}{printed}{finished!r}") == []
    assert leaks("".join(map(repr, events))) == []
    assert leaks(logged()) == []
    assert leaks(record.decode("latin-1")) == []


def test_what_holds_a_secret_does_not_show_it() -> None:
    """Adapters, exports, jobs, artifacts, requests and sessions are printed without secrets."""
    clock = ManualClock()
    vendor = Vendor(clock)
    adapter = Acme()
    export = adapter.report("q1")
    ref = JobRef("acme", "default", "q1", kind="report")
    artifact = adapter.artifact(signed("q1.csv"), 4)
    session = Session(adapter, Transport(vendor.transport), clock)
    shown = [adapter, export, adapter.resume(ref), artifact, session, exportjobs.Poller()]

    assert leaks("".join(f"{one!r}{one!s}" for one in shown)) == []
    assert leaks(export.to_json() + export.digest) == []


def test_a_credential_that_cannot_be_one_is_refused_without_being_shown() -> None:
    """A key with a line break is refused by its field's name, not by its value."""
    with pytest.raises(exportjobs.InvalidArgument) as caught:
        Acme(f"{KEY}\n")

    assert caught.value.field == "key"
    assert leaks("".join(traceback.format_exception(caught.value))) == []


def test_a_result_is_printed_without_its_addresses() -> None:
    """A finished job may be logged whole."""
    ref = JobRef("acme", "default", "q1", kind="report")
    reading = exportjobs.adapter.Reading(exportjobs.JobStatus.DONE, signed("q1.csv"))
    job = ExportJob(
        ref,
        reading,
        artifacts=(Acme().artifact(signed("q1.csv"), 4),),
        error=f"see {signed('q1.csv')}",
        warnings=(f"see {signed('q1.csv')}",),
        raw={"url": signed("q1.csv")},
    )

    assert leaks(repr(Finished(Acme().report("q1"), job))) == []

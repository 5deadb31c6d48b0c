"""Whatever a vendor sends or an adapter does wrong, it costs one job and not the loop."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from attrs import frozen
from tests.support.acme import FILES, Acme, MakePoller, finish, id_of, reports, signed
from tests.support.acme_api import Vendor

from exportjobs import (
    BrokenAdapter,
    DownloadFailed,
    ExportJobsError,
    FileError,
    InternalError,
    JobStatus,
    SubmitOutcomeUnknown,
    UntrustedAddress,
    VendorError,
)
from exportjobs.adapter import Artifact, ExportJob, Flow, JobRef, Request, Response, export


@pytest.fixture
def sound(vendor: Vendor) -> Acme:
    """Return another account, whose report is to end well in spite of its neighbour."""
    vendor.report("sound", "running", "running", "done", links=(signed("sound.csv"),))
    vendor.files["sound.csv"] = [b"sound"]
    return Acme(name="sound")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://",
        "nowhere",
        "ftp://files.acme.test/x",
        "file:///etc/passwd",
        "http://files.acme.test/x",
        "https://files.acme.test:port/x",
        "https://files.acme.test:99999/x",
        "https://[files.acme.test/x",
        "https://files.acme.test\uff0f.evil.test/x",
        "https://files.acme.test/\x00",
        "https://files.acme.test/\ud800",
        f"https://files.acme.test/{'a' * 70_000}",
        "/../../admin",
        "/reports/\x00",
    ],
    ids=[
        "empty",
        "no-host",
        "no-scheme",
        "ftp",
        "file",
        "unencrypted",
        "port-of-letters",
        "port-too-high",
        "open-bracket",
        "slash-in-disguise",
        "null",
        "lone-surrogate",
        "too-long",
        "climbs",
        "null-in-path",
    ],
)
async def test_an_address_that_is_none_costs_one_job_only(
    vendor: Vendor, make_poller: MakePoller, sound: Acme, tmp_path: Path, address: str
) -> None:
    """A done job with an impossible address ends with a typed error, and the others land."""
    vendor.report("odd", "done", links=(address,))

    async with make_poller() as poller:
        results = await finish(
            poller, [*reports(Acme(), "odd"), *reports(sound, "sound")], tmp_path
        )

    by_id = {id_of(finished): finished for finished in results}
    assert isinstance(by_id["odd"].error, VendorError | FileError)
    assert by_id["odd"].error.ref == by_id["odd"].ref
    assert by_id["sound"].ok


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("http://files.acme.test/x", UntrustedAddress),
        ("https://files.acme.test:port/x", ExportJobsError),
        ("https://[files.acme.test/x", ExportJobsError),
        ("ftp://files.acme.test/x", UntrustedAddress),
        ("?", DownloadFailed),
    ],
    ids=["unencrypted", "port-of-letters", "open-bracket", "ftp", "itself"],
)
async def test_a_redirect_to_nowhere_costs_one_job_only(
    *,
    vendor: Vendor,
    make_poller: MakePoller,
    sound: Acme,
    tmp_path: Path,
    location: str,
    error: type[ExportJobsError],
) -> None:
    """A file's host that redirects to an impossible place ends the one job with a typed error."""
    vendor.report("odd", "done", links=(signed("odd.csv"),))
    vendor.files["odd.csv"] = [httpx.Response(302, headers={"Location": location})]

    async with make_poller() as poller:
        results = await finish(
            poller, [*reports(Acme(), "odd"), *reports(sound, "sound")], tmp_path
        )

    by_id = {id_of(finished): finished for finished in results}
    assert isinstance(by_id["odd"].error, error)
    assert by_id["sound"].ok


async def test_a_length_beyond_reason_costs_one_job_only(
    vendor: Vendor, make_poller: MakePoller, sound: Acme, tmp_path: Path
) -> None:
    """A Content-Length of thousands of digits ends the one job with a typed error."""
    vendor.report("odd", "done", links=(f"{FILES}/odd.csv",))
    vendor.files["odd.csv"] = [httpx.Response(200, headers={"Content-Length": "9" * 5000})]

    async with make_poller() as poller:
        results = await finish(
            poller, [*reports(Acme(), "odd"), *reports(sound, "sound")], tmp_path
        )

    by_id = {id_of(finished): finished for finished in results}
    assert isinstance(by_id["odd"].error, ExportJobsError)
    assert by_id["sound"].ok


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"id": null}', b"[" * 100_000, b'{"id": "x", "status": {}}', b"\xff"],
    ids=["empty", "html", "list", "null-id", "deep", "status-object", "not-utf8"],
)
async def test_a_poll_that_makes_no_sense_ends_one_job_when_its_budget_is_spent(
    vendor: Vendor, make_poller: MakePoller, sound: Acme, tmp_path: Path, body: bytes
) -> None:
    """Polls that cannot be understood are repeated, and in the end cost one job only."""
    vendor.report("odd", httpx.Response(200, content=body))

    async with make_poller() as poller:
        results = await finish(
            poller, [*reports(Acme(), "odd"), *reports(sound, "sound")], tmp_path
        )

    by_id = {id_of(finished): finished for finished in results}
    assert isinstance(by_id["odd"].error, VendorError)
    assert by_id["odd"].error.ref == by_id["odd"].ref
    assert 2 <= by_id["odd"].stats.failed_polls <= 10
    assert by_id["sound"].ok


async def test_an_acceptance_that_makes_no_sense_leaves_the_outcome_open(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A submit answered with a 2xx that cannot be understood is not sent again."""
    vendor.report("odd", submits=[httpx.Response(201, content=b"<html>")])

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "odd"))

    assert isinstance(finished.error, SubmitOutcomeUnknown)
    assert vendor.said == ["POST /reports/odd"]


@frozen
class RaisesAtOnce(Acme):
    """An adapter whose poll is no generator and fails when it is called."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Fail before there is a flow."""
        raise KeyError(ref.id)


@frozen
class RaisesLater(Acme):
    """An adapter that does not expect the answer."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Fail on the answer."""
        response = yield Request.get(f"/reports/{ref.id}")
        raise IndexError(len(response.content))


@frozen
class ReturnsNothing(Acme):
    """An adapter that forgets to return the job."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Return None, which no type checker would let pass."""
        yield Request.get(f"/reports/{ref.id}")
        return None  # type: ignore[return-value]


@frozen
class YieldsText(Acme):
    """An adapter that yields something else than a request."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Yield a path."""
        response = yield f"/reports/{ref.id}"  # type: ignore[misc]
        return self.job(response)


@frozen
class ReturnsNoFlow(Acme):
    """An adapter whose poll returns a job at once."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Return something that is no flow."""
        return [ref]  # type: ignore[return-value]


@frozen
class SignsBadly(Acme):
    """An adapter that cannot sign a poll."""

    def authenticate(self, request: Request) -> Request:
        """Fail for all but submits."""
        if request.method == "GET":
            raise ZeroDivisionError
        return Acme.authenticate(self, request)


@frozen
class SendsUnprintable(Acme):
    """An adapter that puts what no header may hold on a poll."""

    def authenticate(self, request: Request) -> Request:
        """Sign with a snowman."""
        return request.with_header("X-Acme-Key", "☃" if request.method == "GET" else "key")


BROKEN = [
    RaisesAtOnce,
    RaisesLater,
    ReturnsNothing,
    YieldsText,
    ReturnsNoFlow,
    SignsBadly,
    SendsUnprintable,
]


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_bug_in_an_adapter_costs_its_own_jobs_only(
    vendor: Vendor, make_poller: MakePoller, sound: Acme, broken: Callable[[], Acme]
) -> None:
    """A mistake in one vendor's adapter ends its job with BrokenAdapter; the others go on."""
    vendor.report("odd")

    async with make_poller() as poller:
        results = await finish(poller, [*reports(broken(), "odd"), *reports(sound, "sound")])

    by_id = {id_of(finished): finished for finished in results}
    assert isinstance(by_id["odd"].error, BrokenAdapter)
    assert by_id["odd"].error.vendor == "acme"
    assert by_id["odd"].error.ref == by_id["odd"].ref
    assert by_id["sound"].ok


@frozen
class Forgetful(Acme):
    """An adapter whose submits return nothing."""

    @export
    def nothing(self, name: str) -> Flow[ExportJob]:
        """Forget to return the job."""
        yield Request.post("/reports", json={"name": name})
        return None  # type: ignore[return-value]


async def test_a_submit_that_returns_nothing_costs_one_export_only(
    vendor: Vendor, make_poller: MakePoller, sound: Acme
) -> None:
    """A submitting flow that returns no job ends with a typed error; the others go on."""
    vendor.report("odd")

    async with make_poller() as poller:
        results = await finish(poller, [Forgetful().nothing("odd"), *reports(sound, "sound")])

    by_ok = {finished.ok: finished for finished in results}
    assert isinstance(by_ok[False].error, ExportJobsError)
    assert id_of(by_ok[True]) == "sound"


@frozen
class Overreaching(Acme):
    """An adapter that tells of more files than the vendor's answer holds."""

    def job(self, response: Response) -> ExportJob:
        """Add an address that the vendor did not name."""
        job = Acme.job(self, response)
        if job.status is not JobStatus.DONE:
            return job
        return ExportJob(
            job.ref, job.reading, artifacts=(Artifact("https://evil.test/x", authenticated=True),)
        )


async def test_an_authenticated_file_on_another_host_is_not_asked_for(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """Credentials never go to an absolute address, whoever asks for it."""
    vendor.report("odd", "done")

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Overreaching(), "odd"), tmp_path)

    assert isinstance(finished.error, UntrustedAddress)
    assert vendor.said == ["POST /reports/odd", "GET /reports/odd"]


async def test_a_mistake_of_the_librarys_own_costs_one_job_only(
    vendor: Vendor, make_poller: MakePoller, sound: Acme
) -> None:
    """What nobody foresaw about one export ends it with an error that says so; others go on."""
    vendor.report("odd")
    draws = iter([ZeroDivisionError()])

    def draw(low: float, high: float) -> float:
        for mistake in draws:
            raise mistake
        return (low + high) / 2

    async with make_poller(jitter=draw) as poller:
        await poller.submit(Acme().report("odd"))
        (finished,) = await finish(poller, reports(sound, "sound"))
        (broken,) = [await poller.resume(ref) for ref in poller.outstanding]

    assert finished.ok
    assert isinstance(broken.error, InternalError)
    assert "ZeroDivisionError" in str(broken.error.__cause__)
    assert broken.error.ref == broken.ref

"""Amazon's reports: files a second hop away, two ways to be cancelled, failures that explain."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from amazon_reports import AmazonReports
from tests.adapters.support import Wire, answer

import exportjobs
from exportjobs import JobFailed, JobStatus, LandedFile
from exportjobs.adapter import AuthenticationFailed, InvalidArgument, Rejected, Response
from exportjobs.testing import AdapterContract, Recorded, Reply, ScriptedVendor

API = "/reports/2021-06-30"
REPORT_ID = "383023019497"
REPORT = f"{API}/reports/{REPORT_ID}"
DOCUMENT = f"{API}/documents/amzn1.spdoc.1"
TOKEN = "Atza|IQEBLjAsAhRm"  # noqa: S105 - nobody's
SIGN_IN = {"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600}
LISTINGS = b"sku\tprice\n7\t1.99\n"
LINK = (
    "https://tortuga-prod-eu.s3-eu-west-1.amazonaws.com/x?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Date=20261122T120000Z&X-Amz-Expires=300&X-Amz-Signature=57339d"
)


def seller(base_url: str = "https://sellingpartnerapi-eu.amazon.com", **more: str) -> AmazonReports:
    """Return a seller's account."""
    keys = ("amzn1.application-oa2-client.1", "amzn1.oa2-cs.v1.2", "Atzr|IQEBLzAtAhRP")
    return AmazonReports(*keys, base_url=base_url, **more)


def report(status: str, **more: object) -> dict[str, Any]:
    """Return a report as the vendor shows it, in some state."""
    return {
        "reportId": REPORT_ID,
        "reportType": "GET_MERCHANT_LISTINGS_ALL_DATA",
        "marketplaceIds": ["ATVPDKIKX0DER"],
        "createdTime": "2026-11-20T01:11:34+00:00",
        "processingStatus": status,
        **more,
    }


BEGUN = {
    "processingStartTime": "2026-11-20T01:11:41+00:00",
    "processingEndTime": "2026-11-20T01:11:48+00:00",
}
DONE = report("DONE", **BEGUN, reportDocumentId="amzn1.spdoc.1")
FATAL = report("FATAL", **BEGUN, reportDocumentId="amzn1.spdoc.1")
PACKED = {"reportDocumentId": "amzn1.spdoc.1", "compressionAlgorithm": "GZIP", "url": LINK}
PLAIN = {"reportDocumentId": "amzn1.spdoc.1", "url": LINK}


class TestAmazonReports(AdapterContract):
    """The adapter keeps the library's contract."""

    @pytest.fixture
    def recorded(self) -> Recorded:
        """Return a report, and the answers of the vendor's model and of its users' tickets."""
        return Recorded(
            export=seller().report(
                "GET_MERCHANT_LISTINGS_ALL_DATA",
                marketplace_ids=["ATVPDKIKX0DER"],
                data_start_time=datetime(2026, 11, 1, tzinfo=UTC),
                data_end_time=datetime(2026, 11, 2, tzinfo=UTC),
                report_options={"custom": "true"},
            ),
            accepted=Response(202, {}, f'{{"reportId": "{REPORT_ID}"}}'.encode()),
            states={
                "IN_QUEUE": report("IN_QUEUE"),
                "IN_PROGRESS": report("IN_PROGRESS"),
                "DONE": (DONE, PACKED),
                "FATAL": (FATAL, PLAIN),
                "CANCELLED": report("CANCELLED"),
            },
            cancelling=(Response(200), report("CANCELLED")),
            sign_in=SIGN_IN,
        )


def polled(*answers: Response) -> exportjobs.ExportJob:
    """Return the job that a poll makes of some answers."""
    account = seller()
    return Wire(account, *answers).hear(account.poll(account.ref(REPORT_ID)))


def test_a_report_that_is_done_is_behind_the_address_of_its_document() -> None:
    """The link says itself that it is good for five minutes; what is packed is called so."""
    job = polled(answer(DONE), answer(PACKED))

    (artifact,) = job.artifacts
    assert (artifact.url, artifact.name, artifact.authenticated) == (LINK, "report.gz", False)
    assert artifact.url_expires_at == datetime(2026, 11, 22, 12, 5, tzinfo=UTC)


def test_a_document_that_is_not_packed_is_not_called_so() -> None:
    """Its host says what it is."""
    (artifact,) = polled(answer(DONE), answer(PLAIN)).artifacts

    assert artifact.name is None


def test_a_report_without_data_is_done_and_empty() -> None:
    """Amazon calls it cancelled, after it was begun; that is told, and is no failure."""
    job = polled(answer(report("CANCELLED", **BEGUN)))

    assert (job.status, job.raw_status) == (JobStatus.DONE, "CANCELLED")
    assert job.artifacts == ()
    assert "no data" in job.warnings[0]


def test_a_report_that_was_cancelled_before_it_was_begun_is_cancelled() -> None:
    """Somebody asked for it."""
    job = polled(answer(report("CANCELLED")))

    assert (job.status, job.warnings) == (JobStatus.CANCELLED, ())


def test_a_fatal_report_has_the_document_that_explains() -> None:
    """Where there is one."""
    explained = polled(answer(FATAL), answer(PLAIN))
    unexplained = polled(answer(report("FATAL", **BEGUN)))

    assert (explained.status, len(explained.artifacts)) == (JobStatus.FAILED, 1)
    assert explained.error == "its document says why"
    assert (unexplained.artifacts, unexplained.error) == ((), None)


@pytest.mark.parametrize(
    ("now", "status"),
    [
        (report("FATAL", **BEGUN), JobStatus.FAILED),
        (report("CANCELLED", **BEGUN), JobStatus.DONE),
        (report("CANCELLED"), JobStatus.CANCELLED),
    ],
    ids=["fatal", "empty", "cancelled"],
)
def test_a_report_that_has_ended_cannot_be_cancelled_and_says_how_it_ended(
    now: dict[str, Any], status: JobStatus
) -> None:
    """The vendor refuses; the library is told the end."""
    account = seller()
    refused = answer({"errors": [{"code": "InvalidInput", "message": "no"}]}, 400)

    job = Wire(account, refused, answer(now)).hear(account.cancel(account.ref(REPORT_ID)))

    assert job.status is status


def test_a_refusal_to_cancel_a_report_that_is_being_processed_is_not_hushed_up() -> None:
    """It goes on."""
    account = seller()
    refused = answer({"errors": [{"code": "InvalidInput", "message": "no"}]}, 400)
    wire = Wire(account, refused, answer(report("IN_PROGRESS")))

    with pytest.raises(Rejected):
        wire.hear(account.cancel(account.ref(REPORT_ID)))


def test_a_token_that_has_expired_is_told_from_a_lack_of_permission() -> None:
    """Both are HTTP 403; the code tells which can be mended by signing in again."""
    account = seller()
    refused = answer({"errors": [{"code": "Unauthorized", "message": "denied"}]}, 403)

    with pytest.raises(AuthenticationFailed):
        Wire(account, refused).hear(account.poll(account.ref(REPORT_ID)))


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"marketplace_ids": []}, "marketplace_ids"),
        (
            {
                "marketplace_ids": ["A1"],
                "data_start_time": "2026-11-02",
                "data_end_time": "2026-11-01",
            },
            "data_start_time",
        ),
    ],
    ids=["nowhere", "backwards"],
)
def test_what_cannot_be_right_is_refused_before_anything_is_sent(
    given: dict[str, Any], argument: str
) -> None:
    """By the argument's name."""
    with pytest.raises(InvalidArgument) as caught:
        seller().report("GET_MERCHANT_LISTINGS_ALL_DATA", **given)

    assert caught.value.field == argument


def landed(
    folder: Path, ending: dict[str, Any], document: dict[str, Any], content: bytes
) -> exportjobs.Finished:
    """Run a report to an end on a vendor whose tokens are issued on a host of its own."""
    with (
        ScriptedVendor(Reply("POST /auth/o2/token", SIGN_IN)) as office,
        ScriptedVendor(
            Reply(f"POST {API}/reports", {"reportId": REPORT_ID}, status=202),
            Reply(f"GET {REPORT}", report("IN_PROGRESS")),
            Reply(f"GET {REPORT}", ending),
            Reply(f"GET {DOCUMENT}", {**document, "url": "{url}/document"}),
            Reply("GET /document", content),
        ) as vendor,
    ):
        account = seller(vendor.url, sign_in_url=office.url)
        export = account.report("GET_MERCHANT_LISTINGS_ALL_DATA", marketplace_ids=["A1"])
        (finished,) = exportjobs.run([export], into=folder, poll_interval=0.01)
    assert [asked.headers.get("x-amz-access-token") for asked in office.requests] == [None]
    *of_the_api, of_the_host = vendor.requests
    assert {asked.headers.get("x-amz-access-token") for asked in of_the_api} == {TOKEN}
    assert "x-amz-access-token" not in of_the_host.headers
    return finished


def test_a_packed_report_lands_as_it_is(tmp_path: Path) -> None:
    """End to end: signed in elsewhere, asked, found a hop away, fetched and found whole."""
    finished = landed(tmp_path, DONE, PACKED, gzip.compress(LISTINGS))

    (file,) = finished.files
    assert finished.ok
    assert file.path.suffix == ".gz"
    assert gzip.decompress(file.path.read_bytes()) == LISTINGS


def test_a_fatal_report_lands_its_explanation_and_has_failed(tmp_path: Path) -> None:
    """The file cannot be taken for the report."""
    finished = landed(tmp_path, FATAL, PLAIN, b"the dates are in the future")

    files: tuple[LandedFile, ...] = finished.files
    assert isinstance(finished.error, JobFailed)
    assert [file.path.read_bytes() for file in files] == [b"the dates are in the future"]
    assert ".failed" in files[0].path.name


def test_a_link_that_has_expired_is_asked_for_again(tmp_path: Path) -> None:
    """Five minutes are soon over where many files wait: the second hop is made once more."""
    expired = "{url}/document?X-Amz-Date=20200101T120000Z&X-Amz-Expires=300"
    with ScriptedVendor(
        Reply("POST /auth/o2/token", SIGN_IN),
        Reply(f"POST {API}/reports", {"reportId": REPORT_ID}, status=202),
        Reply(f"GET {REPORT}", DONE, times=2),
        Reply(f"GET {DOCUMENT}", {**PLAIN, "url": expired}),
        Reply(f"GET {DOCUMENT}", {**PLAIN, "url": "{url}/document"}),
        Reply("GET /document", LISTINGS),
    ) as vendor:
        account = seller(vendor.url, sign_in_url=vendor.url)
        export = account.report("GET_MERCHANT_LISTINGS_ALL_DATA", marketplace_ids=["A1"])
        (finished,) = exportjobs.run([export], into=tmp_path, poll_interval=0.01)

    assert finished.ok
    assert [file.path.read_bytes() for file in finished.files] == [LISTINGS]

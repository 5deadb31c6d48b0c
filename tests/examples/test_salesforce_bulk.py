"""Salesforce's bulk queries: results page by page behind a header, each with its headings again."""

import json
from pathlib import Path
from typing import Any

import pytest
from salesforce_bulk import SalesforceBulk
from tests.adapters.support import Wire, answer

import exportjobs
from exportjobs import JobStatus, RateLimited
from exportjobs.adapter import InvalidArgument, MalformedResponse, Rejected, Request, Response
from exportjobs.testing import AdapterContract, Recorded, Reply, ScriptedVendor

JOBS = "/services/data/v66.0/jobs/query"
JOB_ID = "750R0000000zlh9IAA"
JOB = f"{JOBS}/{JOB_ID}"
TOKEN = "00DR00000000nd2aAQ8"  # noqa: S105 - nobody's
HEADINGS = '"Id","Name"\n'


def org(base_url: str = "https://acme.my.salesforce.com") -> SalesforceBulk:
    """Return an org's account."""
    return SalesforceBulk("3MVG9VwZxxW3bB", "8A4BE698BCA216", base_url=base_url)


def job(state: str, **more: object) -> dict[str, Any]:
    """Return a job as the vendor's pages show it, in some state."""
    return {
        "id": JOB_ID,
        "operation": "query",
        "object": "Account",
        "createdById": "005R0000000GiwjIAC",
        "createdDate": "2026-11-10T17:50:19.000+0000",
        "systemModstamp": "2026-11-10T17:51:27.000+0000",
        "state": state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": 66.0,
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
        **more,
    }


def page(locator: str, *rows: str) -> Response:
    """Return a page of the results, and what its header says of the next."""
    headers = {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(len(rows))}
    return Response(
        200, {"Content-Type": "text/csv", **headers}, (HEADINGS + "".join(rows)).encode()
    )


DONE = job("JobComplete", numberRecordsProcessed=3, retries=0, totalProcessingTime=334)
SIGN_IN = {"access_token": TOKEN, "instance_url": "https://acme.my.salesforce.com"}


class TestSalesforceBulk(AdapterContract):
    """The adapter keeps the library's contract."""

    @pytest.fixture
    def recorded(self) -> Recorded:
        """Return a query, and the answers of the vendor's own pages."""
        return Recorded(
            export=org().query("SELECT Id, Name FROM Account", include_deleted=True),
            accepted=job("UploadComplete"),
            states={
                "UploadComplete": job("UploadComplete"),
                "InProgress": job("InProgress", numberRecordsProcessed=1),
                "JobComplete": (DONE, page("MTAw"), page("null")),
                "Failed": job("Failed", errorMessage="INVALID_FIELD: no such column 'Nmae'"),
                "Aborted": job("Aborted"),
            },
            listing=(
                {"done": False, "records": [job("InProgress")], "nextRecordsUrl": f"{JOBS}?q=2"},
                {"done": True, "records": [], "nextRecordsUrl": None},
            ),
            cancelling=job("Aborted"),
            sign_in=SIGN_IN,
        )


def test_every_page_is_a_part_and_none_of_them_is_read_to_find_the_next() -> None:
    """The header leads on until it holds the word null."""
    account = org()
    wire = Wire(account, answer(DONE), page("MTAw"), page("MjAw="), page("null"))

    found = wire.hear(account.poll(account.ref(JOB_ID, version="66")))

    pages = [f"{JOB}/results", f"{JOB}/results?locator=MTAw", f"{JOB}/results?locator=MjAw%3D"]
    assert [artifact.url for artifact in found.artifacts] == pages
    assert [artifact.part for artifact in found.artifacts] == [1, 2, 3]
    assert all(artifact.authenticated for artifact in found.artifacts)
    assert [request.path for request in wire.requests] == [JOB, *pages]
    assert [request.head_only for request in wire.requests] == [False, True, True, True]
    assert found.record_count == 3


def test_results_without_the_header_are_one_page() -> None:
    """Where nothing leads on, there is no more."""
    account = org()
    wire = Wire(account, answer(DONE), Response(200))

    assert len(wire.hear(account.poll(account.ref(JOB_ID))).artifacts) == 1


def test_pages_that_lead_in_a_circle_are_refused() -> None:
    """A locator that was there before would go on for ever."""
    account = org()
    wire = Wire(account, answer(DONE), page("MTAw"), page("MjAw"), page("MTAw"))

    with pytest.raises(MalformedResponse, match="repeats a page"):
        wire.hear(account.poll(account.ref(JOB_ID)))


def test_a_job_is_asked_about_in_the_version_that_made_it() -> None:
    """Another version is answered with a 409."""
    account = org()
    older = Wire(account, answer(job("InProgress", apiVersion=58.0)))
    ref = older.hear(account.poll(account.ref(JOB_ID, version="58"))).ref

    assert older.requests[0].path == f"/services/data/v58.0/jobs/query/{JOB_ID}"
    assert dict(ref.scope) == {"version": "58"}


def test_the_list_is_followed_until_the_wanted_jobs_were_seen() -> None:
    """Its order means nothing, and it does not tell of pages."""
    account = org()
    first = {"records": [job("JobComplete", id="7501")], "nextRecordsUrl": f"{JOBS}?queryLocator=2"}
    second = {"records": [job("InProgress", id="7502")], "nextRecordsUrl": f"{JOBS}?queryLocator=3"}
    wire = Wire(account, answer(first), answer(second))

    jobs = wire.hear(account.list_jobs(frozenset({"7502"})))

    assert [(one.ref.id, one.brief) for one in jobs] == [("7501", True), ("7502", True)]
    assert [request.path for request in wire.requests] == [
        f"{JOBS}?jobType=V2Query",
        f"{JOBS}?queryLocator=2",
    ]


def test_a_job_is_aborted_by_a_patch() -> None:
    """The answer is the job."""
    account = org()
    wire = Wire(account, answer(job("Aborted")))

    aborted = wire.hear(account.cancel(account.ref(JOB_ID)))

    (request,) = wire.requests
    assert (request.method, request.path, request.json) == ("PATCH", JOB, {"state": "Aborted"})
    assert aborted.status is JobStatus.CANCELLED


@pytest.mark.parametrize(
    ("now", "status"), [("Failed", JobStatus.FAILED), ("Aborted", JobStatus.CANCELLED)]
)
def test_a_job_that_has_ended_cannot_be_aborted_and_says_how_it_ended(
    now: str, status: JobStatus
) -> None:
    """The vendor refuses; the library is told the end."""
    account = org()
    refused = answer([{"errorCode": "INVALIDJOBSTATE", "message": "no"}], 400)
    wire = Wire(account, refused, answer(job(now)))

    assert wire.hear(account.cancel(account.ref(JOB_ID))).status is status


def test_a_refusal_to_abort_a_running_job_is_not_hushed_up() -> None:
    """It goes on."""
    account = org()
    refused = answer([{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}], 400)
    wire = Wire(account, refused, answer(job("InProgress")))

    with pytest.raises(Rejected) as caught:
        wire.hear(account.cancel(account.ref(JOB_ID)))

    assert caught.value.code == "INSUFFICIENT_ACCESS"


def test_the_orgs_limit_of_requests_is_one_that_passes() -> None:
    """It is told with a 403, in a list of errors."""
    account = org()
    refused = answer([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests"}], 403)

    with pytest.raises(RateLimited):
        Wire(account, refused).hear(account.poll(account.ref(JOB_ID)))


def test_a_query_is_asked_for_in_the_vendors_words() -> None:
    """Deleted records are found by another operation."""
    requests = [
        next(org().query("SELECT Id FROM Task", include_deleted=deleted).submit())
        for deleted in (False, True)
    ]

    assert [request.path for request in requests] == [JOBS, JOBS]
    assert [request.json for request in requests] == [
        {"operation": operation, "query": "SELECT Id FROM Task"}
        for operation in ("query", "queryAll")
    ]


def test_a_query_that_is_empty_is_refused_before_anything_is_sent() -> None:
    """By the argument's name."""
    with pytest.raises(InvalidArgument) as caught:
        org().query("  ")

    assert caught.value.field == "soql"


def test_pages_land_as_parts_that_are_files_of_their_own(tmp_path: Path) -> None:
    """End to end: signed in, asked, found page by page, fetched, and told by a manifest."""
    pages = {"": page("MTAw", '"1","a"\n'), "?locator=MTAw": page("null", '"2","b"\n')}
    script = [
        Reply(f"GET {JOB}/results{query}", one.content, headers=one.headers, times=2)
        for query, one in pages.items()
    ]
    with ScriptedVendor(
        Reply("POST /services/oauth2/token", SIGN_IN),
        Reply(f"POST {JOBS}", job("UploadComplete")),
        Reply(f"GET {JOB}", job("InProgress")),
        Reply(f"GET {JOB}", DONE),
        *script,
    ) as vendor:
        export = org(vendor.url).query("SELECT Id, Name FROM Account")
        (finished,) = exportjobs.run([export], into=tmp_path, poll_interval=0.01)

    texts = [file.path.read_text() for file in finished.files]
    manifest = next(tmp_path.glob("*.manifest.json"))
    assert finished.ok
    assert texts == [f'{HEADINGS}"1","a"\n', f'{HEADINGS}"2","b"\n']
    assert [file.part for file in finished.files] == [1, 2]
    assert len(json.loads(manifest.read_text())["files"]) == 2


def test_a_request_says_who_asks_only_by_its_token() -> None:
    """The app's secret goes to the token office alone."""
    assert org().authenticate(Request.get("/")) == Request.get("/")

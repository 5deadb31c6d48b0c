"""The CSV-export API: finished at once, by a header alone, or after a while."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.errors import assert_error

from exportjobs.adapter import ExportJob, InvalidArgument, MalformedResponse, Progress, Response
from exportjobs_csv import CsvExport

from .cases import CSV, KEY
from .support import Body, Wire, answer, asked, body_of, polled, refused, refuses, submitted

csv = CsvExport(api_key=KEY, tenant="ACME")
WHERE = "/tenants/ACME/clients/export/csv"
MAPPINGS = [{"csvHeader": "VAT", "targetField": "VatNumber"}]


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({}, {}),
        (
            {"filter": {"statuses": ["Active"], "managerCodes": ["M1"]}},
            {"filter": {"statuses": ["Active"], "managerCodes": ["M1"]}},
        ),
        ({"mapping_code": "map_1"}, {"mappingCode": "map_1"}),
        ({"column_mappings": MAPPINGS}, {"columnMappings": MAPPINGS}),
        ({"include_headers": False}, {"includeHeaders": False}),
    ],
    ids=["default", "filter", "mapping", "columns", "bare"],
)
def test_clients_are_asked_for(given: Body, body: Body) -> None:
    """Each argument is one member of the body, and what is not given is all there is."""
    request = asked(csv, "clients", given)

    assert (request.method, request.path) == ("POST", WHERE)
    assert body_of(request) == {"includeHeaders": True} | body
    assert dict(request.params) == {}
    assert dict(request.headers) == {"x-api-key": KEY}


def test_a_submit_has_time_to_finish_at_once() -> None:
    """The vendor holds it for up to 10 seconds."""
    request = asked(csv, "clients", {})

    assert request.timeout is not None
    assert request.timeout >= timedelta(seconds=20)


def test_a_hostile_tenant_stays_in_its_place() -> None:
    """It is one segment of the path, of a submit and of a poll."""
    other = CsvExport(api_key=KEY, tenant="../a/b?c")
    wire = Wire(other, answer(CSV.done))

    wire.hear(other.poll(other.ref("exp_1")))

    assert asked(other, "clients", {}).path == "/tenants/..%2Fa%2Fb%3Fc/clients/export/csv"
    assert wire.requests[0].path == "/tenants/..%2Fa%2Fb%3Fc/clients/export/csv/exp_1"


@pytest.mark.parametrize("tenant", ["", "  ", ".."], ids=["empty", "blank", "parent"])
def test_what_is_no_tenant_is_refused_at_once(tenant: str) -> None:
    """No request could ever be sent for it."""
    with pytest.raises(InvalidArgument) as caught:
        CsvExport(api_key=KEY, tenant=tenant)

    assert_error(
        caught.value,
        InvalidArgument,
        reason="tenant: is not a valid code",
        remedy="pass the tenant's code",
        vendor="csv",
    )


def test_a_tenant_is_needed() -> None:
    """There is no default one."""
    make: Any = CsvExport

    with pytest.raises(TypeError, match="tenant"):
        make(api_key=KEY)


def test_two_mappings_are_refused_at_once() -> None:
    """A saved one and one of one's own exclude each other."""
    refuses(
        csv,
        "clients",
        {"mapping_code": "map_1", "column_mappings": MAPPINGS},
        reason="column_mappings: cannot be combined with mapping_code",
        remedy="pass one of the two",
    )


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"filter": ["Active"]}, "expected an object"),
        ({"filter": "Active"}, "expected an object"),
        ({"column_mappings": "VAT"}, "expected a list"),
        ({"column_mappings": ["VAT"]}, ""),
        ({"include_headers": "maybe"}, "expected true or false"),
        ({"filter": {"statuses": {"Active"}}}, ""),
        ({"filter": {"score": float("nan")}}, ""),
    ],
    ids=["list", "text", "columns", "column", "headers", "set", "not-a-number"],
)
def test_an_argument_of_the_wrong_type_is_refused_at_once(given: Body, complaint: str) -> None:
    """The error names the argument and says what it takes instead; JSON must be able to say it."""
    error = refused(csv, "clients", given)

    assert [error.field] == list(given)
    assert complaint in error.reason


def test_a_submit_may_answer_with_the_finished_job() -> None:
    """A 201 has the file's address already."""
    job = submitted(csv.clients(), CSV.done, 201)

    assert (job.ref.id, job.status, job.raw_status) == ("exp_1", "done", "Completed")
    assert [file.url for file in job.artifacts] == [CSV.done["downloadUrl"]]


def test_a_submit_may_answer_with_a_job_to_ask_for() -> None:
    """A 202 with a body is the job; where to ask for it is known anyway."""
    wire = Wire(csv, answer(CSV.accepted, 202, location="/elsewhere/exp_2"))

    job = wire.hear(csv.clients().submit())

    assert (job.ref.id, job.status, job.artifacts) == ("exp_1", "queued", ())
    assert job.raw == CSV.accepted


def accepted(headers: Mapping[str, str], content: bytes = b"") -> ExportJob:
    """Return the job of a submit that is answered with a header alone."""
    return Wire(csv, Response(202, headers, content)).hear(csv.clients().submit())


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("/tenants/ACME/clients/export/csv/exp_1", "exp_1"),
        ("exp_1", "exp_1"),
        ("https://api.sodiumhq.com/tenants/ACME/clients/export/csv/exp_1", "exp_1"),
        ("/tenants/ACME/clients/export/csv/exp_1/", "exp_1"),
        ("/tenants/ACME/clients/export/csv/exp%2F1%20b", "exp/1 b"),
        ("/tenants/ACME/clients/export/csv/exp_1?api-version=1#top", "exp_1"),
    ],
    ids=["relative", "bare", "absolute", "slash", "quoted", "query"],
)
@pytest.mark.parametrize("content", [b"", b" \r\n"], ids=["empty", "blank"])
def test_a_submit_may_answer_with_a_location_alone(
    location: str, code: str, content: bytes
) -> None:
    """Its last segment is the job's code, and is quoted again when the job is asked for."""
    job = accepted({"Location": location}, content)
    wire = Wire(csv, answer(CSV.done))

    wire.hear(csv.poll(job.ref))

    assert (job.ref.id, job.status, job.raw_status) == (code, "queued", "Queued")
    quoted = code.replace("/", "%2F").replace(" ", "%20")
    assert wire.requests[0].path == f"{WHERE}/{quoted}"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Location": ""}, {"Location": "/"}, {"Location": "https://api.sodiumhq.com"}],
    ids=["none", "empty", "root", "host"],
)
def test_a_submit_answered_with_neither_body_nor_location_is_malformed(
    headers: Mapping[str, str],
) -> None:
    """The job exists and cannot be named."""
    with pytest.raises(MalformedResponse, match="neither a body nor a Location"):
        accepted(headers)


@pytest.mark.parametrize("location", ["https://[", "//[x/exp_1", "https://\u2100/exp_1"])
def test_a_location_that_is_no_address_is_malformed(location: str) -> None:
    """It is the vendor's mistake, not the adapter's."""
    with pytest.raises(MalformedResponse):
        accepted({"Location": location})


def test_a_completed_job_is_read() -> None:
    """Times without a zone are in UTC, and the address says how long it works."""
    job = polled(csv, CSV.done)

    assert (job.status, job.record_count) == ("done", 150)
    assert job.created_at == datetime(2026, 8, 13, 10, tzinfo=UTC)
    assert job.started_at == datetime(2026, 8, 13, 10, 0, 1, tzinfo=UTC)
    assert job.finished_at == datetime(2026, 8, 13, 10, 0, 9, 500000, UTC)
    assert job.expires_at == datetime(2026, 8, 14, 10, tzinfo=UTC)
    assert job.raw == CSV.done


@pytest.mark.parametrize("written", ["2026-08-13T10:00:00", "2026-08-13T10:00:00Z"])
def test_a_time_with_or_without_a_zone_is_in_utc(written: str) -> None:
    """The vendor calls all of its times UTC."""
    job = polled(csv, {**CSV.done, "createdDate": written})

    assert job.created_at == datetime(2026, 8, 13, 10, tzinfo=UTC)


def test_a_time_in_the_framework_s_seven_digits_is_read() -> None:
    """A .NET time has ten millionths."""
    job = polled(csv, {**CSV.done, "createdDate": "2026-08-13T10:00:00.1234567Z"})

    assert job.created_at == datetime(2026, 8, 13, 10, 0, 0, 123456, UTC)


def test_the_file_is_signed_and_lies_elsewhere() -> None:
    """The API key is not for the host that holds it, and its address is shown to nobody."""
    job = polled(csv, CSV.done)
    (file,) = job.artifacts

    assert not file.authenticated
    assert (file.media_type, file.size, file.part) == ("text/csv", None, None)
    assert "sig=" not in repr(job)


@pytest.mark.parametrize(
    ("counts", "progress", "fraction"),
    [
        ({"totalItems": 150, "processedItems": 75}, Progress(75, 150), 0.5),
        ({"totalItems": None, "processedItems": 0}, Progress(0, None), None),
        ({"totalItems": None, "processedItems": None}, Progress(None, None), None),
        ({"totalItems": 150, "processedItems": None}, Progress(None, 150), None),
        ({"totalItems": 0, "processedItems": 0}, Progress(0, 0), None),
        ({"totalItems": 150, "processedItems": 151}, Progress(151, 150), 1.0),
    ],
)
def test_progress_is_a_fraction_where_both_numbers_are_known(
    counts: Body, progress: Progress, fraction: float | None
) -> None:
    """The total is set when processing begins."""
    job = polled(csv, {**CSV.accepted, "status": "InProgress", **counts})

    assert job.progress == progress
    assert job.progress.fraction == fraction
    assert job.record_count is None


def test_a_failed_job_says_nothing_more() -> None:
    """There is no field for it."""
    body = {**CSV.done, "status": "Failed", "downloadUrl": None}

    job = polled(csv, body)

    assert (job.status, job.error, job.artifacts) == ("failed", None, ())
    assert job.finished_at == datetime(2026, 8, 13, 10, 0, 9, 500000, UTC)


def test_the_documents_sample_is_read() -> None:
    """It is queued, half done and downloadable, all at once: its status is believed."""
    sample = {
        "code": "string",
        "status": "Queued",
        "totalItems": 150,
        "processedItems": 75,
        "downloadUrl": "string",
    }

    job = polled(csv, sample)

    assert (job.ref.id, job.status) == ("string", "queued")
    assert job.expires_at is None

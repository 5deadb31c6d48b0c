"""Clari's jobs: what is read of them in either description, and how they end."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from exportjobs.adapter import ExportJob, JobRef, Limits, MalformedResponse, Rejected
from exportjobs_clari import Clari
from exportjobs_clari._jobs import unwrapped

from .cases import CLARI, KEY
from .support import Body, Wire, answer, body_of, polled, submitted

clari = Clari(api_key=KEY)

# What is published beside the OpenAPI as Clari's schema of an export job.
SCHEMA_JOB: Body = {
    "jobId": "6073683781a6da229df71e00",
    "userId": 1,
    "orgId": 100,
    "status": "RUNNING",
    "type": "forecast",
    "createdAt": "2026-03-01T10:00:00Z",
    "updatedAt": "2026-03-01T10:00:05Z",
}
# The OpenAPI's example of a list, slips and all: every value is a text that ends in a comma.
SAMPLE_LIST: list[Body] = [
    {
        "jobId": "6073683781a6da229df71e00,",
        "userId": "1,",
        "orgId": "1,",
        "title": "Forecast Export,",
        "module": "FORECAST,",
        "startTime": "123456789,",
        "endTime": "123456799,",
        "expiredTime": "133333333,",
        "version": "1,",
        "fileName": "clari_export_default-view_20180118_004234.json,",
        "fileType": "JSON,",
        "status": "STARTED,",
        "viewed": "true,",
        "cellsTruncated": "false,",
        "rowsTruncated": "false,",
        "downloads": "0,",
        "currency": "USD",
    }
]


def flat(body: Body) -> Body:
    """Return a body as both descriptions have it."""
    return body


def wrapped(body: Body) -> Body:
    """Return a body as it is seen on the wire."""
    return {"job": body}


either_envelope = pytest.mark.parametrize("envelope", [flat, wrapped])
Envelope = Callable[[Body], Body]


@either_envelope
def test_a_job_of_the_openapi_is_read(envelope: Envelope) -> None:
    """Its times are milliseconds since 1970."""
    job = polled(clari, envelope(CLARI.done))

    assert job.ref == JobRef("clari", "default", "606e23c981a6da229d75b515")
    assert (job.status, job.raw_status) == ("done", "DONE")
    assert job.started_at == datetime(2021, 4, 7, 21, 27, 37, 175000, UTC)
    assert job.finished_at == datetime(2021, 4, 7, 21, 27, 41, 959000, UTC)
    assert job.expires_at == datetime(2021, 5, 7, 21, 27, 41, 959000, UTC)
    assert job.created_at is None
    assert job.raw == CLARI.done


@either_envelope
def test_a_job_of_the_published_schema_is_read(envelope: Envelope) -> None:
    """Its times are in ISO 8601, under names of their own."""
    job = polled(clari, envelope(SCHEMA_JOB))

    assert job.ref.id == "6073683781a6da229df71e00"
    assert (job.status, job.raw_status) == ("running", "RUNNING")
    assert job.created_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert (job.started_at, job.finished_at) == (None, None)


@pytest.mark.parametrize(
    "written",
    [1617830857175, "1617830857175", 1617830857.175, "2021-04-07T21:27:37.175Z"],
    ids=["milliseconds", "numeral", "seconds", "iso"],
)
def test_a_time_is_understood_in_every_form(written: object) -> None:
    """Clients have seen all of these."""
    job = polled(clari, {**CLARI.done, "startTime": written})

    assert job.started_at == datetime(2021, 4, 7, 21, 27, 37, 175000, UTC)


def test_a_running_job_has_no_end_and_nothing_to_download() -> None:
    """The OpenAPI's example of a job that has just started names an end all the same."""
    job = polled(clari, {**CLARI.done, "status": "STARTED"})

    assert job.status == "running"
    assert job.finished_at is None
    assert job.artifacts == ()


@pytest.mark.parametrize("word", ["FAILED", "CANCELLED", "ABORTED"])
def test_a_job_that_ended_badly_has_nothing_to_download(word: str) -> None:
    """Its end is known, and its results do not exist."""
    job = polled(clari, {**CLARI.done, "status": word})

    assert job.finished_at == datetime(2021, 4, 7, 21, 27, 41, 959000, UTC)
    assert job.artifacts == ()


def test_aborted_means_cancelled_while_running() -> None:
    """There are two words for it, by when the job was cancelled."""
    job = polled(clari, {**CLARI.done, "status": "ABORTED"})

    assert (job.status, job.raw_status) == ("cancelled", "ABORTED")


@pytest.mark.parametrize(
    ("file_type", "media_type"),
    [("JSON", "application/json"), ("CSV", "text/csv"), ("XLSX", None), (None, None)],
)
def test_results_are_fetched_from_the_api_itself(
    file_type: str | None, media_type: str | None
) -> None:
    """They need the API key, and have an address below the base URL."""
    (results,) = polled(clari, {**CLARI.done, "fileType": file_type}).artifacts

    assert results.url == "/export/jobs/606e23c981a6da229d75b515/results"
    assert results.authenticated
    assert results.media_type == media_type
    assert results.name == CLARI.done["fileName"]
    assert results.expires_at == datetime(2021, 5, 7, 21, 27, 41, 959000, UTC)
    assert (results.size, results.part) == (None, None)


def test_a_hostile_job_id_leads_its_results_nowhere_else() -> None:
    """The vendor's id is quoted in the address of the results."""
    (results,) = polled(clari, {**CLARI.done, "jobId": "../../admin?x#y"}).artifacts

    assert results.url == "/export/jobs/..%2F..%2Fadmin%3Fx%23y/results"


@pytest.mark.parametrize(
    ("flags", "warnings"),
    [
        ({}, ()),
        ({"rowsTruncated": True}, ("rows",)),
        ({"cellsTruncated": True}, ("cells",)),
        ({"rowsTruncated": True, "cellsTruncated": True}, ("rows", "cells")),
        ({"rowsTruncated": "true"}, ("rows",)),
        ({"rowsTruncated": None, "cellsTruncated": None}, ()),
    ],
)
def test_truncation_is_a_warning_on_a_job_that_is_done(
    flags: Body, warnings: tuple[str, ...]
) -> None:
    """A partial result is a result, but nobody takes it for the whole."""
    job = polled(clari, {**CLARI.done, **flags})

    assert job.status == "done"
    assert job.warnings == tuple(
        f"{what} truncated: the result is not complete" for what in warnings
    )


@pytest.mark.parametrize("status", [200, 202])
@either_envelope
def test_a_submit_is_accepted_with_either_status(envelope: Envelope, status: int) -> None:
    """Forecasts are answered with 200, the others with 202, and some clients see a wrapper."""
    job = submitted(clari.forecast("deal_owner"), envelope({"jobId": "J7"}), status)

    assert job.ref.id == "J7"
    assert job.status == "queued"
    assert job.artifacts == ()
    assert job.raw == envelope({"jobId": "J7"})


@pytest.mark.parametrize("flow", ["submit", "poll"])
def test_an_id_under_its_short_name_is_taken(flow: str) -> None:
    """PostHog's client has seen a job with its id under `id`."""
    body = {"job": {"id": "J7", "status": "STARTED"}}

    job = submitted(clari.activity(), body) if flow == "submit" else polled(clari, body)

    assert job.ref.id == "J7"


def listed(body: object, wanted: frozenset[str] = frozenset()) -> tuple[ExportJob, ...]:
    """Return the jobs that are read in a list's body."""
    wire = Wire(clari, answer(body))
    jobs = wire.hear(clari.list_jobs(wanted))
    (request,) = wire.requests
    assert (request.method, request.path, dict(request.params)) == ("GET", "/export/jobs", {})
    assert dict(request.headers) == {"apikey": KEY}
    return jobs


@pytest.mark.parametrize(
    "body",
    [[CLARI.done, SCHEMA_JOB], {"jobs": [CLARI.done, SCHEMA_JOB]}],
    ids=["bare", "wrapped"],
)
def test_a_list_is_an_array_bare_or_wrapped(body: object) -> None:
    """The document shows it bare, a client wrapped."""
    jobs = listed(body, frozenset({"J1"}))

    assert [(job.ref.id, job.status) for job in jobs] == [
        ("606e23c981a6da229d75b515", "done"),
        ("6073683781a6da229df71e00", "running"),
    ]


def test_a_listed_job_tells_all_that_a_poll_tells() -> None:
    """A job that the list says is done needs no question of its own."""
    (job,) = listed([CLARI.done])

    assert job == polled(clari, CLARI.done)
    assert not job.brief


@pytest.mark.parametrize("body", [[], {"jobs": []}])
def test_a_list_may_be_empty(body: object) -> None:
    """A user who never exported has no jobs."""
    assert listed(body) == ()


def test_the_documents_sample_of_a_list_is_malformed_not_a_crash() -> None:
    """Its times end in commas, and the error says where."""
    with pytest.raises(MalformedResponse) as caught:
        listed(SAMPLE_LIST)

    assert any("start_time" in problem for problem in caught.value.problems)


def test_the_documents_sample_without_its_times_is_read() -> None:
    """The other slips do no harm: an unknown status ends nothing."""
    kept = {"jobId", "status", "fileName", "fileType"}
    (job,) = listed([{key: SAMPLE_LIST[0][key] for key in kept}])

    assert (job.ref.id, job.raw_status) == ("6073683781a6da229df71e00,", "STARTED,")
    assert not job.reading.recognised


def test_limits_are_read() -> None:
    """The OpenAPI's example of /admin/limits."""
    wire = Wire(
        clari,
        answer(
            {
                "jobs": {
                    "concurrentLimit": 3,
                    "monthlyQuota": 1000,
                    "runningJobIds": ["6073680cac043e61f93bac07"],
                    "submittedJobIds": ["606e6f6f304d430d583fdd4c"],
                    "availableConcurrentLimit": 1,
                    "availableMonthlyQuota": 995,
                }
            }
        ),
    )

    limits = wire.hear(clari.limits())

    assert limits == Limits(slots=3, free_slots=1, quota=1000, remaining_quota=995)
    (request,) = wire.requests
    assert (request.method, request.path) == ("GET", "/admin/limits")
    assert dict(request.headers) == {"apikey": KEY}


@pytest.mark.parametrize("body", [{}, {"jobs": {}}])
def test_limits_that_are_not_told_are_unknown(body: object) -> None:
    """Silence is not zero."""
    wire = Wire(clari, answer(body))

    assert wire.hear(clari.limits()) == Limits()


def test_a_job_is_cancelled_and_described() -> None:
    """The answer to a cancel says little, so the job is asked for."""
    ref = clari.ref("../J1")
    wire = Wire(
        clari,
        answer({"status": "CANCELLED", "successful": True}),
        answer({**CLARI.done, "status": "ABORTED"}),
    )

    job = wire.hear(clari.cancel(ref))

    cancel, poll = wire.requests
    assert (cancel.method, cancel.path) == ("PATCH", "/export/jobs/..%2FJ1")
    assert body_of(cancel) == {"type": "CANCEL"}
    assert dict(cancel.headers) == {"apikey": KEY}
    assert cancel.idempotent
    assert (poll.method, poll.path) == ("GET", "/export/jobs/..%2FJ1")
    assert (job.status, job.raw_status) == ("cancelled", "ABORTED")


def test_cancelling_a_job_that_is_done_returns_its_final_state() -> None:
    """That it was too late is no error."""
    too_late = {"code": "export_failed_to_cancel", "message": "it already finished executing."}
    wire = Wire(clari, answer(too_late, 400), answer(CLARI.done))

    job = wire.hear(clari.cancel(clari.ref("J1")))

    assert job == polled(clari, CLARI.done)


def test_a_cancel_refused_for_another_reason_is_refused() -> None:
    """Nothing else is taken for a job that has ended."""
    wire = Wire(clari, answer({"code": "SWW", "message": "Something went wrong"}, 400))

    with pytest.raises(Rejected, match="SWW"):
        wire.hear(clari.cancel(clari.ref("J1")))


@pytest.mark.parametrize(
    ("listed", "matches"),
    [
        ({"module": "FORECAST", "fileType": "CSV"}, None),
        ({"module": "FORECAST", "fileType": "JSON"}, False),
        ({"module": "AUDIT_EVENTS", "fileType": "CSV"}, False),
        ({"type": "forecast"}, None),
        ({}, None),
    ],
    ids=["same", "another-type-of-file", "another-module", "by-the-schema", "untold"],
)
def test_a_listed_job_is_told_apart_by_module_and_type_of_file(
    listed: Body, *, matches: bool | None
) -> None:
    """Another one is not the export's; the same ones do not prove that it is."""
    job = polled(clari, {**CLARI.done, "module": None, "fileType": None, **listed}, clari.ref("J1"))

    assert clari.matches_export(job, clari.forecast("deal_owner", format="CSV")) is matches


@pytest.mark.parametrize(
    ("value", "inner"),
    [
        pytest.param({"job": {"a": 1}}, {"a": 1}, id="wrapped"),
        pytest.param({"a": 1}, {"a": 1}, id="flat"),
        pytest.param({"job": None, "a": 1}, {"job": None, "a": 1}, id="null"),
        pytest.param({"job": []}, [], id="empty-list"),
        pytest.param(["job"], ["job"], id="list"),
        pytest.param("job", "job", id="text"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_a_wrapper_is_taken_off_where_there_is_one(value: object, inner: object) -> None:
    """Anything else is the body itself."""
    assert unwrapped(value, "job") == inner

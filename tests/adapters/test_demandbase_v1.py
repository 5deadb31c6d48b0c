"""The older description of Demandbase's exports: its kinds, parts, quota and cancel."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exportjobs.adapter import (
    InvalidArgument,
    JobNotFound,
    MalformedResponse,
    QuotaExceeded,
    RateLimited,
    Rejected,
    Response,
)
from exportjobs_demandbase import DemandbaseV1

from .cases import DEMANDBASE_V1, KEY
from .support import Body, Wire, answer, asked, body_of, polled, refused, submitted

v1 = DemandbaseV1(token=KEY)
KINDS = ("accounts", "people", "opportunities", "activities", "campaigns", "buying_groups")
BEARER = {"authorization": f"Bearer {KEY}"}
every_kind = pytest.mark.parametrize("kind", KINDS)


def test_a_token_is_needed() -> None:
    """There is no other way to sign in."""
    make: Any = DemandbaseV1

    with pytest.raises(TypeError, match="token"):
        make()


@every_kind
def test_an_entity_is_asked_for(kind: str) -> None:
    """Without arguments, for all of its fields."""
    request = asked(v1, kind, {})

    assert (request.method, request.path) == ("POST", "/export/v1/jobs")
    assert body_of(request) == {"entity_type": kind, "format": "csv"}
    assert (dict(request.params), dict(request.headers)) == ({}, BEARER)


@every_kind
def test_fields_and_filters_go_along(kind: str) -> None:
    """Filters are one object here."""
    filters = {
        "date_range": {"field": "created", "start": "2026-01-01", "end": "2026-03-31"},
        "account_list_id": "42",
    }

    request = asked(v1, kind, {"fields": ["name", "industry"], "filters": filters})

    assert body_of(request) == {
        "entity_type": kind,
        "fields": ["name", "industry"],
        "filters": filters,
        "format": "csv",
    }


@every_kind
@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"fields": "name"}, "expected a list"),
        ({"filters": [{"field": "name"}]}, "expected an object"),
    ],
)
def test_an_argument_of_the_wrong_type_is_refused_at_once(
    kind: str, given: Body, complaint: str
) -> None:
    """The error names the argument and says what it takes instead."""
    error = refused(v1, kind, given)

    assert [error.field] == list(given)
    assert complaint in error.reason


def test_a_completed_job_is_read() -> None:
    """It knows its records, its size, its end and how long its files stay."""
    job = polled(v1, DEMANDBASE_V1.done)

    assert (job.status, job.raw_status) == ("done", "completed")
    assert (job.record_count, job.size, job.error) == (1200, 48213, None)
    assert job.created_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert job.finished_at == datetime(2026, 3, 1, 10, 5, tzinfo=UTC)
    assert job.expires_at == datetime(2026, 3, 2, 10, 5, tzinfo=UTC)
    assert job.raw == DEMANDBASE_V1.done


def test_a_failed_job_says_why_and_has_no_files() -> None:
    """Whatever the number of its parts."""
    job = polled(v1, {**DEMANDBASE_V1.done, "status": "failed", "error_message": "too large"})

    assert (job.status, job.error, job.artifacts) == ("failed", "too large", ())


def test_a_job_with_nothing_but_id_and_status_is_read() -> None:
    """The schema requires nothing at all."""
    job = polled(v1, {"id": "exp_1", "status": "processing"})

    assert (job.ref.id, job.status) == ("exp_1", "running")
    assert (job.record_count, job.size, job.artifacts) == (None, None, ())


@pytest.mark.parametrize("parts", [None, 0, 1], ids=str)
def test_one_file_is_fetched_through_the_download_endpoint(parts: int | None) -> None:
    """A job that does not tell its parts has one, of the job's own size."""
    (file,) = polled(v1, {**DEMANDBASE_V1.done, "file_parts": parts}).artifacts

    assert file.url == "/export/v1/jobs/exp_1/download?part=1"
    assert file.authenticated
    assert (file.part, file.size, file.media_type) == (1, 48213, "text/csv")
    assert file.expires_at == datetime(2026, 3, 2, 10, 5, tzinfo=UTC)


def test_several_parts_are_each_fetched_through_the_download_endpoint() -> None:
    """The one download_url opens the first part only, and no part's size is known."""
    job = polled(v1, {**DEMANDBASE_V1.done, "file_parts": 3})

    assert [file.url for file in job.artifacts] == [
        "/export/v1/jobs/exp_1/download?part=1",
        "/export/v1/jobs/exp_1/download?part=2",
        "/export/v1/jobs/exp_1/download?part=3",
    ]
    assert [file.part for file in job.artifacts] == [1, 2, 3]
    assert {(file.authenticated, file.size) for file in job.artifacts} == {(True, None)}
    assert job.size == 48213


def test_a_hostile_job_id_leads_its_parts_nowhere_else() -> None:
    """The vendor's id is quoted in the address of each part."""
    (file,) = polled(v1, {**DEMANDBASE_V1.done, "id": "../x?part=9#"}).artifacts

    assert file.url == "/export/v1/jobs/..%2Fx%3Fpart%3D9%23/download?part=1"


@pytest.mark.parametrize("parts", [100_000, "1e5"], ids=str)
def test_parts_beyond_reason_are_malformed(parts: object) -> None:
    """One wrong number in an answer must not fill the memory with artifacts."""
    with pytest.raises(MalformedResponse, match=r"file_parts|fileParts"):
        polled(v1, {**DEMANDBASE_V1.done, "file_parts": parts})


def test_a_negative_number_of_parts_is_malformed() -> None:
    """A job that is done would otherwise have no file, and nobody would notice."""
    with pytest.raises(MalformedResponse, match=r"file_parts|fileParts"):
        polled(v1, {**DEMANDBASE_V1.done, "file_parts": -2})


def test_a_job_is_cancelled() -> None:
    """The answer is the job."""
    wire = Wire(v1, answer({**DEMANDBASE_V1.done, "status": "cancelled"}))

    job = wire.hear(v1.cancel(v1.ref("exp/1")))

    (request,) = wire.requests
    assert (request.method, request.path) == ("DELETE", "/export/v1/jobs/exp%2F1")
    assert (body_of(request), dict(request.headers)) == (None, BEARER)
    assert request.idempotent
    assert (job.status, job.artifacts) == ("cancelled", ())


def test_cancelling_a_job_that_has_ended_returns_its_final_state() -> None:
    """A conflict means that it was too late, and the job is asked for."""
    too_late = answer({"message": "Job cannot be cancelled"}, 409)
    wire = Wire(v1, too_late, answer(DEMANDBASE_V1.done))

    job = wire.hear(v1.cancel(v1.ref("exp_1")))

    assert [request.method for request in wire.requests] == ["DELETE", "GET"]
    assert wire.requests[1].path == "/export/v1/jobs/exp_1"
    assert job == polled(v1, DEMANDBASE_V1.done)


@pytest.mark.parametrize(("status", "error"), [(400, Rejected), (404, JobNotFound)])
def test_a_cancel_refused_for_another_reason_is_refused(
    status: int, error: type[Exception]
) -> None:
    """Only a conflict says that the job has ended."""
    wire = Wire(v1, answer({"message": "no"}, status))

    with pytest.raises(error):
        wire.hear(v1.cancel(v1.ref("exp_1")))


def test_a_submit_refused_as_one_too_many_is_the_days_quota() -> None:
    """The description knows no other 429 for it."""
    wire = Wire(v1, answer({"message": "Daily export quota exceeded"}, 429))

    with pytest.raises(QuotaExceeded, match="10 GB") as caught:
        wire.hear(v1.accounts().submit())

    assert caught.value.http_status == 429
    assert "Daily export quota exceeded" in caught.value.reason


def test_a_submit_told_when_to_come_back_is_only_too_early() -> None:
    """A quota has no Retry-After."""
    wire = Wire(v1, answer({"message": "slow down"}, 429, retry_after="30"))

    with pytest.raises(RateLimited) as caught:
        wire.hear(v1.accounts().submit())

    assert caught.value.retry_after == timedelta(seconds=30)


def test_a_poll_refused_as_one_too_many_is_only_too_early() -> None:
    """The quota is on exports, not on questions."""
    wire = Wire(v1, answer({}, 429))

    with pytest.raises(RateLimited):
        wire.hear(v1.poll(v1.ref("exp_1")))


def test_an_accepted_job_is_queued() -> None:
    """The answer is the job, and any 2xx will do."""
    job = submitted(v1.people(), {**DEMANDBASE_V1.accepted, "entity_type": "people"}, 202)

    assert (job.ref.id, job.ref.vendor) == ("exp_1", "demandbase-v1")
    assert (job.status, job.artifacts) == ("queued", ())


def jobs(first: int, last: int) -> list[Body]:
    """Return the jobs of a page."""
    return [{"id": f"J{number}", "status": "processing"} for number in range(first, last + 1)]


def page(found: list[Body], total: int) -> Response:
    """Return an answer with a page of jobs."""
    return answer({"jobs": found, "total": total})


def listed(wanted: set[str], *answers: Response) -> tuple[list[str], list[Body]]:
    """Return the ids that a list gives, and the query of each of its requests."""
    wire = Wire(v1, *answers)
    found = wire.hear(v1.list_jobs(frozenset(wanted)))
    assert {(request.method, request.path) for request in wire.requests} == {
        ("GET", "/export/v1/jobs")
    }
    assert not any(job.brief for job in found)
    return [job.ref.id for job in found], [dict(request.params) for request in wire.requests]


@pytest.mark.parametrize(
    ("listed", "matches"),
    [({"entity_type": "people"}, None), ({"entity_type": "accounts"}, False), ({}, None)],
    ids=["same", "another", "untold"],
)
def test_a_listed_job_is_told_apart_by_its_entities(listed: Body, *, matches: bool | None) -> None:
    """Others are not the export's; the same ones do not prove that it is."""
    body = {name: value for name, value in DEMANDBASE_V1.done.items() if name != "entity_type"}
    job = polled(v1, {**body, **listed})

    assert v1.matches_export(job, v1.people()) is matches


def test_a_list_is_read_to_its_total() -> None:
    """Page by page, as nobody said which jobs are wanted."""
    ids, queries = listed(set(), page(jobs(1, 100), 130), page(jobs(101, 130), 130))

    assert ids == [f"J{number}" for number in range(1, 131)]
    assert queries == [{"limit": 100, "offset": 0}, {"limit": 100, "offset": 100}]


def test_a_list_is_read_no_further_than_all_that_is_wanted() -> None:
    """The rest is nobody's business."""
    ids, queries = listed({"J3", "J7"}, page(jobs(1, 100), 1000))

    assert (len(ids), len(queries)) == (100, 1)


@pytest.mark.parametrize("last", [page(jobs(1, 100), 100), page([], 1000)], ids=["total", "empty"])
def test_a_list_ends_even_if_a_job_is_missing(last: Response) -> None:
    """A job that is wanted and not there does not keep it going."""
    _, queries = listed({"gone"}, last)

    assert len(queries) == 1


def test_a_list_with_smaller_pages_than_asked_for_skips_no_job() -> None:
    """The next page begins where the last one ended, not where it was to end."""
    ids, queries = listed(set(), page(jobs(1, 25), 40), page(jobs(26, 40), 40))

    assert ids == [f"J{number}" for number in range(1, 41)]
    assert [query["offset"] for query in queries] == [0, 25]


def test_an_argument_that_no_header_may_hold_is_refused_unseen() -> None:
    """The token's own text stays out of the error."""
    with pytest.raises(InvalidArgument) as caught:
        DemandbaseV1(token=f"{KEY}\n")

    assert KEY not in str(caught.value)

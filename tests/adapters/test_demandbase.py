"""Demandbase's jobs: signing in, what is read of them, their files and their pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.errors import assert_error

from exportjobs.adapter import (
    AuthenticationFailed,
    ConcurrencyLimitReached,
    ExportJob,
    Flow,
    InvalidArgument,
    JobNotFound,
    JobRef,
    MalformedResponse,
    QuotaExceeded,
    RateLimited,
    Response,
    ResponseError,
    Token,
)
from exportjobs_demandbase import Demandbase

from .cases import DEMANDBASE, KEY, OTHER_KEY
from .support import Body, Wire, answer, body_of, polled, submitted

demandbase = Demandbase(client_id=OTHER_KEY, client_secret=KEY)
ONE, OTHER = "https://cdn.example/1.csv?Policy=a", "https://cdn.example/2.csv?Policy=b"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"client_id": OTHER_KEY},
        {"client_secret": KEY},
        {"client_id": OTHER_KEY, "token": KEY},
        {"client_id": OTHER_KEY, "client_secret": KEY, "token": KEY},
    ],
    ids=["nothing", "id", "secret", "id-and-token", "all"],
)
def test_there_is_one_way_to_sign_in(given: dict[str, Any]) -> None:
    """A client's id and secret, or a token: not both, not half, not none."""
    with pytest.raises(InvalidArgument) as caught:
        Demandbase(**given)

    missing = "client_secret" if list(given) == ["client_id"] else "client_id"
    assert_error(
        caught.value,
        InvalidArgument,
        reason=f"{missing}: got {' and '.join(given) or 'nothing'} to sign in with",
        remedy="pass client_id and client_secret, or token",
        vendor="demandbase",
    )
    assert KEY not in str(caught.value)


def sign_in(body: object) -> Token:
    """Return the token that is read in the answer to signing in."""
    return Wire(demandbase, answer(body)).hear(demandbase.sign_in())


def test_signing_in_trades_id_and_secret_for_a_token() -> None:
    """It is JSON to the vendor's own host, and may be repeated: it creates no job."""
    wire = Wire(
        demandbase, answer({"accessToken": "t-1", "tokenType": "bearer", "expiresIn": 28800})
    )

    token = wire.hear(demandbase.sign_in())

    (request,) = wire.requests
    assert (request.method, request.path) == ("POST", "/auth/v1/token")
    assert body_of(request) == {
        "grantType": "client_credentials",
        "clientId": OTHER_KEY,
        "clientSecret": KEY,
    }
    assert (dict(request.params), request.form, dict(request.headers)) == ({}, None, {})
    assert request.idempotent
    assert token == Token("t-1", timedelta(hours=8))
    assert "t-1" not in repr(token)
    assert KEY not in repr(request.headers)


def test_a_token_that_does_not_say_lasts_an_hour() -> None:
    """The vendor's own SDK reckons so."""
    assert sign_in({"accessToken": "t-1"}) == Token("t-1", timedelta(hours=1))


def test_a_lifetime_may_be_a_numeral() -> None:
    """Numbers come as text from time to time."""
    assert sign_in({"access_token": "t-1", "expires_in": "60"}).lifetime == timedelta(minutes=1)


def test_an_answer_without_a_token_is_malformed() -> None:
    """Nobody signs in with nothing."""
    with pytest.raises(MalformedResponse, match="required field missing"):
        sign_in({"expiresIn": 28800})


def test_a_given_token_signs_in_without_a_request() -> None:
    """There is nothing to trade, and no end that is known."""
    given = Demandbase(token=KEY)
    wire = Wire(given)

    token = wire.hear(given.sign_in())

    assert token == Token(KEY, None)
    assert wire.requests == []
    assert KEY not in repr(given)


def test_requests_are_left_to_the_token() -> None:
    """The client's secret goes to the token's endpoint and nowhere else."""
    wire = Wire(demandbase, answer(DEMANDBASE.accepted))

    wire.hear(demandbase.accounts().submit())

    assert dict(wire.requests[0].headers) == {}
    assert KEY not in str(body_of(wire.requests[0]))


def test_an_accepted_job_is_queued() -> None:
    """The answer has no files, and no end."""
    job = submitted(demandbase.accounts(), DEMANDBASE.accepted, 202)

    assert job.ref == JobRef("demandbase", "default", "f546c341-0d1e-4a6a-9d43-6f4f2ad8a7b3")
    assert (job.status, job.raw_status) == ("queued", "accepted")
    assert job.created_at == datetime(2026, 8, 13, 4, 46, 21, 684000, UTC)
    assert (job.finished_at, job.artifacts, job.error) == (None, (), None)
    assert job.raw == DEMANDBASE.accepted


@pytest.mark.parametrize("word", ["finished", "Finished", "FINISHED"])
def test_a_finished_job_ended_when_it_was_last_changed(word: str) -> None:
    """There is no other time of its end, and the word may be capitalised."""
    job = polled(demandbase, {**DEMANDBASE.done, "jobStatus": word})

    assert (job.status, job.raw_status) == ("done", word)
    assert job.finished_at == datetime(2026, 8, 13, 4, 58, 3, 112000, UTC)
    assert (job.record_count, job.size, job.progress) == (None, None, None)


def test_a_running_job_has_not_ended() -> None:
    """Its last change is not its end, and its address is empty."""
    job = polled(
        demandbase,
        {**DEMANDBASE.done, "jobStatus": "processing", "resultsUrl": "", "resultsUrls": None},
    )

    assert (job.status, job.finished_at, job.artifacts) == ("running", None, ())


@pytest.mark.parametrize(
    ("given", "urls"),
    [
        ({"resultsUrl": ONE}, [ONE]),
        ({"resultsUrls": [OTHER, ONE]}, [OTHER, ONE]),
        ({"resultsUrl": ONE, "resultsUrls": [ONE, OTHER]}, [ONE, OTHER]),
        ({"resultsUrl": OTHER, "resultsUrls": [ONE, OTHER, ONE]}, [OTHER, ONE]),
        ({"resultsUrl": "", "resultsUrls": [ONE, ""]}, [ONE]),
        ({"resultsUrl": None, "resultsUrls": []}, []),
        ({"resultsUrl": "", "resultsUrls": None}, []),
        ({"resultsUrl": ""}, []),
        ({}, []),
    ],
)
def test_files_are_named_once_and_in_order(given: Body, urls: list[str]) -> None:
    """One address, several or both: each file is one numbered artifact."""
    body = {"jobId": "J1", "jobStatus": "finished", **given}

    artifacts = polled(demandbase, body).artifacts

    assert [artifact.url for artifact in artifacts] == urls
    assert [artifact.part for artifact in artifacts] == list(range(1, len(urls) + 1))
    assert {artifact.media_type for artifact in artifacts} <= {"text/csv"}


def test_files_lie_with_another_host_and_are_fetched_without_the_token() -> None:
    """Their addresses are signed, and shown to nobody."""
    job = polled(demandbase, DEMANDBASE.done)

    assert not any(artifact.authenticated for artifact in job.artifacts)
    assert "Signature" not in repr(job)
    assert job.expires_at == datetime.fromtimestamp(1786683483, UTC)


def test_a_failed_job_says_why() -> None:
    """The message is the error of a job that failed."""
    why = "Error processing job. Please try again later."
    body = {**DEMANDBASE.done, "jobStatus": "failed", "resultsUrl": "", "resultsUrls": []}

    job = polled(demandbase, {**body, "message": why})

    assert (job.status, job.error, job.artifacts) == ("failed", why, ())
    assert job.finished_at == datetime(2026, 8, 13, 4, 58, 3, 112000, UTC)


def test_a_message_on_a_job_that_did_not_fail_is_no_error() -> None:
    """It is kept with the rest of the vendor's words."""
    job = polled(demandbase, {**DEMANDBASE.done, "message": "Enjoy."})

    assert (job.status, job.error) == ("done", None)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, "429-101", QuotaExceeded),
        (429, "429-102", ConcurrencyLimitReached),
        (429, "429-100", RateLimited),
        (401, "401-100", AuthenticationFailed),
        (404, "404-302", JobNotFound),
    ],
)
def test_refusals_go_by_the_vendors_own_code(
    status: int, code: str, error: type[ResponseError]
) -> None:
    """One HTTP status stands for a quota, for a full account and for haste."""
    complaint = {"errorCode": code, "errorMessage": "no", "diagnosticCode": "4e0fc177"}

    for flow in (demandbase.accounts().submit(), demandbase.poll(demandbase.ref("J1"))):
        with pytest.raises(error) as caught:
            Wire(demandbase, answer(complaint, status)).hear(flow)

        assert type(caught.value) is error
        assert (caught.value.http_status, caught.value.code) == (status, code)


def test_one_job_runs_at_a_time() -> None:
    """The vendor publishes it, so nobody has to run into it."""
    assert demandbase.slots == 1


def jobs(first: int, last: int) -> list[Body]:
    """Return the jobs of a page, without addresses as the vendor's list has them."""
    return [{"jobId": f"J{number}", "jobStatus": "finished"} for number in range(first, last + 1)]


def page(data: list[Body], total: int, number: int = 1) -> Response:
    """Return an answer with a page of jobs."""
    return answer({"pageNo": number, "pageSize": len(data), "totalCount": total, "data": data})


def listed(wanted: set[str], *answers: Response) -> tuple[list[str], list[Body]]:
    """Return the ids that a list gives, and the query of each of its requests."""
    wire = Wire(demandbase, *answers)
    found: tuple[ExportJob, ...] = wire.hear(demandbase.list_jobs(frozenset(wanted)))
    assert {(request.method, request.path) for request in wire.requests} == {
        ("GET", "/data/export/v1/jobs")
    }
    return [job.ref.id for job in found], [dict(request.params) for request in wire.requests]


def test_a_list_is_read_to_its_total_count() -> None:
    """Page by page, as nobody said which jobs are wanted."""
    ids, queries = listed(set(), page(jobs(1, 100), 130), page(jobs(101, 130), 130, 2))

    assert ids == [f"J{number}" for number in range(1, 131)]
    assert queries == [{"page": 1, "perPage": 100}, {"page": 2, "perPage": 100}]


def test_a_list_is_read_no_further_than_all_that_is_wanted() -> None:
    """Each page costs one of the day's requests."""
    ids, queries = listed({"J3", "J7"}, page(jobs(1, 100), 1000))

    assert len(ids) == 100
    assert queries == [{"page": 1, "perPage": 100}]


def test_a_list_is_read_on_while_one_is_missing() -> None:
    """What was seen on an earlier page counts."""
    ids, queries = listed({"J3", "J150"}, page(jobs(1, 100), 1000), page(jobs(101, 200), 1000, 2))

    assert len(ids) == 200
    assert len(queries) == 2


def test_a_list_ends_at_its_total_count_even_if_a_job_is_missing() -> None:
    """A job that is wanted and not there does not keep it going."""
    _, queries = listed({"J3", "gone"}, page(jobs(1, 100), 100))

    assert len(queries) == 1


def test_a_list_ends_at_an_empty_page() -> None:
    """Whatever the total count says."""
    _, queries = listed({"gone"}, page(jobs(1, 100), 1000), page([], 1000, 2))

    assert len(queries) == 2


def test_a_list_with_smaller_pages_than_asked_for_is_read_to_its_total_count() -> None:
    """How many jobs a page may hold is unpublished, and the vendor may hold it to fewer."""
    ids, queries = listed(set(), page(jobs(1, 50), 80), page(jobs(51, 80), 80, 2))

    assert len(ids) == 80
    assert len(queries) == 2


def ends_within(answers: int, flow: Flow[object], reply: Response) -> bool:
    """Return whether a flow that always gets the same answer is content with so many."""
    try:
        next(flow)
        for _ in range(answers):
            flow.send(reply)
    except StopIteration:
        return True
    else:
        return False


def test_a_vendor_that_repeats_its_first_page_is_not_asked_for_ever() -> None:
    """The number of questions is bounded by the total count."""
    flow = demandbase.list_jobs(frozenset({"gone"}))

    assert ends_within(3, flow, page(jobs(1, 100), 300))


def test_a_job_on_two_pages_is_one_job() -> None:
    """New jobs push the others on while the list is read."""
    moved = [{"jobId": "J100", "jobStatus": "processing"}, *jobs(101, 110)]

    ids, _ = listed(set(), page(jobs(1, 100), 110), page(moved, 110, 2))

    assert ids == [f"J{number}" for number in range(1, 111)]


def test_a_listed_job_is_brief() -> None:
    """The list leaves the addresses out: a job that is done is asked for once more."""
    wire = Wire(demandbase, page(jobs(1, 1), 1))

    (job,) = wire.hear(demandbase.list_jobs())

    assert job.brief
    assert (job.status, job.artifacts) == ("done", ())

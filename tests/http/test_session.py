"""One account's conversation: which exchange is repeated, which is not, and what is told."""

import httpx
import pytest
from tests.support.acme import KEY, Acme, status
from tests.support.errors import assert_error, raises_error
from tests.support.hosts import TRANSIENT, TRANSIENT_IDS, Open, Reply, asking, in_turn

from exportjobs import (
    AuthenticationFailed,
    ConcurrencyLimitReached,
    ExportJobsError,
    JobRef,
    NetworkError,
    PermissionDenied,
    RateLimited,
    Rejected,
    SubmitOutcomeUnknown,
    Unreachable,
    VendorUnavailable,
)
from exportjobs._http.session import Session
from exportjobs._http.transport import Transport
from exportjobs.adapter import Request, Response, evolve
from exportjobs.testing import ManualClock

OK = httpx.Response(200, json={"ok": True})
GET = Request.get("/reports/q3")
POST = Request.post("/reports", json={"name": "q3"})
REF = JobRef("acme", "default", "q3", kind="report")


async def test_an_answer_comes_back_with_what_the_flow_makes_of_it(
    open_session: Open, seen: list[httpx.Request]
) -> None:
    """A flow's request goes out signed, and its return value comes back."""
    answer = await open_session(OK).converse(asking(GET), Response)

    assert answer.value.json() == {"ok": True}
    assert answer.server_wait is None
    assert seen[0].headers["x-acme-key"] == KEY
    assert str(seen[0].url) == "https://api.acme.test/v1/reports/q3"


async def test_a_server_that_asks_for_time_is_told_of(open_session: Open) -> None:
    """What the last answer asked for is handed over beside the value."""
    reply = httpx.Response(200, json={}, headers={"Retry-After": "7"})

    answer = await open_session(reply).converse(asking(GET), Response)

    assert answer.server_wait is not None
    assert answer.server_wait.total_seconds() == 7


@pytest.mark.parametrize("failure", TRANSIENT, ids=TRANSIENT_IDS)
async def test_a_question_is_repeated(
    open_session: Open, seen: list[httpx.Request], failure: Reply
) -> None:
    """A GET that fails for a moment is asked again, and nobody hears of it."""
    answer = await open_session(failure, failure, OK).converse(asking(GET), Response)

    assert answer.value.ok
    assert len(seen) == 3


@pytest.mark.parametrize("failure", TRANSIENT, ids=TRANSIENT_IDS)
async def test_a_question_is_not_repeated_for_ever(
    open_session: Open, seen: list[httpx.Request], failure: Reply
) -> None:
    """A GET that fails again and again ends with the failure, after a few attempts."""
    with pytest.raises((NetworkError, VendorUnavailable)) as caught:
        await open_session(failure).converse(asking(GET), Response, REF)

    assert not isinstance(caught.value, SubmitOutcomeUnknown)
    assert (caught.value.vendor, caught.value.ref) == ("acme", REF)
    assert len(seen) == 4


async def test_an_error_names_the_account_that_it_concerns(
    clock: ManualClock, seen: list[httpx.Request]
) -> None:
    """Of two accounts at one vendor the user learns which it was."""
    ref = evolve(REF, account="north")
    session = Session(Acme(name="north"), Transport(in_turn(status(403), seen=seen)), clock)

    with raises_error(
        PermissionDenied,
        reason="HTTP 403 (no)",
        remedy=PermissionDenied.default_remedy,
        vendor="acme",
        account="north",
        ref=ref,
    ):
        await session.converse(asking(GET), Response, ref)


@pytest.mark.parametrize("failure", TRANSIENT[2:], ids=TRANSIENT_IDS[2:])
async def test_a_submit_that_may_have_arrived_is_not_repeated(
    open_session: Open, seen: list[httpx.Request], failure: Reply
) -> None:
    """A POST without a clear answer is sent once; its outcome is unknown, and that is said."""
    with pytest.raises(SubmitOutcomeUnknown) as caught:
        await open_session(failure, OK).converse(asking(POST), Response)

    assert_error(
        caught.value,
        SubmitOutcomeUnknown,
        reason=f"no clear answer to a submit: {getattr(caught.value.__cause__, 'reason', None)}",
        remedy="look for the job at the vendor before you submit it again",
        vendor="acme",
        account="default",
    )
    assert len(seen) == 1


@pytest.mark.parametrize("failure", TRANSIENT[:2], ids=TRANSIENT_IDS[:2])
async def test_a_submit_that_was_never_sent_is_repeated(
    open_session: Open, seen: list[httpx.Request], failure: Reply
) -> None:
    """A POST whose connection was not made can be sent again without a second job."""
    answer = await open_session(failure, failure, OK).converse(asking(POST), Response)

    assert answer.value.ok
    assert len(seen) == 3


async def test_a_submit_that_can_never_be_sent_is_unreachable(
    open_session: Open, seen: list[httpx.Request]
) -> None:
    """A POST that found no connection each time did certainly not create a job."""
    with pytest.raises(Unreachable):
        await open_session(httpx.ConnectError("refused")).converse(asking(POST), Response)

    assert len(seen) == 4


async def test_a_submit_that_breaks_after_a_refused_connection_is_still_unknown(
    open_session: Open, seen: list[httpx.Request]
) -> None:
    """Only the attempts before anything was sent are repeated."""
    failures = (httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), OK)

    with pytest.raises(SubmitOutcomeUnknown):
        await open_session(*failures).converse(asking(POST), Response)

    assert len(seen) == 2


@pytest.mark.parametrize("request_", [GET, POST], ids=["get", "post"])
async def test_a_server_that_says_when_to_come_back_is_left_alone(
    open_session: Open, seen: list[httpx.Request], request_: Request
) -> None:
    """A 503 with Retry-After is not repeated at once, and leaves no doubt about a submit."""
    with pytest.raises(VendorUnavailable) as caught:
        await open_session(status(503, Retry_After="30"), OK).converse(asking(request_), Response)

    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == 30
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("code", "error"),
    [(400, Rejected), (403, PermissionDenied), (422, Rejected), (429, RateLimited)],
)
@pytest.mark.parametrize("request_", [GET, POST], ids=["get", "post"])
async def test_an_answer_that_says_no_is_not_repeated(
    open_session: Open,
    seen: list[httpx.Request],
    request_: Request,
    code: int,
    error: type[ExportJobsError],
) -> None:
    """A 4xx is an answer: asking again at once changes nothing."""
    with pytest.raises(error) as caught:
        await open_session(status(code), OK).converse(asking(request_), Response)

    assert type(caught.value) is error
    assert len(seen) == 1


async def test_the_vendors_own_code_decides(open_session: Open) -> None:
    """A code that the adapter knows says more than the HTTP status."""
    busy = httpx.Response(400, json={"code": "BUSY", "message": "too many"})

    with pytest.raises(ConcurrencyLimitReached) as caught:
        await open_session(busy).converse(asking(POST), Response)

    assert caught.value.code == "BUSY"
    assert caught.value.http_status == 400


async def test_a_static_key_that_is_refused_is_not_tried_again(
    open_session: Open, seen: list[httpx.Request]
) -> None:
    """A 401 with a key that cannot be renewed is final after one request."""
    with pytest.raises(AuthenticationFailed) as caught:
        await open_session(status(401), OK).converse(asking(GET), Response, REF)

    assert (caught.value.vendor, caught.value.ref) == ("acme", REF)
    assert len(seen) == 1


async def test_a_post_that_may_be_repeated_is(
    open_session: Open, seen: list[httpx.Request]
) -> None:
    """A POST that only reads, and says so, is treated like a GET."""
    answer = await open_session(httpx.ReadTimeout("slow"), OK).converse(
        asking(POST.repeatable()), Response
    )

    assert answer.value.ok
    assert len(seen) == 2

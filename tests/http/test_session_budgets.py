"""What a session counts before it sends: the vendor's published budgets, and what headers tell."""

import math
from contextlib import suppress
from datetime import timedelta

import anyio
import httpx
import pytest
from tests.support.acme import Acme, SignedIn, status, variant
from tests.support.hosts import TRANSIENT, TRANSIENT_IDS, Reply, asking, in_turn

from exportjobs import (
    AuthenticationFailed,
    BudgetExhausted,
    ExportJobsError,
    JobRef,
    RateLimited,
    SubmitOutcomeUnknown,
    UntrustedAddress,
    VendorUnavailable,
)
from exportjobs._http.session import Session
from exportjobs._http.transport import Transport
from exportjobs.adapter import Budget, Flow, Operation, Request, Response
from exportjobs.testing import ManualClock

OK = httpx.Response(200, json={"ok": True})
GET = Request.get("/reports/q3")
POST = Request.post("/reports", json={"name": "q3"})
REF = JobRef("acme", "default", "q3", kind="report")
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
POLL, LIST, SUBMIT, OTHER = Operation.POLL, Operation.LIST, Operation.SUBMIT, Operation.OTHER
RENEWED = 61.0
"""Seconds after which a budget by the minute is whole again."""


Five = variant(Acme, budgets=(Budget(requests=5, per=MINUTE),))
Apart = variant(
    Acme,
    budgets=(
        Budget(requests=2, per=MINUTE, operation=POLL),
        Budget(requests=2, per=MINUTE, operation=LIST),
        Budget(requests=1, per=DAY, operation=SUBMIT, calendar=True),
    ),
)
CountedOffice = variant(SignedIn, budgets=(Budget(requests=4, per=MINUTE),))
ApartOffice = variant(SignedIn, budgets=(Budget(requests=2, per=MINUTE, operation=POLL),))


@pytest.fixture
def five(clock: ManualClock, seen: list[httpx.Request]) -> Session:
    """Return a session that may send five requests a minute, all answered well."""
    return Session(Five(), Transport(in_turn(OK, seen=seen)), clock)


@pytest.fixture
def apart(clock: ManualClock, seen: list[httpx.Request]) -> Session:
    """Return a session whose operations are counted apart, all answered well."""
    return Session(Apart(), Transport(in_turn(OK, seen=seen)), clock)


async def ask(session: Session, request: Request = GET, operation: Operation = POLL) -> Response:
    """Ask something."""
    return (await session.converse(asking(request), Response, REF, operation=operation)).value


async def spent(session: Session, request: Request = GET, of: Operation = POLL) -> BudgetExhausted:
    """Return the error with which a request is refused before it is sent."""
    with pytest.raises(BudgetExhausted) as caught:
        await ask(session, request, of)
    return caught.value


def telling(code: int = 200, **headers: str) -> httpx.Response:
    """Return an answer with headers, their names written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(code, json={}, headers=named)


async def test_a_request_too_many_is_not_sent(five: Session, seen: list[httpx.Request]) -> None:
    """As many as the vendor allows, and the next is refused by ourselves."""
    for _ in range(5):
        await ask(five)

    error = await spent(five)

    assert len(seen) == 5
    assert (error.vendor, error.ref, error.http_status) == ("acme", REF, None)
    assert error.retry_after is not None
    assert MINUTE <= error.retry_after <= MINUTE * 1.02
    assert "5 requests a minute" in str(error)
    assert "used up until 2026-01-01 00:01:01 UTC" in str(error)


async def test_a_budget_that_is_spent_can_be_waited_for(
    five: Session, seen: list[httpx.Request], clock: ManualClock
) -> None:
    """As long as the error says, and not a moment less."""
    for _ in range(5):
        await ask(five)
    wait = (await spent(five)).retry_after
    assert wait is not None

    clock.advance(wait.total_seconds() - 0.01)
    await spent(five)
    clock.advance(0.01)
    await ask(five)

    assert len(seen) == 6


async def test_a_refused_request_costs_nothing(
    five: Session, seen: list[httpx.Request], clock: ManualClock
) -> None:
    """What was not sent is not counted, however often it was tried."""
    for _ in range(5):
        await ask(five)
    for _ in range(50):
        await spent(five)

    clock.advance(RENEWED)
    for _ in range(5):
        await ask(five)

    assert len(seen) == 10


async def test_many_at_once_are_no_more_than_the_budget(
    five: Session, seen: list[httpx.Request]
) -> None:
    """Each is counted before it is sent, not when it is answered."""
    refused: list[ExportJobsError] = []

    async def one() -> None:
        try:
            await ask(five)
        except BudgetExhausted as error:
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(one)

    assert (len(seen), len(refused)) == (5, 15)


async def test_operations_are_counted_apart(apart: Session, seen: list[httpx.Request]) -> None:
    """Polls that are used up leave the lists, and what is not counted is free."""
    for operation in (POLL, POLL, LIST, LIST):
        await ask(apart, operation=operation)
    poll, list_ = await spent(apart, of=POLL), await spent(apart, of=LIST)
    for _ in range(10):
        await ask(apart, operation=OTHER)

    assert "2 poll requests a minute" in poll.reason
    assert "2 list requests a minute" in list_.reason
    assert len(seen) == 14


async def test_a_conversation_is_about_something_else_unless_it_says(apart: Session) -> None:
    """Cancelling, signing in and asking for limits use up no polls."""
    for _ in range(10):
        await apart.converse(asking(GET), Response)

    assert apart.budgets.remaining(POLL, 1.8e9) == 2


async def test_a_submit_by_the_day_is_refused_until_midnight(
    apart: Session, seen: list[httpx.Request], clock: ManualClock
) -> None:
    """It is told when it goes on; nothing was sent, so nothing is in doubt."""
    clock.advance(3600 * 20)
    await ask(apart, POST, SUBMIT)

    error = await spent(apart, POST, SUBMIT)

    assert not isinstance(error, SubmitOutcomeUnknown)
    assert error.retry_after == timedelta(hours=4)
    assert "1 submit requests a day" in error.reason
    assert "2026-01-02 00:00:00 UTC" in error.reason
    clock.advance(4 * 3600)
    await ask(apart, POST, SUBMIT)
    assert len(seen) == 2


@pytest.mark.parametrize("failure", TRANSIENT, ids=TRANSIENT_IDS)
async def test_every_attempt_is_counted(
    clock: ManualClock, seen: list[httpx.Request], failure: Reply
) -> None:
    """A question that is repeated costs as many requests as were sent."""
    session = Session(Five(), Transport(in_turn(failure, failure, OK, seen=seen)), clock)

    await ask(session)

    assert len(seen) == 3
    assert session.budgets.remaining(POLL, clock.now().timestamp()) == 2


async def test_a_repair_stops_where_the_budget_ends(
    clock: ManualClock, seen: list[httpx.Request]
) -> None:
    """The last attempts are not sent, and what is told is that there is no more."""
    session = Session(Five(), Transport(in_turn(OK, OK, OK, status(502), seen=seen)), clock)
    for _ in range(3):
        await ask(session)

    await spent(session)

    assert len(seen) == 5


async def test_a_submit_that_found_no_connection_and_then_no_budget_was_not_sent(
    clock: ManualClock,
) -> None:
    """It can be submitted again: there is no doubt about it."""
    session = Session(Apart(), Transport(in_turn(httpx.ConnectError("refused"))), clock)

    error = await spent(session, POST, SUBMIT)

    assert not isinstance(error, SubmitOutcomeUnknown)


async def test_every_page_is_counted(five: Session, seen: list[httpx.Request]) -> None:
    """A flow of many requests costs them all, and hears where they end."""
    pages: list[int] = []

    def paging() -> Flow[int]:
        while True:
            yield Request.get("/reports", params={"page": len(pages)})
            pages.append(len(pages))

    with pytest.raises(BudgetExhausted):
        await five.converse(paging, int, operation=LIST)

    assert len(pages) == len(seen) == 5


async def test_a_flow_may_make_do_with_what_it_has(five: Session) -> None:
    """It is thrown the error like any other, and can catch it for what it is."""

    def modest() -> Flow[int]:
        pages = 0
        while True:
            try:
                yield GET
            except RateLimited:
                return pages
            pages += 1

    answer = await five.converse(modest, int, operation=LIST)

    assert answer.value == 5


async def test_signing_in_is_counted_where_all_requests_are(
    clock: ManualClock, seen: list[httpx.Request]
) -> None:
    """One for the token, one under it; one refused, one for another, one under that."""
    token = httpx.Response(200, json={"token": "t1"})
    transport = in_turn(
        token, OK, status(401), httpx.Response(200, json={"token": "t2"}), seen=seen
    )
    session = Session(CountedOffice(), Transport(transport), clock)
    await ask(session)

    error = await spent(session)

    assert [request.url.path for request in seen] == [
        "/v1/token",
        "/v1/reports/q3",
        "/v1/reports/q3",
        "/v1/token",
    ]
    assert not isinstance(error, AuthenticationFailed)


async def test_signing_in_is_no_poll(clock: ManualClock, seen: list[httpx.Request]) -> None:
    """Not even where a poll is what it was needed for."""
    transport = in_turn(httpx.Response(200, json={"token": "t1"}), OK, seen=seen)
    session = Session(ApartOffice(), Transport(transport), clock)

    await ask(session)

    assert len(seen) == 2
    assert session.budgets.remaining(POLL, clock.now().timestamp()) == 1


async def test_a_request_that_leads_away_does_no_harm(
    five: Session, seen: list[httpx.Request]
) -> None:
    """It is not sent; whether it is counted matters little."""
    with pytest.raises(UntrustedAddress):
        await ask(five, Request.get("https://evil.test/next"))

    assert seen == []
    assert five.budgets.wait(POLL, 1.8e9) == 0


@pytest.mark.parametrize("code", [200, 202, 400, 404, 429, 503])
async def test_what_any_answer_tells_of_the_rate_limit_is_kept_to(
    clock: ManualClock, seen: list[httpx.Request], code: int
) -> None:
    """Whether it says yes or no: when nothing remains, nothing is sent until the reset."""
    reply = telling(code, RateLimit_Remaining="0", RateLimit_Reset="30", Retry_After="1")
    session = Session(Acme(), Transport(in_turn(reply, OK, seen=seen)), clock)
    with suppress(ExportJobsError):
        await ask(session)

    error = await spent(session, of=OTHER)
    clock.advance(30)
    await ask(session)

    assert error.retry_after == timedelta(seconds=30)
    assert "the requests that the vendor allows are used up" in error.reason
    assert len(seen) == 2


async def test_a_refusal_tells_twice_how_long_to_wait(clock: ManualClock) -> None:
    """To the job by its error, and to the account by its count."""
    reply = telling(429, X_RateLimit_Remaining="0", X_RateLimit_Reset="1767225660")
    session = Session(Acme(), Transport(in_turn(reply)), clock)

    with pytest.raises(RateLimited) as caught:
        await ask(session)

    assert not isinstance(caught.value, BudgetExhausted)
    assert caught.value.retry_after == MINUTE
    assert (await spent(session)).retry_after == MINUTE


async def test_what_remains_counts_down_without_further_answers(
    clock: ManualClock, seen: list[httpx.Request]
) -> None:
    """The vendor said three, and has said nothing since."""
    reply = telling(RateLimit_Remaining="3", RateLimit_Reset="60", RateLimit_Limit="300")
    session = Session(Acme(), Transport(in_turn(reply, OK, seen=seen)), clock)

    for _ in range(4):
        await ask(session)
    await spent(session)

    assert len(seen) == 4


async def test_a_vendor_that_says_nothing_is_counted_by_nobody(
    clock: ManualClock, seen: list[httpx.Request]
) -> None:
    """No budget and no header, no bound."""
    session = Session(Acme(), Transport(in_turn(OK, seen=seen)), clock)

    for _ in range(100):
        await ask(session)

    assert len(seen) == 100


@pytest.mark.parametrize(
    ("remaining", "reset"),
    [
        ("0", "1767225660000"),
        ("0", "80000000000000"),
        ("0", "999999999"),
        ("9" * 400, "60"),
        ("9" * 5000, "60"),
    ],
    ids=["milliseconds", "ages", "decades", "more-than-a-float", "more-than-is-counted"],
)
async def test_no_rate_limit_is_taken_for_the_adapters_mistake(
    clock: ManualClock, remaining: str, reset: str
) -> None:
    """Whatever it says: the answer is taken, and the next request is sent or held back."""
    reply = telling(
        X_RateLimit_Remaining=remaining, X_RateLimit_Reset=reset, X_RateLimit_Limit="300"
    )
    session = Session(Acme(), Transport(in_turn(reply, OK)), clock)

    answer = await ask(session)
    with suppress(BudgetExhausted):
        await ask(session)

    assert answer.ok
    assert math.isfinite(session.budgets.spacing(POLL, clock.now().timestamp()))


async def test_a_server_in_trouble_is_counted_too(
    clock: ManualClock, seen: list[httpx.Request]
) -> None:
    """What was sent was sent, whatever came of it."""
    session = Session(Five(), Transport(in_turn(status(503, Retry_After="9"), seen=seen)), clock)

    for _ in range(5):
        with pytest.raises(VendorUnavailable):
            await ask(session)
    await spent(session)

    assert len(seen) == 5

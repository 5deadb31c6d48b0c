"""How a session drives an adapter's flow: what is thrown into it, what comes out, how it ends."""

from collections.abc import Callable

import anyio
import httpx
import pytest
from tests.support.acme import KEY, Acme, status
from tests.support.errors import raises_error
from tests.support.hosts import TRANSIENT, Open, Reply, asking, never_answering, told

from exportjobs import (
    BrokenAdapter,
    ConcurrencyLimitReached,
    ExportJobsError,
    JobRef,
    Rejected,
    UntrustedAddress,
)
from exportjobs._http.session import Session
from exportjobs._http.transport import Transport
from exportjobs.adapter import Flow, Request, Response, evolve
from exportjobs.testing import ManualClock

OK = httpx.Response(200, json={"ok": True})
GET = Request.get("/reports/q3")
POST = Request.post("/reports", json={"name": "q3"})
REF = JobRef("acme", "default", "q3", kind="report")


async def test_an_error_is_thrown_into_the_flow(
    open_session: Open, seen: list[httpx.Request]
) -> None:
    """A flow that knows what to do about a refusal catches it and goes on."""

    def knowing() -> Flow[int]:
        try:
            yield POST
        except Rejected as error:
            response = yield Request.get(f"/limits/{error.http_status}")
        return response.status

    answer = await open_session(status(400), OK).converse(knowing, int)

    assert answer.value == 200
    assert [request.url.path for request in seen] == ["/v1/reports", "/v1/limits/400"]


async def test_an_error_that_the_flow_changes_is_the_one_that_counts(open_session: Open) -> None:
    """A flow may raise another of the library's errors in place of the one it was thrown."""

    def changing() -> Flow[int]:
        try:
            yield POST
        except Rejected as error:
            raise ConcurrencyLimitReached("full after all") from error
        return 0

    with raises_error(
        ConcurrencyLimitReached,
        reason="full after all",
        remedy=ConcurrencyLimitReached.default_remedy,
        vendor="acme",
        account="default",
        ref=REF,
    ) as caught:
        await open_session(status(400)).converse(changing, int, REF)

    assert isinstance(caught.value.__cause__, Rejected)


async def test_an_error_keeps_the_ref_that_it_has(open_session: Open) -> None:
    """An error that knows its job better than the caller is left as it is."""
    other = evolve(REF, id="other")

    def knowing() -> Flow[int]:
        yield GET
        raise Rejected("no", ref=other)

    with pytest.raises(Rejected) as caught:
        await open_session(OK).converse(knowing, int, REF)

    assert caught.value.ref == other


def careful(closed: list[bool]) -> Callable[[], Flow[Response]]:
    """Return what begins a flow that says when it is closed."""

    def flow() -> Flow[Response]:
        try:
            return (yield GET)
        finally:
            closed.append(True)

    return flow


@pytest.mark.parametrize(
    "reply", [OK, status(400), httpx.ReadTimeout("slow")], ids=["ok", "refused", "broken"]
)
async def test_a_flow_is_always_closed(open_session: Open, reply: Reply) -> None:
    """However a conversation ends, the flow's own clean-up runs."""
    closed: list[bool] = []

    try:
        await open_session(reply).converse(careful(closed), Response)
    except ExportJobsError:
        assert reply is not OK

    assert closed == [True]


async def test_a_flow_is_closed_when_its_waiting_is_cancelled(clock: ManualClock) -> None:
    """A conversation that is cancelled in the middle closes its flow."""
    asked = anyio.Event()
    closed: list[bool] = []

    session = Session(Acme(), Transport(never_answering(asked)), clock)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(session.converse, careful(closed), Response)
        await asked.wait()
        tasks.cancel_scope.cancel()

    assert closed == [True]


async def test_a_bug_in_a_flow_is_told_as_one(open_session: Open) -> None:
    """What an adapter did not foresee names the vendor, the job and the mistake."""

    def buggy() -> Flow[int]:
        response = yield GET
        return int(response.json()["count"])

    with raises_error(
        BrokenAdapter,
        reason="the adapter failed (KeyError: 'count')",
        remedy="",
        vendor="acme",
        account="default",
        ref=REF,
    ) as caught:
        await open_session(OK).converse(buggy, int, REF)

    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__traceback__ is not None


async def test_a_request_that_leads_away_is_not_sent(
    open_session: Open, seen: list[httpx.Request]
) -> None:
    """A path that the vendor chose, and that is a URL, does not get the key."""
    with raises_error(
        UntrustedAddress,
        reason="a request to https://evil.test/… outside the vendor's own API was not sent",
        remedy="credentials go to the adapter's base URL and nowhere else",
        vendor="acme",
        account="default",
        ref=REF,
    ):
        await open_session(OK).converse(
            asking(Request.get("https://evil.test/next")), Response, REF
        )

    assert seen == []


async def test_what_goes_wrong_does_not_tell_the_key(open_session: Open) -> None:
    """No failure of an exchange shows the credentials that it was made with."""
    for failure in (*TRANSIENT, status(401), status(400), status(429)):
        with pytest.raises(ExportJobsError) as caught:
            await open_session(failure).converse(asking(POST), Response, REF)

        assert KEY not in told(caught.value)

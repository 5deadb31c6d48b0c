"""Accounts that trade their key for a token: when it is asked for, and how often."""

import anyio
import httpx
import pytest
from attrs import field, frozen
from tests.support.acme import API, KEY, SignedIn
from tests.support.errors import raises_error
from tests.support.hosts import asking, in_turn, told

from exportjobs import AuthenticationFailed, VendorUnavailable
from exportjobs._http.session import Session
from exportjobs._http.transport import Transport
from exportjobs.adapter import Request, Response, Token
from exportjobs.testing import ManualClock

GET = Request.get("/reports/q3")
POST = Request.post("/reports", json={"name": "q3"})


class TokenOffice:
    """A vendor that issues numbered tokens and takes those that it has not revoked."""

    def __init__(self) -> None:
        """Begin with no token issued."""
        self.issued = 0
        self.revoked: set[str] = set()
        self.lifetime: float | None = None
        self.said: list[str] = []
        self.sign_in: list[httpx.Response] = []
        self.transport = httpx.MockTransport(self._answer)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.said.append(f"{request.method} {request.url.path.removeprefix('/v1')}")
        await anyio.lowlevel.checkpoint()
        if request.url.path == "/v1/token":
            return self._issue()
        token = request.headers["authorization"].removeprefix("Bearer ")
        accepted = token not in self.revoked and "all" not in self.revoked
        return httpx.Response(200 if accepted else 401, json={"token": token})

    def _issue(self) -> httpx.Response:
        if self.sign_in:
            return self.sign_in.pop(0)
        self.issued += 1
        return httpx.Response(200, json={"token": f"t{self.issued}", "lifetime": self.lifetime})


@pytest.fixture
def office() -> TokenOffice:
    """Return the vendor."""
    return TokenOffice()


@pytest.fixture
def session(office: TokenOffice, clock: ManualClock) -> Session:
    """Return a session with the vendor."""
    return Session(SignedIn(), Transport(office.transport), clock)


async def ask(session: Session, request: Request = GET) -> str:
    """Ask something, and return the token that was used for it."""
    answer = await session.converse(asking(request), Response)
    return str(answer.value.json()["token"])


async def test_a_token_is_fetched_once_and_used_again(
    session: Session, office: TokenOffice
) -> None:
    """The first exchange signs in, the later ones use what it got."""
    used = [await ask(session) for _ in range(3)]

    assert used == ["t1", "t1", "t1"]
    assert office.said == ["POST /token", *["GET /reports/q3"] * 3]


async def test_many_that_begin_at_once_sign_in_once(session: Session, office: TokenOffice) -> None:
    """Concurrent exchanges share one sign-in."""
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask, session)

    assert office.issued == 1
    assert office.said.count("GET /reports/q3") == 20


async def test_a_revoked_token_is_renewed_and_the_exchange_repeated(
    session: Session, office: TokenOffice
) -> None:
    """A 401 costs one sign-in and one more attempt."""
    await ask(session)
    office.revoked.add("t1")

    used = await ask(session)

    assert used == "t2"
    assert office.said[2:] == ["GET /reports/q3", "POST /token", "GET /reports/q3"]


async def test_a_refused_submit_is_repeated_under_a_new_token(
    session: Session, office: TokenOffice
) -> None:
    """A POST that was refused with a 401 created nothing, so it may be sent again."""
    await ask(session)
    office.revoked.add("t1")

    assert await ask(session, POST) == "t2"


async def test_many_that_are_refused_at_once_renew_once(
    session: Session, office: TokenOffice
) -> None:
    """Concurrent exchanges under one revoked token share one renewal, and all succeed."""
    await ask(session)
    office.revoked.add("t1")
    used: list[str] = []

    async def one() -> None:
        used.append(await ask(session))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(one)

    assert used == ["t2"] * 20
    assert office.issued == 2


async def test_who_is_refused_under_a_new_token_too_gives_up(
    session: Session, office: TokenOffice
) -> None:
    """After two attempts, under an old token and a new one, the 401 is final."""
    await ask(session)
    office.revoked.add("all")

    with pytest.raises(AuthenticationFailed) as caught:
        await ask(session)

    assert office.said[2:] == ["GET /reports/q3", "POST /token", "GET /reports/q3"]
    assert caught.value.vendor == "acme"


async def test_a_sign_in_that_is_refused_is_not_repeated(
    session: Session, office: TokenOffice
) -> None:
    """A wrong secret ends the exchange before it begins, and is not shown."""
    office.sign_in = [httpx.Response(401, json={"message": "wrong"})]

    with raises_error(
        AuthenticationFailed,
        reason="HTTP 401 (wrong)",
        remedy=AuthenticationFailed.default_remedy,
        vendor="acme",
        account="default",
    ) as caught:
        await ask(session)

    assert office.said == ["POST /token"]
    assert KEY not in told(caught.value)


async def test_a_sign_in_that_fails_for_a_moment_is_repeated(
    session: Session, office: TokenOffice
) -> None:
    """A token office that is down for a moment is asked again."""
    office.sign_in = [httpx.Response(502)]

    assert await ask(session) == "t1"
    assert office.said == ["POST /token", "POST /token", "GET /reports/q3"]


async def test_a_sign_in_that_failed_does_not_stand_in_the_way_of_the_next(
    session: Session, office: TokenOffice
) -> None:
    """After a sign-in that failed for good, the next exchange tries afresh."""
    office.sign_in = [httpx.Response(503, headers={"Retry-After": "60"})]

    with pytest.raises(VendorUnavailable):
        await ask(session)

    assert await ask(session) == "t1"


async def test_a_token_is_renewed_before_it_ends(
    session: Session, office: TokenOffice, clock: ManualClock
) -> None:
    """A token good for an hour is used for most of it, and not to the last second."""
    office.lifetime = 3600
    await ask(session)

    clock.advance(3500)
    late = await ask(session)
    clock.advance(60)
    later = await ask(session)

    assert (late, later) == ("t1", "t2")
    assert office.said.count("GET /reports/q3") == 3


async def test_a_token_of_a_short_life_is_used_all_the_same(
    session: Session, office: TokenOffice, clock: ManualClock
) -> None:
    """The margin is a share of a short life, so that the token is good for something."""
    office.lifetime = 10
    await ask(session)

    clock.advance(8)
    early = await ask(session)
    clock.advance(1.5)
    late = await ask(session)

    assert (early, late) == ("t1", "t2")


async def test_a_token_without_an_end_is_kept(
    session: Session, office: TokenOffice, clock: ManualClock
) -> None:
    """A token that does not end by itself is used until it is refused."""
    office.lifetime = None
    await ask(session)

    clock.advance(10**7)

    assert await ask(session) == "t1"


async def test_a_request_can_be_signed_without_being_sent(
    session: Session, office: TokenOffice
) -> None:
    """What a download needs is the credentials on a request, and the token among them."""
    request, token = await session.signed(GET)

    assert request.headers["authorization"] == "Bearer t1"
    assert token is not None
    assert token.value == "t1"
    assert "t1" not in repr(token) + repr(request)
    assert office.said == ["POST /token"]


@frozen
class Elsewhere(SignedIn):
    """Acme, where tokens are issued on another host, and go along in a header of Acme's own."""

    sign_in_url: str = field(default="https://login.acme.test", kw_only=True)

    def apply_token(self, request: Request, token: Token) -> Request:
        """Put the token where Acme looks for it."""
        return request.with_header("X-Acme-Token", token.value)


async def test_a_token_is_asked_for_where_the_adapter_says_and_put_where_it_says(
    clock: ManualClock, seen: list[httpx.Request]
) -> None:
    """The secret goes to the token office alone, and the token to the API alone."""
    issued = httpx.Response(200, json={"token": "t1"})
    transport = in_turn(issued, httpx.Response(200, json={}), seen=seen)

    await Session(Elsewhere(), Transport(transport), clock).converse(asking(GET), Response)

    office, api = seen
    assert str(office.url) == "https://login.acme.test/token"
    assert KEY.encode() in office.content
    assert str(api.url) == f"{API}/reports/q3"
    assert api.headers["x-acme-token"] == "t1"
    assert "authorization" not in api.headers
    assert KEY.encode() not in api.content


async def test_a_token_that_is_no_text_is_as_good_as_one(
    session: Session, office: TokenOffice
) -> None:
    """A vendor may number its tokens."""
    office.sign_in = [httpx.Response(200, json={"token": 123_456_789})]

    assert await ask(session) == "123456789"

"""The one room that knows httpx: what it sends, and how it bounds what comes back."""

import gzip
from collections.abc import AsyncIterator
from datetime import date, timedelta

import anyio
import httpx
import pytest
import respx
from tests.support.hosts import always, body, in_turn, whole

from exportjobs import MalformedResponse, UntrustedAddress
from exportjobs._http.transport import LARGEST_ANSWER, Transport
from exportjobs.adapter._flow import Request, path

BASE = "https://api.acme.test/v1"


@pytest.fixture
def transport(seen: list[httpx.Request]) -> Transport:
    """Return a transport to a vendor that says yes to everything."""
    return Transport(in_turn(httpx.Response(200, json={"ok": True}), seen=seen))


async def test_json_goes_out_compact_and_typed(
    transport: Transport, seen: list[httpx.Request]
) -> None:
    """A JSON body is sent as JSON, dates in ISO 8601, without the members that are None."""
    request = Request.post("/reports", json={"name": "q3", "since": date(2026, 8, 1), "to": None})

    await transport.send(request, base_url=BASE)

    assert seen[0].content == b'{"name":"q3","since":"2026-08-01"}'
    assert seen[0].headers["content-type"] == "application/json"
    assert seen[0].headers["content-length"] == str(len(seen[0].content))


async def test_a_form_goes_out_as_a_form(transport: Transport, seen: list[httpx.Request]) -> None:
    """A form is sent as one, and what stands in it is quoted."""
    request = Request(method="POST", path="/token", form={"key": "a&b=c", "none": None})

    await transport.send(request, base_url=BASE)

    assert seen[0].content == b"key=a%26b%3Dc"
    assert seen[0].headers["content-type"] == "application/x-www-form-urlencoded"


async def test_a_request_without_a_body_has_none(
    transport: Transport, seen: list[httpx.Request]
) -> None:
    """A GET has no body and no type of one, and says that it wants JSON."""
    await transport.send(Request.get("/reports"), base_url=BASE)

    assert seen[0].content == b""
    assert "content-type" not in seen[0].headers
    assert seen[0].headers["accept"] == "application/json"


async def test_parameters_are_quoted_and_added(
    transport: Transport, seen: list[httpx.Request]
) -> None:
    """Parameters join those that the path has, quoted; those that are None are left out."""
    request = Request.get("/reports?page=1", params={"q": "a b&c", "limit": 5, "cursor": None})

    await transport.send(request, base_url=BASE)

    assert dict(seen[0].url.params) == {"page": "1", "q": "a b&c", "limit": "5"}
    assert seen[0].url.path == "/v1/reports"


async def test_headers_reach_the_vendor_whatever_their_case(
    transport: Transport, seen: list[httpx.Request]
) -> None:
    """A header is sent once, the adapter's word before the library's."""
    request = Request.get("/reports").with_header("X-API-Key", "k").with_header("aCCept", "*/*")

    await transport.send(request, base_url=BASE)

    assert seen[0].headers.get_list("x-api-key") == ["k"]
    assert seen[0].headers.get_list("accept") == ["*/*"]


async def test_headers_come_back_in_lower_case() -> None:
    """An answer's header names are in lower case, however the vendor writes them."""
    reply = httpx.Response(200, headers={"X-RateLimit-RESET": "5", "Content-Type": "text/plain"})

    response = await Transport(always(reply)).send(Request.get("/"), base_url=BASE)

    assert response.headers["x-ratelimit-reset"] == "5"
    assert response.headers["content-type"] == "text/plain"


async def test_the_library_says_who_it_is(transport: Transport, seen: list[httpx.Request]) -> None:
    """The User-Agent is the library's."""
    await transport.send(Request.get("/reports"), base_url=BASE)

    assert seen[0].headers["user-agent"].startswith("exportjobs")


async def test_no_cookie_is_kept(seen: list[httpx.Request]) -> None:
    """A cookie that the vendor sets is not sent back."""
    reply = httpx.Response(200, headers={"Set-Cookie": "session=1; Path=/"})
    transport = Transport(in_turn(reply, seen=seen))

    await transport.send(Request.get("/one"), base_url=BASE)
    await transport.send(Request.get("/two"), base_url=BASE)

    assert "cookie" not in seen[1].headers


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(seen: list[httpx.Request], code: int) -> None:
    """A redirect is an answer like any other: the key does not go along to anywhere."""
    reply = httpx.Response(code, headers={"Location": "https://evil.test/"})

    response = await Transport(in_turn(reply, seen=seen)).send(Request.get("/"), base_url=BASE)

    assert response.status == code
    assert len(seen) == 1


async def test_any_status_is_an_answer() -> None:
    """An answer that says no is returned with its body; what it means is decided elsewhere."""
    reply = httpx.Response(503, content=b"down")

    response = await Transport(always(reply)).send(Request.get("/"), base_url=BASE)

    assert (response.status, response.content) == (503, b"down")


async def test_a_peek_leaves_the_body_unread() -> None:
    """Status and headers come back, and not a byte of what may be a large file."""
    sent = 0

    async def large() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"a,b"

    reply = httpx.Response(200, headers={"X-Next": "p2"}, content=large())

    response = await Transport(always(reply)).send(Request.peek("/results"), base_url=BASE)

    assert (response.status, response.headers["x-next"], response.content) == (200, "p2", b"")
    assert sent == 0


async def test_a_peek_that_is_refused_is_read() -> None:
    """Why the vendor says no stands in the body."""
    reply = httpx.Response(400, json={"code": "NOT_COMPLETE"})

    response = await Transport(always(reply)).send(Request.peek("/results"), base_url=BASE)

    assert response.json() == {"code": "NOT_COMPLETE"}


async def test_compression_is_undone() -> None:
    """A compressed answer comes out as it was meant."""
    packed = gzip.compress(b'{"ok": true}')
    reply = httpx.Response(200, content=packed, headers={"Content-Encoding": "gzip"})

    response = await Transport(always(reply)).send(Request.get("/"), base_url=BASE)

    assert response.json() == {"ok": True}


async def test_an_endless_answer_is_cut_off() -> None:
    """A body that does not end is refused when it is too large, and no more of it is read."""
    piece = bytes(1024 * 1024)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += len(piece)
            yield piece

    transport = Transport(always(httpx.Response(200, content=endless())))

    with pytest.raises(MalformedResponse, match="larger than"):
        await transport.send(Request.get("/"), base_url=BASE)

    assert sent <= LARGEST_ANSWER + 2 * len(piece)


async def test_a_bomb_is_refused() -> None:
    """What counts is the size after decompression."""
    bomb = gzip.compress(bytes(LARGEST_ANSWER + 1))
    pieces = body(*(bomb[start : start + 4096] for start in range(0, len(bomb), 4096)))
    reply = httpx.Response(200, content=pieces, headers={"Content-Encoding": "gzip"})

    with pytest.raises(MalformedResponse, match="larger than"):
        await Transport(always(reply)).send(Request.get("/"), base_url=BASE)


async def test_the_largest_answer_is_taken() -> None:
    """An answer of just the permitted size is no problem."""
    half = bytes(LARGEST_ANSWER // 2)
    reply = httpx.Response(200, content=body(half, half))

    response = await Transport(always(reply)).send(Request.get("/"), base_url=BASE)

    assert len(response.content) == LARGEST_ANSWER


@pytest.mark.parametrize(
    "where",
    [
        "https://evil.test/reports",
        "//evil.test/reports",
        "http:reports",
        "/reports/../../admin",
        "/..",
        "/./reports",
        "reports",
        "@evil.test/",
        ".evil.test/",
        "",
        "/%2e%2e/admin",
        "/reports/.%2E/admin",
    ],
)
async def test_a_path_that_leads_away_is_refused_before_anything_is_sent(
    transport: Transport, seen: list[httpx.Request], where: str
) -> None:
    """A request goes below the base URL or nowhere, as the credentials go along."""
    with pytest.raises(UntrustedAddress):
        await transport.send(Request.get(where), base_url=BASE)

    assert seen == []


@pytest.mark.parametrize(
    "identifier", ["../../admin", "..", "a/b", "a?b=c#d", "//evil.test", "ä", "%2e%2e", "a b"]
)
async def test_an_id_in_a_path_stays_one_segment(
    transport: Transport, seen: list[httpx.Request], identifier: str
) -> None:
    """Whatever an id is made of, the request stays below the base URL, or is not sent."""
    request = Request.get(path("/reports/{}/status", identifier))

    try:
        await transport.send(request, base_url=BASE)
    except UntrustedAddress:
        assert identifier == ".."
        return

    assert seen[0].url.host == "api.acme.test"
    assert seen[0].url.raw_path.count(b"/") == 4


def test_a_base_url_may_end_in_a_slash(transport: Transport) -> None:
    """Base URL and path are joined by one slash."""
    located = transport.locate(Request.get("/reports"), base_url=f"{BASE}/")

    assert located == f"{BASE}/reports"


async def test_waits_are_bounded(transport: Transport, seen: list[httpx.Request]) -> None:
    """Connecting and answering have their bounds, a turn has none."""
    await transport.send(Request.get("/"), base_url=BASE)

    bounds = seen[0].extensions["timeout"]
    assert bounds["pool"] is None
    assert 0 < bounds["connect"] <= 30
    assert 0 < bounds["read"] <= 60
    assert 0 < bounds["write"] <= 60


async def test_a_request_may_have_a_bound_of_its_own(
    transport: Transport, seen: list[httpx.Request]
) -> None:
    """A vendor that is known to be slow over one answer is given the time, but not to connect."""
    request = Request.post("/reports", json={}, timeout=timedelta(minutes=5))

    await transport.send(request, base_url=BASE)

    bounds = seen[0].extensions["timeout"]
    assert bounds["read"] == 300
    assert 0 < bounds["connect"] <= 30


async def test_no_more_requests_than_connections_are_under_way() -> None:
    """Requests beyond the connections wait for their turn instead of failing."""
    under_way = 0
    most = 0
    go_on = anyio.Event()

    async def answer(_: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await go_on.wait()
        under_way -= 1
        return httpx.Response(200)

    transport = Transport(httpx.MockTransport(answer), connections=2)
    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(lambda: transport.send(Request.get("/"), base_url=BASE))
        await anyio.wait_all_tasks_blocked()
        go_on.set()

    assert most == 2


async def test_a_stream_is_read_as_it_comes(seen: list[httpx.Request]) -> None:
    """A body that is streamed comes in pieces, with the status and headers before it."""
    reply = httpx.Response(200, content=body(b"a,b\n", b"1,2\n"), headers={"X-Rows": "1"})
    transport = Transport(in_turn(reply, seen=seen))

    async with transport.stream("https://files.test/x?sig=1", {"Accept": "*/*"}) as stream:
        first = await stream.peek(4)
        content = await whole(stream)

    assert first == b"a,b\n"
    assert content == b"a,b\n1,2\n"
    assert (stream.status, stream.headers["x-rows"]) == (200, "1")
    assert str(seen[0].url) == "https://files.test/x?sig=1"


async def test_the_network_is_used_where_nothing_takes_its_place(
    respx_mock: respx.MockRouter,
) -> None:
    """Without `transport`, requests go through httpx's own transport, and closing closes it."""
    respx_mock.post(f"{BASE}/reports").respond(json={"ok": True})

    async with Transport() as transport:
        response = await transport.send(Request.post("/reports"), base_url=BASE)

    assert response.json() == {"ok": True}
    with pytest.raises(RuntimeError, match="closed"):
        await transport.send(Request.post("/reports"), base_url=BASE)

"""What is sent and what comes back over a real connection."""

import asyncio
import gzip
import logging
from typing import Any

import pytest
import trio
from tests.support.wire import OK, Playing, Vendor, ok, playing, vendor

from exportjobs import MalformedResponse
from exportjobs._http.transport import LARGEST_ANSWER, Transport
from exportjobs.adapter._flow import Request, Response, path

PACKED = gzip.compress(b'{"packed": true}')


async def ask(seen: Vendor, request: Request | None = None, times: int = 1) -> Response:
    """Send a request some times over one transport and return the last answer."""
    async with Transport() as transport:
        for _ in range(times):
            answer = await transport.send(request or Request.get("/jobs/1"), base_url=seen.base)
    return answer


@pytest.mark.parametrize(
    "target",
    [
        "/jobs/1",
        path("/jobs/{}/status", "../admin"),
        path("/jobs/{}", "a b+c%d/é~"),
        "/jobs/%7Euser/~/%2f%2F",
        "/a+b;c=d,e@f:g!$&'()*",
        "/jobs//1/",
        "/jobs?q=a%2Fb;c=d&e=%20+f&g",
        "/jobs?",
        "/jobs?sig=ab%2Bc%3D%3D&se=2026-01-01T00%3A00%3A00Z",
        "/jobs?a='b'&c=1?2&d=%5Be%5D%7C",
    ],
)
async def test_an_address_arrives_as_it_was_written(target: str) -> None:
    """Nothing in a path or a query is quoted anew, unquoted, sorted out or dropped."""
    async with vendor(OK) as seen:
        await ask(seen, Request.get(target))

    assert seen.requests[0].split(b" ")[1] == target.encode()


async def test_a_request_holds_what_it_should_and_nothing_else() -> None:
    """The host, what every client sends, the adapter's own headers, and no more."""
    async with vendor(OK) as seen:
        await ask(seen, Request.get("/jobs/1").with_header("apikey", "k"))

    (request,) = seen.requests
    start, *headers = request.removesuffix(b"\r\n\r\n").split(b"\r\n")
    names = [header.split(b": ")[0].lower() for header in headers]
    assert start == b"GET /jobs/1 HTTP/1.1"
    assert headers[0] == f"Host: {seen.base.removeprefix('http://')}".encode()
    assert names[1:] == [b"accept", b"accept-encoding", b"connection", b"user-agent", b"apikey"]
    assert {b"accept: application/json", b"user-agent: exportjobs", b"apikey: k"} <= set(headers)
    assert b"gzip" in headers[2]


async def test_a_peek_does_not_wait_for_the_body_and_hangs_up() -> None:
    """The head is all that is wanted: the next question takes a line of its own."""
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nX-Next: p2\r\n\r\na,b\n"
    async with vendor(playing(begun, then="wait"), OK) as seen, Transport() as transport:
        head = await transport.send(Request.peek("/results"), base_url=seen.base)
        await seen.hung_up()
        whole = await transport.send(Request.get("/jobs/1"), base_url=seen.base)

    assert (head.headers["x-next"], head.content) == ("p2", b"")
    assert whole.content == b"{}"
    assert seen.connections == 2


async def test_a_submit_is_sent_whole() -> None:
    """A body arrives with its type and its length."""
    async with vendor(OK) as seen:
        await ask(seen, Request.post("/reports", json={"name": "q3"}))

    (request,) = seen.requests
    assert request.endswith(b'\r\n\r\n{"name":"q3"}')
    assert b"\r\ncontent-type: application/json\r\n" in request
    assert b"\r\nContent-Length: 13\r\n" in request


async def test_credentials_in_an_address_are_sent_as_such() -> None:
    """User and password before a host become a header, for a poll as for a file."""
    async with vendor(OK) as seen, Transport() as transport:
        base = seen.base.replace("//", "//user:pass%20word@")
        await transport.send(Request.get("/jobs/1"), base_url=base)
        async with transport.stream(f"{base}/file", {}):
            pass

    for request in seen.requests:
        assert b"\r\nAuthorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n" in request


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
NUMBERED = [b"X-%d: %d" % (number, number) for number in range(1000)]
ANSWERS = {
    "length": (OK, b"{}"),
    "empty": (ok(body=b""), b""),
    "chunked": (
        playing(CHUNKED + b"\r\n", b"1\r\n{\r\n", b"1\r\n}\r\n0\r\nX-Late: 1\r\n\r\n", then="keep"),
        b"{}",
    ),
    "until-the-end": (playing(b"HTTP/1.1 200 OK\r\n\r\n", b"{", b"}"), b"{}"),
    "http-1.0": (playing(b"HTTP/1.0 200 OK\r\n\r\n", b"{}"), b"{}"),
    "packed": (ok(b"Content-Encoding: gzip", body=PACKED), b'{"packed": true}'),
    "packed-and-chunked": (
        CHUNKED + b"Content-Encoding: gzip\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(PACKED), PACKED),
        b'{"packed": true}',
    ),
    "a-packed-file": (ok(b"Content-Type: application/gzip", body=PACKED), PACKED),
    "after-early-hints": (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, b"{}"),
    "a-thousand-headers": (ok(*NUMBERED), b"{}"),
    "a-long-header": (ok(b"X-Long: " + b"a" * 90_000), b"{}"),
    "no-reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
    "bare-newlines": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", b"{}"),
    "length-twice": (ok(b"Content-Length: 2"), b"{}"),
    "length-and-chunks": (CHUNKED + b"Content-Length: 9\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"{}"),
    "more-than-its-length": (playing(ok(b"Connection: close") + b"\r\n<!-- 3 ms -->"), b"{}"),
}


@pytest.mark.parametrize(("answer", "content"), ANSWERS.values(), ids=ANSWERS.keys())
async def test_an_answer_comes_out_as_it_was_meant(answer: bytes | Playing, content: bytes) -> None:
    """However an answer is written, its status and its body are the same; and so is the next."""
    async with vendor(answer) as seen:
        once = await ask(seen)
        twice = await ask(seen, times=2)

    assert (once.status, once.content) == (200, content)
    assert (twice.status, twice.content) == (200, content)


@pytest.mark.parametrize("start", [b"204 No Content", b"304 Not Modified"])
async def test_an_answer_may_have_no_body(start: bytes) -> None:
    """An answer of a kind that has no body ends with its head."""
    async with vendor(b"HTTP/1.1 %b\r\nX-A: 1\r\n\r\n" % start) as seen:
        answer = await ask(seen, times=2)

    assert (answer.status, answer.content) == (int(start[:3]), b"")
    assert len(seen.requests) == 2


@pytest.mark.parametrize("start", [b"302 Found", b"404 Not Found", b"503 Out", b"799 Odd"])
async def test_any_status_is_an_answer(start: bytes) -> None:
    """No status is followed, repeated or raised: what it means is decided elsewhere."""
    raw = ok(b"Location: /elsewhere", body=b"said").replace(b"200 OK", start)

    async with vendor(raw) as seen:
        answer = await ask(seen)

    assert (answer.status, answer.content) == (int(start[:3]), b"said")
    assert len(seen.requests) == 1


async def test_headers_come_out_as_they_are() -> None:
    """Names in lower case, values trimmed; what comes twice is joined, and bytes are text."""
    raw = ok(
        b"X-MIXED-Case: a  B ",
        b"x-empty:",
        b"X-Twice: 1",
        b"x-twice: 2",
        b"Set-Cookie: a=1; Path=/",
        b"set-cookie: b=2",
        b"X-Folded: 1\r\n 2",
        b"X-Name: caf\xc3\xa9",
    )

    async with vendor(raw) as seen:
        answer = await ask(seen)

    assert dict(answer.headers) == {
        "content-length": "2",
        "x-mixed-case": "a  B",
        "x-empty": "",
        "x-twice": "1, 2",
        "set-cookie": "a=1; Path=/, b=2",
        "x-folded": "1 2",
        "x-name": "café",
    }


async def test_plain_headers_that_differ_in_case_are_one() -> None:
    """A name that is written in two ways is one name."""
    async with vendor(ok(b"X-Twice: 1", b"x-twice: 2")) as seen:
        answer = await ask(seen)

    assert answer.headers["x-twice"] == "1, 2"


async def test_bytes_that_are_no_text_are_latin() -> None:
    """A header that is not UTF-8 is read as ISO 8859-1."""
    async with vendor(ok(b"X-Name: caf\xe9")) as seen:
        answer = await ask(seen)

    assert answer.headers["x-name"] == "café"


async def test_no_cookie_comes_back_and_none_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Cookies are not kept, and one that is none is no reason to say anything."""
    # An address without a name would not get its cookies back anyway.
    caplog.set_level(logging.DEBUG)
    raw = ok(b"Set-Cookie: session=tell-no-one; Path=/", b"Set-Cookie: tell-no-one (1)=;;=")

    async with vendor(raw) as seen:
        seen.base = seen.base.replace("127.0.0.1", "localhost")
        await ask(seen, times=2)

    assert b"cookie" not in seen.requests[1].lower()
    assert "tell-no-one" not in caplog.text


async def test_a_connection_is_used_again() -> None:
    """Requests to one vendor, one after another, take one connection."""
    async with vendor(OK) as seen:
        await ask(seen, times=5)

    assert len(seen.requests) == 5
    assert seen.connections == 1


async def test_a_connection_that_the_vendor_has_closed_is_not() -> None:
    """A vendor that hangs up between two requests is asked over a new connection, and once."""
    async with vendor(playing(OK)) as seen, Transport() as transport:
        for _ in range(3):
            await transport.send(Request.get("/jobs/1"), base_url=seen.base)
            await seen.hung_up()

    assert len(seen.requests) == 3
    assert seen.connections == 3


async def test_a_large_answer_comes_whole() -> None:
    """Megabytes in one answer arrive in order."""
    content = b"".join(b"%08d" % number for number in range(500_000))

    async with vendor(playing(ok(b"Connection: close", body=content))) as seen:
        answer = await ask(seen)

    assert answer.content == content


async def test_an_endless_answer_is_cut_off() -> None:
    """A body that does not end is refused when it is too large."""
    chunk = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    enough = LARGEST_ANSWER // 0x100000 + 8

    async with vendor(playing(CHUNKED + b"\r\n", *[chunk] * enough, then="wait")) as seen:
        with pytest.raises(MalformedResponse, match="larger than"):
            await ask(seen)


async def test_a_bomb_is_refused() -> None:
    """What counts is the size after decompression."""
    bomb = gzip.compress(bytes(LARGEST_ANSWER + 1))

    async with vendor(ok(b"Content-Encoding: gzip", body=bomb)) as seen:
        with pytest.raises(MalformedResponse, match="larger than"):
            await ask(seen)


async def test_what_is_not_compressed_as_it_says_is_the_vendors_fault() -> None:
    """A body that cannot be decompressed is a malformed answer."""
    async with vendor(ok(b"Content-Encoding: gzip")) as seen:
        with pytest.raises(MalformedResponse, match="compressed"):
            await ask(seen)


@pytest.fixture
def early() -> Transport:
    """Return a transport that was made while no event loop ran."""
    return Transport()


async def test_a_transport_may_be_made_before_the_loop(early: Transport) -> None:
    """Which loop it is used on is known when it first asks."""
    async with vendor(OK) as seen, early:
        answer = await early.send(Request.get("/jobs/1"), base_url=seen.base)

    assert answer.json() == {}


def test_trio_may_be_a_guest_of_asyncios_loop() -> None:
    """A loop that only lends its time to trio is not one to send requests on."""

    async def guest() -> Response:
        async with vendor(OK) as seen:
            return await ask(seen)

    async def host() -> Response:
        loop = asyncio.get_running_loop()
        over: asyncio.Future[Any] = loop.create_future()
        trio.lowlevel.start_guest_run(
            guest,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=over.set_result,
        )
        answer: Response = (await over).unwrap()
        return answer

    assert asyncio.run(host()).json() == {}

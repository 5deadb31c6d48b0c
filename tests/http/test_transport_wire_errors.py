"""What goes wrong over a real connection, and how it is told."""

import socket
from datetime import timedelta

import pytest
from tests.support.hosts import serving, told
from tests.support.wire import Playing, leaving, ok, playing, vendor

from exportjobs import ExportJobsError, NetworkError, Unreachable
from exportjobs._http import transport as room
from exportjobs._http.transport import Transport
from exportjobs.adapter._flow import Request

SECRETS = ("tell-no-one", "secret-path", "signature-of-it")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def failure(base: str, *, within: float = 5.0) -> ExportJobsError:
    """Ask in vain, with secrets in every place, and return the error, which tells none of them."""
    asked = Request(
        method="GET",
        path="/secret-path",
        params={"sig": "signature-of-it"},
        headers={"X-API-Key": "tell-no-one"},
        timeout=timedelta(seconds=within),
    )
    async with Transport() as transport:
        with pytest.raises(ExportJobsError) as caught:
            await transport.send(asked, base_url=base)
    assert not any(secret in told(caught.value) for secret in SECRETS)
    return caught.value


def unused_port() -> int:
    """Return a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def test_a_refused_connection_is_unreachable() -> None:
    """Nothing was sent where nobody listens."""
    error = await failure(f"http://127.0.0.1:{unused_port()}")

    assert type(error) is Unreachable
    assert "ConnectError" in str(error)


async def test_a_host_without_an_address_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent where the name leads nowhere."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    error = await failure("https://api.acme.test")

    assert type(error) is Unreachable
    assert "ConnectError: Name or service not known" in str(error)


async def test_a_handshake_that_does_not_end_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Encryption belongs to connecting: the request was not sent yet."""
    monkeypatch.setattr(room, "_CONNECT_WITHIN", 0.2)

    async with vendor() as seen:
        error = await failure(seen.base.replace("http:", "https:"))

    assert type(error) is Unreachable
    assert "ConnectTimeout" in str(error)


async def test_who_does_not_encrypt_is_unreachable() -> None:
    """A vendor that answers a handshake in plain text gets no request."""
    async with serving(b"HTTP/1.1 400 Bad Request\r\n\r\n") as base:
        error = await failure(base.replace("http:", "https:"))

    assert type(error) is Unreachable


BROKEN = {
    "short": playing(ok(body=b"hello")[:-1]),
    "cut-in-a-chunk": playing(CHUNKED + b"5\r\nhel"),
    "cut-between-chunks": playing(CHUNKED + b"5\r\nhello\r\n"),
    "cut-in-a-head": playing(b"HTTP/1.1 200 OK\r\nContent-"),
    "no-http": playing(b"SSH-2.0-OpenSSH\r\n\r\n"),
    "too-long-a-head": playing(ok(b"X-Long: " + b"a" * 200_000)),
    "no-header": playing(ok(b"X Y: 1")),
    "two-lengths": playing(ok(b"Content-Length: 3")),
    "less-than-no-length": playing(b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}"),
    "switching": playing(ok(b"Upgrade: x", b"Connection: upgrade").replace(b"200 OK", b"101 Go")),
    "packed-on-the-way": playing(CHUNKED.replace(b"chunked", b"gzip, chunked") + b"0\r\n\r\n"),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
async def test_an_answer_that_is_none_is_a_broken_connection(answer: Playing) -> None:
    """What breaks off, or is no HTTP, may have been sent: that is not the same as unreachable."""
    async with vendor(answer) as seen:
        error = await failure(seen.base)

    assert type(error) is NetworkError


async def test_a_request_that_was_hung_up_on_is_not_repeated_below() -> None:
    """Whether to ask again is decided by the library, not by what carries its requests."""
    async with vendor(playing()) as seen:
        error = await failure(seen.base)

    assert type(error) is NetworkError
    assert len(seen.requests) == 1


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"hello"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"hello"),
    ],
    ids=["before-the-head", "in-the-body", "in-a-body-without-a-length"],
)
async def test_a_reset_is_a_broken_connection(pieces: tuple[bytes, ...]) -> None:
    """A body is not taken for whole because it ended with its connection, if that was reset."""
    with leaving(*pieces, reset=True) as base:
        error = await failure(base)

    assert type(error) is NetworkError


@pytest.mark.parametrize(
    "pieces",
    [(), (b"HTTP/1.1 200",), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"hello")],
    ids=["silent", "in-the-head", "in-the-body"],
)
async def test_a_vendor_that_falls_silent_is_waited_for_no_longer(
    pieces: tuple[bytes, ...],
) -> None:
    """Each piece of an answer has its time; without it the connection is given up."""
    async with vendor(playing(*pieces, then="wait")) as seen:
        error = await failure(seen.base, within=0.2)
        await seen.hung_up()

    assert type(error) is NetworkError
    assert "no answer in time" in str(error)


async def test_a_vendor_may_take_its_time_if_it_keeps_sending() -> None:
    """The time is that of a piece, not of the answer."""
    pieces = [bytes([letter]) for letter in ok(body=b"{}" + b" " * 40)]

    async with vendor(playing(*pieces, then="keep")) as seen, Transport() as transport:
        asked = Request(method="GET", path="/", timeout=timedelta(seconds=0.3))
        answer = await transport.send(asked, base_url=seen.base)

    assert answer.json() == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-API-Key", "tell-no-one\n"),
        ("X-API-Key", "tell\r\nX-Other: no-one"),
        ("X-API-Key", "tell-no-one\x00"),
        ("X API Key", "tell-no-one"),
        ("X-API-Key:", "tell-no-one"),
        ("", "tell-no-one"),
    ],
    ids=["newline", "another-header", "null", "blank", "colon", "nameless"],
)
async def test_a_header_that_cannot_be_sent_does_not_show_its_value(name: str, value: str) -> None:
    """A secret with characters that no header may have is neither sent nor told."""
    request = Request.get("/").with_header(name, value)

    async with vendor() as seen, Transport() as transport:
        with pytest.raises(NetworkError) as caught:
            await transport.send(request, base_url=seen.base)

    assert not any(word in told(caught.value) for word in ("tell", "no-one"))
    assert seen.requests == []


async def test_a_header_beyond_ascii_is_not_sent() -> None:
    """What a header cannot say is the adapter's mistake, and not for a transport to guess."""
    request = Request.get("/").with_header("X-Name", "café")

    async with vendor() as seen, Transport() as transport:
        with pytest.raises(UnicodeEncodeError):
            await transport.send(request, base_url=seen.base)

    assert seen.connections == 0

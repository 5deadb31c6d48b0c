"""How httpx's errors leave the transport: as the library's own, and without a secret."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
from tests.support.hosts import always, body, serving, told, whole

from exportjobs import ExportJobsError, MalformedResponse, NetworkError, Unreachable
from exportjobs._http.transport import Transport
from exportjobs.adapter._flow import Request

BASE = "https://api.acme.test/v1"
SECRETS = ("tell-no-one", "/secret-path", "signature-of-it")

FAILURES = [
    (httpx.ConnectError("x tell-no-one"), Unreachable),
    (httpx.ConnectTimeout("x tell-no-one"), Unreachable),
    (httpx.PoolTimeout("x tell-no-one"), Unreachable),
    (httpx.ProxyError("x tell-no-one"), Unreachable),
    (httpx.ReadTimeout("x tell-no-one"), NetworkError),
    (httpx.WriteTimeout("x tell-no-one"), NetworkError),
    (httpx.ReadError("x tell-no-one"), NetworkError),
    (httpx.WriteError("x tell-no-one"), NetworkError),
    (httpx.CloseError("x tell-no-one"), NetworkError),
    (httpx.RemoteProtocolError("x tell-no-one"), NetworkError),
    (httpx.LocalProtocolError("x tell-no-one"), NetworkError),
    (httpx.UnsupportedProtocol("x tell-no-one"), NetworkError),
    (httpx.DecodingError("x tell-no-one"), MalformedResponse),
    (httpx.StreamError("x tell-no-one"), NetworkError),
]
KINDS = [type(failure).__name__ for failure, _ in FAILURES]


@pytest.mark.parametrize(("failure", "kind"), FAILURES, ids=KINDS)
async def test_each_failure_has_its_own_error_and_tells_no_secret(
    failure: Exception, kind: type[ExportJobsError]
) -> None:
    """Whatever httpx raises becomes one of ours, with the host and the cause and no more."""
    request = Request.post("/secret-path", json={"key": "tell-no-one"}).with_header(
        "X-API-Key", "tell-no-one"
    )

    with pytest.raises(kind) as caught:
        await Transport(always(failure)).send(request, base_url=BASE)

    assert type(caught.value) is kind
    assert type(failure).__name__ in str(caught.value)
    assert not any(secret in told(caught.value) for secret in SECRETS)


@pytest.mark.parametrize(("failure", "kind"), FAILURES, ids=KINDS)
async def test_a_stream_fails_in_the_same_way(
    failure: Exception, kind: type[ExportJobsError]
) -> None:
    """Opening a signed URL fails with the same errors, which do not show it."""
    url = "https://files.test/secret-path?sig=signature-of-it"
    headers = {"X-API-Key": "tell-no-one"}

    with pytest.raises(kind) as caught:
        async with Transport(always(failure)).stream(url, headers):
            raise AssertionError

    assert not any(secret in told(caught.value) for secret in SECRETS)


async def test_a_body_that_breaks_off_is_a_broken_connection() -> None:
    """A failure in the middle of the body is told like one before it."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise httpx.ReadError("x tell-no-one")

    transport = Transport(always(httpx.Response(200, content=broken())))

    with pytest.raises(NetworkError, match=r"files\.test"):
        async with transport.stream("https://files.test/x", {}) as stream:
            await whole(stream)


async def test_bytes_that_are_not_compressed_as_they_say_are_the_vendors_fault() -> None:
    """A body that cannot be decompressed is a malformed answer."""
    reply = httpx.Response(200, content=body(b"no gzip"), headers={"Content-Encoding": "gzip"})

    with pytest.raises(MalformedResponse, match="compressed"):
        await Transport(always(reply)).send(Request.get("/"), base_url=BASE)


@pytest.mark.parametrize(
    "url",
    ["https://files.test:port/x", "https://files.test/\x00", f"https://files.test/{'a' * 70_000}"],
    ids=["port", "null", "long"],
)
async def test_an_address_that_is_none_is_one_of_our_errors(url: str) -> None:
    """An address that cannot be parsed does not let httpx's own error out."""
    with pytest.raises(ExportJobsError) as caught:
        async with Transport(always(httpx.Response(200))).stream(url, {}):
            raise AssertionError

    assert len(str(caught.value)) < 500


async def test_a_header_that_cannot_be_sent_does_not_show_its_value() -> None:
    """A secret with characters that no header may have is not part of what is told."""
    request = Request.get("/").with_header("X-API-Key", "tell-no-one\n")

    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(serving(b"HTTP/1.1 200 OK\r\n\r\n"))
        transport = await stack.enter_async_context(Transport())
        with pytest.raises(NetworkError) as caught:
            await transport.send(request, base_url=base)

    assert "tell-no-one" not in told(caught.value)


async def test_a_refused_connection_is_unreachable() -> None:
    """A real connection that nobody takes says that nothing was sent."""
    async with serving(b"") as base:
        pass

    async with Transport() as transport:
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
            await transport.send(Request.get("/"), base_url=base)


async def test_a_connection_that_hangs_up_may_have_sent_something() -> None:
    """A real connection that ends without an answer is not the same as none."""
    async with serving(None) as base, Transport() as transport:
        with pytest.raises(NetworkError) as caught:
            await transport.send(Request.post("/", json={}), base_url=base)

    assert not isinstance(caught.value, Unreachable)


async def test_a_body_shorter_than_promised_is_a_broken_connection() -> None:
    """A real body that ends before its Content-Length is not taken for whole."""
    async with (
        serving(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") as base,
        Transport() as transport,
    ):
        with pytest.raises(NetworkError):
            await transport.send(Request.get("/"), base_url=base)


async def test_an_answer_is_read_over_a_real_connection(caplog: pytest.LogCaptureFixture) -> None:
    """A real exchange works, and the libraries below log nothing of it, even at DEBUG."""
    caplog.set_level(logging.DEBUG)
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Token: tell-no-one\r\n\r\n{}"

    async with serving(raw) as base, Transport() as transport:
        response = await transport.send(
            Request.get("/secret-path", params={"sig": "signature-of-it"}), base_url=base
        )

    names = {record.name.partition(".")[0] for record in caplog.records}
    assert response.json() == {}
    assert not names & {"httpx", "stamina"}
    assert not any(secret in caplog.text for secret in SECRETS)

"""Who gives up a request, or is done with its vendor, leaves nothing open.

What was left open after all would say so in a warning, which fails the test.
"""

import gc
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import anyio
import pytest
from tests.support.wire import CERTIFICATE, OK, encrypting, leaving, playing, trust, vendor

from exportjobs._http.transport import Transport
from exportjobs.adapter._flow import Request

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"


@pytest.fixture(autouse=True)
def _trust(monkeypatch: pytest.MonkeyPatch) -> None:
    trusting = ssl.create_default_context(cafile=CERTIFICATE)
    trust(trusting, monkeypatch)


@contextmanager
def deaf(said: bytes) -> Iterator[str]:
    """Serve on this machine: say something to who connects, and then neither listen nor speak."""
    tls = encrypting()
    over = Event()

    def serve() -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                with tls.wrap_socket(line, server_side=True) as encrypted:
                    encrypted.recv(65536)
                    encrypted.sendall(said)
                    over.wait()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


async def give_up(transport: Transport, base: str) -> None:
    """Send a request and do not wait for its answer."""
    with anyio.move_on_after(0.1) as waiting:
        await transport.send(Request.get("/"), base_url=base)
    assert waiting.cancelled_caught


@pytest.mark.parametrize("pieces", [(), (HALF,)], ids=["before-the-head", "in-the-body"])
@pytest.mark.parametrize("tls", [None, encrypting()], ids=["plain", "tls"])
async def test_a_request_that_is_given_up_ends_its_connection(
    pieces: tuple[bytes, ...], tls: ssl.SSLContext | None
) -> None:
    """Nothing of a request stays behind, and the next one goes over a new connection."""
    async with vendor(playing(*pieces, then="wait"), OK, tls=tls) as seen, Transport() as transport:
        await give_up(transport, seen.base)
        await seen.hung_up()
        answer = await transport.send(Request.get("/"), base_url=seen.base)

    assert answer.json() == {}
    assert seen.connections == 2


@pytest.mark.parametrize("said", [b"", HALF], ids=["before-the-head", "in-the-body"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_vendor_that_has_gone_deaf_holds_up_nobody(backend: str, said: bytes) -> None:
    """No farewell is waited for: the connection is closed when the event loop ends."""

    async def main(base: str) -> None:
        async with Transport() as transport:
            await give_up(transport, base)

    with deaf(said) as base:
        anyio.run(main, base, backend=backend)
        gc.collect()


@pytest.mark.parametrize("tls", [None, encrypting()], ids=["plain", "tls"])
async def test_closing_a_transport_closes_its_connections(tls: ssl.SSLContext | None) -> None:
    """Connections that were kept for another request are closed with their transport."""
    async with vendor(OK, tls=tls) as seen:
        async with Transport() as transport:
            await transport.send(Request.get("/"), base_url=seen.base)
            await transport.send(Request.post("/"), base_url=seen.base)
            assert not seen.over.is_set()
        await seen.hung_up()


async def test_a_closed_transport_sends_nothing() -> None:
    """A transport cannot be used again once it was closed; closing it again is no error."""
    async with vendor(OK) as seen:
        async with Transport() as transport:
            pass
        with pytest.raises(RuntimeError, match="closed"):
            await transport.send(Request.get("/"), base_url=seen.base)
        await transport.__aexit__()

    assert seen.connections == 0


@pytest.mark.parametrize("tls", [None, encrypting()], ids=["plain", "tls"])
async def test_a_vendor_that_left_while_nobody_looked_is_asked_over_a_new_connection(
    tls: ssl.SSLContext | None,
) -> None:
    """A kept connection that has ended meanwhile is not mistaken for one that breaks off."""
    with leaving(OK, tls=tls) as base:
        async with Transport() as transport:
            for _ in range(3):
                answer = await transport.send(Request.get("/"), base_url=base)
                # Something else keeps the event loop busy.
                time.sleep(0.05)  # noqa: ASYNC251 - that is the point

    assert answer.json() == {}

"""A vendor on this machine that plays back raw bytes, and remembers those that it was sent."""

import re
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Literal

import anyio
import pytest
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSStream
from attrs import Factory, define, frozen

from exportjobs._http import network

_LENGTH = re.compile(rb"content-length: ([0-9]+)", re.IGNORECASE)
_BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)
_RESETTING = struct.pack("ii", 1, 0)


CERTIFICATE = Path(__file__).with_name("vendor.pem")


def trust(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every connection be encrypted by a context."""
    monkeypatch.setattr(network, "tls", lambda: tls)


def encrypting() -> ssl.SSLContext:
    """Return what a vendor on 127.0.0.1 encrypts with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@frozen
class Playing:
    """What is sent in answer to one request, piece by piece, and what then becomes of the line."""

    pieces: tuple[bytes, ...]
    then: Literal["keep", "close", "wait"] = "close"


def playing(*pieces: bytes, then: Literal["keep", "close", "wait"] = "close") -> Playing:
    """Return an answer in pieces."""
    return Playing(pieces, then)


def ok(*headers: bytes, body: bytes = b"{}") -> bytes:
    """Return an answer with its length and some more headers."""
    start = (b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body))
    return b"\r\n".join((*start, *headers, b"", body))


OK = ok()


@define
class Vendor:
    """What the vendor has seen so far."""

    base: str
    requests: list[bytes] = Factory(list[bytes])
    connections: int = 0
    met: anyio.Event = Factory(anyio.Event)
    over: anyio.Event = Factory(anyio.Event)
    """Whether the last connection has ended, whoever ended it."""

    async def hung_up(self) -> None:
        """Wait until the last connection has ended and the other side has had time to notice."""
        await self.met.wait()
        await self.over.wait()
        await anyio.sleep(0.01)


@asynccontextmanager
async def vendor(
    *answers: bytes | Playing, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Vendor]:
    """Serve on this machine, answering in turn, the last answer again and again."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - not Django's
    seen = Vendor(f"http{'s' if tls else ''}://127.0.0.1:{port}")

    async def handle(line: anyio.abc.SocketStream) -> None:
        seen.connections += 1
        seen.over = over = anyio.Event()
        seen.met.set()
        async with line:
            with suppress(*_BROKEN):
                stream = await TLSStream.wrap(line, ssl_context=tls) if tls else line
                await _converse(stream, seen, answers)
        over.set()

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield seen
        tasks.cancel_scope.cancel()


async def _converse(stream: ByteStream, seen: Vendor, answers: tuple[bytes | Playing, ...]) -> None:
    incoming = BufferedByteReceiveStream(stream)
    while True:
        try:
            head = await incoming.receive_until(b"\r\n\r\n", 1024 * 1024) + b"\r\n\r\n"
        except anyio.IncompleteRead:
            return
        length = _LENGTH.search(head)
        body = await incoming.receive_exactly(int(length[1])) if length else b""
        seen.requests.append(head + body)
        answer = answers[min(len(seen.requests), len(answers)) - 1]
        answer = answer if isinstance(answer, Playing) else Playing((answer,), "keep")
        for number, piece in enumerate(answer.pieces):
            # Long enough for the piece before to arrive alone.
            await anyio.sleep(0.01 if number else 0)
            await stream.send(piece)
        if await _is_over(stream, answer):
            return


async def _is_over(stream: ByteStream, answer: Playing) -> bool:
    match answer.then:
        case "keep":
            return False
        case "wait":
            with suppress(*_BROKEN):
                await stream.receive()
        case "close":
            pass
    return True


@contextmanager
def leaving(
    *pieces: bytes, reset: bool = False, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve in a thread of its own: send some bytes in answer, then close or reset the line."""

    def serve() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with tls.wrap_socket(line, server_side=True) if tls else line as stream:
                stream.recv(65536)
                for piece in pieces:
                    stream.sendall(piece)
                    # A reset discards what the other side has not taken yet.
                    time.sleep(0.05 if reset else 0)
                if reset:
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETTING)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve)
        thread.start()
        yield f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()

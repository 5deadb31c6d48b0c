"""Origins on this machine that answer by path and remember the head of every request."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.abc
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.buffered import BufferedByteReceiveStream, BufferedByteStream
from anyio.streams.tls import TLSStream
from attrs import Factory, define

_BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, ssl.SSLError)
_HANDSHAKE = b"\x16"
"""What encryption begins with."""
CONTENT = b"a,b\n1,2\n"


def answer(status: str = "200 OK", *headers: str, body: bytes = CONTENT) -> bytes:
    """Return an answer."""
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


@define
class Head:
    """What a request begins with."""

    text: str

    @property
    def path(self) -> str:
        """Where it goes, with what stands behind a question mark."""
        return self.text.split(" ")[1]

    @property
    def host(self) -> str:
        """Which host and port it believes to talk to."""
        return self.header("host")

    def header(self, wanted: str) -> str:
        """Return a header, or nothing."""
        for line in self.text.split("\r\n")[1:]:
            name, _, value = line.partition(":")
            if name.lower() == wanted:
                return value.strip()
        return ""


@define
class Origin:
    """What answers at one port, and what was asked there."""

    scheme: str
    port: int
    answers: dict[str, bytes] = Factory(dict[str, bytes])
    """By path; any other path has a file."""
    heads: list[Head] = Factory(list[Head])
    bare: list[Head] = Factory(list[Head])
    """Of the requests that came unencrypted to where they should not."""
    connections: int = 0

    def at(self, host: str = "127.0.0.1", path: str = "") -> str:
        """Return a URL that leads here."""
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def converse(self, stream: ByteStream, heads: list[Head]) -> None:
        """Answer on a connection until the other side hangs up."""
        incoming = BufferedByteReceiveStream(stream)
        while True:
            try:
                text = (await incoming.receive_until(b"\r\n\r\n", 2**20)).decode("latin-1")
            except anyio.IncompleteRead:
                return
            head = Head(text)
            await incoming.receive_exactly(int(head.header("content-length") or 0))
            heads.append(head)
            await stream.send(self.answers.get(head.path.partition("?")[0], answer()))


@asynccontextmanager
async def origin(tls: ssl.SSLContext | None = None) -> AsyncIterator[Origin]:
    """Serve on 127.0.0.1 until the block is left."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - not Django's
    one = Origin("https" if tls else "http", port)

    async def handle(line: anyio.abc.SocketStream) -> None:
        one.connections += 1
        async with line:
            with suppress(*_BROKEN):
                stream = BufferedByteStream(line)
                first = await stream.receive()
                stream.feed_data(first)
                if tls and first[:1] == _HANDSHAKE:
                    await one.converse(await TLSStream.wrap(stream, ssl_context=tls), one.heads)
                else:
                    await one.converse(stream, one.heads if tls is None else one.bare)

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield one
        tasks.cancel_scope.cancel()

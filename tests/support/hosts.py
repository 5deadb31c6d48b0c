"""What the tests of the I/O rooms share: a server on this machine, and ways to look at errors."""

import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.abc
import httpx
import pytest
from attrs import frozen
from tests.support.acme import Acme, signed, status

from exportjobs import ExportJob, ExportJobsError, LandedFile
from exportjobs._http.origins import Hosts
from exportjobs._http.session import Session
from exportjobs._http.stream import Stream
from exportjobs._http.transport import Transport
from exportjobs._landing.destination import Destination, Sink
from exportjobs._landing.download import Download
from exportjobs._landing.source import Connections, Renew
from exportjobs.adapter import Adapter, Artifact, Flow, Request, Response
from exportjobs.events import Observer, Subject
from exportjobs.testing import ManualClock

Reply = httpx.Response | Exception
Begin = Callable[..., "Landing"]
Open = Callable[..., Session]
CONTENT = b"a,b\n1,2\n"


@frozen
class Landing:
    """A job's files on their way, one after the other."""

    download: Download

    @property
    def retries(self) -> int:
        """How often a file broke off and was taken up again."""
        return self.download.retries

    async def land(self) -> tuple[LandedFile, ...]:
        """Fetch them all."""
        for index in await self.download.begin():
            await self.download.fetch(index)
        return await self.download.conclude()


def landing(
    job: ExportJob,
    destination: Destination,
    transport: Transport,
    clock: ManualClock,
    report: Observer,
    *,
    adapter: Adapter | None = None,
    hosts: Hosts | None = None,
    read_timeout: float = 30.0,
    renew: Renew | None = None,
) -> Landing:
    """Return what lands a finished job's files; asked for it anew, its vendor repeats itself."""

    async def repeat() -> ExportJob:
        return job

    ref = job.ref
    download = Download(
        job,
        Subject(1, ref.vendor, ref.account, ref.kind, ref),
        Session(adapter or Acme(), transport, clock),
        destination,
        connections=Connections(transport, transport, hosts or Hosts(), read_timeout),
        renew=renew or repeat,
        clock=clock,
        report=report,
    )
    return Landing(download)


def told(error: BaseException) -> str:
    """Return everything that an error tells: its text, its repr, and its printed traceback."""
    return "\n".join((str(error), repr(error), *traceback.format_exception(error)))


def always(reply: Reply) -> httpx.MockTransport:
    """Return a network that answers everything in one way."""
    return in_turn(reply)


def in_turn(*replies: Reply, seen: list[httpx.Request] | None = None) -> httpx.MockTransport:
    """Return a network that answers in turn, the last again and again, and notes what it saw."""
    left = list(replies)

    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        reply = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    return httpx.MockTransport(answer)


def never_answering(asked: anyio.Event) -> httpx.MockTransport:
    """Return a network that says when it was asked, and does not answer."""

    async def never(_: httpx.Request) -> httpx.Response:
        asked.set()
        await anyio.sleep_forever()
        raise AssertionError

    return httpx.MockTransport(never)


def asking(request: Request) -> Callable[[], Flow[Response]]:
    """Return what begins a flow that sends one request and returns the answer."""

    def flow() -> Flow[Response]:
        return (yield request)

    return flow


async def whole(stream: Stream) -> bytes:
    """Return a body, read to its end."""
    content, buffer = bytearray(), memoryview(bytearray(64 * 1024))
    while received := await stream.read_into(buffer):
        content += buffer[:received]
    return bytes(content)


async def body(*chunks: bytes) -> AsyncIterator[bytes]:
    """Yield a body piece by piece."""
    for chunk in chunks:
        yield chunk


@asynccontextmanager
async def serving(raw: bytes | None) -> AsyncIterator[str]:
    """Serve on this machine: answer every connection with these bytes, or hang up on it."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - not Django's

    async def handle(stream: anyio.abc.SocketStream) -> None:
        # A client that hangs up without a word has asked for nothing.
        async with stream:
            with suppress(anyio.EndOfStream):
                await stream.receive()
            if raw is not None:
                await stream.send(raw)

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield f"http://127.0.0.1:{port}"
        tasks.cancel_scope.cancel()


def one(name: str = "q3.csv", *, size: int | None = None) -> tuple[Artifact, ...]:
    """Return a single artifact behind a signed URL."""
    return (Artifact(signed(name), size=size),)


def ok(content: bytes = CONTENT, **headers: str) -> httpx.Response:
    """Return a file as its host sends it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, content=content, headers=named)


async def failure(landing: Awaitable[object]) -> ExportJobsError:
    """Return the error with which a download ends."""
    with pytest.raises(ExportJobsError) as caught:
        await landing
    return caught.value


TRANSIENT: list[Reply] = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.ReadTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("hung up"),
    status(500),
    status(502),
    status(503),
    status(504),
]
TRANSIENT_IDS = ["refused", "connect", "timeout", "reset", "hangup", "500", "502", "503", "504"]


async def take(sink: Sink, view: memoryview) -> None:
    """Have a file's next bytes stored and hashed, one after the other."""
    for consume in (sink.store, *sink.hashers):
        await consume(view)

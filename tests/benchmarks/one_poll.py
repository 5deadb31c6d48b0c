"""One poll: what the library costs on top of httpx.

Measured is the processor time of this process alone, for each answer of 500 bytes that a server in
another process gives over connections which are kept alive.
"""

import argparse
import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import ClassVar

import httpx
from _one_poll_report import Figures, draw, report
from _program import DOCS, interruptible
from rich.progress import track

from exportjobs import Event, Poller
from exportjobs._http.session import Session
from exportjobs._http.transport import Transport
from exportjobs._schedule.clock import SystemClock
from exportjobs.adapter import Adapter, ExportJob, Flow, JobRef, Request, StatusMap, frozen, path
from exportjobs.events import Polled

PER_ACCOUNT = 4
"""Requests that the library has under way at once for one account, at the most."""
JOBS = 64
KEY = "k" * 32
_JOB = {"id": "q3", "status": "running", "created_at": "2026-11-22T00:00:00Z", "note": ""}
JOB = json.dumps({**_JOB, "note": "." * (500 - len(json.dumps(_JOB)))}).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: acme\r\nDate: Sun, 22 Nov 2026 00:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n" + JOB
)

Poll = Callable[[], Awaitable[object]]
Work = Callable[[int], Awaitable[None]]
"""Makes that many polls."""


@frozen
class Body:
    """A job as the server describes it."""

    id: str
    status: str


@frozen
class Acme(Adapter):
    """A vendor whose jobs never end."""

    vendor: ClassVar[str] = "acme"
    statuses: ClassVar[StatusMap] = StatusMap(running=("running",))

    def authenticate(self, request: Request) -> Request:
        """Return the request with a key on it."""
        return request.with_header("apikey", KEY)

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one job's status."""
        reply = yield Request.get(path("/jobs/{}", ref.id))
        body = reply.body(Body)
        return ExportJob(self.ref(body.id), self.statuses.read(body.status))


@dataclass(frozen=True)
class Contender:
    """One way of polling."""

    name: str
    open: Callable[[str, int], AbstractAsyncContextManager[Work]]
    at_once: tuple[int, ...] = (1, 4, 16)


@asynccontextmanager
async def bare(base_url: str, at_once: int) -> AsyncIterator[Work]:
    """Open what one would write without the library: a GET, and the JSON in its answer."""
    async with httpx.AsyncClient(headers={"apikey": KEY}) as client:
        yield partial(_make, [partial(_get, client, f"{base_url}/jobs/q3")] * at_once)


async def _get(client: httpx.AsyncClient, url: str) -> object:
    return json.loads((await client.get(url)).content)


@asynccontextmanager
async def conversing(base_url: str, at_once: int) -> AsyncIterator[Work]:
    """Open the library's whole poll, from the adapter's flow to the job that comes of it."""
    async with AsyncExitStack() as stack:
        polls: list[Poll] = []
        for adapter in _accounts(base_url, at_once):
            transport = await stack.enter_async_context(Transport(connections=PER_ACCOUNT))
            session = Session(adapter, transport, SystemClock())
            ref = adapter.ref("q3")
            polls.append(partial(session.converse, partial(adapter.poll, ref), ExportJob, ref))
        yield partial(_make, list(islice(cycle(polls), at_once)))


async def _make(polls: list[Poll], number: int) -> None:
    async def one_after_the_other(poll: Poll) -> None:
        for _ in range(number // len(polls)):
            await poll()

    async with asyncio.TaskGroup() as tasks:
        for poll in polls:
            tasks.create_task(one_after_the_other(poll))


@asynccontextmanager
async def looping(base_url: str, at_once: int) -> AsyncIterator[Work]:
    """Open the library's whole loop, with many jobs that are always due."""
    made, wanted, reached = 0, 0, asyncio.Event()

    def observe(event: Event) -> None:
        nonlocal made
        made += isinstance(event, Polled)
        if made >= wanted:
            reached.set()

    async def work(number: int) -> None:
        nonlocal wanted
        wanted = made + number
        reached.clear()
        await reached.wait()

    jobs = [
        adapter.resume(adapter.ref(f"q{number}"))
        for adapter in _accounts(base_url, at_once)
        for number in range(JOBS)
    ]
    async with Poller(poll_interval=0.001, observers=[observe]) as poller:
        poller.run(jobs, into=None)
        yield work


def _accounts(base_url: str, at_once: int) -> list[Acme]:
    """Return as many accounts as it takes to have that many requests under way."""
    numbers = range(max(1, at_once // PER_ACCOUNT))
    return [Acme(base_url=base_url, name=str(number)) for number in numbers]


# How many of one account it asks about at once, the loop decides by itself.
OF_WHOLE_ACCOUNTS = (4, 16)
CONTENDERS = (
    Contender("httpx", bare),
    Contender("exportjobs", conversing),
    Contender("exportjobs, whole loop", looping, OF_WHOLE_ACCOUNTS),
)


def measured(rounds: int, polls: int) -> Figures:
    """Run all contenders in turn, again and again: what disturbs one disturbs the others."""
    entries = [(contender, at_once) for contender in CONTENDERS for at_once in contender.at_once]
    figures = {(contender.name, at_once): list[float]() for contender, at_once in entries}
    with serving() as base_url:
        for number in track(range(rounds), "polling"):
            # To and fro, so that nobody has always the same neighbour.
            for contender, at_once in entries[:: -1 if number % 2 else 1]:
                cost = asyncio.run(_cost(contender, base_url, at_once, polls))
                figures[contender.name, at_once].append(cost)
    return figures


async def _cost(contender: Contender, base_url: str, at_once: int, polls: int) -> float:
    """Return the microseconds of processor time that a poll takes."""
    async with contender.open(base_url, at_once) as work:
        await work(polls // 4)
        gc.collect()
        before = time.process_time()
        await work(polls)
        return (time.process_time() - before) / polls * 1e6


@contextmanager
def serving() -> Iterator[str]:
    """Serve in another process: whatever is asked for, the same job comes back."""
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


class Answering(asyncio.Protocol):
    """Answers each request of a connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take up a connection."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what was asked for; a request comes in one piece."""
        assert isinstance(self._transport, asyncio.Transport)
        if data.endswith(b"\r\n\r\n"):
            self._transport.write(ANSWER)


async def serve() -> None:
    """Answer until ended, after printing where."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds; writes nothing")
    parser.add_argument("--into", type=Path, help="folder for the report; docs/benchmarks if not")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve())
        return
    rounds = 3 if asked.quick else 15
    figures = measured(rounds, polls=320 if asked.quick else 800)
    text = report(figures, rounds)
    sys.stdout.write(text)
    folder = asked.into or (None if asked.quick else DOCS)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "one_poll.md").write_text(text, encoding="utf-8")
        draw(figures, folder / "one_poll.svg")


if __name__ == "__main__":
    interruptible(main)

"""The host that plays faults: HTTP/1.1 by hand, so that it can break off anywhere.

It has these addresses:

    GET /runs/R/job                         the vendor's description of a job: links to its files
    GET /runs/R/links/L/export.csv          the file, by the link of that number
    GET /runs/R/elsewhere/export.csv        the file, at the origin that a redirect leads to
"""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self

from _fault_plays import LEAK, SECRETS, Answer, Ending, Files, Run, answer

NAME = "export.csv"
_PIECE = 256 * 1024
_BEFORE_A_RESET = 0.2
"""Seconds for the other side to read what came before; a reset takes it away."""


@dataclass(frozen=True)
class _Asked:
    method: str
    path: str
    headers: Mapping[str, str]


class FaultServer:
    """Two origins on loopback, in a thread of their own, for any number of runs at once."""

    def __init__(self) -> None:
        """Begin without a run."""
        self._runs: list[Run] = []
        self._ports: Future[list[int]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        self.origin, self.elsewhere = (f"http://127.0.0.1:{port}" for port in self._ports.result())
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def begin(self, fault: str, files: Files) -> tuple[int, Run]:
        """Begin a run, and return its number and what will be known of it."""
        run = Run(fault, files)
        self._runs.append(run)
        return len(self._runs) - 1, run

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        servers = [await asyncio.start_server(self._serve, "127.0.0.1", 0) for _ in range(2)]
        self._ports.set_result([server.sockets[0].getsockname()[1] for server in servers])
        await self._stop.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # What is drained has left this process: what nobody takes is not counted as served.
        writer.transport.set_write_buffer_limits(high=0)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                asked = _asked(await reader.readuntil(b"\r\n\r\n"))
                run, reply = self._reply(asked)
                if not await _send(writer, reply, run, bodiless=asked.method == "HEAD"):
                    break
        writer.close()

    def _reply(self, asked: _Asked) -> tuple[Run, Answer]:
        _, _, number, *where = asked.path.split("/")
        run = self._runs[int(number)]
        match where:
            case ["job"]:
                links = [f"/runs/{number}/links/{run.offered}/{NAME}"]
                body = json.dumps({"id": number, "links": links}).encode()
                return copy(run), Answer.of(HTTPStatus.OK, body, "application/json")
            case ["links", link, _]:
                return run, self._file(run, number, int(link), asked)
            case ["elsewhere", _]:
                run.arrived = [name for name in SECRETS if name.lower() in asked.headers]
                return run, answer(run, 1, asked.headers)
        return run, Answer.of(HTTPStatus.NOT_FOUND, b"", "text/plain")

    def _file(self, run: Run, number: str, link: int, asked: _Asked) -> Answer:
        run.asked += 1
        if run.fault == LEAK:
            target = f"{self.elsewhere}/runs/{number}/elsewhere/{NAME}"
            return Answer.of(HTTPStatus.FOUND, b"", "text/plain", Location=target)
        # A question about the headers alone changes nothing.
        return answer(copy(run) if asked.method == "HEAD" else run, link, asked.headers)


def _asked(head: bytes) -> _Asked:
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return _Asked(method, path.partition("?")[0], headers)


async def _send(writer: asyncio.StreamWriter, reply: Answer, run: Run, *, bodiless: bool) -> bool:
    """Send an answer as it is to end, and return whether the connection goes on."""
    phrase = HTTPStatus(reply.status).phrase
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{n}: {v}" for n, v in reply.headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    await writer.drain()
    if bodiless:
        return True
    for content in reply.pieces:
        for begin in range(0, len(content), _PIECE):
            piece = content[begin : begin + _PIECE]
            writer.write(piece)
            await writer.drain()
            run.served += len(piece)
    if reply.ending is Ending.RESET:
        await asyncio.sleep(_BEFORE_A_RESET)
        endpoint = writer.get_extra_info("socket")
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    return reply.ending is Ending.STAYS

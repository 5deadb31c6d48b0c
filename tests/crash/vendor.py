"""A vendor on this machine with one job in several parts, served slowly and counted closely."""

import json
import random
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from threading import Condition, Thread

from attrs import Factory, define, field, frozen

_PIECE = 16 * 1024
_RANGE = re.compile(r"bytes=([0-9]+)-")
_JOB = "/v1/reports/"
_FILE = "/files/"


@frozen
class Part:
    """One file of the job."""

    content: bytes = field(repr=False)

    @property
    def etag(self) -> str:
        """What tells it from all other files, and strongly."""
        return f'"{sha256(self.content[:64]).hexdigest()[:16]}"'


@cache
def parts(count: int, seed: int, *, least: int = 4, most: int = 8) -> tuple[Part, ...]:
    """Return parts of so many MiB and a little more, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - chance that has to come out the same each time
    sizes = (chance.randint(least, most) * 2**20 + 7 for _ in range(count))
    return tuple(Part(chance.randbytes(size)) for size in sizes)


@define
class Vendor:
    """What is served, and how much of it has been."""

    parts: tuple[Part, ...]
    rate: float
    """Bytes in a second, on each connection."""
    base: str = ""
    sent: int = 0
    """Bytes of files that the network has taken over."""
    ended: int = 0
    """Times that the last byte of a file was among them."""
    connections: list[int] = Factory(list[int])
    """Bytes of files that went over each."""
    ranges: int = 0
    """Times that the rest of a file was asked for and sent."""
    _open: int = 0
    _changed: Condition = Factory(Condition)

    @property
    def size(self) -> int:
        """Bytes in all parts together."""
        return sum(len(part.content) for part in self.parts)

    def wait(self, is_so: Callable[[], bool], unless: Callable[[], bool]) -> None:
        """Wait until something is so, unless something else is."""
        with self._changed:
            while not (is_so() or unless()):
                self._changed.wait(0.02)

    def wait_for_silence(self) -> None:
        """Wait until every connection has ended and all is counted."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._open, 30)

    def serve(self, listener: socket.socket) -> None:
        """Answer every connection in a thread of its own."""
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with self._changed:
                self._open += 1
                self.connections.append(0)
                number = len(self.connections) - 1
            Thread(target=self._converse, args=(line, number), daemon=True).start()

    def _converse(self, line: socket.socket, number: int) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with line, suppress(OSError), line.makefile("rb") as incoming:
            while head := _head(incoming):
                self._answer(line, number, *head)
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def _answer(
        self, line: socket.socket, number: int, path: str, asked: Mapping[str, str]
    ) -> None:
        if path.startswith(_JOB):
            line.sendall(self._job(path.removeprefix(_JOB)))
            return
        part = self.parts[int(path.removeprefix(_FILE).partition(".")[0]) - 1]
        size, start = len(part.content), 0
        match = _RANGE.fullmatch(asked.get("range", ""))
        if match and asked.get("if-range", part.etag) == part.etag and int(match[1]) < size:
            start = int(match[1])
        rest = start > 0
        range_of = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if rest else {}
        self.ranges += rest
        status = "206 Partial Content" if rest else "200 OK"
        described = {"Content-Type": "text/csv", "ETag": part.etag, "Accept-Ranges": "bytes"}
        line.sendall(_start(status, size - start, {**described, **range_of}))
        self._send(line, number, memoryview(part.content)[start:])

    def _job(self, job_id: str) -> bytes:
        links = [f"{self.base}{_FILE}{n}.csv?sig=x" for n in range(1, len(self.parts) + 1)]
        sizes = [len(part.content) for part in self.parts]
        said = {"id": job_id, "status": "done", "links": links, "sizes": sizes}
        body = json.dumps(said).encode()
        return _start("200 OK", len(body), {"Content-Type": "application/json"}) + body

    def _send(self, line: socket.socket, number: int, left: memoryview) -> None:
        due = time.monotonic()
        while left:
            # What the network takes over is counted, no more: of what is lost, too.
            taken = line.send(left[:_PIECE])
            left = left[taken:]
            with self._changed:
                self.sent += taken
                self.connections[number] += taken
                self.ended += not left
                self._changed.notify_all()
            due = max(due + taken / self.rate, time.monotonic() - 0.05)
            time.sleep(max(0.0, due - time.monotonic()))


def _start(status: str, length: int, headers: Mapping[str, str]) -> bytes:
    named = {"Content-Length": str(length), **headers}
    lines = (f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in named.items()))
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _head(incoming: Iterator[bytes]) -> tuple[str, Mapping[str, str]] | None:
    """Return the path and the headers of the next request; None where there is none."""
    first = next(incoming, b"")
    if not first:
        return None
    headers: dict[str, str] = {}
    for line in incoming:
        name, colon, value = line.decode().strip().partition(":")
        if not colon:
            break
        headers[name.lower()] = value.strip()
    return first.split()[1].decode().partition("?")[0], headers


@contextmanager
def serving(served: tuple[Part, ...], rate: float) -> Iterator[Vendor]:
    """Serve a job of some parts until the block is left."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        vendor = Vendor(served, rate, f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = Thread(target=vendor.serve, args=(listener,))
        thread.start()
        try:
            yield vendor
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()

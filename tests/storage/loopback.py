"""Small HTTP servers on loopback: what they share, and one that stands in front of a store."""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field, frozen

_CHUNK = 64 * 1024
_OF_ONE_CONNECTION = {"connection", "keep-alive", "transfer-encoding"}


class Handler(BaseHTTPRequestHandler):
    """One connection, on which requests come one after the other."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    answer: Callable[["Handler"], None]

    def do_GET(self) -> None:
        """Answer a request that reads."""
        type(self).answer(self)

    def do_POST(self) -> None:
        """Answer a request that creates something."""
        type(self).answer(self)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - as above it
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as above it
        """Tell of a mistake, but not of a client that leaves in the middle of an answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(answer: Callable[[Handler], None]) -> Iterator[str]:
    """Answer requests on a free port of loopback, in threads, and yield the origin."""
    handler = type("Answering", (Handler,), {"answer": staticmethod(answer)})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@define
class Exchange:
    """A request that went through a proxy, and what came back."""

    link: str
    head: str = field(repr=False)
    """The whole of the request, as it came: a GET has no body."""
    headers: Mapping[str, str]
    """The request's, by names in lower case."""
    status: int
    answered: Mapping[str, str]
    """The answer's headers, by names in lower case."""
    sent: int = 0
    """Bytes of the answer's body that were passed on."""


@frozen
class Cut:
    """The end of an answer before its time."""

    after: int
    """Bytes of the body."""
    meanwhile: Callable[[], object]
    """Is called between the last byte and the end of the connection."""


class Proxy:
    """Stands between the library and a store: it notes, counts and cuts what passes."""

    def __init__(self, store: str) -> None:
        """Take the origin of the store."""
        self.origin = ""
        self.exchanges: list[Exchange] = []
        self._store = urlsplit(store).netloc
        self._cuts: deque[Cut] = deque()

    def cut(self, *, after: int, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Cut the next answer that brings a file, or a part of one."""
        self._cuts.append(Cut(after, meanwhile))

    @property
    def statuses(self) -> list[int]:
        """What the store answered, time after time."""
        return [exchange.status for exchange in self.exchanges]

    @property
    def sent(self) -> list[int]:
        """Bytes of files that were passed on, answer by answer."""
        return [one.sent for one in self.exchanges if one.status in {200, 206}]

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        """Serve until the block is left."""
        with serving(self._forward) as self.origin:
            yield self

    def _forward(self, client: Handler) -> None:
        with closing(HTTPConnection(self._store, timeout=60)) as store:
            store.putrequest("GET", client.path, skip_host=True, skip_accept_encoding=True)
            for name, value in client.headers.items():
                store.putheader(name, value)
            store.endheaders()
            answer = store.getresponse()
            exchange = self._noted(client, answer)
            _pass_head(client, answer)
            brings_a_file = answer.status in {200, 206}
            cut = self._cuts.popleft() if brings_a_file and self._cuts else None
            _pass_body(client, answer, exchange, cut)

    def _noted(self, client: Handler, answer: HTTPResponse) -> Exchange:
        exchange = Exchange(
            link=f"{self.origin}{client.path}",
            head=f"{client.requestline}\n{client.headers}",
            headers={name.lower(): value for name, value in client.headers.items()},
            status=answer.status,
            answered={name.lower(): value for name, value in answer.getheaders()},
        )
        self.exchanges.append(exchange)
        return exchange


def _pass_head(client: Handler, answer: HTTPResponse) -> None:
    client.send_response_only(answer.status, answer.reason)
    for name, value in answer.getheaders():
        if name.lower() not in _OF_ONE_CONNECTION:
            client.send_header(name, value)
    if answer.length is None:
        client.send_header("Connection", "close")
    client.end_headers()


def _pass_body(client: Handler, answer: HTTPResponse, exchange: Exchange, cut: Cut | None) -> None:
    while chunk := answer.read1(_CHUNK if cut is None else min(_CHUNK, cut.after - exchange.sent)):
        # Counted first: whoever gets the last of it may look at once.
        exchange.sent += len(chunk)
        client.wfile.write(chunk)
        if cut is not None and exchange.sent == cut.after:
            cut.meanwhile()
            client.close_connection = True
            return

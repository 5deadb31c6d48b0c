"""An HTTP server on loopback, in its own threads, whose answers come from a function."""

import socket
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from attrs import field, frozen

from exportjobs.adapter._flow import Response
from exportjobs.adapter._structure import FrozenMapping, parse_json

_STOPS_WITHIN = 0.02


@frozen
class Asked:
    """A request that arrived. Parts that may hold a credential are not in its repr."""

    method: str
    path: str
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """By names in lower case."""
    content: bytes = field(repr=False)

    def __str__(self) -> str:
        """Return method and path, such as "GET /reports/7"."""
        return f"{self.method} {self.path}"

    def json(self) -> Any:  # noqa: ANN401 - whatever was sent
        """Return the body, parsed as JSON.

        Raises:
            MalformedResponse: If it is not JSON.
        """
        return parse_json(self.content)


Answering: TypeAlias = Callable[[Asked], Response | None]
"""Returns the answer; None to close the connection without one."""


@contextmanager
def serving(answering: Answering) -> Generator[str]:
    """Answer requests until the block ends, and yield the server's origin."""
    server = _Server(answering)
    thread = Thread(target=server.serve_forever, args=(_STOPS_WITHIN,), daemon=True)
    thread.start()
    try:
        host, port = server.socket.getsockname()
        yield f"http://{host}:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.hang_up()
        server.server_close()


class _Server(ThreadingHTTPServer):
    # Closing the server waits for its threads, so that none of them outlives a test.
    daemon_threads = False

    def __init__(self, answering: Answering) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), partial(_Handler, answering))

    def server_bind(self) -> None:
        """Bind without the lookup of the machine's name that HTTPServer does."""
        TCPServer.server_bind(self)

    def hang_up(self) -> None:
        """Close the connections that clients keep open."""
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - typeshed's
        """Answer a connection in a thread of its own."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - typeshed's
        """Close a connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - typeshed's
        """Report an error, unless a client closed its connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are sent together: otherwise the body waits 40 ms for a delayed TCP ACK.
    wbufsize = -1

    def __init__(self, answering: Answering, *connection: Any) -> None:  # noqa: ANN401 - typeshed's
        self._answering = answering
        super().__init__(*connection)

    def _answer(self) -> None:
        answer = self._answering(self._asked())
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's

    def _asked(self) -> Asked:
        target = urlsplit(self.path)
        return Asked(
            method=self.command,
            path=target.path,
            query=FrozenMapping(dict(parse_qsl(target.query, keep_blank_values=True))),
            headers=FrozenMapping({name.lower(): value for name, value in self.headers.items()}),
            content=self.rfile.read(int(self.headers.get("content-length", 0))),
        )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
        """Print nothing: the requests are kept instead."""

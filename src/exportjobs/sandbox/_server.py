"""Two HTTP servers in one thread of their own."""

import os
import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

import uvicorn
from anyio.from_thread import start_blocking_portal
from attrs import frozen
from starlette.types import ASGIApp

from exportjobs.sandbox._wire import Connection

_HOST: Final = "127.0.0.1"


@frozen
class Site:
    """An application and the bound socket it answers on."""

    socket: socket.socket
    app: ASGIApp


def bind(port: int) -> socket.socket:
    """Return a socket listening on a loopback port, a free one for 0.

    Raises:
        OSError: The port is taken or may not be used.
    """
    # The protocol is named because asyncio asks for it before it turns off Nagle's algorithm, which
    # costs 40 ms an answer; socket.create_server leaves it out.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        message = f"the sandbox cannot listen on {_HOST}:{port}: {error.strerror}"
        raise OSError(error.errno, message) from None
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the origin that a bound socket answers for."""
    host, port = listener.getsockname()
    return f"http://{host}:{port}"


@contextmanager
def serve(sites: Sequence[Site]) -> Generator[None]:
    """Answer on all sites from a daemon thread until the block is left, then join the thread.

    The sockets listen already, so clients may connect before the thread gets to its first accept.
    """
    servers = [uvicorn.Server(_config(site.app)) for site in sites]
    with start_blocking_portal("asyncio", name="exportjobs-sandbox") as portal:
        runs = [
            portal.start_task_soon(partial(server.serve, sockets=[site.socket]))
            for server, site in zip(servers, sites, strict=True)
        ]
        try:
            yield
        finally:
            for server in servers:
                server.should_exit = True
            for run in runs:
                run.result()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        proxy_headers=False,
        server_header=False,
        # Longer than any client's pool keeps an idle connection: the server never hangs up first.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )

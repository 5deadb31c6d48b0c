"""Connecting to a host: only to addresses that are admitted, and to the first that answers."""

import os
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import anyio
import httpcore

from exportjobs._http.connection import Connection
from exportjobs._http.origins import private_host

Admits = Callable[[IPv4Address | IPv6Address], bool]
"""Whether connections to an address are made."""
_Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
_HEAD_START = 0.25
"""Seconds that one of a host's addresses has before the next is tried beside it (RFC 8305, 5)."""


class NetworkBackend(httpcore.AsyncNetworkBackend):
    """Connects httpcore's pool to hosts.

    Addresses are checked after a host's name was resolved, and the connection is made to one of
    those: a name that resolves to a private address the next time does not get past the check.
    """

    def __init__(self, admits: Admits) -> None:
        """Take which addresses may be connected to."""
        self._admits = admits

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - the pool is given none
        socket_options: Iterable[object] | None = None,  # noqa: ARG002 - nor these
    ) -> Connection:
        """Connect to a host.

        Raises:
            UntrustedAddress: If none of its addresses is admitted.
            httpcore.ConnectError: If none of them answers.
            httpcore.ConnectTimeout: If none does in so many seconds.
        """
        try:
            with anyio.fail_after(timeout):
                found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                admitted = [one for one in found if self._admits(ip_address(one[4][0]))]
                if not admitted:
                    raise private_host(host)
                return Connection(await _Race().winner(admitted))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error


class _Race:
    """A host's addresses, each with a short head start before the next."""

    def __init__(self) -> None:
        self._won: socket.socket | None = None
        self._errors: list[OSError] = []

    async def winner(self, addresses: Sequence[_Found]) -> socket.socket:
        """Return the first socket that is connected.

        Raises:
            OSError: If none of the addresses answers: what the first of them said.
        """
        try:
            async with anyio.create_task_group() as tasks:
                for address in addresses:
                    lost = anyio.Event()
                    tasks.start_soon(self._run, address, lost, tasks.cancel_scope)
                    with anyio.move_on_after(_HEAD_START):
                        await lost.wait()
        except BaseException:
            if self._won is not None:
                self._won.close()
            raise
        if self._won is None:
            raise self._errors[0]
        return self._won

    async def _run(self, address: _Found, lost: anyio.Event, race: anyio.CancelScope) -> None:
        try:
            connected = await _connected(address)
        except OSError as error:
            self._errors.append(error)
            lost.set()
            return
        if self._won is None:
            self._won = connected
            race.cancel()
        else:
            connected.close()


async def _connected(found: _Found) -> socket.socket:
    family, kind, protocol, _, address = found
    with ExitStack() as stack:
        connecting = stack.enter_context(socket.socket(family, kind, protocol))
        connecting.settimeout(0)
        connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connecting.connect(address)
        except BlockingIOError:
            await anyio.wait_writable(connecting)
        code = connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        stack.pop_all()
    return connecting

"""One connection on a socket of our own, which can read straight into a caller's buffer.

httpx's own connections read 64 KiB at a time, and those bytes are copied twice more on their way to
a file. Reading into the caller's buffer makes a download as fast as the machine.
"""

import select
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import anyio
import httpcore
from anyio.lowlevel import checkpoint
from attrs import frozen

T = TypeVar("T")
Wait = Callable[[socket.socket], Awaitable[None]]
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_BROKEN = (OSError, anyio.ClosedResourceError, anyio.BrokenResourceError)


@frozen
class _RaisedAs:
    """Raises what went wrong as httpcore would.

    It is not a generator, as those take longer to enter, and this is in every read and write.
    """

    broken: type[Exception]
    late: type[Exception]

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, TimeoutError):
            raise self.late(str(error)) from error
        if isinstance(error, _BROKEN):
            raise self.broken(str(error)) from error


_CONNECTING = _RaisedAs(httpcore.ConnectError, httpcore.ConnectTimeout)
_READING = _RaisedAs(httpcore.ReadError, httpcore.ReadTimeout)
_WRITING = _RaisedAs(httpcore.WriteError, httpcore.WriteTimeout)


class Connection(httpcore.AsyncNetworkStream):
    """A connected socket, encrypted or not, as httpcore's pool wants it."""

    def __init__(self, sock: socket.socket) -> None:
        """Take a socket that is connected and does not block."""
        self._socket = sock

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return some bytes, none at the end.

        Raises:
            httpcore.ReadError: If the connection broke.
            httpcore.ReadTimeout: If nothing came in so many seconds.
        """
        with _READING:
            return await self._when_ready(lambda: self._socket.recv(max_bytes), timeout)

    async def read_into(self, view: memoryview, within: float | None = None) -> int:
        """Fill a buffer with what is there, waiting for the first of it, and return how much.

        Raises:
            httpcore.ReadError: If the connection broke.
            httpcore.ReadTimeout: If nothing came in so many seconds.
        """
        with _READING:
            return await self._when_ready(lambda: self._fill(view), within)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of some bytes.

        Raises:
            httpcore.WriteError: If the connection broke.
            httpcore.WriteTimeout: If some of it could not be sent in so many seconds.
        """
        left = memoryview(buffer)
        with _WRITING:
            while left:
                sending = partial(self._socket.send, left)
                left = left[await self._when_ready(sending, timeout, anyio.wait_writable) :]

    async def aclose(self) -> None:
        """Close it; tasks that wait for it are woken with an error."""
        if self._socket.fileno() >= 0:
            anyio.notify_closing(self._socket)
            self._socket.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "Connection":
        """Encrypt it from here on.

        Raises:
            httpcore.ConnectError: If the two sides cannot agree, or the certificate is not trusted.
            httpcore.ConnectTimeout: If it takes more than so many seconds.
        """
        with _CONNECTING:
            encrypted = ssl_context.wrap_socket(
                self._socket, server_hostname=server_hostname, do_handshake_on_connect=False
            )
            # `wrap_socket` has detached the plain socket, which owns nothing any more.
            self._socket = encrypted
            try:
                await self._when_ready(encrypted.do_handshake, timeout)
            except BaseException:
                encrypted.close()
                raise
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        """Return what httpcore asks about a connection."""
        match info:
            case "is_readable":
                return self._is_readable()
            case "socket":
                return self._socket
            case "ssl_object":
                return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
            case _:
                return None

    async def _when_ready(
        self, operation: Callable[[], T], within: float | None, wait: Wait = anyio.wait_readable
    ) -> T:
        """Call what does not block, again each time that the socket is ready for it."""
        try:
            result = operation()
        except _NOT_YET as reason:
            with anyio.fail_after(within):
                return await self._after_waiting(operation, wait, reason)
        if wait is anyio.wait_readable:
            # A socket that always has bytes would never let another task run.
            await checkpoint()
        return result

    async def _after_waiting(self, operation: Callable[[], T], wait: Wait, reason: Exception) -> T:
        while True:
            match reason:
                case ssl.SSLWantReadError():
                    await anyio.wait_readable(self._socket)
                case ssl.SSLWantWriteError():
                    await anyio.wait_writable(self._socket)
                case _:
                    await wait(self._socket)
            try:
                return operation()
            except _NOT_YET as again:
                reason = again

    def _fill(self, view: memoryview) -> int:
        filled = self._socket.recv_into(view)
        if not isinstance(self._socket, ssl.SSLSocket):
            return filled
        # TLS delivers records of 16 KiB: all that have come are read, not one in each call.
        with suppress(*_NOT_YET):
            while filled < len(view) and (more := self._socket.recv_into(view[filled:])):
                filled += more
        return filled

    def _is_readable(self) -> bool:
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        return self._socket.fileno() < 0 or _is_readable(self._socket)


if hasattr(select, "poll"):

    def _is_readable(sock: socket.socket) -> bool:
        # `select` knows no descriptor beyond 1,023.
        polled = select.poll()
        polled.register(sock, select.POLLIN)
        return bool(polled.poll(0))
else:

    def _is_readable(sock: socket.socket) -> bool:
        return bool(select.select([sock], [], [], 0)[0])

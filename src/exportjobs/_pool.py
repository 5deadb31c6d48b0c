"""The connections of a transport: each serves one request at a time, and is kept for the next.

httpcore's own pool goes through all of its connections, each with each, whenever one is taken or
given back. This one looks at the newest of a host's, and at those that have been idle the longest.
"""

import ssl
from collections.abc import Callable

import httpcore
from anyio import CancelScope

from exportjobs._dial import Dialler

Line = httpcore.AsyncHTTPConnection

_KEPT_ALIVE = 5.0


class Pool:
    """Connections to any hosts; whoever sends bounds how many requests are under way."""

    def __init__(self, most: int, dialler: Dialler, tls: Callable[[], ssl.SSLContext]) -> None:
        """Take what they are made with; none is opened yet.

        Args:
            most: How many to have, with those that are in use.
            dialler: Makes them.
            tls: How to encrypt; asked for when the first of them has to be.
        """
        self._most = most
        self._dialler = dialler
        self._tls = tls
        self._busy = 0
        self._idle: list[Line] = []
        self._closed = False

    async def send(self, request: httpcore.Request) -> tuple[httpcore.Response, Line]:
        """Send a request, and return the answer and the line to give back when it is closed.

        Raises:
            UntrustedAddress: If the host has no address that may be connected to.
            httpcore.NetworkError: If the connection cannot be made, or broke.
            httpcore.TimeoutException: If that or an answer takes too long.
            httpcore.ProtocolError: If the answer is no HTTP.
        """
        origin = request.url.origin
        self._busy += 1
        line = await self._kept(origin) or await self._made(origin)
        try:
            return await line.handle_async_request(request), line
        except BaseException:
            self._busy -= 1
            with CancelScope(shield=True):
                await line.aclose()
            raise

    async def take_back(self, line: Line) -> None:
        """Keep a line whose answer is closed, if it can be of use again."""
        self._busy -= 1
        while self._idle and self._idle[0].has_expired():
            await self._idle.pop(0).aclose()
        if self._closed:
            await line.aclose()
        elif line.is_idle():
            self._idle.append(line)

    async def aclose(self) -> None:
        """Close what is kept; what is in use is closed when it is given back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()

    async def _kept(self, origin: httpcore.Origin) -> Line | None:
        """Return a line that was kept and still holds."""
        for line in reversed(self._idle.copy()):
            if line.can_handle_request(origin):
                self._idle.remove(line)
                if not line.has_expired():
                    return line
                await line.aclose()
        return None

    async def _made(self, origin: httpcore.Origin) -> Line:
        """Return a line that connects when it is first used."""
        while self._idle and self._busy + len(self._idle) > self._most:
            await self._idle.pop(0).aclose()
        tls = self._tls() if origin.scheme == b"https" else None
        return Line(origin, tls, keepalive_expiry=_KEPT_ALIVE, network_backend=self._dialler)

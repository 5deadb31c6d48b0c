"""The network as httpx reaches it: its pool over connections of our own, or through a proxy."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx
from anyio import CancelScope

from exportjobs._http.connect import Admits, NetworkBackend
from exportjobs._http.connection import Connection

HttpConnection = httpcore.AsyncHTTPConnection
"""HTTP/1.1 on a `Connection`."""
_KEPT_ALIVE = 5.0


class Pool:
    """Connections to any hosts; whoever sends limits how many requests are under way.

    httpcore's pool compares each of its connections with each other one whenever a request begins
    or ends, which is a seventh of what a small file costs. This one keeps a list of idle
    connections, the longest idle one first, and knows of those in use only how many they are.
    """

    def __init__(
        self, most: int, backend: NetworkBackend, tls: Callable[[], ssl.SSLContext]
    ) -> None:
        """Take what they are made with; none is opened yet.

        Args:
            most: How many to have, with those that are in use.
            backend: Makes them.
            tls: How to encrypt; asked for when the first of them has to be.
        """
        self._most = most
        self._backend = backend
        self._tls = tls
        self._busy = 0
        self._idle: list[HttpConnection] = []
        self._closed = False

    async def send(self, request: httpcore.Request) -> tuple[httpcore.Response, HttpConnection]:
        """Send a request, and return the answer and the connection to give back when it is closed.

        Raises:
            UntrustedAddress: If the host has no address that may be connected to.
            httpcore.NetworkError: If the connection cannot be made, or broke.
            httpcore.TimeoutException: If that or an answer takes too long.
            httpcore.ProtocolError: If the answer is not HTTP.
        """
        origin = request.url.origin
        self._busy += 1
        connection = await self._kept(origin) or await self._made(origin)
        try:
            return await connection.handle_async_request(request), connection
        except BaseException:
            self._busy -= 1
            with CancelScope(shield=True):
                await connection.aclose()
            raise

    async def take_back(self, connection: HttpConnection) -> None:
        """Keep a connection whose answer is closed, if it can be of use again."""
        self._busy -= 1
        while self._idle and self._idle[0].has_expired():
            await self._idle.pop(0).aclose()
        if self._closed:
            await connection.aclose()
        elif connection.is_idle():
            self._idle.append(connection)

    async def aclose(self) -> None:
        """Close what is kept; what is in use is closed when it is given back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()

    async def _kept(self, origin: httpcore.Origin) -> HttpConnection | None:
        """Return an idle connection to a host that is still open."""
        for connection in reversed(self._idle.copy()):
            if connection.can_handle_request(origin):
                self._idle.remove(connection)
                if not connection.has_expired():
                    return connection
                await connection.aclose()
        return None

    async def _made(self, origin: httpcore.Origin) -> HttpConnection:
        """Return a connection that connects when it is first used."""
        while self._idle and self._busy + len(self._idle) > self._most:
            await self._idle.pop(0).aclose()
        tls = self._tls() if origin.scheme == b"https" else None
        return HttpConnection(
            origin, tls, keepalive_expiry=_KEPT_ALIVE, network_backend=self._backend
        )


Backend = httpx.AsyncBaseTransport
"""What sends requests, in place of the network where a caller passes one."""
_STRAIGHT_FROM = 1024 * 1024
"""Bytes that have to be still to come, for it to be worth a connection to read past httpcore."""
_HTTPCORE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


class _AsHttpxErrors:
    """Raises httpcore's errors as httpx's of the same name.

    It is not a generator, as those take longer to enter, and this is in every read.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, _HTTPCORE_ERRORS):
            raise getattr(httpx, type(error).__name__)(str(error)) from error


_AS_HTTPX_ERRORS = _AsHttpxErrors()


class Network(httpx.AsyncBaseTransport):
    """Sends requests over a pool of connections, and adds nothing to them."""

    def __init__(self, connections: int, admits: Admits) -> None:
        """Take how many connections to have, and where to; none is opened yet."""
        self._pool = Pool(connections, NetworkBackend(admits), tls)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the answer, its body still to come.

        Raises:
            UntrustedAddress: If the host has no address that may be connected to.
            httpx.TransportError: If the network failed.
        """
        asked = httpcore.Request(
            request.method,
            _target(request.url),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _AS_HTTPX_ERRORS:
            answer, connection = await self._pool.send(asked)
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer, partial(self._pool.take_back, connection)),
            extensions=answer.extensions,  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


class _Proxied(httpx.AsyncBaseTransport):
    """The network behind the proxies that the environment names, as httpx's clients reach it.

    Hosts that the environment exempts are reached without a proxy.
    """

    def __init__(self, connections: int, admits: Admits) -> None:
        """Take how many connections to have, and where to; none is opened yet."""
        self._direct = Network(connections, admits)
        self._client = httpx.AsyncClient(
            verify=tls(),
            limits=httpx.Limits(max_connections=connections),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the answer, its body still to come."""
        if _is_exempt(request.url):
            return await self._direct.handle_async_request(request)
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        await self._direct.aclose()


def network(connections: int, admits: Admits) -> Backend:
    """Return what sends requests; behind a proxy, it is the proxy that resolves names."""
    named = getproxies()
    if any(named.get(scheme) for scheme in ("http", "https", "all")):
        return _Proxied(connections, admits)
    return Network(connections, admits)


def _is_exempt(url: httpx.URL) -> bool:
    """Return whether the environment names no proxy for a URL, or exempts its host."""
    named = getproxies()
    return not (named.get(url.scheme) or named.get("all")) or bool(proxy_bypass(url.host))


class Straight:
    """The rest of a large body, read from its connection without httpcore in between."""

    def __init__(self, connection: Connection, left: int, within: float) -> None:
        """Take how many bytes are still to come, and in how many seconds the next of them."""
        self.left = left
        self._connection = connection
        self._within = within

    async def read_into(self, view: memoryview) -> int:
        """Fill a buffer with what is there and return how much, 0 at the end.

        Raises:
            httpx.TransportError: If the connection broke before the end.
        """
        if not self.left:
            return 0
        with _AS_HTTPX_ERRORS:
            received = await self._connection.read_into(view[: self.left], self._within)
        if not received:
            raise httpx.RemoteProtocolError("the body ended before its length")
        self.left -= received
        return received


def straight(reply: httpx.Response, first: int, within: float) -> Straight | None:
    """Return what reads the rest of a body straight from its connection, where that is worth it.

    httpcore has no more of a body in its buffers once the first bytes of it were returned.

    Args:
        reply: The answer whose body it is.
        first: Bytes of it that were returned.
        within: Seconds in which the next bytes have to come.
    """
    connection = reply.extensions.get("network_stream")
    length = reply.headers.get("content-length", "")
    is_plain = length.isdecimal() and "transfer-encoding" not in reply.headers
    if not (isinstance(connection, Connection) and is_plain):
        return None
    left = int(length) - first
    return Straight(connection, left, within) if left >= _STRAIGHT_FROM else None


class _Body(httpx.AsyncByteStream):
    """An answer's body. It is not a generator, which would have to be closed if left early."""

    def __init__(self, answer: httpcore.Response, closed: Callable[[], Awaitable[None]]) -> None:
        self._answer = answer
        self._closed = closed
        self._pieces = aiter(answer.aiter_stream())

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        with _AS_HTTPX_ERRORS:
            return await anext(self._pieces)

    async def aclose(self) -> None:
        """Close the answer and exhaust httpcore's generators, so that none is left open."""
        with CancelScope(shield=True):
            await self._answer.aclose()
            with suppress(Exception):
                async for _ in self._pieces:
                    pass
            await self._closed()


def _target(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )


@cache
def tls() -> ssl.SSLContext:
    """Return one context for all connections: making it reads every trusted certificate."""
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context

"""Carries polls by aiohttp, for a fraction of the processor time: the extra `fast`.

Importing this room fails without aiohttp, and with one that others brought along and that is too
old to have what is imported here.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus

import aiohttp
import httpx
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientTimeout
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

_KEPT_ALIVE = 5.0
_SENDABLE = re.compile(r"(?:[\w!#$%&'*+.^`|~-]+\t(?:[!-~](?:[\t -~]*[!-~])?)?\n)*", re.ASCII)
_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class Carrier:
    """Sends GETs, with what comes back and what is raised as httpx's own transport would have it.

    It belongs to the event loop in which it first sends something.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        """Take how to encrypt; no connection is opened yet."""
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self._is_fit = True

    async def get(
        self, url: httpx.URL, headers: Mapping[str, str], connect: float, read: float
    ) -> httpx.Response | None:
        """Send a GET that may be sent twice and return the answer, its body still to come.

        None if it takes httpx's own transport to get one, or to say why there is none: aiohttp is
        stricter with addresses and with the way an answer is written, and laxer with headers.

        Args:
            url: Where to; user and password in it are not sent.
            headers: What to send along; the host is added.
            connect: Seconds that connecting may take.
            read: Seconds that each piece of the answer may take.

        Raises:
            httpx.TransportError: If the network failed.
        """
        if not (self._is_fit and _are_sendable(headers)):
            return None
        answer = await self._answer(url, headers, _timeout(connect, read))
        if answer is None:
            # For good: as a vendor once wrote its answer, it will write the next.
            self._is_fit = False
            return None
        # Blanks at the end of a value are none of it; aiohttp leaves them there before 3.14.4.
        raw = [(name, value.rstrip(b" \t")) for name, value in answer.raw_headers]
        return httpx.Response(answer.status, headers=raw, stream=_Body(answer))

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _answer(
        self, url: httpx.URL, headers: Mapping[str, str], within: ClientTimeout
    ) -> ClientResponse | None:
        if self._session is None:
            self._session = _session(self._tls)
        # Two rounds of the loop: it notices who has hung up while it was kept from looking.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        try:
            answer = await self._session.get(
                _exactly(url), headers=headers, timeout=within, allow_redirects=False
            )
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            raise _told(error) from error
        except (aiohttp.ClientError, ValueError):
            return None
        if _ends_for_sure(answer):
            return answer
        _give_up(answer)
        return None


def _are_sendable(headers: Mapping[str, str]) -> bool:
    """Whether httpx would send some headers: aiohttp would send others, too."""
    lines = "".join(f"{name}\t{value}\n" for name, value in headers.items())
    return _SENDABLE.fullmatch(lines) is not None


def _exactly(url: httpx.URL) -> URL:
    """Return a URL marked as quoted: quoted anew, a signature in it would not hold."""
    return URL.build(
        scheme=url.scheme,
        authority=url.netloc.decode(),
        path=url.raw_path.decode(),
        encoded=True,
    )


class _Body(httpx.AsyncByteStream):
    """The body of an answer as it comes, its compression not undone."""

    def __init__(self, answer: ClientResponse) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._answer.content.readany()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _told(error) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Hang up, unless the body is whole: then the connection was given back already."""
        _give_up(self._answer)


class _Connector(aiohttp.TCPConnector):
    """Connections that are hung up on at once when their request is given up.

    aiohttp closes them too, but TLS would then wait for the other side's farewell, perhaps until
    after the event loop has ended.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        # Without a bound of its own: how many requests are under way is the caller's to say.
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - a socket's type is partly unknown
            ssl=tls,
            limit=0,
            keepalive_timeout=_KEPT_ALIVE,
            use_dns_cache=False,
            resolver=aiohttp.ThreadedResolver(),
        )
        self._used = dict[ClientRequest, asyncio.Transport | None]()

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> Connection:
        """Return a connection for a request, and remember which."""
        connection = await super().connect(req, traces, timeout)
        self._used[req] = connection.transport
        return connection

    async def once(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Send a request once: aiohttp itself would repeat a GET that was hung up on."""
        try:
            return await handler(request)
        except BaseException as error:
            _hang_up(self._used.get(request))
            if isinstance(error, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError):
                raise _told(error) from error
            raise
        finally:
            self._used.pop(request, None)


class _NoCookies(aiohttp.DummyCookieJar):
    """Keeps no cookie, and reads none: one that it cannot read it would write to the log."""

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        """Leave the cookies of an answer alone."""


def _session(tls: ssl.SSLContext) -> aiohttp.ClientSession:
    """Return a session that adds nothing to a request and changes nothing in an answer."""
    connector = _Connector(tls)
    return aiohttp.ClientSession(
        connector=connector,
        middlewares=(connector.once,),
        cookie_jar=_NoCookies(),
        skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
        auto_decompress=False,
    )


@cache
def _timeout(connect: float, read: float) -> ClientTimeout:
    return ClientTimeout(connect=connect, sock_connect=connect, sock_read=read)


def _ends_for_sure(answer: ClientResponse) -> bool:
    """Whether it is certain where an answer ends.

    A body that lasts as long as its connection is taken for whole by aiohttp even when the
    connection was reset.
    """
    coding = answer.headers.get("Transfer-Encoding")
    if answer.status < HTTPStatus.OK or coding not in {None, "chunked"}:
        return False
    return bool(coding) or answer.status in _BODILESS or "Content-Length" in answer.headers


def _give_up(answer: ClientResponse) -> None:
    if answer.connection is not None:
        _hang_up(answer.connection.transport)
    answer.close()


def _hang_up(transport: asyncio.Transport | None) -> None:
    if transport is not None:
        transport.abort()


def _told(error: Exception) -> httpx.TransportError:
    """Return the error that httpx's own transport would have raised."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return httpx.ConnectTimeout("")
        case aiohttp.ClientConnectorError():
            return httpx.ConnectError("")
        case TimeoutError():
            return httpx.ReadTimeout("")
        case aiohttp.ClientOSError():
            return httpx.ReadError("")
        case _:
            return httpx.RemoteProtocolError("")

"""The one room that knows httpx: sends requests, bounds answers, and lets no secret out.

httpx's errors carry the request, with whatever secrets are on it: they leave this room as the
library's own.
"""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Self

import anyio
import httpx
from attrs import field, frozen

from exportjobs._address import below, no_address
from exportjobs._errors import ExportJobsError, MalformedResponse, NetworkError, Unreachable
from exportjobs._flow import Request, Response
from exportjobs._quiet import quiet
from exportjobs._redact import safe_url
from exportjobs._structure import dump_json

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of an answer that is to be parsed; a larger one is refused."""
_ANSWER_WITHIN = 30.0
_DEEPEST_CAUSE = 8
_CONNECT_WITHIN = 10.0
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


Via = httpx.AsyncBaseTransport
"""What may take the network's place."""


class Transport:
    """Connections to one vendor's API, or to the hosts that hold its files.

    Redirects are never followed and cookies never kept: where a request goes, and what goes along,
    is decided by whoever sends it.
    """

    def __init__(self, via: Via | None = None, *, connections: int = 4) -> None:
        """Prepare the connections; none is opened yet. `via` takes the network's place."""
        self._turn = anyio.Semaphore(connections)
        with quiet():
            self._client = httpx.AsyncClient(
                transport=via,
                verify=_tls(),
                timeout=_timeout(_ANSWER_WITHIN),
                limits=httpx.Limits(max_connections=connections),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                headers={"User-Agent": "exportjobs"},
            )

    async def __aenter__(self) -> Self:
        """Keep the connections until the block is left."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def send(self, request: Request, *, base_url: str) -> Response:
        """Send one request below a base URL and return the whole answer, whatever its status.

        Raises:
            UntrustedAddress: If the request's path leads away from the base URL.
            Unreachable: If no connection was made; nothing was sent.
            NetworkError: If the connection broke or no answer came in time.
            MalformedResponse: If the answer is larger than `LARGEST_ANSWER`.
        """
        async with self._open(self._built(request, base_url)) as reply:
            content = await _bounded(reply)
            return Response(reply.status_code, reply.headers, content)

    @asynccontextmanager
    async def stream(self, url: str, headers: Mapping[str, str]) -> "AsyncGenerator[Stream]":
        """Open an absolute URL to read its body as it comes.

        Raises:
            UntrustedAddress: If the URL is none.
            Unreachable: If no connection was made.
            NetworkError: If the connection broke or no bytes came in time.
        """
        with _addressed():
            built = self._client.build_request("GET", url, headers=dict(headers))
        async with self._open(built) as reply:
            yield Stream(reply.status_code, dict(reply.headers), reply)

    @asynccontextmanager
    async def _open(self, request: httpx.Request) -> AsyncGenerator[httpx.Response]:
        async with self._turn:
            with quiet(), _translated(request.url):
                reply = await self._client.send(request, stream=True)
                try:
                    yield reply
                finally:
                    await reply.aclose()

    def locate(self, request: Request, *, base_url: str) -> str:
        """Return the absolute URL of a request below a base URL.

        Raises:
            UntrustedAddress: If the request's path leads away from the base URL.
        """
        with _addressed():
            url = httpx.URL(below(base_url, request.path))
            return str(url.copy_merge_params(dict(request.params)))

    def _built(self, request: Request, base_url: str) -> httpx.Request:
        within = request.timeout.total_seconds() if request.timeout else _ANSWER_WITHIN
        content = None if request.json is None else dump_json(request.json)
        kind = {} if request.json is None else {"content-type": "application/json"}
        return self._client.build_request(
            request.method,
            self.locate(request, base_url=base_url),
            content=content,
            data=None if request.form is None else dict(request.form),
            headers={"accept": "application/json", **kind, **request.headers},
            timeout=_timeout(within),
        )


@frozen
class Stream:
    """An answer whose body is still coming."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    _reply: httpx.Response = field(repr=False)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes, with a transport's compression undone."""
        async for chunk in self._reply.aiter_bytes():
            yield chunk


def _timeout(answer: float) -> httpx.Timeout:
    """Bound the wait for a connection and for each piece of an answer; a turn has no bound."""
    return httpx.Timeout(answer, connect=_CONNECT_WITHIN, pool=None)


async def _bounded(reply: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in reply.aiter_bytes():
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise MalformedResponse(f"larger than {LARGEST_ANSWER} bytes @ $")
    return bytes(content)


@contextmanager
def _addressed() -> Generator[None]:
    try:
        yield
    except (httpx.InvalidURL, UnicodeError):
        raise no_address() from None


@contextmanager
def _translated(url: httpx.URL) -> Generator[None]:
    """Let httpx's errors out as the library's own, without the request that they carry."""
    host = safe_url(str(url))
    try:
        yield
    except ExportJobsError:
        raise
    except _NOTHING_SENT as error:
        raise Unreachable(f"no connection to {host} ({_cause(error)})") from None
    except httpx.TimeoutException as error:
        raise NetworkError(f"no answer in time from {host} ({_cause(error)})") from None
    except httpx.DecodingError as error:
        raise MalformedResponse(f"compressed wrongly ({_cause(error)}) @ $") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise NetworkError(f"the connection to {host} broke ({_cause(error)})") from None


def _cause(error: BaseException) -> str:
    """Return an error's name and what the system said below it, never its own words."""
    below: BaseException | None = error
    for _ in range(_DEEPEST_CAUSE):
        if isinstance(below, OSError) and below.strerror:
            return f"{type(error).__name__}: {below.strerror}"
        below = below and (below.__cause__ or below.__context__)
    return type(error).__name__


@cache
def _tls() -> ssl.SSLContext:
    """One context for all connections: making it reads every trusted certificate."""
    return httpx.create_ssl_context()

"""The module that uses httpx: sends requests, limits answers, and lets no secret out.

httpx's errors hold the request, with the secrets on it: they leave this module as the library's
own. Requests go to httpx's transports, not to a client of httpx's: what a client adds to them
(redirects, cookies, authentication) is unwanted here, and doubles their cost.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache, lru_cache
from typing import Self

import anyio
import httpx

from exportjobs._http.connect import Admits
from exportjobs._http.network import Backend, network, tls
from exportjobs._http.origins import below, everywhere, invalid_url
from exportjobs._http.retry import quiet
from exportjobs._http.stream import Stream, raw
from exportjobs.adapter._errors import ExportJobsError, MalformedResponse, NetworkError, Unreachable
from exportjobs.adapter._flow import Request, Response
from exportjobs.adapter._redact import safe_url
from exportjobs.adapter._structure import dump_json

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of an answer that is parsed; a larger one is an error."""
_ANSWER_WITHIN = 30.0
_DEEPEST_CAUSE = 8
_CONNECT_WITHIN = 10.0
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class Transport:
    """Connections to one vendor's API, or to the hosts that hold its files.

    Redirects are never followed and cookies never kept: where a request goes, and what goes along,
    is decided by whoever sends it.
    """

    def __init__(
        self, backend: Backend | None = None, *, connections: int = 4, admits: Admits = everywhere
    ) -> None:
        """Prepare the connections; none is opened yet.

        Args:
            backend: What sends the requests, in place of the network.
            connections: How many to have at once.
            admits: Whether connections to an address are made.
        """
        # `fast_acquire`: a free slot is taken without a round of the event loop, as the answer of
        # the network is waited for anyhow.
        self._slots = anyio.Semaphore(connections, fast_acquire=True)
        with quiet():
            self._network = network(connections, admits) if backend is None else backend
        self._closed = False

    async def __aenter__(self) -> Self:
        """Keep the connections until the block is left."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        self._closed = True
        await self._network.aclose()

    async def send(self, request: Request, *, base_url: str) -> Response:
        """Send one request below a base URL and return the answer, whatever its status.

        Raises:
            UntrustedAddress: If the request's path leads away from the base URL.
            Unreachable: If no connection was made; nothing was sent.
            NetworkError: If the connection broke or no answer came in time.
            MalformedResponse: If the answer is larger than `LARGEST_ANSWER`.
        """
        async with self._open(_built(request, base_url)) as reply:
            headers = _headers(reply)
            if request.head_only and reply.is_success:
                return Response(reply.status_code, headers)
            return Response(reply.status_code, headers, await _bounded(reply, headers))

    @asynccontextmanager
    async def stream(
        self, url: str, headers: Mapping[str, str], *, within: float = _ANSWER_WITHIN
    ) -> AsyncGenerator[Stream]:
        """Open an absolute URL to read its body as it comes.

        Args:
            url: Where.
            headers: What to send along, besides what httpx always does.
            within: Seconds in which the next bytes have to come.

        Raises:
            UntrustedAddress: If the URL is not valid.
            Unreachable: If no connection was made.
            NetworkError: If the connection broke or no bytes came in time.
        """
        named = {name.lower(): value for name, value in headers.items()}
        with _url_errors():
            built = httpx.Request(
                "GET",
                url,
                headers={**_usual_headers(), **named},
                extensions={"timeout": _bounds(within)},
            )
        async with self._open(_with_credentials(built)) as reply:
            yield Stream(reply.status_code, _headers(reply), reply, within)

    @asynccontextmanager
    async def _open(self, request: httpx.Request) -> AsyncGenerator[httpx.Response]:
        if self._closed:
            raise RuntimeError("the transport is closed")
        async with self._slots:
            with quiet(), _as_own_errors(request.url):
                reply = await self._network.handle_async_request(request)
                try:
                    yield reply
                finally:
                    await reply.aclose()

    def locate(self, request: Request, *, base_url: str) -> str:
        """Return the absolute URL of a request below a base URL.

        Raises:
            UntrustedAddress: If the request's path leads away from the base URL.
        """
        return str(_located(request, base_url))


def _built(request: Request, base_url: str) -> httpx.Request:
    kind = {} if request.json is None else {"content-type": "application/json"}
    within = request.timeout.total_seconds() if request.timeout else _ANSWER_WITHIN
    built = httpx.Request(
        request.method,
        _located(request, base_url),
        headers={**_usual_headers(), "accept": "application/json", **kind, **request.headers},
        content=None if request.json is None else dump_json(request.json),
        data=None if request.form is None else dict(request.form),
        extensions={"timeout": _bounds(within)},
    )
    return _with_credentials(built)


def _with_credentials(request: httpx.Request) -> httpx.Request:
    """Return a request with the credentials that its URL may hold in their header."""
    url = request.url
    if url.userinfo:
        next(httpx.BasicAuth(url.username, url.password).auth_flow(request))
    return request


def _located(request: Request, base_url: str) -> httpx.URL:
    with _url_errors():
        url = _parsed(base_url, request.path)
        return url.copy_merge_params(dict(request.params)) if request.params else url


# A job is polled at one URL, many times.
@lru_cache(maxsize=1024)
def _parsed(base_url: str, path: str) -> httpx.URL:
    return httpx.URL(below(base_url, path))


@cache
def _usual_headers() -> Mapping[str, str]:
    """Return what httpx's clients send with every request, under the library's name."""
    client = httpx.AsyncClient(verify=tls(), trust_env=False)
    return {**client.headers, "user-agent": "exportjobs"}


@lru_cache
def _bounds(answer: float) -> Mapping[str, float | None]:
    """Return time-outs for a connection and for each piece of an answer, none for a slot."""
    return httpx.Timeout(answer, connect=_CONNECT_WITHIN, pool=None).as_dict()


def _headers(reply: httpx.Response) -> Mapping[str, str]:
    """Return an answer's headers as httpx reads them, faster where they are ASCII and unique."""
    raw = reply.headers.raw
    try:
        plain = {name.decode("ascii").lower(): value.decode("ascii") for name, value in raw}
    except UnicodeDecodeError:
        return dict(reply.headers)
    return plain if len(plain) == len(raw) else dict(reply.headers)


async def _bounded(reply: httpx.Response, headers: Mapping[str, str]) -> bytes:
    content = bytearray()
    async for chunk in _pieces(reply, headers):
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise MalformedResponse(f"larger than {LARGEST_ANSWER} bytes @ $")
    return bytes(content)


def _pieces(reply: httpx.Response, headers: Mapping[str, str]) -> AsyncIterable[bytes]:
    """Return the body as it comes, with a content coding undone."""
    # The usual answer has a length and is not compressed: it needs none of httpx's decoders.
    is_plain = "content-length" in headers and "content-encoding" not in headers
    return raw(reply) if is_plain else reply.aiter_bytes()


@contextmanager
def _url_errors() -> Generator[None]:
    try:
        yield
    except (httpx.InvalidURL, UnicodeError):
        raise invalid_url() from None


@contextmanager
def _as_own_errors(url: httpx.URL) -> Generator[None]:
    """Raise httpx's errors as the library's own, without the request that they hold."""
    try:
        yield
    except ExportJobsError:
        raise
    except _NOTHING_SENT as error:
        raise Unreachable(f"no connection to {_host(url)} ({_cause(error)})") from None
    except httpx.TimeoutException as error:
        raise NetworkError(f"no answer in time from {_host(url)} ({_cause(error)})") from None
    except httpx.DecodingError as error:
        raise MalformedResponse(f"compressed wrongly ({_cause(error)}) @ $") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise NetworkError(f"the connection to {_host(url)} broke ({_cause(error)})") from None


def _host(url: httpx.URL) -> str:
    return safe_url(str(url))


def _cause(error: BaseException) -> str:
    """Return an error's name and what the system said below it, never its own words."""
    below: BaseException | None = error
    for _ in range(_DEEPEST_CAUSE):
        if isinstance(below, OSError) and below.strerror:
            return f"{type(error).__name__}: {below.strerror}"
        below = below and (below.__cause__ or below.__context__)
    return type(error).__name__

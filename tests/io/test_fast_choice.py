"""When the extra `fast` carries a request, and when it is left to httpx."""

import asyncio
import subprocess
import sys
from typing import Any

import httpx
import pytest
import trio

from exportjobs._flow import Request
from exportjobs._transport import Transport

from .support import always, whole
from .wire import OK, ok, playing, vendor

aiohttp = pytest.importorskip("aiohttp", reason="needs the extra fast")
from exportjobs._carrier import Carrier  # noqa: E402 - without aiohttp there is none

PROXIES = ("http_proxy", "HTTPS_PROXY", "all_proxy")


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the paths of the requests that the extra was asked to carry."""
    paths: list[str] = []
    get = Carrier.get

    async def note(carrier: Carrier, url: httpx.URL, *rest: object) -> object:
        paths.append(url.path)
        return await get(carrier, url, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Carrier, "get", note)
    return paths


async def ask(base: str, *requests: Request) -> None:
    """Send some requests over one transport."""
    async with Transport() as transport:
        for request in requests:
            await transport.send(request, base_url=base)


async def test_a_poll_is_carried_on_asyncio_alone(carried: list[str], anyio_backend: str) -> None:
    """On trio there is no aiohttp; httpx does the same there."""
    async with vendor(OK) as seen:
        await ask(seen.base, Request.get("/jobs/1"))

    assert carried == (["/jobs/1"] if anyio_backend == "asyncio" else [])
    assert len(seen.requests) == 1


@pytest.mark.parametrize(
    "request_",
    [
        Request.post("/reports", json={}),
        Request.post("/token").repeatable(),
        Request.patch("/jobs/1", json={}),
        Request.delete("/jobs/1"),
        Request(method="GET", path="/new", idempotent=False),
        Request(method="GET", path="/search", json={"q": 1}),
    ],
    ids=lambda request: f"{request.method}-{request.path}",
)
async def test_what_changes_something_is_left_to_httpx(
    carried: list[str], request_: Request
) -> None:
    """Only what may be sent twice is carried: a doubt about a submit is too dear."""
    async with vendor(OK) as seen:
        await ask(seen.base, request_)

    assert carried == []
    assert len(seen.requests) == 1


async def test_a_download_is_left_to_httpx(carried: list[str]) -> None:
    """A stream goes the usual way."""
    async with (
        vendor(OK) as seen,
        Transport() as transport,
        transport.stream(f"{seen.base}/file", {}) as stream,
    ):
        content = await whole(stream)

    assert (content, carried) == (b"{}", [])


@pytest.mark.parametrize("name", PROXIES)
async def test_where_there_is_a_proxy_httpx_asks_it(
    carried: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A proxy that the environment names is used, with the extra installed as without."""
    async with vendor(OK) as proxy:
        for known in (*PROXIES, "no_proxy"):
            monkeypatch.delenv(known, raising=False)
            monkeypatch.delenv(known.swapcase(), raising=False)
        monkeypatch.setenv(name, proxy.base)
        if name == "HTTPS_PROXY":
            monkeypatch.setenv("http_proxy", proxy.base)
        await ask("http://api.acme.test", Request.get("/jobs/1"))

    assert proxy.requests[0].startswith(b"GET http://api.acme.test/jobs/1 HTTP/1.1\r\n")
    assert carried == []


async def test_no_cookie_and_no_redirect_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a proxy the client is httpx's own, and as forgetful."""
    raw = ok(b"Location: /elsewhere", b"Set-Cookie: a=1").replace(b"200 OK", b"302 Found")

    async with vendor(raw) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base)
        await ask("http://api.acme.test", *[Request.get("/jobs/1")] * 2)

    assert len(proxy.requests) == 2
    assert b"cookie" not in proxy.requests[1].lower()


async def test_what_takes_the_networks_place_takes_it_whole(carried: list[str]) -> None:
    """With `via`, nothing else is asked."""
    async with Transport(always(httpx.Response(200, json={}))) as transport:
        await transport.send(Request.get("/jobs/1"), base_url="https://api.acme.test")

    assert carried == []


@pytest.fixture
def early() -> Transport:
    """Return a transport that was made while no event loop ran."""
    return Transport()


async def test_a_transport_that_is_made_before_the_loop_has_the_extra_of_the_loop(
    early: Transport, carried: list[str], anyio_backend: str
) -> None:
    """Which loop it is used on is known when it first asks."""
    async with vendor(OK) as seen, early:
        await early.send(Request.get("/jobs/1"), base_url=seen.base)

    assert carried == (["/jobs/1"] if anyio_backend == "asyncio" else [])


def test_trio_as_a_guest_of_asyncios_loop_is_trio(carried: list[str]) -> None:
    """A loop that only lends its time to trio is not one to send requests on."""

    async def guest() -> None:
        async with vendor(OK) as seen:
            await ask(seen.base, Request.get("/jobs/1"))

    async def host() -> None:
        loop = asyncio.get_running_loop()
        over: asyncio.Future[Any] = loop.create_future()
        trio.lowlevel.start_guest_run(
            guest,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=over.set_result,
        )
        (await over).unwrap()

    asyncio.run(host())

    assert carried == []


@pytest.mark.parametrize("missing", ["aiohttp", "exportjobs._carrier", "yarl"])
async def test_without_the_package_httpx_is_used(
    carried: list[str], monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """The extra is missed by nobody who has not installed it."""
    monkeypatch.delitem(sys.modules, "exportjobs._carrier")
    monkeypatch.setitem(sys.modules, missing, None)

    async with vendor(OK) as seen:
        await ask(seen.base, Request.get("/jobs/1"))

    assert carried == []
    assert len(seen.requests) == 1


async def test_files_do_not_wait_for_what_polls_are_carried_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It takes as long to import as all the rest, and is looked for with the first poll."""
    monkeypatch.delitem(sys.modules, "exportjobs._carrier")

    async with (
        vendor(OK) as seen,
        Transport() as transport,
        transport.stream(f"{seen.base}/q3.csv", {}) as stream,
    ):
        await stream.peek(1)

    assert "exportjobs._carrier" not in sys.modules


async def test_an_older_package_is_not_used(
    carried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An aiohttp that others brought along may be too old to be asked for what we need."""
    monkeypatch.delitem(sys.modules, "exportjobs._carrier")
    monkeypatch.delattr(aiohttp, "ClientHandlerType")

    async with vendor(OK) as seen:
        await ask(seen.base, Request.get("/jobs/1"))

    assert carried == []
    assert len(seen.requests) == 1


async def test_what_it_cannot_read_is_asked_for_anew_once(anyio_backend: str) -> None:
    """A vendor whose answers aiohttp refuses is one request dearer, once, and not a failure."""
    async with vendor(playing(ok(b"Content-Length: 2"), then="keep")) as seen:
        await ask(seen.base, *[Request.get("/jobs/1")] * 3)

    assert len(seen.requests) == (4 if anyio_backend == "asyncio" else 3)


@pytest.mark.parametrize("code", ["exportjobs.Poller", "exportjobs.run"])
def test_the_package_is_imported_when_it_is_needed(code: str) -> None:
    """Importing the library, doors and all, does not wait for the extra."""
    code = f"import sys, exportjobs; {code}; print('aiohttp' in sys.modules)"

    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"

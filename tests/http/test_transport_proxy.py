"""Requests behind a proxy that the environment names."""

import pytest
from tests.support.wire import OK, ok, vendor

from exportjobs._http.transport import Transport
from exportjobs.adapter._flow import Request

PROXIES = ("http_proxy", "HTTPS_PROXY", "all_proxy")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.swapcase(), raising=False)


async def ask(times: int = 1) -> None:
    """Send a request some times over one transport."""
    async with Transport() as transport:
        for _ in range(times):
            await transport.send(Request.get("/jobs/1"), base_url="http://api.acme.test")


@pytest.mark.parametrize("name", PROXIES)
async def test_a_proxy_is_asked_for_the_whole_address(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whether it is named for the address's scheme, along with another scheme's, or for all."""
    async with vendor(OK) as proxy:
        monkeypatch.setenv(name, proxy.base)
        if name == "HTTPS_PROXY":
            monkeypatch.setenv("http_proxy", proxy.base)
        await ask()

    assert proxy.requests[0].startswith(b"GET http://api.acme.test/jobs/1 HTTP/1.1\r\n")


async def test_no_cookie_and_no_redirect_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a proxy the client is httpx's own, and as forgetful."""
    raw = ok(b"Location: /elsewhere", b"Set-Cookie: a=1").replace(b"200 OK", b"302 Found")

    async with vendor(raw) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base)
        await ask(times=2)

    assert len(proxy.requests) == 2
    assert b"cookie" not in proxy.requests[1].lower()

"""Redirects of a download: followed by hand, and no credential goes along to another place."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from tests.support.acme import KEY, Acme
from tests.support.hosts import in_turn, landing

from exportjobs import (
    DownloadFailed,
    Event,
    ExportJob,
    JobRef,
    JobStatus,
    UntrustedAddress,
)
from exportjobs._http.transport import Transport
from exportjobs._landing.into.folder import Folder
from exportjobs.adapter import Artifact, Reading, Request
from exportjobs.testing import ManualClock

HEADERS = ("x-acme-key", "authorization", "apikey", "x-api-key", "cookie", "x-custom")
OK = httpx.Response(200, content=b"a,b\n")
Follow = Callable[..., Awaitable[list[httpx.Request]]]


class Everywhere(Acme):
    """Acme, with the key in every header that one might think of."""

    def authenticate(self, request: Request) -> Request:
        """Put the key on a request, again and again."""
        for name in HEADERS:
            request = request.with_header(name, KEY)
        return request


@pytest.fixture
def follow(clock: ManualClock, events: list[Event], tmp_path: Path) -> Follow:
    """Return a function that lands a file on the vendor's API and returns what was sent."""

    async def land(*replies: httpx.Response, seen: list[httpx.Request]) -> list[httpx.Request]:
        transport = Transport(in_turn(*replies, seen=seen))
        ref = JobRef("acme", "default", "q3", kind="report")
        artifacts = (Artifact("/reports/q3/content", authenticated=True),)
        job = ExportJob(ref, Reading(JobStatus.DONE, "done"), artifacts=artifacts)
        folder = Folder(tmp_path, clock, unpacks=False)
        begun = landing(job, folder, transport, clock, events.append, adapter=Everywhere())
        await begun.land()
        return seen

    return land


def to(location: str, code: int = 302) -> httpx.Response:
    """Return a redirect."""
    return httpx.Response(code, headers={"Location": location})


def credentials(request: httpx.Request) -> set[str]:
    """Return which of a request's headers hold the key."""
    return {name for name, value in request.headers.items() if KEY in value}


async def test_the_first_request_has_every_credential(
    follow: Follow, seen: list[httpx.Request]
) -> None:
    """Without a redirect, what the adapter signs with is what is sent."""
    await follow(OK, seen=seen)

    assert credentials(seen[0]) == set(HEADERS)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "https://files.acme.test/x?sig=1",
        "https://api.acme.test:8443/x",
        "https://api.acme.test.evil.test/x",
        "https://evil.test/api.acme.test/x",
        "//evil.test/x",
    ],
    ids=["host", "port", "suffix", "path", "scheme-relative"],
)
async def test_another_origin_gets_no_credential(
    follow: Follow, seen: list[httpx.Request], location: str, code: int
) -> None:
    """Whatever the header is called, it is not sent to another host or port."""
    await follow(to(location, code), OK, seen=seen)

    assert len(seen) == 2
    assert credentials(seen[0]) == set(HEADERS)
    assert credentials(seen[1]) == set()


@pytest.mark.parametrize(
    "location",
    [
        "/v1/elsewhere",
        "elsewhere",
        "https://api.acme.test/v1/elsewhere",
        "https://api.acme.test:443/v1/elsewhere",
        "HTTPS://API.acme.test/v1/elsewhere",
    ],
    ids=["path", "relative", "whole", "default-port", "capitals"],
)
async def test_the_same_origin_keeps_the_credentials(
    follow: Follow, seen: list[httpx.Request], location: str
) -> None:
    """Within the vendor's own API a redirect is still signed."""
    await follow(to(location), OK, seen=seen)

    assert seen[1].url.host == "api.acme.test"
    assert seen[1].url.path.endswith("/elsewhere")
    assert credentials(seen[1]) == set(HEADERS)


async def test_credentials_do_not_come_back(follow: Follow, seen: list[httpx.Request]) -> None:
    """A redirect to another host and back again stays without credentials."""
    back = to("https://api.acme.test/v1/elsewhere")

    await follow(to("https://evil.test/"), back, OK, seen=seen)

    assert [credentials(request) for request in seen[1:]] == [set(), set()]


async def test_a_redirect_without_encryption_is_refused(
    follow: Follow, seen: list[httpx.Request]
) -> None:
    """A redirect from https to http of another machine is not followed."""
    with pytest.raises(UntrustedAddress, match="unencrypted"):
        await follow(to("http://api.acme.test/v1/elsewhere"), OK, seen=seen)

    assert len(seen) == 1


async def test_redirects_in_a_circle_end(follow: Follow, seen: list[httpx.Request]) -> None:
    """A few redirects are followed, an endless row of them is not."""
    with pytest.raises(DownloadFailed, match="redirects"):
        await follow(to("/v1/again"), seen=seen)

    assert 2 <= len(seen) <= 11


async def test_a_few_redirects_are_followed(
    follow: Follow, seen: list[httpx.Request], tmp_path: Path
) -> None:
    """Up to five hops lead to the file."""
    hops = [to(f"/v1/hop-{number}") for number in range(5)]

    await follow(*hops, OK, seen=seen)

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"a,b\n"]


async def test_a_redirect_that_leads_nowhere_is_no_file(
    follow: Follow, seen: list[httpx.Request], tmp_path: Path
) -> None:
    """A redirect without a Location is not written as the file."""
    with pytest.raises(DownloadFailed, match="302"):
        await follow(httpx.Response(302, content=b"moved"), seen=seen)

    assert list(tmp_path.iterdir()) == []

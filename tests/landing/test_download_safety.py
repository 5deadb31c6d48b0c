"""Downloads from vendors and hosts that mean no good: names, addresses, and what is shown."""

from pathlib import Path

import httpx
import pytest
from tests.support.acme import SIGNATURE, signed
from tests.support.hosts import CONTENT, Begin, Reply, failure, ok, one, told

from exportjobs import (
    Event,
    UntrustedAddress,
)
from exportjobs.adapter import Artifact


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "..\\..\\windows\\system.ini",
        "C:evil.csv",
        "con.csv",
        "a\x00b.csv",
        "a\nb.csv",
        ".." * 200 + ".csv",
        "é" * 300 + ".csv",
        "",
        ".",
    ],
)
async def test_a_hostile_name_stays_in_the_folder(begin: Begin, tmp_path: Path, name: str) -> None:
    """Whatever a vendor calls its file or job, one file lands, in the folder, under a safe name."""
    folder_before = set(tmp_path.parent.iterdir())
    artifacts = (Artifact(signed("q3"), name=name),)

    (landed,) = await begin(ok(), artifacts=artifacts, job_id=f"x{name}").land()

    (found,) = tmp_path.iterdir()
    assert found == landed.path
    assert landed.path.name.startswith("acme.")
    assert landed.path.name.isascii()
    assert landed.path.name.isprintable()
    assert len(landed.path.name) < 150
    assert set(tmp_path.parent.iterdir()) == folder_before


@pytest.mark.parametrize(
    "replies",
    [
        [httpx.Response(400)],
        [httpx.Response(403)],
        [httpx.Response(503)],
        [httpx.ReadTimeout(f"x {SIGNATURE}")],
        [httpx.Response(302, headers={"Location": f"http://evil.test/?sig={SIGNATURE}"})],
        [httpx.Response(302, headers={"Location": f"https://files.test/?sig={SIGNATURE}"})],
    ],
    ids=["400", "403", "503", "timeout", "to-plain-http", "redirects"],
)
async def test_no_error_and_no_event_shows_the_signature(
    begin: Begin, events: list[Event], replies: list[Reply]
) -> None:
    """However a download fails, what opens the file is in no text, repr or traceback."""
    error = await failure(begin(*replies, artifacts=one()).land())

    shown = told(error) + "".join(map(repr, events)) + "".join(map(str, events))
    assert SIGNATURE not in shown
    assert "sig=" not in shown


@pytest.mark.parametrize("url", ["http://files.acme.test/x", "http://10.0.0.1/x"])
async def test_an_unencrypted_address_is_refused(
    begin: Begin, seen: list[httpx.Request], url: str
) -> None:
    """Plain http to another machine is not fetched from."""
    error = await failure(begin(ok(), artifacts=(Artifact(url),)).land())

    assert isinstance(error, UntrustedAddress)
    assert seen == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/x", "http://localhost:9000/x", "http://[::1]:9000/x"]
)
async def test_this_machine_needs_no_encryption(begin: Begin, url: str) -> None:
    """Plain http to this very machine is fine for a vendor on it: that is where emulators run."""
    begun = begin(ok(), artifacts=(Artifact(url),), base_url="http://127.0.0.1:8000")

    (landed,) = await begun.land()

    assert landed.size == len(CONTENT)

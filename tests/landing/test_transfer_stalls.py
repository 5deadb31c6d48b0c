"""A host that falls silent is given up after so many seconds, and asked again where that helps."""

from pathlib import Path

import anyio
import pytest
from tests.http.test_network import CONTENT, MEBIBYTE, chunked, read_all, until_closed, with_length
from tests.support.acme import Acme
from tests.support.hosts import landing
from tests.support.wire import Playing, playing, vendor

from exportjobs import Event, ExportJob, JobRef, JobStatus, NetworkError
from exportjobs._http.transport import Transport
from exportjobs._landing.into.folder import Folder
from exportjobs.adapter import Artifact, Reading
from exportjobs.events import DownloadRetried
from exportjobs.testing import ManualClock

WITHIN = 0.05
HEAD = with_length(CONTENT)[: -len(CONTENT)]


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param((), id="nothing"),
        pytest.param((b"H",), id="a-byte"),
        pytest.param((HEAD[:-2],), id="most-of-the-head"),
        pytest.param((HEAD,), id="the-head"),
        pytest.param((HEAD + b"a",), id="a-byte-of-the-body"),
        pytest.param((HEAD + CONTENT[: 2 * MEBIBYTE],), id="much-of-the-body"),
        pytest.param((HEAD + CONTENT[:-1],), id="all-but-a-byte"),
        pytest.param((chunked(CONTENT)[:-5],), id="all-but-the-last-chunk"),
        pytest.param((until_closed(CONTENT),), id="all-but-the-end"),
    ],
)
async def test_a_host_that_falls_silent_is_given_up(sent: tuple[bytes, ...]) -> None:
    """Wherever it stops, nobody waits for longer than was said."""
    with anyio.fail_after(10):
        async with vendor(playing(*sent, then="wait")) as seen, Transport() as transport:
            with pytest.raises(NetworkError, match="in time"):
                async with transport.stream(seen.base, {}, within=WITHIN) as stream:
                    await read_all(stream)


async def test_a_connection_on_which_a_host_fell_silent_is_not_used_again() -> None:
    """What comes too late is not taken for the answer to the next request."""
    answers = playing(HEAD + CONTENT[: 2 * MEBIBYTE], then="wait"), with_length(b"a")

    async with vendor(*answers) as seen, Transport(connections=1) as transport:
        with pytest.raises(NetworkError):
            async with transport.stream(seen.base, {}, within=WITHIN) as stream:
                await read_all(stream)
        async with transport.stream(seen.base, {}, within=10) as stream:
            content = await read_all(stream)

    assert content == b"a"
    assert seen.connections == 2


async def test_a_host_that_is_slow_and_steady_is_waited_for() -> None:
    """The bound is for the next bytes, not for all of them."""
    pieces = [CONTENT[start : start + 1000] for start in range(0, 60_000, 1000)]
    answer = with_length(b"".join(pieces))

    async with (
        vendor(playing(answer[:-59_000], *pieces[1:])) as seen,
        Transport() as transport,
        transport.stream(seen.base, {}, within=0.5) as stream,
    ):
        content = await read_all(stream)

    assert content == CONTENT[:60_000]


def part(start: int) -> bytes:
    """Return the answer to the request for the rest of the file."""
    body, total = CONTENT[start:], len(CONTENT)
    lines = (
        b"HTTP/1.1 206 Partial Content",
        b'ETag: "a"',
        b"Content-Range: bytes %d-%d/%d" % (start, total - 1, total),
        b"Content-Length: %d" % len(body),
        b"",
        body,
    )
    return b"\r\n".join(lines)


@pytest.mark.parametrize("came", [1000, 3 * MEBIBYTE])
async def test_a_file_whose_host_falls_silent_is_gone_on_with(
    clock: ManualClock, events: list[Event], tmp_path: Path, came: int
) -> None:
    """The rest is asked for on another connection, and the file lands whole."""
    head = HEAD.replace(b"\r\n\r\n", b'\r\nETag: "a"\r\n\r\n')
    answers: list[bytes | Playing] = [playing(head + CONTENT[:came], then="wait"), part(came)]

    async with vendor(*answers) as seen, Transport() as transport:
        ref = JobRef("acme", "default", "q3", kind="report")
        job = ExportJob(
            ref, Reading(JobStatus.DONE, "done"), artifacts=(Artifact(f"{seen.base}/q3.csv"),)
        )
        folder, adapter = Folder(tmp_path, clock, unpacks=False), Acme(base_url=seen.base)
        begun = landing(
            job, folder, transport, clock, events.append, adapter=adapter, read_timeout=0.3
        )
        with anyio.fail_after(20):
            (landed,) = await begun.land()

    assert landed.path.read_bytes() == CONTENT
    assert b"range: bytes=%d-\r\n" % came in seen.requests[1].lower()
    assert b'if-range: "a"\r\n' in seen.requests[1].lower()
    assert sum(isinstance(event, DownloadRetried) for event in events) == 1

"""Downloads in the loop: in which order, how many at once, and what their failures cost."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import anyio
import httpx
import pytest
from tests.support.acme import (
    FILES,
    Acme,
    MakePoller,
    finish,
    id_of,
    reports,
    signed,
    status,
    turns,
)
from tests.support.acme_api import Vendor

from exportjobs import DownloadFailed, Event, JobStatus, NetworkError, SignedUrlRejected
from exportjobs.adapter import JobRef
from exportjobs.events import DownloadProgress, DownloadRetried, SignedUrlRenewed, Throttled
from exportjobs.testing import ManualClock


def leased(name: str, clock: ManualClock, *, seconds: float) -> str:
    """Return a signed URL that says when it ends."""
    return f"{signed(name)}&Expires={int((clock.now() + timedelta(seconds=seconds)).timestamp())}"


async def test_a_failed_download_is_a_result_that_keeps_its_job(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """A job that is done and whose file cannot be had is told with job and error; others land."""
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.report("q2", "done", links=(signed("q2.csv"),))
    vendor.files["q1.csv"] = [httpx.Response(400)]
    vendor.files["q2.csv"] = [b"a,b\n"]

    async with make_poller() as poller:
        results = await finish(poller, reports(Acme(), "q1", "q2"), tmp_path)

    by_id = {id_of(finished): finished for finished in results}
    assert isinstance(by_id["q1"].error, DownloadFailed)
    assert by_id["q1"].error.ref == by_id["q1"].ref
    assert by_id["q1"].job.status is JobStatus.DONE
    assert by_id["q1"].files == ()
    assert by_id["q2"].ok
    assert list(tmp_path.iterdir()) == [file.path for file in by_id["q2"].files]


async def test_what_expires_first_is_fetched_first(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock, tmp_path: Path
) -> None:
    """With one download at a time, the queue goes by how long the addresses are good."""
    asked, go_on = anyio.Event(), anyio.Event()

    async def serve(_: httpx.Request) -> httpx.Response:
        asked.set()
        await go_on.wait()
        return httpx.Response(200)

    vendor.router.get(host="busy.test").mock(side_effect=serve)
    vendor.report("first", submits=["done"], links=("https://busy.test/first",))
    vendor.report("never", submits=["done"], links=(f"{FILES}/never.csv",))
    vendor.report("late", submits=["done"], links=(leased("late.csv", clock, seconds=9000),))
    vendor.report("soon", submits=["done"], links=(leased("soon.csv", clock, seconds=900),))
    for name in ("never", "late", "soon"):
        vendor.files[f"{name}.csv"] = [name.encode()]

    async with make_poller(max_downloads=1) as poller:
        first = poller.run(reports(Acme(), "first"), into=tmp_path)
        await asked.wait()
        results = poller.run(reports(Acme(), "never", "late", "soon"), into=tmp_path)
        await turns()
        go_on.set()
        await anext(first)
        order = [id_of(finished) async for finished in results]

    assert order == ["soon", "late", "never"]


async def test_no_more_downloads_than_wished_are_under_way(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """Two downloads at once are two, however many jobs are done."""
    names = ("q1", "q2", "q3", "q4", "q5")
    under_way: list[int] = []
    active = 0
    go_on = anyio.Event()

    async def serve(request: httpx.Request) -> httpx.Response:
        nonlocal active
        active += 1
        under_way.append(active)
        await go_on.wait()
        active -= 1
        return httpx.Response(200, content=request.url.path.encode())

    vendor.router.get(host="busy.test").mock(side_effect=serve)
    for name in names:
        vendor.report(name, submits=["done"], links=(f"https://busy.test/{name}",))

    async with make_poller(max_downloads=2) as poller:
        results = poller.run(reports(Acme(), *names), into=tmp_path)
        while len(under_way) < 2:
            await anyio.lowlevel.checkpoint()
        go_on.set()
        landed = [finished.ok async for finished in results]

    assert landed == [True] * 5
    assert max(under_way) == 2


async def test_an_address_that_was_refused_is_renewed(
    vendor: Vendor, make_poller: MakePoller, events: list[Event], tmp_path: Path
) -> None:
    """A 403 from the file's host costs one poll for a fresh address, and the file lands."""
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [status(403), b"a,b\n"]

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), tmp_path)

    assert finished.ok
    assert vendor.said.count("GET /reports/q1") == 2
    assert sum(isinstance(event, SignedUrlRenewed) for event in events) == 1
    assert finished.stats.retried_downloads == 1


async def test_an_address_that_is_always_refused_is_given_up(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """A file that is refused under every fresh address ends, after a bounded number of tries."""
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [status(403)]

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), tmp_path)

    assert isinstance(finished.error, SignedUrlRejected)
    assert vendor.said.count("GET /q1.csv") <= 8
    assert vendor.said.count("GET /reports/q1") <= 9


async def test_a_renewal_that_is_throttled_waits(
    vendor: Vendor,
    make_poller: MakePoller,
    clock: ManualClock,
    events: list[Event],
    tmp_path: Path,
) -> None:
    """A 429 on the poll for a fresh address is waited out, and the file lands."""
    vendor.report("q1", "done", status(429, Retry_After="60"), "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [status(403), b"a,b\n"]

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), tmp_path)

    _, throttled, renewed = vendor.moments("GET /reports/q1")
    assert finished.ok
    assert renewed - throttled >= 60
    assert any(isinstance(event, Throttled) for event in events)
    assert clock.monotonic() >= 60


async def test_a_renewal_that_is_refused_ends_the_job(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """A job that the vendor no longer knows when a fresh address is wanted ends with that."""
    vendor.report("q1", "done", status(404), links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [status(403)]

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), tmp_path)

    assert finished.error is not None
    assert finished.error.ref == finished.ref
    assert finished.job.status is JobStatus.DONE


async def test_a_file_host_that_is_down_for_a_moment_is_asked_again(
    vendor: Vendor, make_poller: MakePoller, events: list[Event], tmp_path: Path
) -> None:
    """5xx, 429 and broken connections are repeated, and each repetition is told of."""
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [
        status(503),
        status(429),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
        b"a,b\n",
    ]

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), tmp_path)

    assert finished.ok
    assert finished.stats.retried_downloads == 4
    assert sum(isinstance(event, DownloadRetried) for event in events) == 4


async def test_a_file_host_that_stays_down_ends_the_download(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """A file that can never be had ends with the last failure and the job's ref."""
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [status(503)]

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), tmp_path)

    assert isinstance(finished.error, NetworkError | DownloadFailed)
    assert finished.error.ref == finished.ref
    assert vendor.said.count("GET /q1.csv") == 8


async def test_a_file_host_that_is_down_does_not_fail_the_jobs_after_it(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """A download that ends badly gives its place to the next."""
    vendor.report("q1", submits=["done"], links=(signed("q1.csv"),))
    vendor.report("q2", submits=["done"], links=(signed("q2.csv"),))
    vendor.files["q1.csv"] = [status(503)]
    vendor.files["q2.csv"] = [b"a,b\n"]

    async with make_poller(max_downloads=1) as poller:
        results = await finish(poller, reports(Acme(), "q1", "q2"), tmp_path)

    assert {id_of(finished): finished.ok for finished in results} == {"q1": False, "q2": True}


async def test_a_landed_file_is_not_touched_by_a_later_failure(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """A second download of the same job that fails leaves the file of the first."""
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [b"a,b\n", httpx.Response(400, content=b"<Error/>")]
    ref = JobRef("acme", "default", "q1", kind="report")

    async with make_poller(accounts=[Acme()]) as poller:
        first = await poller.resume(ref, into=tmp_path)
    async with make_poller(accounts=[Acme()]) as poller:
        second = await poller.resume(ref, into=tmp_path)

    assert (first.ok, second.ok) == (True, False)
    assert first.files[0].path.read_bytes() == b"a,b\n"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("size", [3 * 1024 * 1024 + 5])
async def test_progress_is_told_while_bytes_come(
    vendor: Vendor, make_poller: MakePoller, events: list[Event], tmp_path: Path, size: int
) -> None:
    """A large file is told of as it grows, with the size to expect."""
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [httpx.Response(200, content=bytes(size))]

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"), tmp_path)

    told = [event for event in events if isinstance(event, DownloadProgress)]
    received = [event.received for event in told]
    assert received[0] == 0
    assert received == sorted(received)
    assert received[-1] > 1024 * 1024
    assert {event.size for event in told} == {size}


async def test_leaving_in_the_middle_of_a_download_leaves_no_file(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """A download that is broken off by leaving the poller removes what it had."""
    asked = anyio.Event()

    async def endless(_: httpx.Request) -> httpx.Response:
        async def body() -> AsyncIterator[bytes]:
            while True:
                yield bytes(1024 * 1024)
                asked.set()
                await anyio.lowlevel.checkpoint()

        return httpx.Response(200, content=body())

    vendor.router.get(host="endless.test").mock(side_effect=endless)
    vendor.report("q1", submits=["done"], links=("https://endless.test/q1",))

    async with make_poller() as poller:
        poller.run(reports(Acme(), "q1"), into=tmp_path)
        await asked.wait()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "waits"), [("7", 7.0), ("0", 0.0), ("86400", 60.0)], ids=["soon", "now", "tomorrow"]
)
@pytest.mark.parametrize("code", [429, 503])
async def test_a_host_that_asks_to_be_left_alone_is_for_a_while(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path, *, code: int, asked: str, waits: float
) -> None:
    """`Retry-After` of the files' own host counts, but for more than a minute nobody waits."""
    vendor.report("q1", submits=["done"], links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [status(code, Retry_After=asked), b"a,b\n"]

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), tmp_path)

    first, second = vendor.moments("GET /q1.csv")
    assert finished.ok
    assert second - first == waits

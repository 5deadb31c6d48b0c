"""From a finished job to its files: streamed, verified, and under safe names."""

import gzip
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
import pytest
from tests.support.acme import KEY, signed
from tests.support.errors import assert_error
from tests.support.hosts import CONTENT, Begin, body, failure, ok, one

from exportjobs import (
    DestinationFailed,
    DownloadFailed,
    Event,
    LandedFile,
    NetworkError,
)
from exportjobs.adapter import Artifact
from exportjobs.events import DownloadProgress, DownloadRetried, Landed


async def test_a_file_lands_whole_with_its_digest(
    begin: Begin, tmp_path: Path, events: list[Event], seen: list[httpx.Request]
) -> None:
    """The bytes are those that were sent, under a name made of vendor, kind and id."""
    (landed,) = await begin(ok(), artifacts=one()).land()

    digest = hashlib.sha256(CONTENT).hexdigest()
    assert landed == LandedFile(tmp_path / landed.path.name, len(CONTENT), digest)
    assert landed.path.name.endswith(".report.q3.csv")
    assert landed.path.read_bytes() == CONTENT
    assert [type(event) for event in events] == [DownloadProgress, DownloadProgress, Landed]
    assert str(seen[0].url) == signed("q3.csv")


async def test_a_signed_url_is_fetched_without_credentials(
    begin: Begin, seen: list[httpx.Request]
) -> None:
    """The signature opens the file; the key does not go along."""
    await begin(ok(), artifacts=one()).land()

    assert not {"x-acme-key", "authorization", "cookie"} & set(seen[0].headers)
    assert seen[0].headers["accept-encoding"] == "identity"


async def test_a_file_on_the_vendors_own_api_is_fetched_with_credentials(
    begin: Begin, seen: list[httpx.Request]
) -> None:
    """An authenticated artifact is a path below the base URL, asked for with the key."""
    artifact = Artifact("/reports/q3/content", authenticated=True)

    await begin(ok(), artifacts=(artifact,)).land()

    assert str(seen[0].url) == "https://api.acme.test/v1/reports/q3/content"
    assert seen[0].headers["x-acme-key"] == KEY
    assert seen[0].headers.get_list("accept") == ["*/*"]


async def test_a_large_body_is_streamed(begin: Begin, tmp_path: Path) -> None:
    """A body that comes in many pieces lands in order, without being held whole."""
    pieces = [bytes([number % 251]) * 100_000 for number in range(50)]
    reply = httpx.Response(200, content=body(*pieces))

    (landed,) = await begin(reply, artifacts=one()).land()

    assert landed.path.read_bytes() == b"".join(pieces)
    assert landed.size == 5_000_000
    assert [path.name for path in tmp_path.iterdir()] == [landed.path.name]


async def test_an_empty_file_is_a_file(begin: Begin) -> None:
    """A body of no bytes is a file of no bytes."""
    (landed,) = await begin(ok(b""), artifacts=one(size=0)).land()

    assert landed.path.read_bytes() == b""


async def test_a_job_without_artifacts_asks_for_nothing(
    begin: Begin, seen: list[httpx.Request]
) -> None:
    """Done and empty sends no request and makes no file."""
    files = await begin(ok(), artifacts=()).land()

    assert files == ()
    assert seen == []


async def test_parts_land_in_order_under_names_that_sort(begin: Begin, tmp_path: Path) -> None:
    """Each part has its number in its name, and the files come in the parts' order."""
    artifacts = tuple(Artifact(signed(f"{number}.csv"), part=number) for number in range(1, 12))
    replies = [ok(str(number).encode()) for number in range(1, 12)]

    files = await begin(*replies, artifacts=artifacts).land()

    assert [file.part for file in files] == list(range(1, 12))
    assert [file.path.read_bytes() for file in files] == [b"%d" % n for n in range(1, 12)]
    *names, manifest = sorted(tmp_path.iterdir(), key=lambda path: (path.suffix == ".json", path))
    assert [file.path for file in files] == names
    assert manifest.name.endswith(".q3.manifest.json")


async def test_a_part_that_fails_leaves_those_before_it(begin: Begin, tmp_path: Path) -> None:
    """Parts that landed stay; the one that failed is not there in any shape."""
    artifacts = (Artifact(signed("1.csv"), part=1), Artifact(signed("2.csv"), part=2))

    error = await failure(begin(ok(), httpx.Response(400), artifacts=artifacts).land())

    assert isinstance(error, DownloadFailed)
    noted, landed = sorted(tmp_path.iterdir())
    assert landed.name.endswith(".q3.part-00001.csv")
    assert noted.name.endswith(".q3.manifest.json.part")


async def test_a_size_that_the_vendor_did_not_promise_is_final(
    begin: Begin, tmp_path: Path, seen: list[httpx.Request]
) -> None:
    """A whole answer that is not as long as the job says is not the job's file."""
    error = await failure(begin(ok(), artifacts=one(size=999)).land())

    assert_error(
        error,
        DownloadFailed,
        reason=f"the file has {len(CONTENT)} bytes, the vendor says 999",
        remedy="ask the vendor: what came is not what the job says it made",
    )
    assert len(seen) == 1
    assert list(tmp_path.iterdir()) == []


async def test_a_body_that_is_cut_is_fetched_again(
    begin: Begin, tmp_path: Path, events: list[Event]
) -> None:
    """A body shorter than announced is not landed; the next try that is whole is."""
    cut = httpx.Response(200, content=body(CONTENT[:3]), headers={"Content-Length": "8"})
    download = begin(cut, ok(), artifacts=one())

    (landed,) = await download.land()

    assert landed.path.read_bytes() == CONTENT
    assert download.retries == 1
    assert [event.number for event in events if isinstance(event, DownloadRetried)] == [1]
    assert len(list(tmp_path.iterdir())) == 1


async def test_a_connection_that_breaks_in_the_middle_is_tried_again(begin: Begin) -> None:
    """What came before the break is not mixed with what comes after it."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 100
        raise httpx.ReadError("reset")

    (landed,) = await begin(httpx.Response(200, content=broken()), ok(), artifacts=one()).land()

    assert landed.path.read_bytes() == CONTENT


async def test_a_body_that_is_always_cut_is_given_up_and_leaves_nothing(
    begin: Begin, tmp_path: Path, seen: list[httpx.Request]
) -> None:
    """A file that breaks off each time ends after a bounded number of tries."""
    cut = [
        httpx.Response(200, content=body(b"x"), headers={"Content-Length": "8"}) for _ in range(9)
    ]

    error = await failure(begin(*cut, artifacts=one()).land())

    assert isinstance(error, NetworkError)
    assert len(seen) == 8
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [201, 204, 206, 304, 400, 405, 412, 416])
async def test_an_answer_that_is_no_file_is_final(
    begin: Begin, tmp_path: Path, seen: list[httpx.Request], code: int
) -> None:
    """Whatever is not a 200 is never written as the file, and not asked for again."""
    error = await failure(begin(httpx.Response(code, content=b"<Error/>"), artifacts=one()).land())

    assert isinstance(error, DownloadFailed)
    assert str(code) in str(error)
    assert len(seen) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
async def test_an_answer_that_may_pass_is_asked_for_again(
    begin: Begin, seen: list[httpx.Request], code: int
) -> None:
    """A host that is busy or down for a moment is asked again."""
    busy = httpx.Response(code, content=b"<Error/>")

    (landed,) = await begin(busy, busy, ok(), artifacts=one()).land()

    assert landed.path.read_bytes() == CONTENT
    assert len(seen) == 3


async def test_a_files_own_compression_is_kept(begin: Begin) -> None:
    """A file that is compressed by itself lands as it is, suffix and all."""
    content = gzip.compress(CONTENT)

    (landed,) = await begin(ok(content), artifacts=one("q3.csv.gz")).land()

    assert landed.path.read_bytes() == content
    assert landed.path.name.endswith(".q3.csv.gz")


async def test_the_type_that_it_is_served_as_gives_the_suffix(begin: Begin) -> None:
    """Where neither name nor URL tells, the Content-Type does."""
    reply = ok(Content_Type="application/json; charset=utf-8")

    (landed,) = await begin(reply, artifacts=one("download")).land()

    assert landed.path.name.endswith(".q3.json")


async def test_a_folder_that_went_away_is_not_the_networks_fault(
    begin: Begin, tmp_path: Path, seen: list[httpx.Request]
) -> None:
    """A file that cannot be written ends before it is asked for."""
    tmp_path.rmdir()

    error = await failure(begin(ok(), artifacts=one()).land())

    assert isinstance(error, DestinationFailed)
    assert str(tmp_path) in str(error)
    assert seen == []


async def test_a_cancelled_download_leaves_nothing(begin: Begin, tmp_path: Path) -> None:
    """Breaking off in the middle of a body removes what had come."""
    came = anyio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(2 * 1024 * 1024)
        came.set()
        await anyio.sleep_forever()

    download = begin(httpx.Response(200, content=endless()), artifacts=one())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(download.land)
        await came.wait()
        during = [path.name for path in tmp_path.iterdir()]
        tasks.cancel_scope.cancel()

    assert [name.endswith(".q3.csv.part") for name in during] == [True]
    assert list(tmp_path.iterdir()) == []

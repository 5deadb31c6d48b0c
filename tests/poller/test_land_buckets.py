"""Whole runs whose files land in a store of objects."""

import hashlib
import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import anyio
import httpx
import pytest
from obstore.store import LocalStore, MemoryStore, S3Store
from tests.support.acme import KEY, Acme, MakePoller, reports, signed
from tests.support.acme_api import Vendor
from tests.support.stores import shown

import exportjobs
from exportjobs import DestinationFailed, DownloadFailed, Event
from exportjobs.adapter._errors import Corrupted
from exportjobs.testing import ManualClock

SECRET = "secret-do-not-tell"  # noqa: S105 - it is to be recognised
LARGE = b"".join(b"%07d," % number for number in range(1_500_000))
"""More than is sent in one go."""
NAME = "acme.default.report.q1.csv"


@pytest.fixture
def store() -> MemoryStore:
    """Return an empty store."""
    return MemoryStore()


async def cut(content: bytes) -> AsyncIterator[bytes]:
    """Send a body, and break off."""
    step = 1024 * 1024
    for start in range(0, len(content), step):
        yield content[start : start + step]
    raise httpx.ReadError("reset")


def broken_off(content: bytes, at: int) -> httpx.Response:
    """Return an answer that ends before its time, of a host that knows versions."""
    headers = {"content-length": str(len(content)), "etag": '"v1"'}
    return httpx.Response(200, headers=headers, content=cut(content[:at]))


def rest(content: bytes, at: int) -> httpx.Response:
    """Return what is missing of a file."""
    span = f"bytes {at}-{len(content) - 1}/{len(content)}"
    headers = {"content-range": span, "etag": '"v1"'}
    return httpx.Response(206, headers=headers, content=content[at:])


async def test_files_land_in_a_store(
    vendor: Vendor, make_poller: MakePoller, store: MemoryStore, tmp_path: Path
) -> None:
    """One file in one go, one in pieces, one job with two parts and their manifest."""
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.report("q2", "done", links=(signed("q2.csv"),))
    vendor.report("q3", "done", links=(signed("a.csv"), signed("b.csv")))
    vendor.files = {"q1.csv": [b"a,b\n"], "q2.csv": [LARGE], "a.csv": [b"a"], "b.csv": [b""]}

    async with make_poller() as poller:
        results = [one async for one in poller.run(reports(Acme(), "q1", "q2", "q3"), into=store)]

    assert [finished.error for finished in results] == [None, None, None]
    objects = shown(store)
    landed = {file.location: file.sha256 for finished in results for file in finished.files}
    manifest = objects.pop("acme.default.report.q3.manifest.json")
    assert landed == {name: hashlib.sha256(body).hexdigest() for name, body in objects.items()}
    assert sorted(map(len, objects.values())) == [0, 1, 4, len(LARGE)]
    assert [file["size"] for file in json.loads(manifest)["files"]] == [1, 0]
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_breaks_off_is_gone_on_with(
    vendor: Vendor, make_poller: MakePoller, store: MemoryStore
) -> None:
    """The upload stays open meanwhile: nothing is fetched or sent twice."""
    at = 9 * 1024 * 1024
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [broken_off(LARGE, at), rest(LARGE, at)]

    async with make_poller() as poller:
        (finished,) = [one async for one in poller.run(reports(Acme(), "q1"), into=store)]

    assert finished.error is None
    assert finished.stats.retried_downloads == 1
    assert shown(store) == {NAME: LARGE}
    assert [seen.header.get("range") for seen in vendor.seen[-2:]] == [None, f"bytes={at}-"]


async def test_a_file_that_changes_begins_again(
    vendor: Vendor, make_poller: MakePoller, store: MemoryStore
) -> None:
    """Nothing of the version that was sent first ends up in the object."""
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [broken_off(LARGE, 9 * 1024 * 1024), LARGE[::-1]]

    async with make_poller() as poller:
        (finished,) = [one async for one in poller.run(reports(Acme(), "q1"), into=store)]

    assert finished.error is None
    assert shown(store) == {NAME: LARGE[::-1]}


@pytest.mark.parametrize("content", [b"a,b\n", LARGE], ids=["small", "large"])
async def test_what_is_not_proven_does_not_show(
    vendor: Vendor, make_poller: MakePoller, store: MemoryStore, content: bytes
) -> None:
    """A wrong digest and a wrong size leave the earlier object as it was."""
    store.put(NAME, b"earlier")
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.report("q2", "done", links=(signed("q2.csv"),), size=len(content) + 1)
    promise = {"x-amz-checksum-sha256": "A" * 43 + "="}
    vendor.files["q1.csv"] = [httpx.Response(200, headers=promise, content=content)]
    vendor.files["q2.csv"] = [content]

    async with make_poller() as poller:
        results = [one async for one in poller.run(reports(Acme(), "q1", "q2"), into=store)]

    errors = {finished.job.ref.id: finished.error for finished in results}
    assert isinstance(errors["q1"], Corrupted)
    assert isinstance(errors["q2"], DownloadFailed)
    assert shown(store) == {NAME: b"earlier"}


async def test_leaving_in_the_middle_shows_nothing(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """Not even in the folder in which the pieces were kept."""
    half_way = anyio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield LARGE
        half_way.set()
        await anyio.sleep_forever()

    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [httpx.Response(200, content=slowly())]

    async with make_poller() as poller:
        poller.run(reports(Acme(), "q1"), into=LocalStore(tmp_path))
        await half_way.wait()

    assert list(tmp_path.iterdir()) == []


async def test_a_store_that_cannot_be_reached_costs_the_file_alone(
    vendor: Vendor,
    make_poller: MakePoller,
    events: list[Event],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The job is kept, the error says what to do, and no one says what opens the store."""
    caplog.set_level(logging.DEBUG)
    store = S3Store(
        "bucket",
        prefix="daily",
        endpoint="http://127.0.0.1:1",
        access_key_id=SECRET,
        secret_access_key=SECRET,
        client_options={"allow_http": True},
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=1)},
    )
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.report("q2", "done", links=(signed("q2.csv"),))
    vendor.files = {"q1.csv": [b"a,b\n"], "q2.csv": [LARGE]}

    async with make_poller() as poller:
        results = [one async for one in poller.run(reports(Acme(), "q1", "q2"), into=store)]

    for finished in results:
        assert isinstance(finished.error, DestinationFailed)
        assert finished.error.ref == finished.ref
        assert f"report.{finished.job.ref.id}.csv in s3://bucket/daily" in str(finished.error)
        assert "error sending request" in str(finished.error)
        assert "resume the job by its ref" in str(finished.error)
    said = [repr(results), repr(events), *(repr(record.__dict__) for record in caplog.records)]
    assert not [line for line in said if SECRET in line or KEY in line]


def test_a_store_is_a_place_for_run(store: MemoryStore) -> None:
    """The synchronous door takes one as well."""
    vendor = Vendor(ManualClock())
    vendor.report("q1", submits=["done"], links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [b"a,b\n"]

    (finished,) = exportjobs.run(reports(Acme(), "q1"), into=store, transport=vendor.transport)

    finished.raise_for_status()
    assert shown(store) == {NAME: b"a,b\n"}


async def test_a_bucket_is_refused_before_anything_is_submitted(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """An address that cannot be right costs no export."""
    async with make_poller() as poller:
        with pytest.raises(exportjobs.InvalidArgument):
            poller.run(reports(Acme(), "q1"), into="s3://")

    assert vendor.seen == []

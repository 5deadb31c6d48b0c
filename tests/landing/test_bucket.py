"""Objects in a store show when they are whole and proven, and else nothing does."""

import hashlib
import json
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

import anyio
import pytest
from anyio import from_thread
from attrs import define
from obstore.store import AzureStore, GCSStore, HTTPStore, LocalStore, MemoryStore, S3Store
from tests.support.acme import signed
from tests.support.errors import assert_error, raises_error
from tests.support.hosts import take, told
from tests.support.stores import shown

from exportjobs import ExportJob, InvalidArgument, JobRef, JobStatus
from exportjobs._landing.destination import Sink
from exportjobs._landing.into import Into, destination
from exportjobs._landing.into import bucket as room
from exportjobs._landing.into.bucket import Bucket
from exportjobs._landing.opening import Opening, Version
from exportjobs._schedule.clock import SystemClock
from exportjobs.adapter import Artifact, Reading
from exportjobs.adapter._errors import Corrupted

MEBIBYTE = 1024 * 1024
PIECE = 64 * 1024
SMALL = b"a,b\n1,2\n"
LARGE = b"".join(b"%07d," % number for number in range(100_000))
NAME = "acme.default.report.q3.csv"
REF = JobRef("acme", "default", "q3", kind="report")
SECRET = "secret-do-not-tell"  # noqa: S105 - it is to be recognised

Store = MemoryStore | LocalStore


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files be sent in pieces that are long before they have megabytes."""
    monkeypatch.setattr(room, "_PIECE", PIECE)
    monkeypatch.setattr(room, "_PIECE_OF_UNKNOWN", PIECE)


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return an empty store."""
    return MemoryStore() if request.param == "memory" else LocalStore(tmp_path)


@pytest.fixture
def bucket(store: Store) -> Bucket:
    """Return the store as a place for files."""
    return Bucket.of(store, SystemClock())


def job(parts: int = 1) -> ExportJob:
    """Return a job that is done."""
    artifacts = tuple(Artifact(signed(f"{part}.csv"), part=part) for part in range(parts))
    return ExportJob(REF, Reading(JobStatus.DONE, "done"), artifacts=artifacts)


def opened(size: int | None = None) -> Opening:
    """Return a whole file that is about to come."""
    return Opening(0, size, Version('"a-1"', "", size))


async def fill(sink: Sink, content: bytes, *, step: int = PIECE // 3) -> None:
    """Keep some bytes, from a memory that is used again and again."""
    memory = bytearray(step)
    for start in range(0, len(content), step):
        piece = content[start : start + step]
        memory[: len(piece)] = piece
        await take(sink, memoryview(memory)[: len(piece)])
    memory[:] = b"x" * step


@pytest.mark.parametrize("content", [b"", SMALL, LARGE[:PIECE], LARGE[: PIECE + 1], LARGE])
@pytest.mark.parametrize("known", [True, False])
async def test_a_file_lands_as_an_object(
    store: Store, bucket: Bucket, content: bytes, *, known: bool
) -> None:
    """Every byte is there and counted in the digest, whatever the pieces that it was sent in."""
    promises = {"md5": hashlib.md5(content, usedforsecurity=False).digest()}

    async with bucket.sink(job(), 0) as sink:
        await sink.begin(opened(len(content) if known else None), promises, ".csv")
        await fill(sink, content)
        before = shown(store)
        landed = await sink.land(part=None)

    assert before == {}
    assert shown(store) == {NAME: content}
    assert (landed.size, landed.verified_by) == (len(content), ("md5",))
    assert landed.sha256 == hashlib.sha256(content).hexdigest()
    assert landed.path.name == NAME


async def test_the_suffix_may_be_known_only_when_the_file_comes(
    store: Store, bucket: Bucket
) -> None:
    """The type that it is served as gives the name."""
    nameless = ExportJob(REF, Reading(JobStatus.DONE, "done"), artifacts=(Artifact(signed("x")),))

    async with bucket.sink(nameless, 0) as sink:
        await sink.begin(opened(), {}, ".json")
        await fill(sink, SMALL)
        await sink.land(part=None)

    assert list(shown(store)) == ["acme.default.report.q3.json"]


@pytest.mark.parametrize("content", [b"", SMALL, LARGE])
@pytest.mark.parametrize("earlier", [None, b"earlier"])
async def test_a_file_that_does_not_land_leaves_what_was_there(
    store: Store, bucket: Bucket, tmp_path: Path, content: bytes, earlier: bytes | None
) -> None:
    """Neither a part of it shows nor a trace; an earlier object of its name stays."""
    if earlier is not None:
        store.put(NAME, earlier)

    async with bucket.sink(job(), 0) as sink:
        await sink.begin(opened(2 * len(content)), {}, ".csv")
        await fill(sink, content)

    expected = {} if earlier is None else {NAME: earlier}
    assert shown(store) == expected
    assert [path.name for path in tmp_path.iterdir()] == (
        list(expected) if isinstance(store, LocalStore) else []
    )


@pytest.mark.parametrize("content", [SMALL, LARGE])
async def test_a_broken_promise_leaves_what_was_there(
    store: Store, bucket: Bucket, content: bytes
) -> None:
    """Bytes that are not those that were vouched for do not replace any."""
    store.put(NAME, b"earlier")

    async with bucket.sink(job(), 0) as sink:
        await sink.begin(opened(), {"md5": bytes(16)}, ".csv")
        await fill(sink, content)
        with pytest.raises(Corrupted):
            await sink.land(part=None)

    assert shown(store) == {NAME: b"earlier"}


async def test_a_whole_object_replaces_an_earlier_one(store: Store, bucket: Bucket) -> None:
    """The same job lands under the same name each time."""
    store.put(NAME, b"earlier")

    async with bucket.sink(job(), 0) as sink:
        await sink.begin(opened(), {}, ".csv")
        await fill(sink, LARGE)
        assert shown(store) == {NAME: b"earlier"}
        await sink.land(part=None)

    assert shown(store) == {NAME: LARGE}


@pytest.mark.parametrize("first", [b"", SMALL, LARGE])
async def test_a_file_may_begin_again(store: Store, bucket: Bucket, first: bytes) -> None:
    """What was sent of another version is given up, and nothing of it ends up in the next."""
    async with bucket.sink(job(), 0) as sink:
        await sink.begin(opened(), {}, ".txt")
        await fill(sink, first)
        await sink.begin(opened(), {}, ".csv")
        await fill(sink, LARGE[::-1])
        landed = await sink.land(part=None)

    assert shown(store) == {NAME: LARGE[::-1]}
    assert landed.sha256 == hashlib.sha256(LARGE[::-1]).hexdigest()


async def test_leaving_in_the_middle_shows_nothing(
    store: Store, bucket: Bucket, tmp_path: Path
) -> None:
    """Whoever is cancelled gives up what was sent."""
    with anyio.CancelScope() as scope:
        async with bucket.sink(job(), 0) as sink:
            await sink.begin(opened(), {}, ".csv")
            await fill(sink, LARGE)
            scope.cancel()
            await anyio.sleep_forever()

    assert shown(store) == {}
    assert list(tmp_path.iterdir()) == []


@define
class Writer:
    """A writer of obstore's whose store hangs or fails."""

    on_write: Callable[[], object] = lambda: None
    left: str = ""

    def write(self, _: bytes) -> int:
        """Send some bytes."""
        self.on_write()
        return 0

    def close(self) -> None:
        """Let the object show."""
        self.left = "closed"

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Abort, if an error leaves it."""
        self.left = "aborted" if kind else "closed"


async def test_a_store_that_hangs_holds_nobody_up(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is cancelled while it hangs leaves at once, and the upload is aborted all the same."""
    go_on, has_begun = threading.Event(), anyio.Event()

    def hang() -> None:
        from_thread.run_sync(has_begun.set)
        go_on.wait(10)

    writer = Writer(hang)
    monkeypatch.setattr(bucket, "writer", lambda *_: writer)
    try:
        with anyio.fail_after(5), anyio.CancelScope() as scope:
            async with bucket.sink(job(), 0) as sink, anyio.create_task_group() as tasks:
                await sink.begin(opened(), {}, ".csv")
                tasks.start_soon(take, sink, memoryview(SMALL))
                await has_begun.wait()
                scope.cancel()
    finally:
        go_on.set()

    assert writer.left == "aborted"


async def test_a_job_with_parts_ends_with_a_manifest(store: Store, bucket: Bucket) -> None:
    """It is put last, and names every part with its digest."""
    two = job(parts=2)
    landed = []
    for index in range(2):
        async with bucket.sink(two, index) as sink:
            await sink.begin(opened(), {}, ".csv")
            await fill(sink, SMALL)
            landed.append(await sink.land(index))
    before = list(shown(store))
    files = await bucket.conclude(two, tuple(landed))

    stem = "acme.default.report.q3"
    assert before == [f"{stem}.part-00001.csv", f"{stem}.part-00002.csv"]
    assert files == tuple(landed)
    manifest = json.loads(shown(store)[f"{stem}.manifest.json"])
    assert [file["name"] for file in manifest["files"]] == before
    assert await bucket.landed(two) == {}


async def test_a_single_file_needs_no_manifest(store: Store, bucket: Bucket) -> None:
    """It stands for itself."""
    await bucket.conclude(job(), ())

    assert shown(store) == {}


@pytest.mark.parametrize(
    ("size", "piece"),
    [
        (0, 8 * MEBIBYTE),
        (80_000 * MEBIBYTE, 8 * MEBIBYTE),
        (80_000 * MEBIBYTE + 1, 8 * MEBIBYTE + 1),
        (5 * MEBIBYTE**2, 549_755_814),
        (None, 16 * MEBIBYTE),
    ],
)
async def test_no_file_has_more_pieces_than_a_store_takes(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, size: int | None, piece: int
) -> None:
    """Pieces grow with the file: ten thousand are the most."""
    monkeypatch.undo()
    asked = []

    def open_writer(_: str, length: int) -> Writer:
        asked.append(length)
        return Writer()

    monkeypatch.setattr(bucket, "writer", open_writer)
    async with bucket.sink(job(), 0) as sink:
        await sink.begin(opened(size), {}, ".csv")
        await take(sink, memoryview(SMALL))

    assert asked == [piece]


# --- Where files may go


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("s3://bucket", "s3://bucket/n"),
        ("s3://bucket/daily/clari/", "s3://bucket/daily/clari/n"),
        ("s3a://bucket/p", "s3a://bucket/p/n"),
        ("s3://bucket/a b", "s3://bucket/a b/n"),
        ("gs://bucket/p", "gs://bucket/p/n"),
        ("az://container/p", "az://container/p/n"),
        ("abfss://box@acct.dfs.core.windows.net/p", "abfss://box@acct.dfs.core.windows.net/p/n"),
        (
            "https://acct.blob.core.windows.net/box/p",
            "https://acct.blob.core.windows.net/box/p/n",
        ),
        ("https://bucket.s3.amazonaws.com/p", "https://bucket.s3.amazonaws.com/p/n"),
    ],
)
def test_an_address_names_a_bucket(
    monkeypatch: pytest.MonkeyPatch, address: str, location: str
) -> None:
    """Nothing is sent yet; what lands there is told by its own address."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "acct")

    found = destination(address, SystemClock(), unpack=False)

    assert isinstance(found, Bucket)
    assert found.location("n") == location


ADDRESSES = 'pass a URL such as "s3://bucket/prefix", or a store of obstore\'s'
FOLDERS = f"{ADDRESSES}, or the path of a folder"
CREDENTIALS = (
    "leave credentials to the environment (AWS_…, GOOGLE_…, AZURE_…), or pass a store of obstore's"
)
HOLDS_MORE = "holds more than a bucket and a path: credentials do not belong into a URL"
PLAIN = "write the path without dots, escapes and double slashes"


@pytest.mark.parametrize(
    ("address", "reason", "remedy"),
    [
        ("s3://", "does not name a bucket", ADDRESSES),
        ("s3:///prefix", "does not name a bucket", ADDRESSES),
        ("ftp://bucket/prefix", "is not the URL of a store (ftp)", FOLDERS),
        (
            "http://bucket.s3.amazonaws.com/p",
            "is not the URL of a store (http)",
            FOLDERS,
        ),
        ("https://files.acme.test/p", "is not the URL of a store (https)", FOLDERS),
        ("file:///tmp/landing", "is not the URL of a store (file)", FOLDERS),
        ("memory:///p", "is not the URL of a store (memory)", FOLDERS),
        ("s3://[::1/p", "is not a valid URL", ADDRESSES),
        ("s3://bucket/a\nb", "is not a valid URL", ADDRESSES),
        ("s3://bucket:9000/p", HOLDS_MORE, CREDENTIALS),
        ("s3://bucket/a/../b", "names another place than it seems to", PLAIN),
        ("s3://bucket/a%2fb", "names another place than it seems to", PLAIN),
        (f"s3://key:{SECRET}@bucket/p", HOLDS_MORE, CREDENTIALS),
        (f"s3://{SECRET}@bucket/p", HOLDS_MORE, CREDENTIALS),
        (f"abfss://box:{SECRET}@a.dfs.core.windows.net/p", HOLDS_MORE, CREDENTIALS),
        (f"az://container/p?sig={SECRET}", HOLDS_MORE, CREDENTIALS),
        (f"s3://bucket/p#{SECRET}", HOLDS_MORE, CREDENTIALS),
        (
            Path("s3://bucket/p"),
            "is a path that was made from a URL",
            "pass the URL as a string",
        ),
    ],
)
def test_what_is_no_bucket_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: Into, reason: str, remedy: str
) -> None:
    """One line says what is wrong, and repeats no secret; no folder of that name is made."""
    monkeypatch.chdir(tmp_path)

    with raises_error(InvalidArgument, reason=f"into: {reason}", remedy=remedy) as caught:
        destination(address, SystemClock(), unpack=False)

    assert SECRET not in told(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3://bucket/a//b", ".*"),
        ("https://acct.blob.core.windows.net/", ".*"),
        ("az://container/p", ".*Account must be specified.*"),
    ],
)
def test_an_address_that_no_store_can_be_opened_at_is_refused_at_once(
    address: str, said: str
) -> None:
    """What obstore says of it is told, and differs from one of its versions to the next."""
    with pytest.raises(InvalidArgument) as caught:
        destination(address, SystemClock(), unpack=False)

    reason = caught.value.reason
    assert re.fullmatch(rf"into: cannot be used \({said}\)", reason)
    assert_error(caught.value, InvalidArgument, reason=reason, remedy=CREDENTIALS)


@pytest.mark.parametrize("into", ["s3://bucket/p", MemoryStore(), print])
def test_only_a_folder_takes_unpacked_archives(into: Into) -> None:
    """Archives are unpacked beside themselves, on a disk."""
    with raises_error(
        InvalidArgument, reason="unpack: needs a folder", remedy='pass into="a folder"'
    ):
        destination(into, SystemClock(), unpack=True)


@pytest.mark.parametrize("into", [5, object(), HTTPStore.from_url("https://files.acme.test")])
def test_what_takes_no_files_is_refused(into: Into) -> None:
    """That includes a store that cannot keep a file from showing before it is whole."""
    with raises_error(
        InvalidArgument,
        reason=f"into: is a {type(into).__name__}, which is not a store for files",
        remedy=ADDRESSES,
    ):
        destination(into, SystemClock(), unpack=False)


def test_a_bucket_needs_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lacks it is told how to install it."""
    for name in ("exportjobs._landing.into.bucket", "exportjobs._landing.into.stores"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)

    with raises_error(
        InvalidArgument,
        reason="into: needs obstore to put files to a store",
        remedy="install it with: pip install 'exportjobs[cloud]'",
    ):
        destination("s3://bucket/p", SystemClock(), unpack=False)


@pytest.mark.parametrize(
    ("opened_store", "location"),
    [
        (
            S3Store("bucket", prefix="p", access_key_id="a", secret_access_key=SECRET),
            "s3://bucket/p/n",
        ),
        (S3Store("bucket"), "s3://bucket/n"),
        (GCSStore("bucket", prefix="p"), "gs://bucket/p/n"),
        (AzureStore("box", account_name="acct", account_key="c2VjcmV0"), "az://box/n"),
        (LocalStore("/"), "/n"),
        (LocalStore(), "/n"),
        (MemoryStore(), "n"),
    ],
)
def test_an_open_store_tells_where_its_objects_stand(opened_store: Into, location: str) -> None:
    """Bucket and prefix alone, whatever else it knows."""
    found = destination(opened_store, SystemClock(), unpack=False)

    assert isinstance(found, Bucket)
    assert found.location("n") == location
    assert SECRET not in repr(found)

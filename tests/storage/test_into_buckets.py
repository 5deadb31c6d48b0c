"""Files land whole in real stores, as objects that nobody sees before they are proven."""

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import anyio
import obstore
import pytest
from obstore.store import AzureStore, S3Store

from exportjobs import DestinationFailed, DownloadFailed, Event, Finished, Poller
from exportjobs._landing.into import Into

if TYPE_CHECKING:
    from obstore.store import RetryConfig

from .loopback import Proxy
from .stores import FOLDER, Amazon, Azure, Store, content, in_an_hour
from .support import INTERVAL, Offer, Vendor

SMALL = content(100_003)
LARGE = content(30 * 1024 * 1024 + 7)
"""More than goes in one request."""
NAME = "warehouse.default.table.q1.csv"
SECRET = "c2VjcmV0LWRvLW5vdC10ZWxs"  # noqa: S105 - it is to be recognised
_ACCOUNT = "devstoreaccount1"
_ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


def landing(store: Store, place: str = "landing", *, key: str = "", folder: str = FOLDER) -> Into:
    """Open a place in a store for files, with the right key or another."""
    patience: RetryConfig = {"max_retries": 0, "retry_timeout": timedelta(seconds=5)}
    if isinstance(store, Azure):
        return AzureStore(
            folder,
            prefix=place,
            account_name=_ACCOUNT,
            account_key=key or _ACCOUNT_KEY,
            endpoint=f"{store.origin}/{_ACCOUNT}",
            client_options={"allow_http": True},
            retry_config=patience,
        )
    return S3Store(
        folder,
        prefix=place,
        access_key_id="test",
        secret_access_key=key or "test",
        endpoint=store.origin,
        region="us-east-1",
        client_options={"allow_http": True},
        retry_config=patience,
    )


def shown(place: Into) -> dict[str, bytes]:
    """Return what stands there, by name."""
    assert isinstance(place, AzureStore | S3Store)
    names = [entry["path"] for page in obstore.list(place) for entry in page]
    return {name: bytes(obstore.get(place, name).bytes()) for name in sorted(names)}


def unfinished(store: Store) -> list[str]:
    """Return the names of the uploads that Amazon still waits for; Azure forgets them by itself."""
    if not isinstance(store, Amazon):
        return []
    with store._client(store.origin) as client:  # noqa: SLF001 - no other way to ask
        uploads = client.list_multipart_uploads(Bucket=FOLDER).get("Uploads", [])
    return [upload["Key"] for upload in uploads]


@pytest.fixture
def place(store: Store, request: pytest.FixtureRequest) -> Iterator[Into]:
    """Return an empty place in a store, and see that no upload is left open there."""
    yield landing(store, f"landing/{abs(hash(request.node.name))}")
    assert unfinished(store) == []


@pytest.fixture
def environment(store: Store, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the environment tell where the store is and what opens it; return its scheme."""
    azure = {
        "AZURE_STORAGE_ACCOUNT_NAME": _ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": _ACCOUNT_KEY,
        "AZURE_STORAGE_ENDPOINT": f"{store.origin}/{_ACCOUNT}",
        "AZURE_ALLOW_HTTP": "true",
    }
    amazon = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": store.origin,
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }
    for name, value in (azure if isinstance(store, Azure) else amazon).items():
        monkeypatch.setenv(name, value)
    return "az" if isinstance(store, Azure) else "s3"


async def finish(vendor: Vendor, into: Into, name: str = "q1") -> Finished:
    """Run one export to its end."""
    async with Poller(poll_interval=INTERVAL) as poller:
        (finished,) = [one async for one in poller.run(vendor.tables(name), into=into)]
    return finished


@pytest.mark.parametrize("stored", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
async def test_a_file_lands_at_an_address(
    store: Store, environment: str, vendor: Vendor, stored: bytes
) -> None:
    """The environment opens the store, and the file is told by its own address."""
    store.put("q1.csv", stored)
    vendor.offers("q1", Offer(store.link("q1.csv", at=store.origin, until=in_an_hour())))
    into = f"{environment}://{FOLDER}/by-address"

    finished = await finish(vendor, into)

    finished.raise_for_status()
    (file,) = finished.files
    assert file.location == f"{into}/{NAME}"
    assert (file.size, file.sha256) == (len(stored), sha256(stored).hexdigest())
    assert shown(landing(store, "by-address")) == {NAME: stored}


async def test_a_job_with_parts_lands_with_its_manifest(
    store: Store, vendor: Vendor, place: Into
) -> None:
    """A small and a large part, and what says that they are all there."""
    store.put("a.csv", SMALL)
    store.put("b.csv", LARGE)
    links = [store.link(name, at=store.origin, until=in_an_hour()) for name in ("a.csv", "b.csv")]
    vendor.offers("q1", tuple(map(Offer, links)))

    finished = await finish(vendor, place)

    finished.raise_for_status()
    *parts, manifest = reversed(shown(place).values())
    assert parts == [LARGE, SMALL]
    digests = [file["sha256"] for file in json.loads(manifest)["files"]]
    assert digests == [file.sha256 for file in finished.files]


async def test_a_file_that_breaks_off_is_gone_on_with(
    store: Store, proxy: Proxy, vendor: Vendor, place: Into
) -> None:
    """The upload is the same from the first attempt to the last."""
    store.put("q1.csv", LARGE)
    vendor.offers("q1", Offer(store.link("q1.csv", at=proxy.origin, until=in_an_hour())))
    at = 17 * 1024 * 1024
    proxy.cut(after=at)

    finished = await finish(vendor, place)

    finished.raise_for_status()
    assert shown(place) == {NAME: LARGE}
    assert proxy.sent == [at, len(LARGE) - at]


@pytest.mark.parametrize("stored", [SMALL, LARGE], ids=["small", "large"])
async def test_what_is_not_proven_leaves_what_was_there(
    store: Store, vendor: Vendor, place: Into, stored: bytes
) -> None:
    """A file of another size than its vendor said does not replace an earlier object."""
    assert isinstance(place, AzureStore | S3Store)
    obstore.put(place, NAME, b"earlier")
    store.put("q1.csv", stored)
    link = store.link("q1.csv", at=store.origin, until=in_an_hour())
    vendor.offers("q1", Offer(link, size=len(stored) + 1))

    finished = await finish(vendor, place)

    assert isinstance(finished.error, DownloadFailed)
    assert shown(place) == {NAME: b"earlier"}


async def test_leaving_in_the_middle_shows_nothing(
    store: Store, proxy: Proxy, vendor: Vendor, place: Into
) -> None:
    """What was sent is given up."""
    store.put("q1.csv", LARGE)
    vendor.offers("q1", Offer(store.link("q1.csv", at=proxy.origin, until=in_an_hour())))
    half_way = anyio.Event()

    def listen(event: Event) -> None:
        if getattr(event, "received", 0) > len(LARGE) // 2:
            half_way.set()

    async with Poller(poll_interval=INTERVAL, observers=[listen]) as poller:
        poller.run(vendor.tables("q1"), into=place)
        await half_way.wait()

    assert shown(place) == {}


@pytest.mark.parametrize("stored", [SMALL, LARGE], ids=["small", "large"])
async def test_a_bucket_that_is_not_there_is_told(
    store: Store, vendor: Vendor, stored: bytes
) -> None:
    """One line tells object, bucket, the store's own code and what to do."""
    store.put("q1.csv", stored)
    vendor.offers("q1", Offer(store.link("q1.csv", at=store.origin, until=in_an_hour())))

    finished = await finish(vendor, landing(store, folder="no-such-folder"))

    assert isinstance(finished.error, DestinationFailed)
    assert f"cannot be written: {NAME} in " in str(finished.error)
    assert "://no-such-folder/landing (HTTP 404 Not Found, " in str(finished.error)
    assert "resume the job by its ref" in str(finished.error)


@pytest.mark.parametrize("stored", [SMALL, LARGE], ids=["small", "large"])
async def test_a_key_that_is_refused_is_not_told(
    azure: Azure, vendor: Vendor, stored: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor is what was signed with it, which the store says in its refusal."""
    caplog.set_level(logging.DEBUG)
    azure.put("q1.csv", stored)
    vendor.offers("q1", Offer(azure.link("q1.csv", at=azure.origin, until=in_an_hour())))
    # What the vendors' own code says when it signs is none of ours.
    caplog.clear()

    finished = await finish(vendor, landing(azure, key=SECRET))

    error = finished.error
    assert isinstance(error, DestinationFailed)
    assert "(HTTP 403 Forbidden" in str(error)
    said = [*traceback.format_exception(error), repr(finished)]
    said += [repr(record.__dict__) for record in caplog.records]
    secrets = (SECRET, "sig=", "Signature=", "StringToSign", azure.origin)
    assert not [line for line in said if any(secret in line for secret in secrets)]

"""Files of finished exports land whole from real stores, through links that the vendors signed."""

import gzip
from hashlib import md5, sha256
from pathlib import Path

import pytest

import exportjobs

from .loopback import Proxy
from .stores import Azure, Store, content, in_an_hour
from .support import INTERVAL, KEY, Offer, Vendor, finish

SMALL = content(100_003)


@pytest.mark.parametrize("size", [0, 100_003, 30 * 1024 * 1024])
async def test_a_file_lands_whole(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path, size: int
) -> None:
    """What is stored lands byte by byte, in one answer, with its SHA-256 and the vendor's name."""
    stored = content(size)
    store.put("q1.csv", stored)
    vendor.offers("q1", Offer(store.link("q1.csv", at=proxy.origin, until=in_an_hour())))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    finished.raise_for_status()
    (file,) = finished.files
    assert file.path == tmp_path / "warehouse.default.table.q1.csv"
    assert file.path.read_bytes() == stored
    assert (file.size, file.sha256) == (size, sha256(stored).hexdigest())
    assert proxy.sent == [size]
    assert list(tmp_path.iterdir()) == [file.path]


def test_a_file_lands_whole_without_an_event_loop(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """The synchronous door lands the same file."""
    store.put("q1.csv", SMALL)
    vendor.offers("q1", Offer(store.link("q1.csv", at=proxy.origin, until=in_an_hour())))

    exports = vendor.tables("q1")
    (finished,) = exportjobs.run(exports, into=tmp_path, poll_interval=INTERVAL)

    (file,) = finished.files
    assert file.path.read_bytes() == SMALL


async def test_the_digest_that_azure_promises_is_checked(
    azure: Azure, vendor: Vendor, tmp_path: Path
) -> None:
    """The MD5 that Azure keeps of a file is one of those that prove what has landed."""
    azure.put("q1.csv", SMALL)
    vendor.offers("q1", Offer(azure.link("q1.csv", at=azure.origin, until=in_an_hour())))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    (file,) = finished.files
    assert "md5" in file.verified_by


async def test_a_file_that_is_not_what_azure_promises_does_not_land(
    azure: Azure, vendor: Vendor, tmp_path: Path
) -> None:
    """A blob whose own MD5 is another file's is told as corrupted and leaves nothing behind."""
    azure.put("q1.csv", SMALL)
    azure.claim("q1.csv", md5(b"another", usedforsecurity=False).digest())
    vendor.offers("q1", Offer(azure.link("q1.csv", at=azure.origin, until=in_an_hour())))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    assert isinstance(finished.error, exportjobs.DownloadFailed)
    assert "md5" in str(finished.error)
    assert list(tmp_path.iterdir()) == []


async def test_what_a_store_keeps_compressed_lands_as_it_was(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """A file that is stored as gzip for the way alone lands without it."""
    table = b"name,industry\n" * 10_000
    store.put("q1.csv", gzip.compress(table), encoding="gzip")
    vendor.offers("q1", Offer(store.link("q1.csv", at=proxy.origin, until=in_an_hour())))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    finished.raise_for_status()
    (file,) = finished.files
    assert file.path.name == "warehouse.default.table.q1.csv"
    assert file.path.read_bytes() == table
    assert (file.size, file.sha256) == (len(table), sha256(table).hexdigest())


async def test_a_compressed_file_lands_as_it_is_stored(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """A file that is a gzip by its name stays one, though its store says that it is sent as one."""
    stored = gzip.compress(SMALL)
    store.put("q1.csv.gz", stored, encoding="gzip")
    vendor.offers("q1", Offer(store.link("q1.csv.gz", at=proxy.origin, until=in_an_hour())))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    finished.raise_for_status()
    (file,) = finished.files
    assert file.path.name == "warehouse.default.table.q1.csv.gz"
    assert file.path.read_bytes() == stored


async def test_the_parts_of_an_export_land_side_by_side(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """Every part lands from a signed link of its own, under names that sort, with a manifest."""
    parts = {f"{number}.csv": SMALL[number:] for number in range(6)}
    for name, part in parts.items():
        store.put(name, part)
    links = (store.link(name, at=proxy.origin, until=in_an_hour()) for name in parts)
    vendor.offers("q1", tuple(map(Offer, links)))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    finished.raise_for_status()
    assert [file.path.read_bytes() for file in finished.files] == list(parts.values())
    landed = sorted(path.name for path in tmp_path.iterdir())
    assert landed == sorted(
        [*(file.path.name for file in finished.files), "warehouse.default.table.q1.manifest.json"]
    )


async def test_no_credential_of_the_vendor_reaches_the_store(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """The key goes to the vendor with every request, and to the store with none."""
    store.put("q1.csv", SMALL)
    vendor.offers("q1", Offer(store.link("q1.csv", at=proxy.origin, until=in_an_hour())))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    assert finished.ok
    assert {asked.headers["x-api-key"] for asked in vendor.asked} == {KEY}
    (exchange,) = proxy.exchanges
    assert KEY not in exchange.head
    assert set(exchange.headers) <= {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "user-agent",
    }


async def test_no_credential_goes_along_where_the_vendor_redirects_to_a_store(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """A file on the vendor's own API that is really in a store is opened by its link alone."""
    store.put("q1.csv", SMALL)
    link = store.link("q1.csv", at=proxy.origin, until=in_an_hour())
    vendor.redirects["/files/q1.csv"] = link
    vendor.offers("q1", Offer("/files/q1.csv"))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    finished.raise_for_status()
    assert finished.files[0].path.read_bytes() == SMALL
    (exchange,) = proxy.exchanges
    assert exchange.link == link
    assert KEY not in exchange.head

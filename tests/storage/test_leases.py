"""Signed links that end: before a download, in the middle of one, or never to be good again."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio

from exportjobs import Event, JobRef, Poller, SignedUrlRejected

from .loopback import Proxy
from .stores import Store, an_hour_ago, content, in_an_hour, signature, tampered
from .support import INTERVAL, Offer, Vendor, finish

CONTENT = content(1_500_007)
CUT = 600_011
MEBIBYTE = 1024 * 1024
LARGE = content(4_000_037)
LARGE_CUT = 2_500_009


async def test_a_link_that_says_it_has_ended_is_not_even_tried(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """Where the link itself tells its end, the vendor is asked for another before the store."""
    store.put("q1.csv", CONTENT)
    ended = store.link("q1.csv", at=proxy.origin, until=an_hour_ago())
    fresh = store.link("q1.csv", at=proxy.origin, until=in_an_hour())
    vendor.offers("q1", Offer(ended), Offer(fresh))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    finished.raise_for_status()
    assert finished.files[0].path.read_bytes() == CONTENT
    assert [exchange.link for exchange in proxy.exchanges] == [fresh]
    assert vendor.polls("q1") == 2


async def test_a_link_that_the_store_finds_ended_is_renewed(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """Where the vendor promises more than its link holds, the store's refusal costs one poll."""
    store.put("q1.csv", CONTENT)
    ended = store.link("q1.csv", at=proxy.origin, until=an_hour_ago())
    fresh = store.link("q1.csv", at=proxy.origin, until=in_an_hour())
    vendor.offers("q1", Offer(ended, good_until=in_an_hour()), Offer(fresh))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    finished.raise_for_status()
    assert finished.files[0].path.read_bytes() == CONTENT
    assert [exchange.link for exchange in proxy.exchanges] == [ended, fresh]
    assert proxy.statuses == [403, 200]
    assert vendor.polls("q1") == 2


async def test_all_parts_of_an_export_are_renewed_by_one_poll(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """Links that ended together are renewed together."""
    names = [f"{number}.csv" for number in range(4)]
    for name in names:
        store.put(name, name.encode())
    ended = tuple(Offer(store.link(name, at=proxy.origin, until=an_hour_ago())) for name in names)
    fresh = tuple(Offer(store.link(name, at=proxy.origin, until=in_an_hour())) for name in names)
    vendor.offers("q1", ended, fresh)

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    finished.raise_for_status()
    assert [file.path.read_text() for file in finished.files] == names
    assert vendor.polls("q1") == 2
    assert proxy.statuses == [200] * 4


async def test_a_link_that_ends_in_the_middle_of_a_download_costs_no_byte(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """A download that was cut while its link ended goes on under the next, where it stood."""
    store.put("q1.csv", CONTENT)
    fresh = store.link("q1.csv", at=proxy.origin, until=in_an_hour())
    ends: list[datetime] = []

    def short() -> Offer:
        ends.append((datetime.now(UTC) + timedelta(seconds=2)).replace(microsecond=0))
        link = store.link("q1.csv", at=proxy.origin, until=ends[0])
        return Offer(link, good_until=in_an_hour())

    vendor.offers("q1", short, Offer(fresh))
    proxy.cut(after=CUT, meanwhile=lambda: wait_until(ends[0] + timedelta(milliseconds=20)))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    finished.raise_for_status()
    assert finished.files[0].path.read_bytes() == CONTENT
    first, refused, rest = proxy.exchanges
    assert proxy.statuses == [200, 403, 206]
    assert first.link == refused.link != rest.link == fresh
    for resumed in (refused, rest):
        assert resumed.headers["range"] == f"bytes={CUT}-"
        assert resumed.headers["if-range"] == first.answered["etag"]
    assert proxy.sent == [CUT, len(CONTENT) - CUT]


async def test_a_download_that_is_cut_time_and_again_costs_no_byte(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """Each answer is cut further on, and the one link serves them all."""
    store.put("q1.csv", CONTENT)
    vendor.offers("q1", Offer(store.link("q1.csv", at=proxy.origin, until=in_an_hour())))
    cuts = [CUT, 70_001, 300_000]
    for cut in cuts:
        proxy.cut(after=cut)

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    finished.raise_for_status()
    assert finished.files[0].path.read_bytes() == CONTENT
    assert proxy.statuses == [200, 206, 206, 206]
    assert proxy.sent == [*cuts, len(CONTENT) - sum(cuts)]
    assert vendor.polls("q1") == 1


async def test_another_process_goes_on_under_a_link_of_its_own(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """What came before the poller was left is not fetched again when the job is resumed."""
    store.put("q1.csv", LARGE)
    ended = store.link("q1.csv", at=proxy.origin, until=an_hour_ago())
    first, second = (
        store.link("q1.csv", at=proxy.origin, until=in_an_hour() + timedelta(minutes=n))
        for n in range(2)
    )
    vendor.offers("q1", Offer(first), Offer(ended), Offer(second))
    is_left, has_begun = threading.Event(), anyio.Event()
    proxy.cut(after=LARGE_CUT, meanwhile=lambda: is_left.wait(10.0))

    def listen(event: Event) -> None:
        if getattr(event, "received", 0) >= MEBIBYTE:
            has_begun.set()

    async with Poller(poll_interval=INTERVAL, observers=[listen]) as poller:
        poller.run(vendor.tables("q1"), into=tmp_path)
        with anyio.fail_after(10.0):
            await has_begun.wait()
    is_left.set()
    ref = JobRef("warehouse", "default", "q1", kind="table")
    async with Poller(poll_interval=INTERVAL, accounts=[vendor.warehouse]) as poller:
        finished = await poller.resume(ref, into=tmp_path)

    finished.raise_for_status()
    assert finished.files[0].path.read_bytes() == LARGE
    begun, resumed = proxy.exchanges
    kept = len(LARGE) - resumed.sent
    assert (begun.link, resumed.link) == (first, second)
    assert resumed.headers["range"] == f"bytes={kept}-"
    assert MEBIBYTE <= kept <= LARGE_CUT


async def test_a_link_that_was_tampered_with_ends_in_an_error_that_names_the_job(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """The store refuses every link that the vendor offers, and nothing lands."""
    store.put("q1.csv", CONTENT)
    link = tampered(store.link("q1.csv", at=proxy.origin, until=in_an_hour()))
    vendor.offers("q1", Offer(link))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    assert isinstance(finished.error, SignedUrlRejected)
    assert finished.error.vendor == "warehouse"
    assert finished.error.ref == finished.ref
    assert "warehouse/default/table/q1" in str(finished.error)
    assert set(proxy.statuses) == {403}
    assert len(proxy.exchanges) <= 8
    assert list(tmp_path.iterdir()) == []


async def test_a_link_that_was_tampered_with_is_mended_by_another(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """A store that refuses a signature is asked again with the vendor's next one."""
    store.put("q1.csv", CONTENT)
    link = store.link("q1.csv", at=proxy.origin, until=in_an_hour())
    vendor.offers("q1", Offer(tampered(link)), Offer(link))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    finished.raise_for_status()
    assert finished.files[0].path.read_bytes() == CONTENT
    assert proxy.statuses == [403, 200]
    assert signature(tampered(link)) != signature(link)


async def test_a_file_that_is_gone_from_the_store_does_not_land(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """A well-signed link to nothing ends in an error, and the store's own page does not land."""
    vendor.offers("q1", Offer(store.link("gone.csv", at=proxy.origin, until=in_an_hour())))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    assert isinstance(finished.error, SignedUrlRejected)
    assert set(proxy.statuses) == {404}
    assert list(tmp_path.iterdir()) == []


def wait_until(moment: datetime) -> None:
    """Wait for real: the store's clock is not ours to set."""
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))

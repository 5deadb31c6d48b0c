"""Files that are replaced while they are fetched: what lands is one version, whole."""

from pathlib import Path

import pytest

from .loopback import Proxy
from .stores import Store, content, in_an_hour
from .support import Offer, Vendor, finish

OLD = content(1_500_007, 4)
CUT = 600_011
NEW = {
    "as long": content(len(OLD), 5),
    "longer": content(len(OLD) + 100_000, 6),
    "shorter": content(len(OLD) - 100_000, 7),
    "shorter than what has come": content(CUT - 100_000, 8),
    "as long as what has come": content(CUT, 9),
    "the same but for its end": OLD[:CUT] + content(100_000, 10),
}


@pytest.mark.parametrize("new", NEW.values(), ids=NEW)
async def test_a_file_that_was_replaced_lands_in_its_new_version(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path, new: bytes
) -> None:
    """Of what came before the cut nothing is left, though the store would go on from there."""
    store.put("q1.csv", OLD)
    vendor.offers("q1", Offer(store.link("q1.csv", at=proxy.origin, until=in_an_hour())))
    proxy.cut(after=CUT, meanwhile=lambda: store.put("q1.csv", new))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    finished.raise_for_status()
    (file,) = finished.files
    assert file.path.read_bytes() == new
    assert list(tmp_path.iterdir()) == [file.path]
    assert proxy.exchanges[1].headers["if-range"] == proxy.exchanges[0].answered["etag"]
    assert proxy.exchanges[-1].status == 200
    assert "range" not in proxy.exchanges[-1].headers


async def test_a_file_that_was_replaced_by_its_like_goes_on(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path
) -> None:
    """The same bytes stored again land whole, whichever version the store calls them."""
    store.put("q1.csv", OLD)
    vendor.offers("q1", Offer(store.link("q1.csv", at=proxy.origin, until=in_an_hour())))
    proxy.cut(after=CUT, meanwhile=lambda: store.put("q1.csv", OLD))

    (finished,) = await finish(vendor.tables("q1"), tmp_path)

    finished.raise_for_status()
    assert finished.files[0].path.read_bytes() == OLD

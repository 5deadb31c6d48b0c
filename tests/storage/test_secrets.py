"""No signature and no key is ever said, though stores say them in their refusals."""

import logging
import traceback
from pathlib import Path

import pytest
from tests.support.logs import everything_in

from exportjobs import Event, Poller

from .loopback import Proxy
from .stores import Store, an_hour_ago, in_an_hour, signature, tampered
from .support import INTERVAL, KEY, Offer, Vendor

CONTENT = bytes(1_500_007)


async def test_no_signature_and_no_key_is_ever_said(
    store: Store, proxy: Proxy, vendor: Vendor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs at DEBUG, events, errors with their causes, reprs, ledger and files beside hold none."""
    caplog.set_level(logging.DEBUG)
    store.put("q1.csv", CONTENT)
    good = store.link("q1.csv", at=proxy.origin, until=in_an_hour())
    ended = store.link("q1.csv", at=proxy.origin, until=an_hour_ago())
    vendor.offers("refused", Offer(ended), Offer(tampered(good)))
    vendor.offers("cut", Offer(ended, good_until=in_an_hour()), Offer(good))
    said: list[str] = []
    proxy.cut(after=600_011, meanwhile=lambda: said.extend(everything_below(tmp_path)))

    # What the vendors' own code says when it signs is none of ours.
    caplog.clear()

    def listen(event: Event) -> None:
        said.append(repr(event))

    ledger = tmp_path / "exports.db"
    async with Poller(poll_interval=INTERVAL, observers=[listen], ledger=ledger) as poller:
        exports = vendor.tables("refused", "cut")
        async for finished in poller.run(exports, into=tmp_path / "landing"):
            said += [repr(finished), repr(finished.job), str(finished.error)]
            said += [repr(finished.error), *traceback.format_exception(finished.error)]
    said += everything_below(tmp_path)
    said += [everything_in(record) for record in caplog.records]

    secrets = {KEY} | {signature(link) for link in (good, ended, tampered(good))}
    assert {200, 206, 403} <= set(proxy.statuses)
    assert len(said) > 50
    assert [line for line in said if any(secret in line for secret in secrets)] == []
    assert [line for line in said if "sig=" in line or "Signature" in line] == []


def everything_below(folder: Path) -> list[str]:
    """Read all the files in a folder and those in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [f"{path} {path.read_bytes().decode(errors='replace')}" for path in files]

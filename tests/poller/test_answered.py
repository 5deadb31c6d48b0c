"""What the poller writes into its ledger, when, and what happens if it cannot."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from tests.support.acme import Acme, MakePoller, finish, outstanding, reports, signed, status
from tests.support.acme_api import Vendor

from exportjobs import Event, Finished, JobStatus, LedgerFailed
from exportjobs._ledger.ledger import Ledger
from exportjobs.events import Landed, LedgerWriteFailed, Submitted
from exportjobs.testing import ManualClock

Query = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture
def query(file: Path) -> Query:
    """Return a function that reads the ledger's file from outside."""

    def read(text: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            return database.execute(text).fetchall()

    return read


async def test_the_intent_is_written_before_the_submit_is_sent(
    vendor: Vendor, make_poller: MakePoller, file: Path, query: Query
) -> None:
    """When the vendor gets the request, the ledger knows of it and of no ref yet."""
    vendor.report("q1", submits=["done"])
    found: list[tuple[object, ...]] = []
    vendor.on_request = lambda _: found.extend(query("SELECT asked, ref FROM exports"))

    async with make_poller(ledger=file) as poller:
        await finish(poller, reports(Acme(), "q1"))

    assert found == [(Acme().report("q1").to_json(), None)]


async def test_the_ref_is_written_before_anything_else_happens(
    vendor: Vendor, make_poller: MakePoller, file: Path, query: Query
) -> None:
    """When the acceptance is told, the ledger has the ref already."""
    vendor.report("q1", submits=["done"])
    found: list[tuple[object, ...]] = []

    def observe(event: Event) -> None:
        if isinstance(event, Submitted):
            assert event.subject.ref is not None
            found.append((event.subject.ref.to_json(), query("SELECT ref FROM exports")))

    async with make_poller(ledger=file, observers=[observe]) as poller:
        await finish(poller, reports(Acme(), "q1"))

    ((ref, rows),) = found
    assert rows == [(ref,)]


async def test_the_record_follows_the_job_to_its_landing(
    vendor: Vendor, make_poller: MakePoller, file: Path, query: Query, tmp_path: Path
) -> None:
    """In the end the ledger has the job's last status, the vendor's word for it, and its file."""
    vendor.report("q1", "running", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [b"a,b\n"]

    async with make_poller(ledger=file) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), tmp_path / "landing")

    assert query("SELECT status, raw_status, landed_at IS NOT NULL FROM exports") == [
        ("done", "done", 1)
    ]
    assert query("SELECT path, size, sha256 FROM files") == [
        (str(landed), 4, landed.sha256) for landed in finished.files
    ]


async def test_an_intent_that_cannot_be_written_stops_the_submit(
    vendor: Vendor, make_poller: MakePoller, file: Path, query: Query
) -> None:
    """Without a record nothing is sent: a crash would forget the job."""
    vendor.report("q1", submits=["done"])

    async with make_poller(ledger=file) as poller:
        query("DROP TABLE exports")
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert isinstance(finished.error, LedgerFailed)
    assert vendor.said == []


async def test_a_ledger_that_fails_after_the_submit_does_not_lose_the_result(
    *,
    vendor: Vendor,
    make_poller: MakePoller,
    events: list[Event],
    file: Path,
    query: Query,
    tmp_path: Path,
) -> None:
    """What has happened stands: the job is polled and lands, and the failure is told of."""
    vendor.report("q1", "running", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [b"a,b\n"]

    def break_ledger(said: str) -> None:
        if said.startswith("POST"):
            query("DROP TABLE exports")

    vendor.on_request = break_ledger
    async with make_poller(ledger=file) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"), tmp_path / "landing")

    assert finished.ok
    assert [landed.path.read_bytes() for landed in finished.files] == [b"a,b\n"]
    assert any(isinstance(event, LedgerWriteFailed) for event in events)
    assert any(isinstance(event, Landed) for event in events)


async def test_a_refused_submit_is_not_offered_for_resumption(
    vendor: Vendor, make_poller: MakePoller, file: Path, clock: ManualClock
) -> None:
    """An export that never became a job is in the record as an intent only."""
    vendor.report("q1", submits=[status(400)])

    async with make_poller(ledger=file) as poller:
        await finish(poller, reports(Acme(), "q1"))
    async with Ledger(file, clock) as ledger:
        left = await outstanding(ledger)

    assert left == ()


async def test_a_download_that_failed_is_offered_for_resumption(
    vendor: Vendor, make_poller: MakePoller, file: Path, clock: ManualClock, tmp_path: Path
) -> None:
    """A job that is done but whose file did not land can be fetched by the next process."""
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [httpx.Response(400), b"a,b\n"]

    async with make_poller(ledger=file) as poller:
        (failed,) = await finish(poller, reports(Acme(), "q1"), tmp_path / "landing")
    async with Ledger(file, clock) as ledger:
        (ref,) = await outstanding(ledger)
    async with make_poller(ledger=file, accounts=[Acme()]) as poller:
        fetched = await poller.resume(ref, into=tmp_path / "landing")
    async with Ledger(file, clock) as ledger:
        left = await outstanding(ledger)

    assert not failed.ok
    assert fetched.ok
    assert left == ()


async def test_an_export_that_waits_for_a_slot_has_one_intent(
    vendor: Vendor, make_poller: MakePoller, file: Path, query: Query
) -> None:
    """However often a submit is repeated, the record has one row for it."""
    busy = httpx.Response(400, json={"code": "BUSY"})
    vendor.report("q1", submits=[busy, busy, "done"])

    async with make_poller(ledger=file) as poller:
        await finish(poller, reports(Acme(), "q1"))

    assert query("SELECT count(*) FROM exports") == [(1,)]


@pytest.mark.parametrize("odd", ["", "a\nb", "\x00"], ids=["empty", "two-lines", "null"])
async def test_an_odd_id_does_not_hide_the_other_jobs(
    vendor: Vendor, make_poller: MakePoller, file: Path, clock: ManualClock, odd: str
) -> None:
    """A vendor's id that cannot be printed does not keep the record from being read."""
    answer = httpx.Response(201, json={"id": odd, "status": "queued"})
    vendor.report("odd", submits=[answer])
    vendor.report("q1", lasts=100)
    ends: list[Finished] = []

    async with make_poller(ledger=file) as poller:
        odd_results = poller.run(reports(Acme(name="odd"), "odd"), into=None)
        job = await poller.submit(Acme().report("q1"))
        ends.append(await anext(odd_results))
    async with Ledger(file, clock) as ledger:
        left = await outstanding(ledger)

    assert not ends[0].ok
    assert job.ref in left
    assert job.status is JobStatus.QUEUED

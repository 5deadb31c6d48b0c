"""A ledger that cannot be used: said before anything is submitted, or the run goes on and says so.

A ref is never lost: what could not be written down is told.
"""

import errno
import fcntl
import resource
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from tests.support.acme import Acme, Listing, MakePoller, reports, signed
from tests.support.acme_api import Seen, Vendor
from tests.support.disks import full_disk, names
from tests.support.errors import raises_error

from exportjobs import Event, Finished, LedgerFailed, Poller, SubmitOutcomeUnknown
from exportjobs.events import LedgerWriteFailed

MONDAY = "2026-01-05"
SUBMIT = "POST /reports/q1"


@pytest.fixture(autouse=True)
def _report(vendor: Vendor) -> None:
    vendor.report("q1", links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [b"a,b\n"]


async def ran(
    poller: Poller, into: Path, account: Acme | None = None, key: str | None = MONDAY
) -> Finished:
    """Run one export to its end."""
    (end,) = [
        one async for one in poller.run(reports(account or Acme(), "q1"), into=into, run_key=key)
    ]
    return end


def change(file: Path, statement: str, *given: str) -> None:
    """Write into a ledger as nobody should."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute(statement, given)


@contextmanager
def locked(file: Path) -> Generator[None]:
    """Let another process write a ledger, and not come to an end."""
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


async def test_a_full_disk_keeps_a_ledger_from_being_opened(
    vendor: Vendor, make_poller: MakePoller, file: Path
) -> None:
    """The error names the file, and nothing is left that would be in the way later."""
    with full_disk(), pytest.raises(LedgerFailed, match=r"ledger\.db"):
        async with make_poller(ledger=file):
            raise AssertionError

    assert vendor.said == []
    assert list(file.parent.glob("*.owner")) == []


@pytest.mark.parametrize("key", [MONDAY, None], ids=["key", "no-key"])
async def test_a_disk_that_fills_up_before_the_submit_keeps_it_from_being_sent(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, key: str | None
) -> None:
    """What cannot be remembered is not paid for."""
    async with make_poller(ledger=file) as poller:
        with full_disk():
            finished = await ran(poller, landing, key=key)

    assert isinstance(finished.error, LedgerFailed)
    assert vendor.said == []


@pytest.mark.parametrize("account", [Acme(), Listing()], ids=["silent", "list"])
async def test_a_disk_that_fills_up_after_the_submit_costs_the_record_alone(
    vendor: Vendor,
    make_poller: MakePoller,
    events: list[Event],
    file: Path,
    landing: Path,
    *,
    account: Acme,
) -> None:
    """The file lands, the ref is told, and a later run of the key does not submit again."""
    async with make_poller(ledger=file) as poller:
        with full_disk_once(vendor, SUBMIT):
            finished = await ran(poller, landing, account)
    missed = [one for one in events if isinstance(one, LedgerWriteFailed)]
    vendor.report("q1", since=0.0, lasts=60, links=(signed("q1.csv"),))
    async with make_poller(ledger=file) as poller:
        again = await ran(poller, landing, account)

    assert finished.ok
    assert {one.subject.ref for one in missed} == {finished.ref}
    assert again.ok or isinstance(again.error, SubmitOutcomeUnknown)
    assert vendor.said.count(SUBMIT) == 1


@contextmanager
def full_disk_once(vendor: Vendor, said: str) -> Generator[None]:
    """Let the disk fill up as soon as the vendor is told something."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(seen: Seen) -> httpx.Response | Exception | None:
        if seen.said == said:
            resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
        return None

    vendor.instead = fill
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "place",
    ["/sys/ledger.db", "file/ledger.db", "none/ledger.db", "."],
    ids=["read-only", "below-a-file", "no-folder", "a-folder"],
)
async def test_a_place_that_cannot_be_written_is_told_by_its_path(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path, place: str
) -> None:
    """Before anything is sent."""
    (tmp_path / "file").touch()
    ledger = tmp_path / place

    with pytest.raises(LedgerFailed, match=str(ledger)):
        async with make_poller(ledger=ledger):
            raise AssertionError

    assert vendor.said == []
    assert names(tmp_path) == ["file"]


UNREADABLE = (
    "UPDATE exports SET landed_at = NULL, status = 'hanging'",
    "UPDATE exports SET landed_at = NULL, ref = 'q1'",
    "UPDATE exports SET landed_at = NULL, seen_at = 'lately'",
    "UPDATE exports SET landed_at = NULL, sent_at = 'lately', ref = NULL",
)


@pytest.mark.parametrize("spoil", UNREADABLE)
async def test_a_row_that_cannot_be_read_is_told_of_and_nothing_is_submitted(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, spoil: str
) -> None:
    """Whoever asks for it, and however."""
    async with make_poller(ledger=file) as poller:
        await ran(poller, landing)
    change(file, spoil)
    before = len(vendor.said)

    async with make_poller(ledger=file, accounts=[Acme()]) as poller:
        finished = await ran(poller, landing)
        with pytest.raises(LedgerFailed, match=r"ledger\.db"):
            await poller.records.entries()
        with pytest.raises(LedgerFailed, match=r"ledger\.db"):
            await poller.resume_all(into=landing)

    assert isinstance(finished.error, LedgerFailed)
    assert len(vendor.said) == before


@pytest.mark.parametrize("told", ["{", "[]", "7", '{"weather": "fine"}', '{"created_at": "soon"}'])
async def test_what_the_vendor_said_in_the_end_and_cannot_be_read_is_no_mistake_of_ours(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, told: str
) -> None:
    """The job is asked about anew, or the ledger is named; nothing is submitted again."""
    async with make_poller(ledger=file) as poller:
        await ran(poller, landing)
    change(file, "UPDATE exports SET landed_at = NULL, told = ?", told)

    async with make_poller(ledger=file) as poller:
        finished = await ran(poller, landing)

    assert finished.ok or isinstance(finished.error, LedgerFailed)
    assert vendor.said.count(SUBMIT) == 1


@pytest.mark.parametrize("asked", ["{", "7", "[]", "{}"])
async def test_what_was_asked_and_cannot_be_read_is_told_of(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, asked: str
) -> None:
    """A submit in doubt whose arguments are gone is not guessed at."""
    async with make_poller(ledger=file) as poller:
        await ran(poller, landing)
    change(file, "UPDATE exports SET ref = NULL, landed_at = NULL, asked = ?", asked)
    before = len(vendor.said)

    async with make_poller(ledger=file, accounts=[Acme()]) as poller:
        with raises_error(
            LedgerFailed,
            reason="the arguments of export 1 cannot be read from the ledger",
            remedy="remove the export from the ledger",
            vendor="acme",
        ):
            await poller.resume_all(into=landing)

    assert len(vendor.said) == before


async def test_pages_that_were_written_over_are_told_of_and_nothing_is_submitted(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path
) -> None:
    """A disk that lost a part of the file."""
    async with make_poller(ledger=file) as poller:
        await ran(poller, landing)
    with file.open("r+b") as pages:
        pages.seek(4096)
        pages.write(b"\xa5" * (file.stat().st_size - 4096))
    before = len(vendor.said)

    with pytest.raises(LedgerFailed, match=r"ledger\.db"):
        async with make_poller(ledger=file) as poller:
            (await ran(poller, landing)).raise_for_status()

    assert len(vendor.said) == before


async def test_a_ledger_that_stays_locked_keeps_a_submit_from_being_sent(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path
) -> None:
    """Another process writes and writes; the error says that it is locked."""
    async with make_poller(ledger=file) as poller:
        with locked(file):
            finished = await ran(poller, landing)

    assert isinstance(finished.error, LedgerFailed)
    assert "locked" in str(finished.error)
    assert vendor.said == []


async def test_a_file_system_without_locks_is_refused(
    vendor: Vendor, make_poller: MakePoller, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, two processes could not tell whether the other is alive."""

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)

    with raises_error(
        LedgerFailed,
        reason=f"the ledger's file system has no locks: {file}",
        remedy="keep the ledger on a disk of this machine",
    ):
        async with make_poller(ledger=file):
            raise AssertionError

    assert vendor.said == []
    assert list(file.parent.glob("*.owner")) == []

"""The record of what was asked for, accepted and landed."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from tests.support.acme import KEY, SIGNATURE, Acme, signed
from tests.support.acme import outstanding as jobs
from tests.support.errors import assert_error, raises_error

from exportjobs import ExportJob, JobRef, JobStatus, LandedFile, LedgerFailed
from exportjobs._ledger.ledger import Ledger
from exportjobs._ledger.schema import VERSION
from exportjobs._ledger.tables import Tables
from exportjobs._schedule.durations import Durations
from exportjobs.adapter import Artifact, Export, Reading, evolve
from exportjobs.testing import ManualClock

Open = Callable[[], Ledger]
_FIRST = """
CREATE TABLE exports (
    number INTEGER PRIMARY KEY,
    vendor TEXT NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    asked TEXT,
    intended_at TEXT NOT NULL,
    ref TEXT,
    status TEXT,
    raw_status TEXT,
    seen_at TEXT,
    landed_at TEXT
) STRICT;
CREATE TABLE files (
    export INTEGER NOT NULL REFERENCES exports (number),
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL
) STRICT;
PRAGMA user_version = 1;
"""
"""What the first version of the library made."""
LEARNED = Durations.prior(60.0).ended(10.0, 12.0).ended(20.0, 25.0)


@pytest.fixture
def open_ledger(file: Path, clock: ManualClock) -> Open:
    """Return a function that opens the ledger, as another process would."""
    return lambda: Ledger(file, clock)


def job(name: str, status: JobStatus = JobStatus.RUNNING) -> ExportJob:
    """Return a job as its vendor describes it."""
    ref = JobRef(
        "acme", "default", name, kind="report", submitted_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    return ExportJob(
        ref,
        Reading(status, status.value.upper()),
        artifacts=(Artifact(signed(name)),),
        raw={"url": signed(name)},
    )


def report(name: str) -> Export:
    """Return an export."""
    return Acme().report(name)


async def number_of(ledger: Ledger, ref: JobRef) -> int:
    """Return the number of a job that is taken up again."""
    (entry,) = await ledger.write(Tables.enter, [(0, Acme().resume(ref), None)])
    return entry.number


def rows(file: Path, query: str) -> list[tuple[object, ...]]:
    """Read the file with SQLite itself."""
    with closing(sqlite3.connect(file)) as database:
        return database.execute(query).fetchall()


async def test_what_was_accepted_is_outstanding_after_a_restart(open_ledger: Open) -> None:
    """Jobs that had not ended are offered again, oldest first."""
    async with open_ledger() as ledger:
        for name in ("q1", "q2", "q3"):
            await ledger.write(
                Tables.record, await ledger.write(Tables.intend, 0, report(name)), job(name)
            )

    async with open_ledger() as ledger:
        outstanding = await jobs(ledger)

    assert outstanding == tuple(job(name).ref for name in ("q1", "q2", "q3"))


async def test_an_intent_alone_is_recorded_but_not_outstanding(
    open_ledger: Open, file: Path
) -> None:
    """A submit that never came back can be seen in the file, and cannot be resumed."""
    async with open_ledger() as ledger:
        await ledger.write(Tables.intend, 0, report("q1"))

    async with open_ledger() as ledger:
        outstanding = await jobs(ledger)

    assert outstanding == ()
    assert rows(file, "SELECT vendor, account, kind, asked, intended_at, ref FROM exports") == [
        ("acme", "default", "report", report("q1").to_json(), "2026-01-01T00:00:00+00:00", None)
    ]


@pytest.mark.parametrize(
    ("status", "left"),
    [
        (JobStatus.QUEUED, 1),
        (JobStatus.RUNNING, 1),
        (JobStatus.DONE, 1),
        (JobStatus.FAILED, 0),
        (JobStatus.CANCELLED, 0),
    ],
)
async def test_a_job_is_outstanding_until_it_has_ended_and_landed(
    open_ledger: Open, status: JobStatus, left: int
) -> None:
    """A done job whose files have not landed is still wanted; one that failed is not."""
    async with open_ledger() as ledger:
        number = await ledger.write(Tables.intend, 0, report("q1"))
        await ledger.write(Tables.record, number, job("q1"))
        await ledger.write(Tables.record, number, job("q1", status))

        assert len(await jobs(ledger)) == left


async def test_a_job_that_landed_is_outstanding_no_more(
    open_ledger: Open, file: Path, tmp_path: Path
) -> None:
    """Landed files are recorded with size and digest, and end the job."""
    landed = LandedFile(tmp_path / "q1.csv", 4, "ab" * 32)

    async with open_ledger() as ledger:
        number = await ledger.write(Tables.intend, 0, report("q1"))
        await ledger.write(Tables.record, number, job("q1", JobStatus.DONE))
        await ledger.write(Tables.land, number, (landed,))
        outstanding = await jobs(ledger)

    assert outstanding == ()
    assert rows(file, "SELECT export, path, size, sha256 FROM files") == [
        (number, str(tmp_path / "q1.csv"), 4, "ab" * 32)
    ]


async def test_a_job_without_files_lands_too(open_ledger: Open) -> None:
    """Done and empty is landed."""
    async with open_ledger() as ledger:
        number = await ledger.write(Tables.intend, 0, report("q1"))
        await ledger.write(Tables.record, number, job("q1", JobStatus.DONE))
        await ledger.write(Tables.land, number, ())

        assert await jobs(ledger) == ()


async def test_a_resumed_job_is_the_one_recorded_before(open_ledger: Open) -> None:
    """Resuming a job of the ledger goes on with its row instead of making another."""
    async with open_ledger() as ledger:
        number = await ledger.write(Tables.intend, 0, report("q1"))
        await ledger.write(Tables.record, number, job("q1"))

    async with open_ledger() as ledger:
        again = await number_of(ledger, job("q1").ref)
        other = await number_of(ledger, job("q2").ref)
        outstanding = await jobs(ledger)

    assert again == number
    assert other != number
    assert outstanding == (job("q1").ref, job("q2").ref)


async def test_a_ledger_in_memory_works_and_leaves_no_file(
    clock: ManualClock, tmp_path: Path
) -> None:
    """Without a path the record lives as long as it is open."""
    ledger = Ledger(None, clock)

    async with ledger:
        await ledger.write(
            Tables.record, await ledger.write(Tables.intend, 0, report("q1")), job("q1")
        )
        outstanding = await jobs(ledger)
    async with ledger:
        afterwards = await jobs(ledger)

    assert outstanding == (job("q1").ref,)
    assert afterwards == ()
    assert list(tmp_path.iterdir()) == []


async def test_a_lock_that_cannot_be_made_is_told_of(clock: ManualClock, file: Path) -> None:
    """Its name is longer than the ledger's own."""
    with pytest.raises(LedgerFailed) as caught:
        async with Ledger(file.with_name("x" * 240), clock):
            raise AssertionError

    reason = caught.value.reason
    assert reason.startswith(f"cannot be written (File name too long): {file.parent}/xxx")
    assert_error(
        caught.value, LedgerFailed, reason=reason, remedy="choose another folder for the ledger"
    )


async def test_a_later_versions_file_is_refused_and_left_as_it_is(
    open_ledger: Open, file: Path
) -> None:
    """A file that a later library wrote is not touched, and the remedy is told."""
    with closing(sqlite3.connect(file)) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")

    with raises_error(
        LedgerFailed,
        reason=(
            f"the ledger has version {VERSION + 1}, but this library reads versions up to {VERSION}"
        ),
        remedy="upgrade exportjobs, or choose another file",
    ):
        async with open_ledger():
            raise AssertionError

    assert rows(file, "PRAGMA user_version") == [(VERSION + 1,)]
    assert rows(file, "SELECT name FROM sqlite_master") == []


def first_version(file: Path, *jobs: ExportJob) -> None:
    """Write a file as the first version of the library did, with jobs that it had seen."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(_FIRST)
        for one in jobs:
            database.execute(
                "INSERT INTO exports (vendor, account, kind, asked, intended_at, ref, status)"
                " VALUES ('acme', 'default', 'report', '{}', '2025-12-31T00:00:00+00:00', ?, ?)",
                (one.ref.to_json(), one.status),
            )


async def test_a_file_of_the_first_version_is_brought_up_to_date(
    open_ledger: Open, file: Path
) -> None:
    """Its jobs are offered again, and it takes what the first version did not know of."""
    first_version(file, job("q1"), job("q2", JobStatus.FAILED), job("q3", JobStatus.DONE))

    async with open_ledger() as ledger:
        outstanding = await jobs(ledger)
        again = await number_of(ledger, job("q3").ref)
        await ledger.write(Tables.learn, report("q1"), LEARNED)
        learned = await ledger.read(Tables.learned)

    assert outstanding == (job("q1").ref, job("q3").ref)
    assert again == 3
    assert learned["acme", "default"]["report"].to_json() == LEARNED.to_json()
    assert rows(file, "PRAGMA user_version") == [(VERSION,)] == [(5,)]


async def test_a_job_is_found_without_reading_all_the_others(open_ledger: Open, file: Path) -> None:
    """Taking up a job that was resumed takes as long among a hundred thousand as among ten."""
    async with open_ledger():
        ((*_, plan),) = rows(file, "EXPLAIN QUERY PLAN SELECT ref FROM exports WHERE job = 7")

    assert "USING INDEX" in str(plan)


async def test_a_file_is_brought_up_to_date_once(open_ledger: Open, file: Path) -> None:
    """The next process finds it as it should be, with all that is in it."""
    first_version(file, job("q1"))

    for _ in range(3):
        async with open_ledger() as ledger:
            await ledger.write(Tables.learn, report("q1"), LEARNED)

    assert rows(file, "SELECT count(*) FROM exports") == [(1,)]
    assert rows(file, "SELECT count(*) FROM durations") == [(1,)]


@pytest.mark.parametrize("old", [True, False], ids=["old", "new"])
async def test_many_processes_may_open_a_file_at_once(
    open_ledger: Open, file: Path, *, old: bool
) -> None:
    """One of them makes it or brings it up to date; the others find it so."""
    if old:
        first_version(file)

    async def one(number: int) -> None:
        async with open_ledger() as ledger:
            await ledger.write(
                Tables.record,
                await ledger.write(Tables.intend, 0, report(f"q{number}")),
                job(f"q{number}"),
            )

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(one, number)

    assert rows(file, "SELECT count(*) FROM exports") == [(8,)]


async def test_an_old_file_and_a_new_one_have_the_same_tables(
    clock: ManualClock, file: Path, tmp_path: Path
) -> None:
    """However a file came about, it can be read in one way."""
    new, schema = tmp_path / "new.db", "SELECT type, name, sql FROM sqlite_master ORDER BY name"
    first_version(file)

    for path in (file, new):
        async with Ledger(path, clock):
            pass

    assert rows(file, schema) == rows(new, schema) != []


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be read as one" * 100, b"\0" * 4096]
)
async def test_a_file_that_is_no_ledger_is_refused_by_path(
    open_ledger: Open, file: Path, content: bytes
) -> None:
    """A corrupt file is one of our errors, with its path, and keeps its content."""
    file.write_bytes(content)

    with pytest.raises(LedgerFailed, match=r"ledger\.db"):
        async with open_ledger() as ledger:
            await ledger.write(Tables.intend, 0, report("q1"))


async def test_a_ledger_that_breaks_while_open_is_one_of_our_errors(
    open_ledger: Open, file: Path
) -> None:
    """A table that somebody dropped is told of as a ledger that cannot be used."""
    async with open_ledger() as ledger:
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.execute("DROP TABLE exports")

        with pytest.raises(LedgerFailed, match=r"ledger\.db"):
            await ledger.write(Tables.intend, 0, report("q1"))


async def test_a_landing_is_recorded_whole_or_not_at_all(open_ledger: Open, file: Path) -> None:
    """A file that cannot be recorded leaves the job outstanding, and no half of it behind."""
    bad = LandedFile(Path("q1.csv"), 4, None)  # type: ignore[arg-type]
    good = LandedFile(Path("q0.csv"), 4, "ab")

    async with open_ledger() as ledger:
        number = await ledger.write(Tables.intend, 0, report("q1"))
        await ledger.write(Tables.record, number, job("q1", JobStatus.DONE))
        with pytest.raises(LedgerFailed):
            await ledger.write(Tables.land, number, (good, bad))
        outstanding = await jobs(ledger)
        await ledger.write(Tables.land, number, (good,))

    assert outstanding == (job("q1").ref,)
    assert rows(file, "SELECT path FROM files") == [("q0.csv",)]


async def test_a_write_is_finished_though_nobody_waits_for_it(open_ledger: Open) -> None:
    """A cancellation does not come between an accepted job and its record."""
    async with open_ledger() as ledger:
        number = await ledger.write(Tables.intend, 0, report("q1"))
        with anyio.CancelScope() as scope:
            scope.cancel()
            await ledger.write(Tables.record, number, job("q1"))

        assert await jobs(ledger) == (job("q1").ref,)


async def test_concurrent_writes_wait_for_each_other(open_ledger: Open) -> None:
    """Many tasks may write at once, and none is lost."""
    async with open_ledger() as ledger:

        async def one(name: str) -> None:
            await ledger.write(
                Tables.record, await ledger.write(Tables.intend, 0, report(name)), job(name)
            )

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(one, f"q{number}")

        assert len(await jobs(ledger)) == 20


async def test_two_processes_may_write_the_same_file(open_ledger: Open) -> None:
    """Two ledgers on one file see each other's jobs."""
    async with open_ledger() as one, open_ledger() as other:
        await one.write(Tables.record, await one.write(Tables.intend, 0, report("q1")), job("q1"))
        await other.write(
            Tables.record, await other.write(Tables.intend, 0, report("q2")), job("q2")
        )

        assert len(await jobs(one)) == 2


async def test_what_is_written_survives_a_crash(open_ledger: Open, file: Path) -> None:
    """A record can be read from outside as soon as the call is over, without closing first."""
    async with open_ledger() as ledger:
        await ledger.write(
            Tables.record, await ledger.write(Tables.intend, 0, report("q1")), job("q1")
        )

        assert rows(file, "SELECT status FROM exports") == [("running",)]


async def test_what_was_learned_outlives_the_process(open_ledger: Open) -> None:
    """For each account and each of its kinds, as it was last."""
    earlier, other = Durations.prior(60.0), Durations.prior(3600.0)
    async with open_ledger() as ledger:
        await ledger.write(Tables.learn, report("q1"), earlier)
        await ledger.write(Tables.learn, report("q2"), LEARNED)
        await ledger.write(Tables.learn, Acme(name="emea").report("q1"), other)
        await ledger.write(Tables.learn, Acme().resume(evolve(job("q1").ref, kind="audit")), other)

    async with open_ledger() as ledger:
        learned = await ledger.read(Tables.learned)

    assert {
        account: {kind: durations.to_json() for kind, durations in kinds.items()}
        for account, kinds in learned.items()
    } == {
        ("acme", "default"): {"report": LEARNED.to_json(), "audit": other.to_json()},
        ("acme", "emea"): {"report": other.to_json()},
    }


async def test_a_new_ledger_has_learned_nothing(open_ledger: Open) -> None:
    """The adapters' guesses are what it begins with."""
    async with open_ledger() as ledger:
        assert await ledger.read(Tables.learned) == {}


@pytest.mark.parametrize(
    "text", ["", "soon", "null", "7", "[]", "{}", '{"version": 99}', "[" * 100_000, "\x00"]
)
async def test_what_was_learned_and_cannot_be_read_is_left_out(
    open_ledger: Open, file: Path, text: str
) -> None:
    """It is learned again; the rest of it, and the jobs, are what they were."""
    async with open_ledger() as ledger:
        await ledger.write(
            Tables.record, await ledger.write(Tables.intend, 0, report("q1")), job("q1")
        )
        await ledger.write(Tables.learn, report("q1"), LEARNED)
        await ledger.write(Tables.learn, Acme(name="emea").report("q1"), LEARNED)
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("UPDATE durations SET learned = ? WHERE account = 'emea'", (text,))

    async with open_ledger() as ledger:
        learned = await ledger.read(Tables.learned)
        outstanding = await jobs(ledger)
        await ledger.write(Tables.learn, Acme(name="emea").report("q1"), LEARNED)
        healed = await ledger.read(Tables.learned)

    assert list(learned) == [("acme", "default")]
    assert set(healed) == {("acme", "default"), ("acme", "emea")}
    assert outstanding == (job("q1").ref,)


async def test_a_ledger_in_memory_has_nobody_to_learn_for(clock: ManualClock) -> None:
    """What is learned lives as long as the poller, which keeps it itself."""
    async with Ledger(None, clock) as ledger:
        await ledger.write(Tables.learn, report("q1"), LEARNED)

        assert await ledger.read(Tables.learned) == {}


async def test_learning_that_cannot_be_recorded_is_one_of_our_errors(
    open_ledger: Open, file: Path
) -> None:
    """Like everything else about a ledger that breaks while it is open."""
    async with open_ledger() as ledger:
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.execute("DROP TABLE durations")

        with pytest.raises(LedgerFailed, match=r"ledger\.db"):
            await ledger.write(Tables.learn, report("q1"), LEARNED)
        with pytest.raises(LedgerFailed, match=r"ledger\.db"):
            await ledger.read(Tables.learned)


async def test_no_secret_and_no_signed_url_is_in_the_file(
    open_ledger: Open, tmp_path: Path
) -> None:
    """Neither the key nor what opens a file is written, in any table or page."""
    raw = evolve(job("q1", JobStatus.DONE), reading=Reading(JobStatus.DONE, signed("q1")))
    async with open_ledger() as ledger:
        number = await ledger.write(Tables.intend, 0, report("q1"))
        await ledger.write(Tables.record, number, raw)
        await ledger.write(Tables.land, number, (LandedFile(tmp_path / "q1.csv", 4, "ab"),))
        await ledger.write(Tables.learn, report("q1"), LEARNED)
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert b"report" in content
    assert KEY.encode() not in content
    assert SIGNATURE.encode() not in content

"""What was asked for, accepted and landed, in one SQLite file or in memory.

An intent is written before a submit is sent and the job's ref before anything else happens to the
job, so that a crash forgets no job. There is no secret in it and no signed URL.
"""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self, TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread

from exportjobs._clock import Clock
from exportjobs._durations import Durations
from exportjobs._errors import LedgerFailed
from exportjobs._export import Export, Resumption
from exportjobs._finished import LandedFile, Work
from exportjobs._job import ExportJob, JobRef, JobStatus

T = TypeVar("T")

_IN_MEMORY = ":memory:"
_EXPORTS = """
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
) STRICT
"""
_FILES = """
CREATE TABLE files (
    export INTEGER NOT NULL REFERENCES exports (number),
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL
) STRICT
"""
_DURATIONS = """
CREATE TABLE durations (
    vendor TEXT NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    learned TEXT NOT NULL,
    PRIMARY KEY (vendor, account, kind)
) STRICT
"""
_BY_REF = "CREATE INDEX exports_by_ref ON exports (ref)"
_MIGRATIONS = ((_EXPORTS, _FILES), (_DURATIONS,), (_BY_REF,))
"""What makes a file of each version out of one of the version before, statement by statement."""
VERSION = len(_MIGRATIONS)
_INTEND = """
INSERT INTO exports (vendor, account, kind, asked, intended_at, ref, status)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_KNOWN = "SELECT number FROM exports WHERE ref = ?"
_RECORD = "UPDATE exports SET ref = ?, status = ?, raw_status = ?, seen_at = ? WHERE number = ?"
_LANDED = "UPDATE exports SET landed_at = ? WHERE number = ?"
_OUTSTANDING = """
SELECT ref FROM exports
WHERE ref IS NOT NULL AND landed_at IS NULL AND status NOT IN ('failed', 'cancelled')
ORDER BY number
"""

_LEARN = "INSERT OR REPLACE INTO durations (vendor, account, kind, learned) VALUES (?, ?, ?, ?)"
_LEARNED = "SELECT vendor, account, kind, learned FROM durations"


class Ledger:
    """The record of a poller's exports; times are ISO 8601 in UTC."""

    def __init__(self, path: str | Path | None, clock: Clock) -> None:
        """Take the file, or None to keep the record in memory for as long as the poller lives."""
        self._path = _IN_MEMORY if path is None else str(path)
        self._clock = clock
        self._one_at_a_time = CapacityLimiter(1)

    async def __aenter__(self) -> Self:
        """Open the file, and make it if there is none.

        Raises:
            LedgerFailed: If it cannot be opened, or a later version of the library wrote it.
        """
        self._database = await self._do(self._open)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the file."""
        await self._do(self._database.close)

    async def intend(self, work: Work) -> int:
        """Record what is about to be submitted or resumed, and return its number.

        Raises:
            LedgerFailed: If it cannot be recorded.
        """
        return await self._do(lambda: self._intend(work))

    async def record(self, number: int, job: ExportJob) -> None:
        """Record a job as its vendor described it, ref and all.

        Raises:
            LedgerFailed: If it cannot be recorded.
        """
        row = (job.ref.to_json(), job.status, job.raw_status, self._now(), number)
        await self._do(lambda: self._database.execute(_RECORD, row))

    async def land(self, number: int, files: tuple[LandedFile, ...]) -> None:
        """Record that the job's files have landed, if only that there were none.

        Raises:
            LedgerFailed: If it cannot be recorded.
        """
        await self._do(lambda: self._land(number, files))

    async def learn(self, work: Work, durations: Durations) -> None:
        """Record how long jobs of a kind take. Nothing that lives in memory needs to be told.

        Raises:
            LedgerFailed: If it cannot be recorded.
        """
        if self._path != _IN_MEMORY:
            row = (*work.account, work.kind, durations.to_json())
            await self._do(lambda: self._database.execute(_LEARN, row))

    async def learned(self) -> dict[tuple[str, str], dict[str, Durations]]:
        """Return how long each account's kinds of job take; what cannot be read is left out.

        Raises:
            LedgerFailed: If the file cannot be read.
        """
        found: dict[tuple[str, str], dict[str, Durations]] = {}
        rows = await self._do(lambda: self._database.execute(_LEARNED).fetchall())
        for vendor, account, kind, text in rows:
            with suppress(ValueError):
                found.setdefault((vendor, account), {})[kind] = Durations.from_json(text)
        return found

    async def outstanding(self) -> tuple[JobRef, ...]:
        """Return the jobs that had not ended or not landed when last seen, oldest first.

        Raises:
            LedgerFailed: If the file cannot be read.
        """
        rows = await self._do(lambda: self._database.execute(_OUTSTANDING).fetchall())
        return tuple(JobRef.from_json(text) for (text,) in rows)

    def _now(self) -> str:
        return self._clock.now().isoformat()

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            _migrate(database)
        except BaseException:
            database.close()
            raise
        return database

    def _intend(self, work: Work) -> int:
        vendor, account = work.account
        asked = work.to_json() if isinstance(work, Export) else None
        ref = work.ref.to_json() if isinstance(work, Resumption) else None
        known = self._database.execute(_KNOWN, (ref,)).fetchone()
        if known is not None:
            return int(known[0])
        row = (vendor, account, work.kind, asked, self._now(), ref, JobStatus.QUEUED)
        return self._database.execute(_INTEND, row).lastrowid or 0

    def _land(self, number: int, files: tuple[LandedFile, ...]) -> None:
        rows = [(number, str(file), file.size, file.sha256) for file in files]
        self._database.execute("BEGIN IMMEDIATE")
        with self._database:
            self._database.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", rows)
            self._database.execute(_LANDED, (self._now(), number))

    async def _do(self, work: Callable[[], T]) -> T:
        """Do some work on the database, even if the waiting for it is being cancelled.

        What touches a disk is done in a thread; memory answers faster than a thread starts.
        """
        with _uninterrupted(self._path):
            if self._path == _IN_MEMORY:
                return work()
            return await to_thread.run_sync(work, limiter=self._one_at_a_time)


def _migrate(database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise LedgerFailed(
            f"the ledger was written in version {version}, this library knows {VERSION}",
            remedy="upgrade exportjobs, or choose another file",
        )
    if version < VERSION:
        database.execute("BEGIN IMMEDIATE")
        with database:
            # Another process may have done it while this one waited for its turn.
            (version,) = database.execute("PRAGMA user_version").fetchone()
            for statement in (one for step in _MIGRATIONS[version:] for one in step):
                database.execute(statement.strip())
            database.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def _uninterrupted(path: str) -> Generator[None]:
    """See work on the database to its end, and let its errors out as the library's own."""
    with CancelScope(shield=True):
        try:
            yield
        except sqlite3.Error as error:
            raise LedgerFailed(f"the ledger {path} cannot be used ({error})") from error

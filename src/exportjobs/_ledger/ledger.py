"""What was asked for, accepted and landed, in one SQLite file or in memory.

An intent is written before a submit is sent and the job's ref before anything else happens to the
job, so that a crash forgets no job. There is no secret in it and no signed URL.
"""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from anyio import CancelScope, Lock, to_thread

from exportjobs._ledger.entry import LedgerEntry
from exportjobs._ledger.owner import Owner
from exportjobs._ledger.schema import migrate
from exportjobs._ledger.tables import Adoption, Tables
from exportjobs._schedule.clock import Clock
from exportjobs._schedule.durations import Durations
from exportjobs.adapter._adapter import Export, Work
from exportjobs.adapter._errors import ExportJobsError, LedgerFailed
from exportjobs.adapter._job import ExportJob
from exportjobs.events import LandedFile

T = TypeVar("T")
_IN_MEMORY = ":memory:"
_TRIES = 50
_LEARN = "INSERT OR REPLACE INTO durations (vendor, account, kind, learned) VALUES (?, ?, ?, ?)"
_LEARNED = "SELECT vendor, account, kind, learned FROM durations"


class _Wish(Generic[T]):
    """Something to be done on the database, and what came of it."""

    def __init__(self, work: Callable[[Tables], T]) -> None:
        self._work = work
        self._error: Exception | None = None

    def grant(self, tables: Tables) -> None:
        """Do it; if it fails, it leaves no trace, and those beside it are none the worse."""
        tables.database.execute("SAVEPOINT wish")
        try:
            self._value = self._work(tables)
        except Exception as error:  # noqa: BLE001 - it is raised where it was wished for
            self._error = error
            tables.database.execute("ROLLBACK TO wish")
        tables.database.execute("RELEASE wish")

    def fail(self, error: Exception) -> None:
        """Note that nothing of what was wished for at once could be done."""
        self._error = error

    def outcome(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value


class Ledger:
    """The record of a poller's exports; times are ISO 8601 in UTC.

    What is wished for at the same time is written in one go. Each of the functions raises
    `LedgerFailed` if the file cannot be read or written.
    """

    def __init__(self, path: str | Path | None, clock: Clock) -> None:
        """Take the file, or None to keep the record in memory for as long as the poller lives."""
        self.path: Path | None = None if path is None else Path(path)
        self._clock = clock

    async def __aenter__(self) -> Self:
        """Open the file, and make it if there is none.

        Raises:
            LedgerFailed: If it cannot be opened, or a later version of the library wrote it.
        """
        self._turn = Lock(fast_acquire=True)
        self._wishes: list[_Wish[Any]] = []
        self._owner: Owner | None = None
        try:
            self._database = await self._in_a_thread(self._open)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        try:
            if self.path is not None:
                self._owner = await to_thread.run_sync(Owner, self.path)
        except BaseException:
            self._database.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the file, and leave its exports to others."""
        with CancelScope(shield=True):
            await to_thread.run_sync(self._close)

    @property
    def is_durable(self) -> bool:
        """Whether it outlives the process."""
        return self.path is not None

    async def enter(self, asked: Sequence[tuple[int, Work, str | None]]) -> list[LedgerEntry]:
        """Return what is known of exports of runs with a key, and of jobs; some may be new.

        They are this poller's from then on, but for those that another process is at work on.

        Args:
            asked: For each its number, or 0 where that is not known; the work; and the run's key.
        """
        return await self._do(lambda tables: [tables.enter(*one) for one in asked])

    async def claim(self, accounts: Collection[tuple[str, str]]) -> tuple[LedgerEntry, ...]:
        """Take what is outstanding on some accounts and nobody is at work on, oldest first."""
        return await self._do(lambda tables: tables.claim(accounts))

    async def intend(self, number: int, export: Export) -> int:
        """Record that an export is about to be submitted, and return its number; 0 if it is new."""
        return await self._do(lambda tables: tables.intend(number, export))

    async def take_back(self, number: int) -> None:
        """Record that no job came of a submit."""
        await self._do(lambda tables: tables.take_back(number))

    async def record(self, number: int, job: ExportJob, polls: int = 0) -> None:
        """Record a job as its vendor described it, ref and all."""
        await self._do(lambda tables: tables.record(number, job, polls))

    async def adopt(self, number: int, jobs: Sequence[ExportJob]) -> Adoption:
        """Let an export in doubt have the job that it became, if there is no doubt about that.

        Args:
            number: The export's.
            jobs: What it may have become, each with the ref that it would have.
        """
        return await self._do(lambda tables: tables.adopt(number, jobs))

    async def assign(self, number: int, job: ExportJob) -> bool:
        """Let an export have a job, unless that is another's; return whether it has it."""
        return await self._do(lambda tables: tables.assign(number, job))

    async def resubmit(self, number: int) -> None:
        """Record that an export is to be submitted again."""
        await self._do(lambda tables: tables.resubmit(number))

    async def land(self, number: int, files: tuple[LandedFile, ...]) -> None:
        """Record that the job's files have landed, if only that there were none."""
        await self._do(lambda tables: tables.land(number, files))

    async def abandon(self, number: int) -> None:
        """Record that nobody wants to know any more what came of a submit."""
        await self._do(lambda tables: tables.abandon(number))

    async def forget(self, number: int) -> None:
        """Remove all that is known of an export."""
        await self._do(lambda tables: tables.forget(number))

    async def entry(self, number: int) -> LedgerEntry:
        """Return what is known of an export.

        Raises:
            LookupError: If there is none of that number.
        """
        return await self._do(lambda tables: tables.entry(number))

    async def entries(self) -> tuple[LedgerEntry, ...]:
        """Return what is known of every export, oldest first."""
        return await self._do(Tables.entries)

    async def learn(self, work: Work, durations: Durations) -> None:
        """Record how long jobs of a kind take. Nothing that lives in memory needs to be told."""
        if self.is_durable:
            row = (*work.account, work.kind, durations.to_json())
            await self._do(lambda tables: tables.database.execute(_LEARN, row))

    async def learned(self) -> dict[tuple[str, str], dict[str, Durations]]:
        """Return how long each account's kinds of job take; what cannot be read is left out."""
        found: dict[tuple[str, str], dict[str, Durations]] = {}
        rows = await self._do(lambda tables: tables.database.execute(_LEARNED).fetchall())
        for vendor, account, kind, text in rows:
            with suppress(ValueError):
                found.setdefault((vendor, account), {})[kind] = Durations.from_json(text)
        return found

    def _open(self) -> sqlite3.Connection:
        place = _IN_MEMORY if self.path is None else str(self.path)
        database = sqlite3.connect(place, check_same_thread=False, isolation_level=None)
        try:
            _write_ahead(database)
            database.execute("PRAGMA synchronous = FULL")
            migrate(database)
        except BaseException:
            database.close()
            raise
        return database

    def _close(self) -> None:
        self._database.close()
        if self._owner is not None:
            self._owner.leave()

    async def _do(self, work: Callable[[Tables], T]) -> T:
        """Do some work on the database, even if the waiting for it is being cancelled."""
        try:
            if self.path is None:
                return work(self._scribe())
            return await self._granted(_Wish(work))
        except sqlite3.Error as error:
            raise self._failed(error) from error

    async def _granted(self, wish: _Wish[T]) -> T:
        self._wishes.append(wish)
        with CancelScope(shield=True):
            async with self._turn:
                if wish in self._wishes:
                    wishes, self._wishes = self._wishes, []
                    await self._in_a_thread(lambda: self._grant(wishes))
        return wish.outcome()

    async def _in_a_thread(self, work: Callable[[], T]) -> T:
        """Do what touches a disk in a thread; memory answers faster than one starts."""
        if self.path is None:
            return work()
        return await to_thread.run_sync(work)

    def _grant(self, wishes: Sequence[_Wish[Any]]) -> None:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            with self._database:
                for wish in wishes:
                    wish.grant(self._scribe())
        except sqlite3.Error as error:
            for wish in wishes:
                wish.fail(error)

    def _scribe(self) -> Tables:
        owner = self._owner
        number, is_at_work = (1, _nobody) if owner is None else (owner.number, owner.is_at_work)
        return Tables(self._database, number, self._clock.now(), is_at_work)

    def _failed(self, error: sqlite3.Error) -> ExportJobsError:
        return LedgerFailed(f"the ledger {self.path or 'in memory'} cannot be used ({error})")


def _nobody(_: int) -> bool:
    return False


def _write_ahead(database: sqlite3.Connection) -> None:
    """Have writes go to a file of their own first, so that readers and writers do not wait."""
    for _ in range(_TRIES):
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
        else:
            return
        # Another process is doing the same: that waits for nobody, but this does.
        database.execute("BEGIN EXCLUSIVE")
        database.execute("ROLLBACK")
    database.execute("PRAGMA journal_mode = WAL")

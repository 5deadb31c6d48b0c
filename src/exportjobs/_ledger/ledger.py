"""The record of exports, jobs and files, in one SQLite file or in memory.

That an export is about to be submitted is written before the request is sent, and the ref of its
job before anything else is done with it, so that no crash loses a job. The file holds no secret and
no signed URL.
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from anyio import CancelScope, Lock, to_thread

from exportjobs._ledger.owner import Owner
from exportjobs._ledger.schema import migrate
from exportjobs._ledger.tables import Tables
from exportjobs._schedule.clock import Clock
from exportjobs.adapter._errors import ExportJobsError, LedgerFailed

P = ParamSpec("P")
T = TypeVar("T")
_IN_MEMORY = ":memory:"
_TRIES = 50
"""Times that another process may be switching the file to write-ahead logging."""


class _Request(Generic[T]):
    """A read or write that a task waits for, and its result."""

    def __init__(self, work: Callable[[Tables], T]) -> None:
        self._work = work
        self._error: Exception | None = None

    def execute(self, tables: Tables) -> None:
        """Carry it out; if it fails, it is undone without undoing the others of the transaction."""
        tables.database.execute("SAVEPOINT request")
        try:
            self._value = self._work(tables)
        except Exception as error:  # noqa: BLE001 - it is raised in the task that waits for it
            self._error = error
            tables.database.execute("ROLLBACK TO request")
        tables.database.execute("RELEASE request")

    def fail(self, error: Exception) -> None:
        """Note that the transaction as a whole failed."""
        self._error = error

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value


class Ledger:
    """The record of a poller's exports; times are ISO 8601 in UTC.

    The statements are the methods of `Tables`; here is when and in which transaction they run:
    those that are requested while another transaction is being written share the next one.
    """

    def __init__(self, path: str | Path | None, clock: Clock) -> None:
        """Take the file, or None to keep the record in memory until the poller is closed."""
        self.path: Path | None = None if path is None else Path(path)
        self._clock = clock

    async def __aenter__(self) -> Self:
        """Open the file, and create it if there is none.

        Raises:
            LedgerFailed: If it cannot be opened, or was written by a later version of the library.
        """
        self._turn = Lock(fast_acquire=True)
        self._requests: list[_Request[Any]] = []
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
        """Close the file, and let other processes take over its exports."""
        with CancelScope(shield=True):
            await to_thread.run_sync(self._close)

    @property
    def is_durable(self) -> bool:
        """Whether a later process can read it."""
        return self.path is not None

    async def write(
        self,
        statement: Callable[Concatenate[Tables, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call one of the methods of `Tables` in a transaction, and return what it returns.

        It is on disk when this returns, and is carried out even if the caller is cancelled.

        Raises:
            LedgerFailed: If the file cannot be read or written; nothing was changed then.
        """
        return await self._do(lambda tables: statement(tables, *args, **kwargs))

    async def read(
        self,
        statement: Callable[Concatenate[Tables, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return what one of the methods of `Tables` finds, which changes nothing.

        It sees what was written before: reads and writes wait in one queue.

        Raises:
            LedgerFailed: If the file cannot be read.
        """
        return await self._do(lambda tables: statement(tables, *args, **kwargs))

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
        """Do some work on the database, even if the task that waits for it is cancelled."""
        try:
            if self.path is None:
                return work(self._tables())
            return await self._queued(_Request(work))
        except sqlite3.Error as error:
            raise self._failed(error) from error

    async def _queued(self, request: _Request[T]) -> T:
        """Carry a request out together with all others that are waiting by then.

        Waiting for a disk takes longer than writing to it. So whoever is first after a transaction
        takes all requests that came in meanwhile into the next one, and their tasks find them done.
        """
        self._requests.append(request)
        with CancelScope(shield=True):
            async with self._turn:
                if request in self._requests:
                    requests, self._requests = self._requests, []
                    await self._in_a_thread(lambda: self._execute(requests))
        return request.result()

    async def _in_a_thread(self, work: Callable[[], T]) -> T:
        """Run what touches a disk in a thread; in memory that would take longer than the work."""
        if self.path is None:
            return work()
        return await to_thread.run_sync(work)

    def _execute(self, requests: Sequence[_Request[Any]]) -> None:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            with self._database:
                for request in requests:
                    request.execute(self._tables())
        except sqlite3.Error as error:
            for request in requests:
                request.fail(error)

    def _tables(self) -> Tables:
        owner = self._owner
        number, is_at_work = (1, _nobody) if owner is None else (owner.number, owner.is_at_work)
        return Tables(self._database, number, self._clock.now(), is_at_work, self.is_durable)

    def _failed(self, error: sqlite3.Error) -> ExportJobsError:
        return LedgerFailed(f"the ledger {self.path or 'in memory'} cannot be used ({error})")


def _nobody(_: int) -> bool:
    return False


def _write_ahead(database: sqlite3.Connection) -> None:
    """Turn write-ahead logging on, so that readers and writers do not wait for each other."""
    for _ in range(_TRIES):
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
        else:
            return
        # Another process does the same. The pragma fails at once then, but this waits for the lock.
        database.execute("BEGIN EXCLUSIVE")
        database.execute("ROLLBACK")
    database.execute("PRAGMA journal_mode = WAL")

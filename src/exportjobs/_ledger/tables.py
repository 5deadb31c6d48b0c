"""The statements: everything that is read from a ledger's tables or written to them.

Each public method is one short transaction, or a part of one; `Ledger` runs them.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from exportjobs._ledger.entry import LedgerEntry, details_from_json, details_to_json
from exportjobs._ledger.matching import APART, made_at, may_be_older
from exportjobs._ledger.schema import job_hash
from exportjobs._schedule.durations import Durations
from exportjobs.adapter._adapter import ExistingJob, Export, Work
from exportjobs.adapter._errors import ExportJobsError
from exportjobs.adapter._job import ExportJob, JobRef, JobStatus, Reading
from exportjobs.events import LandedFile

_ENTRIES = """
SELECT number, key, vendor, account, kind, asked, sent_at, ref, status, raw_status, seen_at, polls,
    landed_at, resubmit_at, abandoned_at, told, owner
FROM exports LEFT JOIN (SELECT number AS run, key FROM runs) USING (run)
"""
_NEW = """
INSERT INTO exports
    (vendor, account, kind, asked, intended_at, run, digest, owner, ref, job, status, raw_status)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_RECORD = """
UPDATE exports
SET ref = ?, job = ?, status = ?, raw_status = ?, seen_at = ?, polls = ?, told = ?
WHERE number = ?
"""
_FILES = (
    "INSERT INTO files (export, path, size, sha256, part, verified_by) VALUES (?, ?, ?, ?, ?, ?)"
)
_FILES_OF = (
    "SELECT path, size, sha256, part, verified_by FROM files WHERE export = ? ORDER BY rowid"
)
_OTHER_UNKNOWN = """
SELECT number FROM exports
WHERE vendor = ? AND account = ? AND number != ?
    AND sent_at BETWEEN ? AND ? AND ref IS NULL
"""
_LEARN = "INSERT OR REPLACE INTO durations (vendor, account, kind, learned) VALUES (?, ?, ?, ?)"
_LEARNED = "SELECT vendor, account, kind, learned FROM durations"


@frozen
class Adoption:
    """The result of looking for the job of an export whose submit outcome is unknown."""

    job: ExportJob | None
    """The one that was attached; None if there is none, or it is not certain which one it is."""
    candidates: tuple[ExportJob, ...] = ()
    """The jobs that it may be and that belong to no other export."""


@frozen
class Tables:
    """The tables as one owner sees them, at one moment."""

    database: sqlite3.Connection
    owner: int
    now: datetime
    is_at_work: Callable[[int], bool]
    """Whether the owner of a number is another process that is running."""
    is_durable: bool
    """Whether a later process can read what is written."""

    def enter(self, asked: Sequence[tuple[int, Work, str | None]]) -> list[LedgerEntry]:
        """Return the entries of exports and jobs, and add those that are new.

        An export of a run with a key is found by its digest, a job by its ref. All of them belong
        to this owner from then on, except those that another running process owns.

        Args:
            asked: For each its number, or 0 where that is not known; the work; and the run's key.
        """
        return [self._enter(*one) for one in asked]

    def claim(self, accounts: Collection[tuple[str, str]]) -> tuple[LedgerEntry, ...]:
        """Take over what is outstanding on some accounts and has no owner, oldest first."""
        entries = (one for one in self.entries() if one.account_key in accounts)
        found = tuple(one for one in entries if one.is_outstanding and not one.is_taken)
        taken = [(self.owner, one.number) for one in found]
        self.database.executemany("UPDATE exports SET owner = ? WHERE number = ?", taken)
        return found

    def intend(self, number: int, export: Export) -> int:
        """Record that an export is about to be submitted, and return its number; 0 if it is new."""
        number = number or self._add(export, None)
        query = "UPDATE exports SET sent_at = ?, resubmit_at = NULL WHERE number = ?"
        self._execute(query, self._iso, number)
        return number

    def take_back(self, number: int) -> None:
        """Record that the vendor made no job of a submit."""
        self._execute("UPDATE exports SET sent_at = NULL WHERE number = ?", number)

    def record(self, number: int, job: ExportJob, polls: int = 0) -> None:
        """Record a job as its vendor described it, with its ref."""
        self._execute(
            _RECORD,
            job.ref.to_json(),
            job_hash(job.ref),
            job.status,
            job.raw_status,
            self._iso,
            polls,
            details_to_json(job),
            number,
        )

    def adopt(self, number: int, jobs: Sequence[ExportJob]) -> Adoption:
        """Attach to an export the job that its submit became, if there is no doubt which one it is.

        It has to be the only candidate that belongs to no other export, and no other export whose
        submit outcome is unknown may have become it.

        Args:
            number: The export's.
            jobs: What it may have become, each with the ref that it would have.
        """
        free = tuple(job for job in jobs if self._is_free(job.ref))
        is_sure = len(free) == 1 and not may_be_older(free[0])
        if not is_sure or self._may_be_anothers(self.entry(number), free[0]):
            return Adoption(None, free)
        self.record(number, free[0])
        return Adoption(free[0], free)

    def assign(self, number: int, job: ExportJob) -> bool:
        """Attach a job to an export unless it belongs to another; return whether it is now."""
        is_free = self._is_free(job.ref)
        if is_free:
            self.record(number, job)
        return is_free

    def resubmit(self, number: int) -> None:
        """Record that an export is to be submitted again."""
        query = "UPDATE exports SET sent_at = NULL, resubmit_at = ? WHERE number = ?"
        self._execute(query, self._iso, number)

    def land(self, number: int, files: Iterable[LandedFile]) -> None:
        """Record that all files of an export have landed; there may be none."""
        rows = [
            (number, _location(one), one.size, one.sha256, one.part, " ".join(one.verified_by))
            for one in files
        ]
        self._execute("DELETE FROM files WHERE export = ?", number)
        self.database.executemany(_FILES, rows)
        self._execute("UPDATE exports SET landed_at = ? WHERE number = ?", self._iso, number)

    def abandon(self, number: int) -> None:
        """Record that an export was abandoned: the outcome of its submit stays unknown."""
        self._execute("UPDATE exports SET abandoned_at = ? WHERE number = ?", self._iso, number)

    def forget(self, number: int) -> None:
        """Remove an export and its files from the tables."""
        self._execute("DELETE FROM files WHERE export = ?", number)
        self._execute("DELETE FROM exports WHERE number = ?", number)

    def entry(self, number: int) -> LedgerEntry:
        """Return the entry of an export.

        Raises:
            LookupError: If the ledger has none of that number.
        """
        found = self._entries("WHERE number = ?", number)
        if not found:
            raise LookupError(number)
        return found[0]

    def entries(self) -> tuple[LedgerEntry, ...]:
        """Return the entries of all exports, oldest first."""
        return self._entries("ORDER BY number")

    def learn(self, work: Work, durations: Durations) -> None:
        """Record how long jobs of a kind take; for a ledger in memory nobody would read it."""
        if self.is_durable:
            self._execute(_LEARN, *work.account, work.kind, durations.to_json())

    def learned(self) -> dict[tuple[str, str], dict[str, Durations]]:
        """Return how long each account's kinds of job take; unreadable rows are left out."""
        found: dict[tuple[str, str], dict[str, Durations]] = {}
        for vendor, account, kind, text in self._execute(_LEARNED).fetchall():
            with suppress(ValueError):
                found.setdefault((vendor, account), {})[kind] = Durations.from_json(text)
        return found

    def _enter(self, number: int, work: Work, run_key: str | None) -> LedgerEntry:
        number = number or self._find(work, run_key) or self._add(work, run_key)
        entry = self.entry(number)
        if not entry.is_taken:
            self._execute("UPDATE exports SET owner = ? WHERE number = ?", self.owner, number)
        return entry

    def _find(self, work: Work, run_key: str | None) -> int | None:
        if isinstance(work, ExistingJob):
            return self._numbered(work.ref)
        if run_key is None:
            return None
        query = "SELECT number FROM exports WHERE run = ? AND digest = ?"
        found = self._execute(query, self._run(run_key), _digest(work)).fetchone()
        return int(found[0]) if found else None

    def _numbered(self, ref: JobRef) -> int | None:
        """Return the number of the export that a job belongs to."""
        query = "SELECT number, ref FROM exports WHERE job = ?"
        for number, text in self._execute(query, job_hash(ref)):
            if JobRef.from_json(text).names_same_job_as(ref):
                return int(number)
        return None

    def _is_free(self, ref: JobRef) -> bool:
        return self._numbered(evolve(ref, kind="")) is None

    def _add(self, work: Work, run_key: str | None) -> int:
        row: tuple[Any, ...] = (*work.account, work.kind)
        run = None if run_key is None else self._run(run_key)
        if isinstance(work, Export):
            digest = None if run is None else _digest(work)
            row += (work.to_json(), self._iso, run, digest, self.owner, None, None, None, None)
        else:
            ref = (work.ref.to_json(), job_hash(work.ref), JobStatus.QUEUED, "")
            row += (None, self._iso, None, None, self.owner, *ref)
        return self._execute(_NEW, *row).lastrowid or 0

    def _run(self, key: str) -> int:
        query = "INSERT OR IGNORE INTO runs (key, began_at) VALUES (?, ?)"
        self._execute(query, key, self._iso)
        (number,) = self._execute("SELECT number FROM runs WHERE key = ?", key).fetchone()
        return int(number)

    def _may_be_anothers(self, entry: LedgerEntry, job: ExportJob) -> bool:
        """Return whether a job may belong to another export whose submit outcome is unknown.

        Abandoned ones count too. Where the job does not say when it was created, it may belong to
        any of the account.
        """
        sent_at = entry.sent_at or self.now
        first, last = (sent_at + by for by in (-APART, APART))
        around = (first.isoformat(), last.isoformat()) if made_at(job) else ("", "9")
        found = self._execute(_OTHER_UNKNOWN, *entry.account_key, entry.number, *around)
        return found.fetchone() is not None

    def _entries(self, which: str, *given: object) -> tuple[LedgerEntry, ...]:
        return tuple(map(self._read, self._execute(_ENTRIES + which, *given).fetchall()))

    def _read(self, row: tuple[Any, ...]) -> LedgerEntry:
        try:
            return self._entry_of(row)
        except (ExportJobsError, LookupError, TypeError, ValueError) as error:
            reason = f"export {row[0]} cannot be read: {type(error).__name__}"
            raise sqlite3.DataError(reason) from error

    def _entry_of(self, row: tuple[Any, ...]) -> LedgerEntry:
        (number, key, vendor, account, kind, asked, sent_at, ref, status, raw_status, *rest) = row
        seen_at, polls, landed_at, resubmit_at, abandoned_at, details, owner = rest
        entry = LedgerEntry(
            number=number,
            run_key=key,
            vendor=vendor,
            account=account,
            kind=kind,
            export_json=asked,
            sent_at=_moment(sent_at),
            ref=JobRef.from_json(ref) if ref else None,
            reading=Reading(JobStatus(status), raw_status or "") if ref else None,
            seen_at=_moment(seen_at),
            polls=polls,
            landed_at=_moment(landed_at),
            resubmit_at=_moment(resubmit_at),
            abandoned_at=_moment(abandoned_at),
            details=details_from_json(details),
            is_mine=owner == self.owner,
            is_taken=self.is_at_work(owner),
        )
        return entry if landed_at is None else evolve(entry, files=self._files_of(number))

    def _files_of(self, number: int) -> tuple[LandedFile, ...]:
        return tuple(
            LandedFile(path, size, sha256, part, tuple(verified_by.split()))
            for path, size, sha256, part, verified_by in self._execute(_FILES_OF, number)
        )

    @property
    def _iso(self) -> str:
        return self.now.isoformat()

    def _execute(self, query: str, *given: object) -> sqlite3.Cursor:
        return self.database.execute(query, given)


def _location(file: LandedFile) -> str:
    """Return where a file is, as a path that a process started in another folder can use too."""
    path = file.path
    is_relative = not path.is_absolute() and path.exists()
    return str(path.absolute()) if is_relative else file.location


def _digest(export: Export) -> bytes:
    return bytes.fromhex(export.digest)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

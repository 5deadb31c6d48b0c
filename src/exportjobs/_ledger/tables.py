"""What is written in a ledger's tables and read from them; each function is one short write."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from exportjobs._ledger.entry import LedgerEntry, read_told, told
from exportjobs._ledger.matching import APART, made_at, may_be_older
from exportjobs._ledger.schema import short_name
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
_OTHER_DOUBTS = """
SELECT number FROM exports
WHERE vendor = ? AND account = ? AND number != ?
    AND sent_at BETWEEN ? AND ? AND ref IS NULL
"""
_LEARN = "INSERT OR REPLACE INTO durations (vendor, account, kind, learned) VALUES (?, ?, ?, ?)"
_LEARNED = "SELECT vendor, account, kind, learned FROM durations"


@frozen
class Adoption:
    """What came of looking for the job of an export in doubt."""

    job: ExportJob | None
    """The one that it has now; None if it has none, or it is not clear which."""
    candidates: tuple[ExportJob, ...] = ()
    """Those that are no other export's."""


@frozen
class Tables:
    """Writes for one owner, at one moment."""

    database: sqlite3.Connection
    owner: int
    now: datetime
    is_at_work: Callable[[int], bool]
    """Whether another owner is."""
    is_durable: bool
    """Whether a later process can read what is written."""

    def enter(self, asked: Sequence[tuple[int, Work, str | None]]) -> list[LedgerEntry]:
        """Return what is known of exports of runs with a key, and of jobs; some may be new.

        They are this owner's from then on, but for those that another process is at work on.

        Args:
            asked: For each its number, or 0 where that is not known; the work; and the run's key.
        """
        return [self._enter(*one) for one in asked]

    def _enter(self, number: int, work: Work, run_key: str | None) -> LedgerEntry:
        number = number or self._find(work, run_key) or self._add(work, run_key)
        entry = self.entry(number)
        if not entry.is_taken:
            self._execute("UPDATE exports SET owner = ? WHERE number = ?", self.owner, number)
        return entry

    def claim(self, accounts: Collection[tuple[str, str]]) -> tuple[LedgerEntry, ...]:
        """Take what is outstanding on some accounts and nobody else's, oldest first."""
        entries = (one for one in self.entries() if one.account_key in accounts)
        found = tuple(one for one in entries if one.is_outstanding and not one.is_taken)
        taken = [(self.owner, one.number) for one in found]
        self.database.executemany("UPDATE exports SET owner = ? WHERE number = ?", taken)
        return found

    def intend(self, number: int, export: Export) -> int:
        """Note that an export is about to be submitted; 0 stands for one that is new."""
        number = number or self._add(export, None)
        query = "UPDATE exports SET sent_at = ?, resubmit_at = NULL WHERE number = ?"
        self._execute(query, self._iso, number)
        return number

    def take_back(self, number: int) -> None:
        """Note that no job came of a submit."""
        self._execute("UPDATE exports SET sent_at = NULL WHERE number = ?", number)

    def record(self, number: int, job: ExportJob, polls: int = 0) -> None:
        """Note a job as its vendor described it, ref and all."""
        self._execute(
            _RECORD,
            job.ref.to_json(),
            short_name(job.ref),
            job.status,
            job.raw_status,
            self._iso,
            polls,
            told(job),
            number,
        )

    def adopt(self, number: int, jobs: Sequence[ExportJob]) -> Adoption:
        """Let an export in doubt have the one job that is no other's, if none else may have it."""
        free = tuple(job for job in jobs if self._is_free(job.ref))
        is_sure = len(free) == 1 and not may_be_older(free[0])
        if not is_sure or self._has_other_doubts(self.entry(number), free[0]):
            return Adoption(None, free)
        self.record(number, free[0])
        return Adoption(free[0], free)

    def assign(self, number: int, job: ExportJob) -> bool:
        """Let an export have a job, unless that is another's; return whether it has it."""
        is_free = self._is_free(job.ref)
        if is_free:
            self.record(number, job)
        return is_free

    def resubmit(self, number: int) -> None:
        """Note that an export is to be submitted again."""
        query = "UPDATE exports SET sent_at = NULL, resubmit_at = ? WHERE number = ?"
        self._execute(query, self._iso, number)

    def land(self, number: int, files: Iterable[LandedFile]) -> None:
        """Note that an export's files have landed, if only that there were none."""
        rows = [
            (number, _place(one), one.size, one.sha256, one.part, " ".join(one.verified_by))
            for one in files
        ]
        self._execute("DELETE FROM files WHERE export = ?", number)
        self.database.executemany(_FILES, rows)
        self._execute("UPDATE exports SET landed_at = ? WHERE number = ?", self._iso, number)

    def abandon(self, number: int) -> None:
        """Note that nobody wants to know any more what came of a submit."""
        self._execute("UPDATE exports SET abandoned_at = ? WHERE number = ?", self._iso, number)

    def forget(self, number: int) -> None:
        """Remove all that is known of an export."""
        self._execute("DELETE FROM files WHERE export = ?", number)
        self._execute("DELETE FROM exports WHERE number = ?", number)

    def entry(self, number: int) -> LedgerEntry:
        """Return what is known of an export.

        Raises:
            LookupError: If the ledger has none of that number.
        """
        found = self._entries("WHERE number = ?", number)
        if not found:
            raise LookupError(number)
        return found[0]

    def entries(self) -> tuple[LedgerEntry, ...]:
        """Return what is known of every export, oldest first."""
        return self._entries("ORDER BY number")

    def learn(self, work: Work, durations: Durations) -> None:
        """Note how long jobs of a kind take, for later processes if there can be any."""
        if self.is_durable:
            self._execute(_LEARN, *work.account, work.kind, durations.to_json())

    def learned(self) -> dict[tuple[str, str], dict[str, Durations]]:
        """Return how long each account's kinds of job take; what cannot be read is left out."""
        found: dict[tuple[str, str], dict[str, Durations]] = {}
        for vendor, account, kind, text in self._execute(_LEARNED).fetchall():
            with suppress(ValueError):
                found.setdefault((vendor, account), {})[kind] = Durations.from_json(text)
        return found

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
        for number, text in self._execute(query, short_name(ref)):
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
            ref = (work.ref.to_json(), short_name(work.ref), JobStatus.QUEUED, "")
            row += (None, self._iso, None, None, self.owner, *ref)
        return self._execute(_NEW, *row).lastrowid or 0

    def _run(self, key: str) -> int:
        query = "INSERT OR IGNORE INTO runs (key, began_at) VALUES (?, ?)"
        self._execute(query, key, self._iso)
        (number,) = self._execute("SELECT number FROM runs WHERE key = ?", key).fetchone()
        return int(number)

    def _has_other_doubts(self, entry: LedgerEntry, job: ExportJob) -> bool:
        """Return whether a job may be that of another export of the account.

        Those that were abandoned count too; and all of them where the job tells no time.
        """
        sent_at = entry.sent_at or self.now
        first, last = (sent_at + by for by in (-APART, APART))
        around = (first.isoformat(), last.isoformat()) if made_at(job) else ("", "9")
        found = self._execute(_OTHER_DOUBTS, *entry.account_key, entry.number, *around)
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
        seen_at, polls, landed_at, resubmit_at, abandoned_at, said, owner = rest
        entry = LedgerEntry(
            number=number,
            run_key=key,
            vendor=vendor,
            account=account,
            kind=kind,
            asked=asked,
            sent_at=_moment(sent_at),
            ref=JobRef.from_json(ref) if ref else None,
            reading=Reading(JobStatus(status), raw_status or "") if ref else None,
            seen_at=_moment(seen_at),
            polls=polls,
            landed_at=_moment(landed_at),
            resubmit_at=_moment(resubmit_at),
            abandoned_at=_moment(abandoned_at),
            told=read_told(said),
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


def _place(file: LandedFile) -> str:
    """Return where a file is, in words that mean the same wherever a later process is started."""
    path = file.path
    is_near = not path.is_absolute() and path.exists()
    return str(path.absolute()) if is_near else file.location


def _digest(export: Export) -> bytes:
    return bytes.fromhex(export.digest)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

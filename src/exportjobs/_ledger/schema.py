"""The tables of a ledger's file, and the migrations from each earlier version."""

import hashlib
import json
import sqlite3

from exportjobs.adapter._errors import LedgerFailed
from exportjobs.adapter._job import JobRef

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
_RUNS = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    began_at TEXT NOT NULL
) STRICT
"""
# An export belongs to a run that has a key, and is then known by its digest. It has an owner while
# a process works on it. `sent_at` is set just before a submit and removed if that was refused.
# `job` is a short hash of the ref: an index of whole refs would be as large as the table.
_ONCE_ONLY = (
    _RUNS,
    "ALTER TABLE exports ADD COLUMN run INTEGER REFERENCES runs (number)",
    "ALTER TABLE exports ADD COLUMN digest BLOB",
    "ALTER TABLE exports ADD COLUMN owner INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE exports ADD COLUMN sent_at TEXT",
    "ALTER TABLE exports ADD COLUMN job INTEGER",
    "ALTER TABLE exports ADD COLUMN polls INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE exports ADD COLUMN told TEXT",
    "ALTER TABLE exports ADD COLUMN abandoned_at TEXT",
    "ALTER TABLE exports ADD COLUMN resubmit_at TEXT",
    "ALTER TABLE files ADD COLUMN part INTEGER",
    "ALTER TABLE files ADD COLUMN proven_by TEXT NOT NULL DEFAULT ''",
    "UPDATE exports SET job = job_hash(ref) WHERE ref IS NOT NULL",
    "UPDATE exports SET sent_at = intended_at WHERE ref IS NULL",
    "DROP INDEX exports_by_ref",
    "CREATE INDEX exports_by_job ON exports (job) WHERE job IS NOT NULL",
    "CREATE UNIQUE INDEX exports_by_digest ON exports (run, digest) WHERE run IS NOT NULL",
    "CREATE INDEX files_by_export ON files (export)",
)
_VERIFIED = ("ALTER TABLE files RENAME COLUMN proven_by TO verified_by",)
_MIGRATIONS = ((_EXPORTS, _FILES), (_DURATIONS,), (_BY_REF,), _ONCE_ONLY, _VERIFIED)
"""The statements that bring a file from each version to the next one."""
VERSION = len(_MIGRATIONS)


def job_hash(ref: JobRef) -> int:
    """Return 64 bits that are equal for refs of one job, and for others only by rare chance."""
    named = json.dumps([ref.vendor, ref.account, ref.id, sorted(ref.scope.items())])
    return int.from_bytes(hashlib.sha256(named.encode()).digest()[:8], "big", signed=True)


def migrate(database: sqlite3.Connection) -> None:
    """Bring a file to the current version, in one transaction.

    Raises:
        LedgerFailed: If a later version of the library wrote it.
        sqlite3.Error: If it cannot be written.
    """
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise LedgerFailed(
            f"the ledger has version {version}, but this library reads versions up to {VERSION}",
            remedy="upgrade exportjobs, or choose another file",
        )
    if version < VERSION:
        database.create_function("job_hash", 1, _job_hash_of, deterministic=True)
        database.execute("BEGIN IMMEDIATE")
        with database:
            # Another process may have done it while this one waited for the lock.
            (version,) = database.execute("PRAGMA user_version").fetchone()
            for statement in (one for step in _MIGRATIONS[version:] for one in step):
                database.execute(statement.strip())
            database.execute(f"PRAGMA user_version = {VERSION}")


def _job_hash_of(text: str) -> int:
    return job_hash(JobRef.from_json(text))

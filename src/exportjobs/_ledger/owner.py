"""Which processes work on a ledger's file: each holds a lock, which ends with the process."""

import os
import secrets
from io import FileIO
from pathlib import Path

from exportjobs._landing.into.disk import open_locked
from exportjobs.adapter._errors import DestinationFailed, LedgerFailed

_BITS = 62
"""Bits of an owner's number: SQLite stores integers of up to 63 bits and a sign."""


class Owner:
    """One opening of a ledger's file; a lock file beside it is held until it is closed."""

    def __init__(self, ledger: Path) -> None:
        """Take the lock.

        Raises:
            LedgerFailed: If the folder cannot be written, or its file system has no locks.
        """
        self._ledger = ledger
        self.number = secrets.randbits(_BITS) + 1
        self._path = self._lock_of(self.number)
        self._lock = self._create_lock()
        if not self._is_held():
            self.leave()
            raise LedgerFailed(
                f"the ledger's file system has no locks: {ledger}",
                remedy="keep the ledger on a disk of this machine",
            )
        for other in ledger.parent.glob(f"{ledger.name}.*.owner"):
            self._is_at_work(other)

    def is_at_work(self, number: int) -> bool:
        """Return whether a number is that of another owner whose process runs and has not left."""
        return number not in {0, self.number} and self._is_at_work(self._lock_of(number))

    def leave(self) -> None:
        """Release and remove the lock: the exports are free for other owners."""
        if self._lock is not None:
            self._path.unlink(missing_ok=True)
            self._lock.close()

    def _create_lock(self) -> FileIO | None:
        """Return the lock, held before the file has the name by which other owners look for it."""
        if os.name == "nt":
            # Windows does not rename a file that is open.
            return _try_lock(self._path)
        unseen = self._path.with_suffix(".making")
        lock = _try_lock(unseen)
        unseen.rename(self._path)
        return lock

    def _is_held(self) -> bool:
        """Return whether the lock keeps others out, which it does not on every file system."""
        second = _try_lock(self._path)
        if second is not None:
            second.close()
        return second is None

    def _lock_of(self, number: int) -> Path:
        return self._ledger.with_name(f"{self._ledger.name}.{number:x}.owner")

    def _is_at_work(self, path: Path) -> bool:
        """Return whether a process holds a lock; remove the file if none does."""
        if path == self._path:
            return True
        if not path.exists():
            return False
        lock = _try_lock(path)
        if lock is None:
            return True
        path.unlink(missing_ok=True)
        lock.close()
        return False


def _try_lock(path: Path) -> FileIO | None:
    """Return a lock on a file, or None if another process holds it."""
    try:
        return open_locked(path)
    except DestinationFailed as error:
        raise LedgerFailed(error.reason, remedy="choose another folder for the ledger") from error

"""Who is at work on the exports of a ledger's file: told by locks, which die with their process."""

import os
import secrets
from io import FileIO
from pathlib import Path

from exportjobs._landing.into.disk import open_locked
from exportjobs.adapter._errors import DestinationFailed, LedgerFailed

_BITS = 62
"""A number that SQLite keeps as it is."""


class Owner:
    """One opening of a ledger's file, beside which it keeps a lock for as long as it is at work."""

    def __init__(self, ledger: Path) -> None:
        """Take the lock.

        Raises:
            LedgerFailed: If the folder cannot be written, or its file system knows no locks.
        """
        self._ledger = ledger
        self.number = secrets.randbits(_BITS) + 1
        self._path = self._lock_of(self.number)
        self._lock = self._made()
        if not self._is_held():
            self.leave()
            raise LedgerFailed(
                f"the ledger's file system knows no locks: {ledger}",
                remedy="keep the ledger on a disk of this machine",
            )
        for other in ledger.parent.glob(f"{ledger.name}.*.owner"):
            self._is_at_work(other)

    def is_at_work(self, number: int) -> bool:
        """Return whether another owner is: neither gone nor dead."""
        return number not in {0, self.number} and self._is_at_work(self._lock_of(number))

    def leave(self) -> None:
        """Let go of everything."""
        if self._lock is not None:
            self._path.unlink(missing_ok=True)
            self._lock.close()

    def _made(self) -> FileIO | None:
        """Make the lock where nobody looks for locks, and let it show when it is had."""
        if os.name == "nt":
            # There, what is open has its name for good.
            return _had(self._path)
        making = self._path.with_suffix(".making")
        lock = _had(making)
        making.rename(self._path)
        return lock

    def _is_held(self) -> bool:
        """Return whether the lock keeps others out."""
        second = _had(self._path)
        if second is not None:
            second.close()
        return second is None

    def _lock_of(self, number: int) -> Path:
        return self._ledger.with_name(f"{self._ledger.name}.{number:x}.owner")

    def _is_at_work(self, path: Path) -> bool:
        """Return whether someone has a lock, and remove one that nobody has."""
        if path == self._path:
            return True
        if not path.exists():
            return False
        lock = _had(path)
        if lock is None:
            return True
        path.unlink(missing_ok=True)
        lock.close()
        return False


def _had(path: Path) -> FileIO | None:
    try:
        return open_locked(path)
    except DestinationFailed as error:
        raise LedgerFailed(error.reason, remedy="choose another folder for the ledger") from error

"""A file that appears under its final name only when it is whole."""

import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from anyio import to_thread

from exportjobs._errors import DestinationFailed
from exportjobs._finished import LandedFile

_BUFFER = 1024 * 1024


class PartFile:
    """Bytes on their way to a file, kept beside it under `NAME.part` until they are all there.

    They are written and hashed in a thread, a mebibyte at a time, so that the event loop is not
    held up by the disk. Leaving the block without having landed removes them.
    """

    def __init__(self, target: Path) -> None:
        """Take the final name; nothing is written yet."""
        self.received = 0
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        self._buffer = bytearray()
        self._sha256 = hashlib.sha256()

    def __enter__(self) -> Self:
        """Open the file.

        Raises:
            DestinationFailed: If it cannot be written.
        """
        with _destination(self._target):
            self._file = self._part.open("wb", buffering=0)
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what has not landed."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    async def write(self, chunk: bytes) -> bool:
        """Add some bytes, and return whether that made it write to the disk.

        Raises:
            DestinationFailed: If they cannot be written.
        """
        self._buffer += chunk
        self.received += len(chunk)
        if len(self._buffer) < _BUFFER:
            return False
        await to_thread.run_sync(self._store)
        return True

    async def land(self, part: int | None = None) -> LandedFile:
        """Give the file its final name, in place of whatever had it, and make it last.

        Raises:
            DestinationFailed: If that cannot be done.
        """
        await to_thread.run_sync(self._settle)
        return LandedFile(self._target, self.received, self._sha256.hexdigest(), part)

    def _store(self) -> None:
        buffer, self._buffer = self._buffer, bytearray()
        self._sha256.update(buffer)
        with _destination(self._target):
            left = memoryview(buffer)
            while left:
                left = left[self._file.write(left) :]

    def _settle(self) -> None:
        self._store()
        with _destination(self._target):
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.replace(self._target)
            _make_rename_last(self._target.parent)


def prepare_folder(folder: Path) -> Path:
    """Return a folder that exists and can be written, made if need be.

    Raises:
        DestinationFailed: If that cannot be.
    """
    with _destination(folder, remedy="choose another folder"):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".exportjobs-{os.getpid()}.part"
        probe.touch()
        probe.unlink()
    return folder


@contextmanager
def _destination(path: Path, remedy: str | None = None) -> Generator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise DestinationFailed(f"cannot be written ({cause}): {path}", remedy=remedy) from error


def _make_rename_last(folder: Path) -> None:
    """Sync a folder, where the system can: else a power cut may undo the rename."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

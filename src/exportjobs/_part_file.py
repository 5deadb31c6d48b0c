"""A file in a folder that appears under its final name only when it is whole."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Self

from anyio import CancelScope, to_thread

from exportjobs._archive import check_structure
from exportjobs._digests import Digests
from exportjobs._disk import lock, make_rename_last, overwrite, writing
from exportjobs._errors import DestinationFailed
from exportjobs._finished import LandedFile
from exportjobs._opening import Opening
from exportjobs._sidecar import LENGTH, Sidecar
from exportjobs._sink import Sink

_READ = 1024 * 1024
_NOTED_EVERY = 8 * 1024 * 1024
_WORTH_NOTING = 1024 * 1024
"""Bytes of a file that is not simply fetched again when a process dies over it."""


class PartFile(Sink):
    """Bytes on their way to a file, beside it under `NAME.part` until they are all there.

    Beside that stands `NAME.part.json` with how far they have come. Both stay if the file does not
    land and its host can be asked for the rest alone; the next one to come goes on with them.
    What touches the disk is done in threads.
    """

    def __init__(self, folder: Path, stem: str, suffix: str) -> None:
        """Take where the file shall stand, and its name as far as it is known."""
        self._folder = folder
        self.stem, self.suffix = stem, suffix
        self._part = folder / f"{stem}{suffix}.part"
        self._sidecar = folder / f"{stem}{suffix}.part.json"
        self._noted = 0
        self._is_noted = True
        self._has_landed = False
        self.promises, self.digests = {}, Digests.of({})

    async def __aenter__(self) -> Self:
        """Open the file, with what an earlier try left of it.

        Raises:
            DestinationFailed: If it cannot be written, or another process is writing it.
        """
        with CancelScope(shield=True):
            await to_thread.run_sync(self._open)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it; what has not landed stays where another try can go on with it."""
        with CancelScope(shield=True):
            await to_thread.run_sync(self._close)

    async def keep(self, view: memoryview) -> None:
        """Hash and store the next bytes, all or none of them whoever is in a hurry.

        Raises:
            DestinationFailed: If they cannot be stored.
        """
        with CancelScope(shield=True):
            await super().keep(view)

    async def land(self, part: int | None) -> LandedFile:
        """Give the file its final name, in place of whatever had it, and make it last.

        Raises:
            DownloadFailed: If it is not what its suffix says.
            DestinationFailed: If that cannot be done.
        """
        proven = self.check_promises()
        target = self._folder / self.name
        await to_thread.run_sync(self._settle, target)
        return LandedFile(target, self.received, self.digests.sha256, part, proven)

    async def _restart(self, opened: Opening) -> None:
        await to_thread.run_sync(self._empty, opened.size)

    async def _store(self, view: memoryview) -> None:
        await to_thread.run_sync(self._write, view)

    async def _note(self) -> None:
        is_due = self.received == 0 or self.received >= self._noted + _NOTED_EVERY
        if is_due and self._is_noted and self.version.condition:
            await to_thread.run_sync(self._write_sidecar)

    def _open(self) -> None:
        with writing(self._part):
            self._file = os.fdopen(os.open(self._part, os.O_RDWR | os.O_CREAT, 0o666), "r+b", 0)
            try:
                lock(self._file, self._part)
                self._take_up()
            except BaseException:
                self._file.close()
                raise

    def _take_up(self) -> None:
        """Go on with what is there, if all of it is what was written."""
        left = Sidecar.from_bytes(self._read_sidecar())
        if left is None or not self._is_intact(left):
            self.digests = Digests.of({})
            self._file.truncate(0)
            return
        self.version, self.suffix, self.promises = left.version, left.suffix, left.promises
        self.received = self._noted = self._file.tell()

    def _is_intact(self, left: Sidecar) -> bool:
        """Hash what is there; the bytes that were noted have to be the same, and more may follow.

        A process that dies loses nothing that it has written.
        """
        length = os.fstat(self._file.fileno()).st_size
        if not left.received <= length <= (left.version.size or length):
            return False
        self.digests = Digests.of(left.promises)
        self._hash(left.received)
        if self.digests.sha256 != left.sha256:
            return False
        self._hash(length - left.received)
        return True

    def _hash(self, length: int) -> None:
        while length and (read := self._file.read(min(length, _READ))):
            length -= len(read)
            for algorithm in self.digests.hashes.values():
                algorithm.update(memoryview(read))

    def _read_sidecar(self) -> bytes:
        with suppress(OSError):
            return self._sidecar.read_bytes()[:LENGTH]
        return b""

    def _write_sidecar(self) -> None:
        written = Sidecar(
            version=self.version,
            suffix=self.suffix,
            promises=self.promises,
            received=self.received,
            sha256=self.digests.sha256,
        )
        overwrite(self._sidecar, written.to_bytes())
        self._noted = self.received

    def _empty(self, size: int | None) -> None:
        with writing(self._part):
            self._file.seek(0)
            self._file.truncate(0)
        self._sidecar.unlink(missing_ok=True)
        self._noted = 0
        self._is_noted = size is None or size >= _WORTH_NOTING
        free = shutil.disk_usage(self._folder).free
        if size is not None and size > free:
            raise DestinationFailed(
                f"the file takes {size} bytes and there is room for {free}: {self._folder}"
            )

    def _write(self, view: memoryview) -> None:
        with writing(self._part):
            while view:
                view = view[self._file.write(view) :]

    def _settle(self, target: Path) -> None:
        check_structure(self._part, self.suffix)
        with writing(target):
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.replace(target)
            self._has_landed = True
            self._sidecar.unlink(missing_ok=True)
            make_rename_last(self._folder)

    def _close(self) -> None:
        if not self._has_landed:
            if self.version.condition and self.received:
                with suppress(DestinationFailed):
                    self._write_sidecar()
            else:
                self._part.unlink(missing_ok=True)
                self._sidecar.unlink(missing_ok=True)
        self._file.close()

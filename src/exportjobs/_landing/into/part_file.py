"""A file in a folder that gets its final name only when it is complete."""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path
from typing import Self

from anyio import CancelScope, to_thread

from exportjobs._landing.destination import Sink
from exportjobs._landing.digests import Digests
from exportjobs._landing.into.archive import check_structure
from exportjobs._landing.into.disk import open_locked, overwrite, writing
from exportjobs._landing.into.sidecar import LENGTH, Sidecar
from exportjobs._landing.opening import Opening
from exportjobs.adapter._errors import DestinationFailed
from exportjobs.events import LandedFile

_READ = 1024 * 1024
_NOTED_EVERY = 8 * 1024 * 1024
_SMALL = 128 * 1024
"""Bytes of a file that is written in one go, and fetched again if its process dies."""
Note = Callable[[LandedFile], None]


class PartFile(Sink):
    """Bytes on their way to a file, in `NAME.part` beside it until they are all there.

    A sidecar, `NAME.part.json`, says how many of them are stored and has the SHA-256 of those. Both
    stay if the file does not land and its host can be asked for the rest alone; another process
    resumes it. A sidecar is written every few MiB, after the bytes that it is about: the part file
    may be longer, and what is behind those bytes is kept. If the bytes do not have the SHA-256,
    something else wrote them, and the file is fetched from its beginning.

    A small file is kept in memory, written in one go and has no sidecar: what it costs is system
    calls, and it is soon fetched again. Reading and writing is done in threads.
    """

    def __init__(self, folder: Path, stem: str, suffix: str, note: Note | None = None) -> None:
        """Take where the file shall stand, and its name as far as it is known.

        Args:
            folder: Where it shall stand.
            stem: Its name without a suffix.
            suffix: As far as that is known before its host is asked.
            note: Called with the file when it is complete and about to get its name.
        """
        super().__init__(stem, suffix)
        self._note_whole = note
        self._folder = folder
        self._part = folder / f"{stem}{suffix}.part"
        self._sidecar = folder / f"{stem}{suffix}.part.json"
        self._noted = 0
        self._is_small = False
        self._is_fresh = True
        self._has_sidecar = False
        self._waiting = bytearray()
        self._has_landed = False

    async def __aenter__(self) -> Self:
        """Open the file, with what an earlier attempt left of it.

        Raises:
            DestinationFailed: If it cannot be written, or another process is writing it.
        """
        self._file = self._opened()
        with ExitStack() as stack, writing(self._part):
            stack.enter_context(self._file)
            await self._resume()
            stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it; what has not landed stays where another attempt can resume it."""
        if self._has_landed:
            return
        with CancelScope(shield=True):
            await to_thread.run_sync(self._close)

    async def expect(self, expected: Mapping[str, bytes]) -> None:
        """Expect more digests; for new algorithms, what is stored is read once more.

        Raises:
            DestinationFailed: If it cannot be read.
        """
        if self.received and expected.keys() - self.digests.hashes.keys():
            with CancelScope(shield=True):
                await to_thread.run_sync(self._hash_again, expected)
        await super().expect(expected)

    async def land(self, part: int | None) -> LandedFile:
        """Give the file its final name, in place of whatever had it.

        The bytes are synced now, the name when the whole job is concluded.

        Raises:
            DownloadFailed: If it is not what its suffix says.
            DestinationFailed: If that cannot be done.
        """
        verified = self.verify()
        target = self._folder / self.name
        file = LandedFile(str(target), self.received, self.digests.sha256, part, verified)
        await to_thread.run_sync(self._rename, target, file)
        return file

    def forget(self) -> None:
        """Remove the sidecar that an earlier attempt may have left of a file that landed."""
        self._sidecar.unlink(missing_ok=True)

    async def _restart(self, opened: Opening) -> None:
        self._is_small = opened.size is not None and opened.size <= _SMALL
        self._waiting.clear()
        if not (self._is_small and self._is_fresh):
            await to_thread.run_sync(self._empty, opened.size)

    async def _store(self, view: memoryview) -> None:
        if self._is_small and len(self._waiting) < _SMALL:
            self._waiting += view
        else:
            await to_thread.run_sync(self._write, view)

    async def _note(self) -> None:
        is_due = self.hashed == 0 or self.hashed >= self._noted + _NOTED_EVERY
        if is_due and self._may_be_noted and not self._is_small:
            await to_thread.run_sync(self._write_sidecar)

    @property
    def _may_be_noted(self) -> bool:
        """Whether the hashed bytes are all stored, and the host can be asked for the rest.

        Storing and hashing go at their own speed: hashing may be ahead.
        """
        return bool(self.version.condition) and self.hashed <= self.received

    def _opened(self) -> FileIO:
        file = open_locked(self._part)
        if file is None:
            raise DestinationFailed(
                f"is being written by another process: {self._part}",
                remedy="wait for that process, or choose another folder",
            )
        return file

    async def _resume(self) -> None:
        """Resume what an earlier process left, if it is what the sidecar says; else empty it."""
        left = Sidecar.from_bytes(self._read_sidecar())
        is_intact = False
        if left is not None:
            with CancelScope(shield=True):
                is_intact = await to_thread.run_sync(self._is_intact, left)
        if left is None or not is_intact:
            self.digests = Digests.of({})
            self._file.truncate(0)
            return
        self._is_fresh = False
        self.version, self.suffix, self.expected = left.version, left.suffix, left.expected
        self.received = self.hashed = self._noted = self._file.tell()

    def _is_intact(self, left: Sidecar) -> bool:
        """Hash what is there: the bytes that the sidecar names have to have its digest.

        Those behind them were written after it, in order, and are kept: a process that dies loses
        nothing that it has written.
        """
        length = os.fstat(self._file.fileno()).st_size
        if not left.received <= length <= (left.version.size or length):
            return False
        self.digests = Digests.of(left.expected)
        self._hash(left.received)
        if self.digests.sha256 != left.sha256:
            return False
        self._hash(length - left.received)
        return True

    def _hash_again(self, expected: Mapping[str, bytes]) -> None:
        self._write_waiting()
        self.digests = Digests.of({**self.expected, **expected})
        with writing(self._part):
            self._file.seek(0)
            self._hash(self.received)

    def _hash(self, length: int) -> None:
        while length and (read := self._file.read(min(length, _READ))):
            length -= len(read)
            for algorithm in self.digests.hashes.values():
                algorithm.update(memoryview(read))

    def _read_sidecar(self) -> bytes:
        with suppress(OSError):
            content = self._sidecar.read_bytes()[:LENGTH]
            self._has_sidecar = True
            return content
        return b""

    def _write_sidecar(self) -> None:
        written = Sidecar(
            version=self.version,
            suffix=self.suffix,
            expected=self.expected,
            received=self.hashed,
            sha256=self.digests.sha256,
        )
        content = written.to_bytes()
        if content:
            self._has_sidecar = True
            overwrite(self._sidecar, content)
            self._noted = self.hashed
        else:
            self.discard()

    def _empty(self, size: int | None) -> None:
        with writing(self._part):
            self._file.seek(0)
            self._file.truncate(0)
        self._sidecar.unlink(missing_ok=True)
        self._noted = 0
        free = shutil.disk_usage(self._folder).free
        if size is not None and size > free:
            raise DestinationFailed(
                f"the file needs {size} bytes, and {free} are free: {self._folder}"
            )

    def _write_waiting(self) -> None:
        self._write(memoryview(self._waiting))
        self._waiting = bytearray()

    def _write(self, view: memoryview) -> None:
        self._is_fresh = False
        with writing(self._part):
            while view:
                view = view[self._file.write(view) :]

    def _rename(self, target: Path, file: LandedFile) -> None:
        self._write_waiting()
        check_structure(self._part, self.suffix)
        with writing(target):
            os.fsync(self._file.fileno())
            if self._note_whole is not None:
                self._note_whole(file)
            if os.name == "nt":
                # On Windows, a file that is open cannot be renamed.
                self._file.close()
            self._part.replace(target)
            self._file.close()
            self._has_landed = True
            if self._has_sidecar:
                self._sidecar.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._may_be_noted and self.received:
            with suppress(DestinationFailed):
                self._write_waiting()
                self._write_sidecar()
        if not (self.version.condition and self._has_sidecar):
            self._part.unlink(missing_ok=True)
            self._sidecar.unlink(missing_ok=True)
        self._file.close()

"""Archives that a vendor delivers: whether one is complete, and unpacking it safely."""

import gzip
import os
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from attrs import field, frozen
from attrs.validators import ge

from exportjobs._landing.into.archive_members import Member, check_gzip, check_zip, members
from exportjobs._landing.into.disk import make_rename_last
from exportjobs._landing.names import folded, refused, safe_place
from exportjobs.adapter._errors import Corrupted, DestinationFailed, DownloadFailed, FileError


@frozen(kw_only=True)
class Bounds:
    """How much may come out of an archive."""

    total: int = field(default=64 * 1024**3, validator=ge(0))
    """Bytes of all files together."""
    files: int = field(default=100_000, validator=ge(0))
    """Files and folders, those that are only part of a path among them."""


_USUAL: Final = Bounds()


def check_structure(path: Path, suffix: str) -> None:
    """Check that a file is complete, where its suffix stands for a format that shows it.

    Of a zip, the table of contents is read, and whether each entry is where that says; one too long
    to be read cheaply is believed. A gzip is decoded to its end. Other formats are not checked.

    Raises:
        Corrupted: If it is not.
        DownloadFailed: If it is of a kind that cannot be read.
        DestinationFailed: If it cannot be read.
    """
    if suffix.endswith(".zip"):
        with _as_file_errors("zip archive", path), path.open("rb") as file:
            check_zip(file)
    elif suffix.endswith((".gz", ".tgz")):
        with _as_file_errors("gzip file", path), path.open("rb") as file:
            check_gzip(file)


def unpack(archive: Path, into: Path, bounds: Bounds = _USUAL) -> tuple[Path, ...]:
    """Unpack a zip or tar archive, gzipped or not, and return its files, sorted.

    The folder appears only when it is complete and synced, in place of what had its name. All of
    the archive is refused if one member may land elsewhere, or as something else on another
    system: links, devices, names that lead out of the folder, names that differ only in case.

    Raises:
        Corrupted: If the archive is not complete.
        DownloadFailed: If it is not safe, or beyond its bounds.
        DestinationFailed: If the folder cannot be written.
    """
    with _as_file_errors("archive", into), archive.open("rb") as file:
        _check_place(into, archive)
        with _appearing(into) as folder:
            tree = _Tree(folder, bounds)
            for member in members(file, bounds.files):
                tree.add(member)
    return tuple(sorted(into / place for place in tree.files))


@contextmanager
def _as_file_errors(what: str, place: Path) -> Generator[None]:
    """Raise every error as one of our own; a broken archive makes its parser fail in many ways."""
    try:
        yield
    except FileError:
        raise
    except (
        *(gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error),
        *(ArithmeticError, EOFError, LookupError, RuntimeError, ValueError),
    ) as error:
        # Not implemented means another kind of archive: fetched again, it would be the same.
        kind = DownloadFailed if isinstance(error, NotImplementedError) else Corrupted
        raise kind(f"the file is not a complete {what} ({error})") from error
    except OSError as error:
        cause = error.strerror or str(error)
        raise DestinationFailed(f"cannot be read or written ({cause}): {place}") from error


class _Tree:
    """A folder that fills with the members of an archive."""

    def __init__(self, root: Path, bounds: Bounds) -> None:
        self.files: list[PurePosixPath] = []
        self._root = root
        self._bounds = bounds
        self._bytes_left = bounds.total
        self._members = 0
        self._held = {folded(PurePosixPath()): (PurePosixPath(), True)}

    def add(self, member: Member) -> None:
        """Write a member, with the folders that it lies in."""
        place = safe_place(member.name)
        self._members += 1
        for parent in reversed(place.parents):
            self._hold(parent, is_folder=True)
        self._hold(place, is_folder=member.is_folder)
        if not member.is_folder:
            self._write(place, member)
            self.files.append(place)

    def _hold(self, place: PurePosixPath, *, is_folder: bool) -> None:
        """Reserve a name for one member; a folder may be named more than once."""
        held = self._held.get(folded(place))
        if held is None:
            self._held[folded(place)] = (place, is_folder)
            if is_folder:
                (self._root / place).mkdir()
        elif held != (place, True) or not is_folder:
            raise refused(str(place), f"has the name of {str(held[0])!r}")
        if max(self._members, len(self._held) - 1) > self._bounds.files:
            raise _beyond(f"more than {self._bounds.files} files")

    def _write(self, place: PurePosixPath, member: Member) -> None:
        # The size that it claims is checked first, to spare the disk, but it is not believed.
        self._check_total(self._bytes_left - member.size)
        left = member.size
        with (self._root / place).open("xb") as file:
            for chunk in member.chunks:
                left -= len(chunk)
                self._bytes_left -= len(chunk)
                self._check_total(self._bytes_left)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if left:
            raise EOFError(f"{member.name!r} does not have the size that it claims")

    def _check_total(self, bytes_left: int) -> None:
        if bytes_left < 0:
            raise _beyond(f"more than {self._bounds.total} bytes")


def _beyond(much: str) -> DownloadFailed:
    return DownloadFailed(f"the archive holds {much}", remedy="unpack it yourself, if you trust it")


def _check_place(into: Path, archive: Path) -> None:
    """Check that nothing is lost if what has the folder's name is replaced."""
    if into.name in {"", ".."}:
        raise DestinationFailed(f"does not name a folder of its own: {into}")
    if into.is_symlink() or (into.exists() and not into.is_dir()):
        raise DestinationFailed(f"is not a folder: {into}")
    if any(archive.resolve().is_relative_to(doomed.resolve()) for doomed in (into, _part(into))):
        raise DestinationFailed(f"holds the archive itself: {into}")


def _part(into: Path) -> Path:
    return into.with_name(f"{into.name}.part")


def _old(into: Path) -> Path:
    return into.with_name(f"{into.name}.old.part")


@contextmanager
def _appearing(into: Path) -> Generator[Path]:
    """Yield a folder that gets its final name if all goes well, and is removed otherwise."""
    part = _part(into)
    _clear(into)
    part.mkdir(parents=True)
    try:
        yield part
        _swap(part, into)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _clear(into: Path) -> None:
    """Remove what an earlier attempt left; put the old folder back if it ended amid the swap."""
    part, old = _part(into), _old(into)
    if old.exists() and not into.exists():
        old.rename(into)
    for leftover in (part, old):
        if leftover.exists():
            shutil.rmtree(leftover)


def _swap(part: Path, into: Path) -> None:
    """Give a folder its final name; for a moment there may be none, but never a mix of two."""
    old = _old(into)
    if into.exists():
        into.rename(old)
    try:
        part.rename(into)
    except OSError:
        if old.exists():
            old.rename(into)
        raise
    make_rename_last(into.parent)
    shutil.rmtree(old, ignore_errors=True)

"""Archives that a vendor delivers: whether one is whole, and unpacking it safely."""

import gzip
import io
import os
import re
import shutil
import stat
import struct
import sys
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Final, TypeAlias

from attrs import field, frozen
from attrs.validators import ge

from exportjobs._errors import DestinationFailed, DownloadFailed, FileError

_Stream: TypeAlias = IO[bytes] | gzip.GzipFile

_CHUNK: Final = 64 * 1024
_MEBIBYTE: Final = 1024 * 1024
_LONGEST_DIRECTORY: Final = 32 * _MEBIBYTE
"""Enough for some 200,000 files, and at most some 300 MB once parsed."""
_DIRECTORY_PER_FILE: Final = 512
_LONGEST_HEADER: Final = 16 * 1024
"""Far more than a name takes; the time for one grows with its square in Python before 3.11.10."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_LOCAL_MAGIC: Final = b"PK\x03\x04"
_LOCAL_HEADER: Final = 30
_ENCRYPTED: Final = 0x0001 | 0x0040 | 0x2000
_PLAIN_KINDS: Final = {0, stat.S_IFREG, stat.S_IFDIR}
# What zipfile decodes in bounded memory: bzip2 and LZMA grow as the archive likes.
_METHODS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}

_LOOK: Final = "look into the archive before you trust it"
_LONGEST_NAME: Final = 1024
_LONGEST_PART: Final = 255
_UNSAFE: Final[Mapping[str, re.Pattern[str]]] = {
    "is absolute": re.compile(r"^/"),
    "climbs out": re.compile(r"(?:^|/)\.\.(?:/|\Z)"),
    "has a drive letter": re.compile(r"(?:^|/)[A-Za-z]:"),
    "has a backslash": re.compile(r"\\"),
    "has a control character": re.compile(r"[\x00-\x1f\x7f-\x9f]"),
    "is no Unicode": re.compile(r"[\ud800-\udfff]"),
    "lies too deep": re.compile(r"(?:/[^/]*){64}"),
}
_UNSAFE_ON_WINDOWS: Final[Mapping[str, re.Pattern[str]]] = {
    "is reserved": re.compile(
        r"(?:^|/)(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³]) *(?:[.:/]|\Z)",
        re.IGNORECASE,
    ),
    "has a character that no file may have": re.compile(r'[<>:"|?*]'),
    "ends in a dot or a space": re.compile(r"[. ](?:/|\Z)"),
}


@frozen(kw_only=True)
class Bounds:
    """How much may come out of an archive."""

    total: int = field(default=64 * 1024**3, validator=ge(0))
    """Bytes of all files together."""
    files: int = field(default=100_000, validator=ge(0))
    """Files and folders, those that are only part of a path among them."""


_USUAL: Final = Bounds()


def check_structure(path: Path, suffix: str) -> None:
    """Check that a file is whole, as far as its suffix promises a structure that tells.

    A zip's table of contents is read, and that each entry is where it says; one too long to be
    read cheaply is taken at its word. A gzip is decoded to its end. Others are not looked at.

    Raises:
        DownloadFailed: If it is not.
        DestinationFailed: If it cannot be read.
    """
    if suffix.endswith(".zip"):
        with _told("zip archive", path), path.open("rb") as file, suppress(_TooLong):
            _open_zip(file, _LONGEST_DIRECTORY)
    elif suffix.endswith((".gz", ".tgz")):
        with _told("gzip file", path), path.open("rb") as file:
            _decode(file)


def unpack(archive: Path, into: Path, bounds: Bounds = _USUAL) -> tuple[Path, ...]:
    """Unpack a zip or tar archive, gzipped or not, and return its files, sorted.

    The folder appears only when all of it is there, in place of what had its name. What might
    land elsewhere, or on another system as something else, is refused with all the rest: links,
    devices, names that climb out, names that differ by the case of a letter alone.

    Raises:
        DownloadFailed: If the archive is not whole, not safe, or beyond its bounds.
        DestinationFailed: If the folder cannot be written.
    """
    with _told("archive", into), archive.open("rb") as file:
        _check_place(into, archive)
        with _appearing(into) as folder:
            tree = _Tree(folder, bounds)
            for member in _members(file, bounds):
                tree.add(member)
    return tuple(sorted(into / place for place in tree.files))


@contextmanager
def _told(what: str, place: Path) -> Generator[None]:
    """Tell every error in our own terms; a broken archive makes its parser fail in many ways."""
    try:
        yield
    except FileError:
        raise
    except (
        *(gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error),
        *(ArithmeticError, EOFError, LookupError, RuntimeError, ValueError),
    ) as error:
        raise DownloadFailed(f"the file is no whole {what} ({error})") from error
    except OSError as error:
        cause = error.strerror or str(error)
        raise DestinationFailed(f"cannot be read or written ({cause}): {place}") from error


class _TooLong(DownloadFailed):
    """An archive's own description that would take too much memory."""


class _Rationed(io.BufferedIOBase):
    """A file for a parser that reads, at once, whatever length the file itself claims.

    It begins where the file stands, and there is so much to be read of it and no more.
    """

    def __init__(self, file: _Stream, left: int) -> None:
        self.left = left
        self._file = file
        self._begin = file.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self.left:
            raise _TooLong("the archive's headers are too long", remedy=_LOOK)
        data = self._file.read(-1 if size is None else size)
        self.left -= len(data)
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        begin = 0 if whence else self._begin
        return self._file.seek(begin + offset, whence) - self._begin

    def tell(self) -> int:
        return self._file.tell() - self._begin


def _refused(name: str, reason: str, remedy: str = _LOOK) -> DownloadFailed:
    return DownloadFailed(f"the archive is refused: {name!r} {reason}", remedy=remedy)


@frozen
class _Member:
    """A file or folder of an archive, whose content is there to be read once, in its turn."""

    name: str
    is_folder: bool
    size: int
    chunks: Iterator[bytes]


def _members(file: IO[bytes], bounds: Bounds) -> Iterator[_Member]:
    """Read an archive of whatever format its first bytes show.

    A zip comes last: a tar whose last file is a zip ends like one.
    """
    head = file.read(tarfile.BLOCKSIZE)
    file.seek(0)
    if head.startswith(_GZIP_MAGIC):
        with gzip.GzipFile(fileobj=file) as stream:
            yield from _tar_members(stream)
    elif _is_tar(head):
        yield from _tar_members(file)
    elif zipfile.is_zipfile(file):
        file.seek(0)
        yield from _zip_members(file, bounds)
    else:
        raise DownloadFailed("the file is neither a zip nor a tar archive")


def _decode(file: IO[bytes]) -> None:
    if not file.read(1):
        raise EOFError("it is empty")
    file.seek(0)
    with gzip.GzipFile(fileobj=file) as stream:
        while stream.read(_CHUNK):
            pass


def _open_zip(file: IO[bytes], longest: int) -> zipfile.ZipFile:
    """Open a zip whose table of contents is not too long, and in which each entry is in place."""
    rationed = _Rationed(file, longest)
    archive = zipfile.ZipFile(rationed)
    rationed.left = sys.maxsize
    for info in archive.infolist():
        last = archive.start_dir - _LOCAL_HEADER - info.compress_size
        if not (0 <= info.header_offset <= last and _has_header(file, info.header_offset)):
            raise zipfile.BadZipFile(f"entry {info.filename!r} is not in its place")
    return archive


def _has_header(file: IO[bytes], offset: int) -> bool:
    file.seek(offset)
    return file.read(len(_LOCAL_MAGIC)) == _LOCAL_MAGIC


def _zip_members(file: IO[bytes], bounds: Bounds) -> Iterator[_Member]:
    archive = _open_zip(file, _MEBIBYTE + _DIRECTORY_PER_FILE * bounds.files)
    for info in archive.infolist():
        _check_zip_entry(info)
        name = info.filename
        yield _Member(name, name.endswith("/"), info.file_size, _zip_chunks(archive, info))


def _check_zip_entry(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise _refused(info.filename, "is encrypted", "unpack it by hand, with its password")
    if info.compress_type not in _METHODS:
        raise _refused(info.filename, "is compressed in an unusual way", "unpack it by hand")
    if stat.S_IFMT(info.external_attr >> 16) not in _PLAIN_KINDS:
        raise _refused(info.filename, "is neither a file nor a folder")
    # Where zipfile has cut the name.
    if "\0" in info.orig_filename:
        raise _refused(info.orig_filename, "has a control character")


def _zip_chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(info) as stream:
        yield from iter(partial(stream.read, _CHUNK), b"")


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return head == bytes(tarfile.BLOCKSIZE)
    return True


def _tar_members(stream: _Stream) -> Iterator[_Member]:
    """Read a tar from its beginning to its end, never backwards, as a gzipped one begins anew then.

    tarfile's filter "data" is not asked: Python 3.11.0 to 3.11.3 lack it, it lets links through and
    makes an absolute name relative in silence, and what it says of modes and owners is moot.
    """
    while entry := _next_entry(stream):
        yield _tar_member(entry, stream)
        if entry.isreg():
            stream.read(-entry.size % tarfile.BLOCKSIZE)
    # The rest holds the checksum of a gzipped one; and files after the end would go unnoticed.
    while rest := stream.read(_CHUNK):
        if rest.count(0) != len(rest):
            raise tarfile.ReadError("it goes on after its end")


def _next_entry(stream: _Stream) -> tarfile.TarInfo | None:
    """Read a header, or that there are no more.

    Each has a TarFile of its own: one for all keeps every header that it has read, and takes
    a broken one for the archive's end if it is not the first.
    """
    header = _Rationed(stream, _LONGEST_HEADER)
    return tarfile.TarFile(fileobj=header, encoding="utf-8", errors="surrogateescape").next()


def _tar_member(entry: tarfile.TarInfo, stream: _Stream) -> _Member:
    if not (entry.isreg() or entry.isdir()) or entry.issparse():
        raise _refused(entry.name, "is neither a file nor a folder")
    if entry.size < 0:
        raise tarfile.ReadError("a size is negative")
    return _Member(entry.name, entry.isdir(), entry.size, _tar_chunks(stream, entry.size))


def _tar_chunks(stream: _Stream, size: int) -> Iterator[bytes]:
    while chunk := stream.read(min(size, _CHUNK)):
        size -= len(chunk)
        yield chunk


class _Tree:
    """A folder that fills with the members of an archive."""

    def __init__(self, root: Path, bounds: Bounds) -> None:
        self.files: list[PurePosixPath] = []
        self._root = root
        self._bounds = bounds
        self._room = bounds.total
        self._members = 0
        self._held = {_folded(PurePosixPath()): (PurePosixPath(), True)}

    def add(self, member: _Member) -> None:
        """Write a member, with the folders that it lies in."""
        place = _place(member.name)
        self._members += 1
        for parent in reversed(place.parents):
            self._hold(parent, is_folder=True)
        self._hold(place, is_folder=member.is_folder)
        if not member.is_folder:
            self._write(place, member)
            self.files.append(place)

    def _hold(self, place: PurePosixPath, *, is_folder: bool) -> None:
        """Take a name for one thing; a folder may be told of more than once."""
        held = self._held.get(_folded(place))
        if held is None:
            self._held[_folded(place)] = (place, is_folder)
            if is_folder:
                (self._root / place).mkdir()
        elif held != (place, True) or not is_folder:
            raise _refused(str(place), f"has the name of {str(held[0])!r}")
        if max(self._members, len(self._held) - 1) > self._bounds.files:
            raise _beyond(f"more than {self._bounds.files} files")

    def _write(self, place: PurePosixPath, member: _Member) -> None:
        # What it claims is asked first, to spare the disk, and not believed.
        self._check_room(self._room - member.size)
        left = member.size
        with (self._root / place).open("xb") as file:
            for chunk in member.chunks:
                left -= len(chunk)
                self._room -= len(chunk)
                self._check_room(self._room)
                file.write(chunk)
        if left:
            raise EOFError(f"{member.name!r} is not of the size that it claims")

    def _check_room(self, room: int) -> None:
        if room < 0:
            raise _beyond(f"more than {self._bounds.total} bytes")


def _beyond(much: str) -> DownloadFailed:
    return DownloadFailed(f"the archive holds {much}", remedy="unpack it with wider bounds")


def _folded(place: PurePosixPath) -> str:
    """Return what a place's name is to a file system that cares for no case and no composition."""
    folded = unicodedata.normalize("NFD", str(place)).casefold()
    return unicodedata.normalize("NFD", folded)


def _place(name: str, *, windows: bool = os.name == "nt") -> PurePosixPath:
    """Return where a member belongs in the folder, if it may have its name on this system."""
    place = PurePosixPath(name)
    unsafe = {**_UNSAFE, **_UNSAFE_ON_WINDOWS} if windows and place.parts else _UNSAFE
    for reason, pattern in unsafe.items():
        if pattern.search(str(place)):
            raise _refused(name, reason)
    sizes = [len(part.encode()) for part in place.parts]
    if max(sizes, default=0) > _LONGEST_PART or sum(sizes) + len(sizes) > _LONGEST_NAME:
        raise _refused(name, "is too long")
    return place


def _check_place(into: Path, archive: Path) -> None:
    """Check that nothing is lost if what has the folder's name is replaced."""
    if into.name in {"", ".."}:
        raise DestinationFailed(f"names no folder of its own: {into}")
    if into.is_symlink() or (into.exists() and not into.is_dir()):
        raise DestinationFailed(f"is no folder: {into}")
    if any(archive.resolve().is_relative_to(doomed.resolve()) for doomed in (into, _part(into))):
        raise DestinationFailed(f"holds the archive itself: {into}")


def _part(into: Path) -> Path:
    return into.with_name(f"{into.name}.part")


def _old(into: Path) -> Path:
    return into.with_name(f"{into.name}.old.part")


@contextmanager
def _appearing(into: Path) -> Generator[Path]:
    """Lend a folder that takes the other's name if all goes well, and else leaves no trace."""
    part = _part(into)
    _clear(into)
    part.mkdir(parents=True)
    try:
        yield part
        _swap(part, into)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _clear(into: Path) -> None:
    """Remove what an earlier try has left, or put it back if that was cut off amid the swap."""
    part, old = _part(into), _old(into)
    if old.exists() and not into.exists():
        old.rename(into)
    for leftover in (part, old):
        if leftover.exists():
            shutil.rmtree(leftover)


def _swap(part: Path, into: Path) -> None:
    """Give a folder the other's name; for a moment there may be neither, but never a mix."""
    old = _old(into)
    if into.exists():
        into.rename(old)
    try:
        part.rename(into)
    except OSError:
        if old.exists():
            old.rename(into)
        raise
    shutil.rmtree(old, ignore_errors=True)

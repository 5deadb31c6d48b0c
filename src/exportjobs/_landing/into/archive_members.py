"""The members of a zip or a tar, read safely, whatever the archive claims."""

import gzip
import io
import stat
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import IO, Final, TypeAlias

from attrs import frozen

from exportjobs._landing.names import LOOK, refused
from exportjobs.adapter._errors import DownloadFailed

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


@frozen
class Member:
    """A file or folder of an archive, whose content is there to be read once, in its turn."""

    name: str
    is_folder: bool
    size: int
    chunks: Iterator[bytes]


def check_zip(file: IO[bytes]) -> None:
    """Check that a zip has a table of contents, and each entry where that says.

    One too long to be read cheaply is believed.
    """
    with suppress(_TooLong):
        _open_zip(file, _LONGEST_DIRECTORY)


def check_gzip(file: IO[bytes]) -> None:
    """Check that a gzip can be decoded to its end."""
    if not file.read(1):
        raise EOFError("it is empty")
    file.seek(0)
    with gzip.GzipFile(fileobj=file) as stream:
        while stream.read(_CHUNK):
            pass


def members(file: IO[bytes], most: int) -> Iterator[Member]:
    """Read an archive of whatever format its first bytes show.

    A zip comes last: a tar whose last file is a zip ends like one.

    Args:
        file: The archive.
        most: How many files are wanted at most; a zip's table of contents is bounded by it.

    Raises:
        DownloadFailed: If it is not an archive, or holds what is not unpacked.
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
        yield from _zip_members(file, most)
    else:
        raise DownloadFailed("the file is neither a zip nor a tar archive")


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
            raise _TooLong("the archive's headers are too long", remedy=LOOK)
        data = self._file.read(-1 if size is None else size)
        self.left -= len(data)
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        begin = 0 if whence else self._begin
        return self._file.seek(begin + offset, whence) - self._begin

    def tell(self) -> int:
        return self._file.tell() - self._begin


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


def _zip_members(file: IO[bytes], most: int) -> Iterator[Member]:
    archive = _open_zip(file, _MEBIBYTE + _DIRECTORY_PER_FILE * most)
    for info in archive.infolist():
        _check_zip_entry(info)
        name = info.filename
        yield Member(name, name.endswith("/"), info.file_size, _zip_chunks(archive, info))


def _check_zip_entry(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise refused(info.filename, "is encrypted", "unpack it by hand, with its password")
    if info.compress_type not in _METHODS:
        raise refused(info.filename, "is compressed in an unusual way", "unpack it by hand")
    if stat.S_IFMT(info.external_attr >> 16) not in _PLAIN_KINDS:
        raise refused(info.filename, "is neither a file nor a folder")
    # Where zipfile has cut the name.
    if "\0" in info.orig_filename:
        raise refused(info.orig_filename, "has a control character")


def _zip_chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(info) as stream:
        yield from iter(partial(stream.read, _CHUNK), b"")


def _is_tar(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return head == bytes(tarfile.BLOCKSIZE)
    return True


def _tar_members(stream: _Stream) -> Iterator[Member]:
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


def _tar_member(entry: tarfile.TarInfo, stream: _Stream) -> Member:
    if not (entry.isreg() or entry.isdir()) or entry.issparse():
        raise refused(entry.name, "is neither a file nor a folder")
    if entry.size < 0:
        raise tarfile.ReadError("a size is negative")
    return Member(entry.name, entry.isdir(), entry.size, _tar_chunks(stream, entry.size))


def _tar_chunks(stream: _Stream, size: int) -> Iterator[bytes]:
    while chunk := stream.read(min(size, _CHUNK)):
        size -= len(chunk)
        yield chunk

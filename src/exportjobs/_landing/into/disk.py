"""The disk, with its errors as the library's own."""

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from pathlib import Path
from tempfile import TemporaryFile

from exportjobs.adapter._errors import DestinationFailed


def prepare_folder(folder: Path) -> Path:
    """Return a folder that exists and can be written, made if need be.

    Raises:
        DestinationFailed: If that cannot be.
    """
    with writing(folder, remedy="choose another folder"):
        folder.mkdir(parents=True, exist_ok=True)
        # Where the system supports it, this file has no name that could be left behind.
        TemporaryFile(dir=folder).close()
    return folder


@contextmanager
def writing(path: Path, remedy: str | None = None) -> Generator[None]:
    """Raise what keeps a path from being written as the library's own error."""
    try:
        yield
    except DestinationFailed:
        raise
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise DestinationFailed(f"cannot be written ({cause}): {path}", remedy=remedy) from error


def make_rename_last(folder: Path) -> None:
    """Sync a folder, where the system can; without it, a power cut may undo the rename."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def overwrite(path: Path, content: bytes) -> None:
    """Write over the beginning of a file in one call, so that nobody sees a part of it.

    Raises:
        DestinationFailed: If it cannot be written.
    """
    with writing(path), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666), "wb", 0) as file:
        file.write(content)


def append(path: Path, content: bytes) -> None:
    """Append to a file in one call.

    It makes as few system calls as possible: each gives the interpreter to another thread, and
    waits to get it back.

    Raises:
        DestinationFailed: If it cannot be written.
    """
    with writing(path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            while content:
                content = content[os.write(handle, content) :]
        finally:
            os.close(handle)


def open_locked(path: Path) -> FileIO | None:
    """Open a file, created if need be, under a lock; None if another process or opening has it.

    The lock lasts until the file is closed, or its process dies. On a file system without locks
    there is none.

    Raises:
        DestinationFailed: If it cannot be written.
    """
    with writing(path):
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            with ExitStack() as stack:
                file = stack.enter_context(os.fdopen(handle, "r+b", 0))
                if not _is_free(file):
                    return None
                # Whoever had it may have renamed or removed it in between.
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(handle), path.stat()):
                        stack.pop_all()
                        return file


def _is_free(file: FileIO) -> bool:
    """Return whether no one else has a file, which is then locked."""
    try:
        _lock(file)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock(file: FileIO) -> None:
        # A byte that no file reaches, as Windows keeps others from reading what is locked.
        place = file.tell()
        file.seek(2**40)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError from error
        finally:
            file.seek(place)
else:
    import fcntl

    def _lock(file: FileIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

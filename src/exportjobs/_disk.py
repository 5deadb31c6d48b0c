"""The disk, with its errors as the library's own."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from tempfile import TemporaryFile

from exportjobs._errors import DestinationFailed


def prepare_folder(folder: Path) -> Path:
    """Return a folder that exists and can be written, made if need be.

    Raises:
        DestinationFailed: If that cannot be.
    """
    with writing(folder, remedy="choose another folder"):
        folder.mkdir(parents=True, exist_ok=True)
        # Where the system can, it has no name that could be left behind.
        TemporaryFile(dir=folder).close()
    return folder


@contextmanager
def writing(path: Path, remedy: str | None = None) -> Generator[None]:
    """Tell what keeps a path from being written."""
    try:
        yield
    except DestinationFailed:
        raise
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise DestinationFailed(f"cannot be written ({cause}): {path}", remedy=remedy) from error


def make_rename_last(folder: Path) -> None:
    """Sync a folder, where the system can: else a power cut may undo the rename."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def overwrite(path: Path, content: bytes) -> None:
    """Write over the beginning of a file in one go, so that no moment sees a part of it.

    Raises:
        DestinationFailed: If it cannot be written.
    """
    with writing(path), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666), "wb", 0) as file:
        file.write(content)


def lock(file: FileIO, path: Path) -> None:
    """Keep other processes from writing a file, until it is closed.

    A file system that knows no locks goes without.

    Raises:
        DestinationFailed: If another one is writing it.
    """
    try:
        _lock(file)
    except BlockingIOError:
        raise DestinationFailed(
            f"is being written by another process: {path}",
            remedy="wait for that process, or choose another folder",
        ) from None
    except OSError:
        return


if sys.platform == "win32":
    import msvcrt

    def _lock(file: FileIO) -> None:
        # A byte that no file reaches: Windows keeps others from reading what is locked.
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

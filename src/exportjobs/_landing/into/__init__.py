"""From what callers pass as `into` to the destination of files."""

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Protocol, TypeGuard

from exportjobs._landing.destination import Destination
from exportjobs._landing.into.folder import Folder
from exportjobs._landing.into.function import FileFunction, FunctionDestination
from exportjobs._schedule.clock import Clock
from exportjobs.adapter._errors import InvalidArgument

Place = str | os.PathLike[str]
"""A file or a folder."""
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_BROKEN_URL = re.compile(r"(?:s3a?|gs|az|azure|adl|abfss?):[/\\]")
"""What is left of a URL that was made a path, or lacks a slash."""


class Store(Protocol):
    """A store of obstore's that is open, such as an `obstore.store.S3Store`."""

    def put(self, path: str, file: bytes) -> Mapping[str, object]:
        """Put an object."""
        ...


Into = Place | FileFunction | Store | Destination
"""A folder, the URL of a bucket, a store, or a function that takes each file as it comes."""


def destination(into: Into | None, clock: Clock, *, unpack: bool) -> Destination | None:
    """Return the destination that `into` stands for; None where files are not wanted.

    It has yet to be prepared: nothing is made or opened here.

    Raises:
        InvalidArgument: If it is not such a place, or archives cannot be unpacked there.
    """
    if into is None or isinstance(into, Destination):
        return into
    if _is_folder(into):
        return Folder(Path(into), clock, unpacks=unpack)
    if unpack:
        raise InvalidArgument("unpack", "needs a folder", remedy='pass into="a folder"')
    if callable(into):
        return FunctionDestination(into)
    return _bucket(into, clock)


def _is_folder(into: object) -> TypeGuard[Place]:
    if isinstance(into, str):
        return not _is_url(into)
    if isinstance(into, PurePath) and _BROKEN_URL.match(str(into)):
        reason = "is a path that was made from a URL"
        raise InvalidArgument("into", reason, remedy="pass the URL as a string")
    return isinstance(into, os.PathLike)


def _is_url(into: str) -> bool:
    if not into.strip():
        remedy = "name a folder; . is the current one"
        raise InvalidArgument("into", "is empty", remedy=remedy)
    if _URL.match(into):
        return True
    if _BROKEN_URL.match(into):
        remedy = f"write it with {into.partition(':')[0]}://"
        raise InvalidArgument("into", "is a URL that lacks a slash", remedy=remedy)
    return False


def _bucket(into: object, clock: Clock) -> Destination:
    try:
        from exportjobs._landing.into.bucket import Bucket  # noqa: PLC0415 - what it needs is an extra
    except ImportError:
        reason = "needs obstore to put files to a store"
        remedy = "install it with: pip install 'exportjobs[cloud]'"
        raise InvalidArgument("into", reason, remedy=remedy) from None
    return Bucket.at(into, clock) if isinstance(into, str) else Bucket.of(into, clock)

"""Names that an archive gives its members: which are safe to land under, and which collide."""

import os
import re
import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from exportjobs._errors import DownloadFailed

LOOK: Final = "look into the archive before you trust it"
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


def refused(name: str, reason: str, remedy: str = LOOK) -> DownloadFailed:
    """Return the error that a member's name is told with."""
    return DownloadFailed(f"the archive is refused: {name!r} {reason}", remedy=remedy)


def safe_place(name: str, *, windows: bool = os.name == "nt") -> PurePosixPath:
    """Return where a member belongs in the folder, if it may have its name on this system.

    Raises:
        DownloadFailed: If it may not.
    """
    place = PurePosixPath(name)
    unsafe = {**_UNSAFE, **_UNSAFE_ON_WINDOWS} if windows and place.parts else _UNSAFE
    for reason, pattern in unsafe.items():
        if pattern.search(str(place)):
            raise refused(name, reason)
    sizes = [len(part.encode()) for part in place.parts]
    if max(sizes, default=0) > _LONGEST_PART or sum(sizes) + len(sizes) > _LONGEST_NAME:
        raise refused(name, "is too long")
    return place


def folded(place: PurePosixPath) -> str:
    """Return what a place's name is to a file system that cares for no case and no composition."""
    caseless = unicodedata.normalize("NFD", str(place)).casefold()
    return unicodedata.normalize("NFD", caseless)

"""What callers pass, checked before anything is sent."""

import math
import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from exportjobs._errors import InvalidArgument
from exportjobs._export import Export, Resumption
from exportjobs._finished import Work
from exportjobs._part_file import prepare_folder

Seconds = float | timedelta
Folder = str | os.PathLike[str]


def duration(name: str, value: Seconds) -> timedelta:
    """Return a duration given in seconds or as a timedelta.

    Raises:
        InvalidArgument: If it is negative, or no number of seconds.
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if not math.isfinite(seconds) or seconds < 0:
        raise InvalidArgument(name, f"{value!r} is not a number of seconds from 0 upwards")
    return timedelta(seconds=seconds)


def checked_works(exports: Iterable[object]) -> tuple[Work, ...]:
    """Return the exports of a run.

    Raises:
        InvalidArgument: If one of them is something else.
    """
    remedy = "pass a list of what an adapter's constructors return, such as [clari.activity()]"
    if isinstance(exports, Export | Resumption):
        raise InvalidArgument("exports", "is one export, not a list of them", remedy=remedy)
    works: list[Work] = []
    for work in exports:
        if not isinstance(work, Export | Resumption):
            reason = f"holds a {type(work).__name__}, which is no export"
            raise InvalidArgument("exports", reason, remedy=remedy)
        works.append(work)
    return tuple(works)


def checked_folder(into: Folder | None) -> Path | None:
    """Return the folder that files are to land in, made if need be.

    Raises:
        DestinationFailed: If it cannot be written.
    """
    return None if into is None else prepare_folder(Path(into))

"""The manifest of a job with several files: written last, it says that all of them are there."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, Self

from attrs import frozen

from exportjobs._finished import LandedFile
from exportjobs._job import ExportJob, JobRef
from exportjobs._names import job_stem

_VERSION = 1
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


def manifest(job: ExportJob, files: Iterable[LandedFile], *, landed_at: datetime) -> str:
    """Return a manifest: sizes are in bytes, times ISO 8601 in UTC, names without a folder."""
    written = {
        "exportjobs": _VERSION,
        "job": json.loads(job.ref.to_json()),
        "created_at": _time(job.created_at),
        "finished_at": _time(job.finished_at),
        "landed_at": _time(landed_at),
        "files": [_entry(file) for file in files],
    }
    return json.dumps(written, indent=2, ensure_ascii=False) + "\n"


def manifest_name(ref: JobRef) -> str:
    """Return what the manifest of a job is called."""
    return f"{job_stem(ref)}.manifest.json"


def line(file: LandedFile) -> str:
    """Return the line that notes a file of a job of which others are still to come."""
    return json.dumps(_entry(file)) + "\n"


@frozen
class Noted:
    """A file as a manifest or a line has it."""

    name: str
    sha256: str
    proven_by: tuple[str, ...]

    @classmethod
    def of(cls, entry: Any) -> Self:  # noqa: ANN401 - whatever JSON holds
        """Return what an entry says.

        Raises:
            TypeError: If it is none; so do the others of `_UNREADABLE`.
        """
        proven_by = tuple(str(name) for name in entry.get("proven_by", ()))
        return cls(PurePath(str(entry["name"])).name, str(entry["sha256"]), proven_by)


def noted(text: str) -> Iterator[Noted]:
    """Yield the files in some lines, but for one that a dying process cut off."""
    for one in text.splitlines():
        with suppress(*_UNREADABLE):
            yield Noted.of(json.loads(one))


def listed(text: str) -> Iterator[Noted]:
    """Yield the files in a manifest, none if the text is no manifest."""
    with suppress(*_UNREADABLE):
        for entry in json.loads(text)["files"]:
            yield Noted.of(entry)


def _entry(file: LandedFile) -> dict[str, object]:
    return {
        "name": file.path.name,
        "part": file.part,
        "size": file.size,
        "sha256": file.sha256,
        "proven_by": list(file.proven_by),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()

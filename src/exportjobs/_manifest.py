"""The manifest of a job with several files: written last, it says that all of them are there."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

from exportjobs._finished import LandedFile
from exportjobs._job import ExportJob

_VERSION = 1


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


def line(file: LandedFile) -> str:
    """Return the line that notes a file of a job of which others are still to come."""
    return json.dumps(_entry(file)) + "\n"


def noted(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names and digests in some lines, but for one that a dying process cut off."""
    for one in text.splitlines():
        with suppress(ValueError, TypeError, LookupError, RecursionError):
            entry = json.loads(one)
            yield str(entry["name"]), str(entry["sha256"])


def listed(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names and digests in a manifest, none if the text is no manifest."""
    with suppress(ValueError, TypeError, LookupError, RecursionError):
        for entry in json.loads(text)["files"]:
            yield str(entry["name"]), str(entry["sha256"])


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

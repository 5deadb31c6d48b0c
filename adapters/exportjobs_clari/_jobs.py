"""What Clari says of a job, in the spelling of either of its descriptions.

Sources: Clari's OpenAPI 5.0.0 (developer.clari.com, read in August 2026), and what production
clients see on the wire where it differs.
"""

from collections.abc import Callable
from datetime import datetime

from exportjobs.adapter import (
    Artifact,
    ExportJob,
    JobRef,
    StatusMap,
    frozen,
    is_object,
    path,
    structure,
    unwrapped,
)

MakeRef = Callable[[str], JobRef]
"""Makes the ref of a job's id."""

# The OpenAPI's words, and those of the schema that Clari publishes beside it (QUEUED, RUNNING).
STATUSES = StatusMap(
    queued=("SCHEDULED", "QUEUED"),
    running=("STARTED", "RUNNING"),
    done=("DONE",),
    failed=("FAILED",),
    cancelled=("CANCELLED", "ABORTED"),
)
_MEDIA_TYPES = {"JSON": "application/json", "CSV": "text/csv"}


@frozen
class _Job:
    """A job, in the spelling of either description."""

    job_id: str
    status: str
    start_time: datetime | None = None
    created_at: datetime | None = None
    end_time: datetime | None = None
    expired_time: datetime | None = None
    file_name: str | None = None
    file_type: str | None = None
    cells_truncated: bool | None = None
    rows_truncated: bool | None = None


@frozen
class _Accepted:
    job_id: str


def accepted(make_ref: MakeRef, raw: object) -> ExportJob:
    """Return the job that was accepted, of which no more is said than its id."""
    body = structure(_identified(unwrapped(raw, "job")), _Accepted)
    return ExportJob(make_ref(body.job_id), STATUSES.read("SCHEDULED"), raw=raw)


def described(make_ref: MakeRef, raw: object) -> ExportJob:
    """Return the job that a body describes."""
    body = structure(_identified(raw), _Job)
    reading = STATUSES.read(body.status)
    ref = make_ref(body.job_id)
    results = Artifact(
        path("/export/jobs/{}/results", ref.id),
        authenticated=True,
        name=body.file_name,
        media_type=_MEDIA_TYPES.get(body.file_type or ""),
        expires_at=body.expired_time,
    )
    return ExportJob(
        ref,
        reading,
        created_at=body.created_at,
        started_at=body.start_time,
        finished_at=body.end_time if reading.status.is_terminal else None,
        artifacts=(results,) if reading.status == "done" else (),
        warnings=tuple(_missing(body)),
        raw=raw,
    )


def may_come_of(raw: object, kind: str, file_type: object) -> bool:
    """Return whether a listed body can be that of an export of a kind, in a type of file.

    One description has the module, of which only FORECAST is documented, the other the type.
    """
    if not is_object(raw):
        return False
    told = str(raw.get("module") or raw.get("type") or "").lower()
    is_of_kind = not told or told.startswith("forecast") == (kind == "forecast")
    return is_of_kind and raw.get("fileType") in {None, file_type}


def _identified(raw: object) -> object:
    """Return a body with its id as `jobId`; on the wire some clients see it as `id`."""
    if is_object(raw) and "id" in raw and "jobId" not in raw:
        return {**raw, "jobId": raw["id"]}
    return raw


def _missing(body: _Job) -> list[str]:
    """Return what Clari left out of a job that it calls done."""
    said = {"rows": body.rows_truncated, "cells": body.cells_truncated}
    return [f"{what} truncated: the result is not complete" for what, cut in said.items() if cut]

"""How Clari describes a job, in the spelling of either of its two API descriptions.

Sources: Clari's OpenAPI 5.0.0 (developer.clari.com, read in August 2026), and what production
clients receive where it differs.
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
)

MakeRef = Callable[[str], JobRef]
"""Makes the ref of a job's id."""

# The words of the OpenAPI, and of the schema that Clari publishes with it (QUEUED, RUNNING).
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
    """A job, with the members of either description."""

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
    """Return the job that a submit created; the answer holds its id alone."""
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


def is_of_kind(raw: object, kind: str, file_type: object) -> bool:
    """Return whether a listed body can be that of an export of a kind, with a type of file.

    One description has a `module`, of which only FORECAST is documented, the other has a `type`.
    """
    if not is_object(raw):
        return False
    listed = str(raw.get("module") or raw.get("type") or "").lower()
    same_kind = not listed or listed.startswith("forecast") == (kind == "forecast")
    return same_kind and raw.get("fileType") in {None, file_type}


def unwrapped(raw: object, name: str) -> object:
    """Return the member that a body is wrapped in, or the body itself if it has no such member.

    Clari's answers come both ways, `{"job": {...}}` and `{...}`.
    """
    inner = raw.get(name) if is_object(raw) else None
    return raw if inner is None else inner


def _identified(raw: object) -> object:
    """Return a body with its id as `jobId`; some clients see it as `id` in real answers."""
    if is_object(raw) and "id" in raw and "jobId" not in raw:
        return {**raw, "jobId": raw["id"]}
    return raw


def _missing(body: _Job) -> list[str]:
    """Return what Clari left out of a job that is done."""
    said = {"rows": body.rows_truncated, "cells": body.cells_truncated}
    return [f"{what} truncated: the result is not complete" for what, cut in said.items() if cut]

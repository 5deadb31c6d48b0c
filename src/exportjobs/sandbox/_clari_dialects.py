"""The three ways in which Clari is known to describe a job.

The vendor's own OpenAPI, what production clients see of it, and the schema of seed 000
(VENDORS.md section 4.1 sets them side by side).
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen

from exportjobs.sandbox._http import Json
from exportjobs.sandbox._jobs import Job, Snapshot
from exportjobs.sandbox._timeline import JobState
from exportjobs.sandbox._times import epoch_milliseconds, zulu

ORGANIZATION: Final = 101

_USER: Final = 1
# Both examples of seed 002 expire exactly 30 days after they ended.
_RETENTION: Final = timedelta(days=30)


class Kind(StrEnum):
    """What Clari exports."""

    forecast = "forecast"
    audit = "audit"
    activity = "activity"


@frozen
class Dialect:
    """One way of describing jobs."""

    statuses: Mapping[JobState, str]
    aborted: str
    forecast_status: int
    describe: Callable[[Snapshot, int], Json]
    job_envelope: str | None = None
    list_envelope: str | None = None


def file_name(job: Job) -> str:
    """Return the name Clari gives a job's file."""
    kind = "_".join(filter(None, (job.kind, job.request.get("forecast_id"))))
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", kind)
    created = job.timeline.created.strftime("%Y%m%d_%H%M%S")
    extension = str(job.request["format"]).lower()
    return f"clari_export_{safe}_{job.index}_{created}.{extension}"


def _openapi(snapshot: Snapshot, downloads: int) -> Json:
    """Describe a job as seed 002 does; times in the future are left out."""
    job = snapshot.job
    body: Json = {
        "jobId": job.id,
        "userId": _USER,
        "orgId": ORGANIZATION,
        "title": f"{job.kind.capitalize()} Export",
        "module": job.kind.upper(),
        "startTime": epoch_milliseconds(job.timeline.created),
        "version": 1,
        "fileName": file_name(job),
        "fileType": job.request["format"],
        "status": snapshot.status,
        "viewed": downloads > 0,
        "cellsTruncated": False,
        # Activity exports lose rows here, so that clients can show what a partial result is.
        "rowsTruncated": snapshot.state is JobState.done and job.kind == Kind.activity,
        "downloads": downloads,
        "deliveryStatusMap": {},
        "currency": job.request.get("currency", "USD"),
    }
    if snapshot.has_ended:
        body["endTime"] = epoch_milliseconds(job.timeline.ended)
        body["expiredTime"] = epoch_milliseconds(job.timeline.ended + _RETENTION)
    return body


def _schema(snapshot: Snapshot, _downloads: int) -> Json:
    """Describe a job as seed 000 does."""
    return {
        "jobId": snapshot.job.id,
        "userId": _USER,
        "orgId": ORGANIZATION,
        "status": snapshot.status,
        "type": snapshot.job.kind,
        "createdAt": zulu(snapshot.job.timeline.created),
        "updatedAt": zulu(snapshot.changed),
    }


_OPENAPI_STATUSES: Final = {
    JobState.queued: "SCHEDULED",
    JobState.running: "STARTED",
    JobState.done: "DONE",
    JobState.failed: "FAILED",
    JobState.cancelled: "CANCELLED",
}
_SCHEMA_STATUSES: Final = {
    **_OPENAPI_STATUSES,
    JobState.queued: "QUEUED",
    JobState.running: "RUNNING",
}

OPENAPI: Final = Dialect(
    statuses=_OPENAPI_STATUSES, aborted="ABORTED", forecast_status=200, describe=_openapi
)
# GitLab's production extractor reads response["job"]["status"] (VENDORS.md section 4.1).
WIRE: Final = Dialect(
    statuses=_OPENAPI_STATUSES,
    aborted="ABORTED",
    forecast_status=200,
    describe=_openapi,
    job_envelope="job",
    list_envelope="jobs",
)
# api-evangelist's example of this shape answers 202 where the vendor's OpenAPI says 200.
SCHEMA: Final = Dialect(
    statuses=_SCHEMA_STATUSES, aborted="CANCELLED", forecast_status=202, describe=_schema
)

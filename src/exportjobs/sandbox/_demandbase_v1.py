"""Demandbase's export API in the shape of seed 001 (VENDORS.md section 1.2)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from exportjobs.sandbox import _draw
from exportjobs.sandbox._api import Api, Operation
from exportjobs.sandbox._content import HeldFile, Recipe, table_csv
from exportjobs.sandbox._faults import RequestKind
from exportjobs.sandbox._http import HttpError, Json, json_object
from exportjobs.sandbox._jobs import Job, Snapshot
from exportjobs.sandbox._signing import Scheme
from exportjobs.sandbox._timeline import JobState
from exportjobs.sandbox._times import zulu
from exportjobs.sandbox._world import Link, World

_JOBS: Final = "/export/v1/jobs"
_LINK_LIFETIME: Final = timedelta(hours=1)
_ENTITIES: Final = (
    "accounts",
    "people",
    "opportunities",
    "activities",
    "campaigns",
    "buying_groups",
)
_PARTS: Final = {"accounts": 2, "activities": 3}
_COLUMNS: Final = ("id", "name", "domain", "industry", "country", "revenue", "created_at")


class DemandbaseV1(Api):
    """One account's export jobs, with cancelling and downloads by part."""

    vendor = "demandbase-v1"
    statuses: Mapping[JobState, str] = {
        JobState.queued: "pending",
        JobState.running: "processing",
        JobState.done: "completed",
        JobState.failed: "failed",
        JobState.cancelled: "cancelled",
    }

    def __init__(self, world: World) -> None:
        """Serve one account."""
        super().__init__(world, label="demandbase-v1", folder="demandbase-v1")

    @property
    def credentials(self) -> Mapping[str, str]:
        """The bearer token."""
        return {"token": _draw.alphanumeric(f"{self.world.seed}/{self.label}/token", length=48)}

    def make_id(self, key: str) -> str:
        """Return a job id."""
        return f"exp_{_draw.hexadecimal(f'{key}/id', length=20)}"

    def operations(self) -> Sequence[Operation]:
        """Return all operations on jobs."""
        return (
            Operation("POST", _JOBS, self._create, RequestKind.submit),
            Operation("GET", _JOBS, self._list, RequestKind.list),
            Operation("GET", _JOBS + "/{job_id}", self._status, RequestKind.poll),
            Operation("DELETE", _JOBS + "/{job_id}", self._cancel),
            Operation("GET", _JOBS + "/{job_id}/download", self._download),
        )

    def authorize(self, request: Request) -> None:
        """Check the bearer token."""
        if request.headers.get("authorization") != f"Bearer {self.credentials['token']}":
            raise HttpError(_error(401, "Authentication failed"))

    def files(self, job: Job) -> Sequence[HeldFile]:
        """Return the parts of a job's result, in order."""
        columns = tuple(job.request["fields"]) or _COLUMNS
        return [
            HeldFile(
                self.label,
                job.id,
                job.timeline.ended,
                f"{job.kind}-part-{part}.csv",
                "text/csv",
                Recipe(table_csv, f"{job.key}/{part}", columns),
            )
            for part in range(1, _PARTS.get(job.kind, 1) + 1)
        ]

    def throttled(self) -> Response:
        """Return a 429."""
        return _error(429, "Rate limit exceeded")

    def broken(self) -> Response:
        """Return a 500."""
        return _error(500, "Internal server error")

    def unknown(self) -> Response:
        """Return a 404."""
        return _error(404, "Not found")

    async def _create(self, request: Request) -> Response:
        body = await json_object(request) or {}
        if body.get("entity_type") not in _ENTITIES or body.get("format", "csv") != "csv":
            raise HttpError(_error(400, "Invalid request - check entity type and field names"))
        asked: Json = {"fields": body.get("fields") or [], "filters": body.get("filters") or {}}
        job = self.book.open(body["entity_type"], request=asked)
        return JSONResponse(self._describe(self.look(request, job=job)), 202)

    async def _list(self, request: Request) -> Response:
        offset, limit = _count(request, "offset", default=0), _count(request, "limit", default=25)
        wanted = request.query_params.get("status")
        looks = (self.look(request, job=job) for job in self.book.all())
        jobs = [look for look in looks if wanted in {None, look.status}]
        page = [self._describe(look) for look in jobs[offset : offset + limit]]
        return JSONResponse({"jobs": page, "total": len(jobs)})

    async def _status(self, request: Request) -> Response:
        return JSONResponse(self._describe(self.look(request, job=self._find(request))))

    async def _cancel(self, request: Request) -> Response:
        job = self._find(request)
        if not job.timeline.is_active(self.world.clock.now()):
            raise HttpError(_error(409, "Job cannot be cancelled (already completed or failed)"))
        return JSONResponse(self._describe(self.look(request, job=self.book.cancel(job))))

    async def _download(self, request: Request) -> Response:
        """Redirect to the signed link of a part; parts are counted from 1."""
        job = self._find(request)
        part = _count(request, "part", default=1)
        files = self.files(job) if self.book.state(job) is JobState.done else ()
        if not 1 <= part <= len(files):
            raise HttpError(_error(404, "Export job not found or not yet completed"))
        return Response(status_code=302, headers={"Location": self._link(files[part - 1]).url})

    def _find(self, request: Request) -> Job:
        job = self.book.find(request.path_params["job_id"])
        if job is None:
            raise HttpError(_error(404, "Export job not found"))
        return job

    def _link(self, file: HeldFile) -> Link:
        return self.world.link(file.path, scheme=Scheme.amazon, lifetime=_LINK_LIFETIME)

    def _describe(self, snapshot: Snapshot) -> Json:
        """Describe a job; the schema allows no null, so what is not known yet is left out."""
        job, state = snapshot.job, snapshot.state
        body: Json = {
            "id": job.id,
            "entity_type": job.kind,
            "status": snapshot.status,
            "fields": job.request["fields"],
            "filters": job.request["filters"],
            "created_at": zulu(job.timeline.created),
        }
        if state in {JobState.done, JobState.failed}:
            body["completed_at"] = zulu(job.timeline.ended)
        if state is JobState.failed:
            body["error_message"] = "The export could not be written."
        return body | self._result(job) if state is JobState.done else body

    def _result(self, job: Job) -> Json:
        files = self.files(job)
        link = self._link(files[0])
        return {
            "record_count": sum(file.facts.records for file in files),
            "file_size_bytes": sum(file.facts.size for file in files),
            "file_parts": len(files),
            "download_url": link.url,
            "expires_at": zulu(link.validity.end),
        }


def _count(request: Request, name: str, *, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal():
        raise HttpError(_error(400, f"Invalid {name}"))
    return int(text)


def _error(status: int, message: str) -> Response:
    # Seed 001 and its OpenAPI name the statuses and their texts, but no error body.
    return JSONResponse({"message": message}, status)

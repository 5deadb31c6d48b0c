"""SodiumHQ's client export, whose job is seed 004's CsvExportJobDto (VENDORS.md section 3)."""

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
from exportjobs.sandbox._times import naive
from exportjobs.sandbox._world import World

_EXPORTS: Final = "/tenants/{tenant}/clients/export/csv"
_TENANT: Final = "ACME"
_LINK_LIFETIME: Final = timedelta(hours=24)
# https://sodiumhq.com/docs/api/operations/clients-csv-export/: "waits up to 10 seconds".
_MAX_WAIT_SECONDS: Final = 10.0
_PROPERTIES: Final = frozenset({"mappingCode", "columnMappings", "includeHeaders", "filter"})
_STATUSES: Final = frozenset({"Active", "Inactive", "Prospect", "LostProspect"})
# Some of the 75 values of targetField in .../schemas/csvcolumnmappingdto.html.
_COLUMNS: Final = (
    "Name",
    "Code",
    "Type",
    "Status",
    "Email",
    "Telephone",
    "InternalReference",
    "Utr",
)


class CsvExport(Api):
    """One tenant's client exports."""

    vendor = "csv"
    statuses: Mapping[JobState, str] = {
        JobState.queued: "Queued",
        JobState.running: "InProgress",
        JobState.done: "Completed",
        JobState.failed: "Failed",
        JobState.cancelled: "Cancelled",
    }

    def __init__(self, world: World) -> None:
        """Serve the tenant ACME."""
        super().__init__(world, label="csv", folder="sodium")

    @property
    def credentials(self) -> Mapping[str, str]:
        """The API key, and the tenant that is part of every path."""
        key = _draw.alphanumeric(f"{self.world.seed}/{self.label}/key", length=40)
        return {"api_key": key, "tenant": _TENANT}

    def make_id(self, key: str) -> str:
        """Return a job code."""
        return f"exp_{_draw.hexadecimal(f'{key}/id', length=16)}"

    def operations(self) -> Sequence[Operation]:
        """Return the two operations there are: no list, no cancel."""
        return (
            Operation("POST", _EXPORTS, self._start, RequestKind.submit),
            Operation("GET", _EXPORTS + "/{job_id}", self._status, RequestKind.poll),
        )

    def authorize(self, request: Request) -> None:
        """Check the key and that the tenant is the key's own."""
        if request.headers.get("x-api-key") != self.credentials["api_key"]:
            raise HttpError(_error(401, "Invalid or missing API key"))
        if request.path_params["tenant"] != _TENANT:
            raise HttpError(_error(403, "The key does not belong to this tenant."))

    def files(self, job: Job) -> Sequence[HeldFile]:
        """Return the one CSV file."""
        asked = job.request
        return (
            HeldFile(
                self.label,
                job.id,
                job.timeline.ended,
                f"clients-{job.id}.csv",
                "text/csv",
                Recipe(table_csv, job.key, asked["columns"], has_header=asked["header"]),
                is_attachment=True,
            ),
        )

    def throttled(self) -> Response:
        """Return a 429; the vendor publishes no rate limits and no error body."""
        return _error(429, "Too many requests")

    def broken(self) -> Response:
        """Return a 500."""
        return _error(500, "An error occurred while processing your request.")

    def unknown(self) -> Response:
        """Return a 404."""
        return _error(404, "Not found")

    async def _start(self, request: Request) -> Response:
        """Open a job and answer in one of the three documented ways, one after the other.

        202 with the job and a relative Location, 201 with the job finished (the vendor waits for
        it), 202 with nothing but an absolute Location.
        """
        job = self.book.open("clients", request=_asked(await json_object(request)))
        path = f"{request.url.path}/{job.id}"
        match job.index % 3:
            case 0:
                return self._answer_started(request, job, location=path)
            case 1:
                await self._wait(job)
                return self._answer_started(request, job, location=path)
            case _:
                return Response(status_code=202, headers={"Location": self.world.api_url + path})

    def _answer_started(self, request: Request, job: Job, *, location: str) -> Response:
        snapshot = self.look(request, job=job)
        status = 201 if snapshot.state is JobState.done else 202
        return JSONResponse(self._describe(snapshot), status, {"Location": location})

    async def _status(self, request: Request) -> Response:
        job = self.book.find(request.path_params["job_id"])
        if job is None:
            raise HttpError(_error(404, "Export job not found"))
        return JSONResponse(self._describe(self.look(request, job=job)))

    async def _wait(self, job: Job) -> None:
        left = (job.timeline.ended - self.world.clock.now()).total_seconds()
        await self.world.clock.sleep(min(left, _MAX_WAIT_SECONDS / self.world.speed))

    def _describe(self, snapshot: Snapshot) -> Json:
        job, timeline = snapshot.job, snapshot.job.timeline
        (file,) = self.files(job)
        total = file.facts.records if snapshot.has_started else None
        url = None
        if snapshot.state is JobState.done:
            url = self.world.link(file.path, scheme=Scheme.azure, lifetime=_LINK_LIFETIME).url
        return {
            "code": job.id,
            "status": snapshot.status,
            "totalItems": total,
            "processedItems": int((total or 0) * timeline.progress(snapshot.now)),
            "downloadUrl": url,
            "startedDate": naive(timeline.started) if snapshot.has_started else None,
            "completedDate": naive(timeline.ended) if snapshot.has_ended else None,
            "createdDate": naive(timeline.created),
        }


def _asked(body: Json | None) -> Json:
    """Return the columns and header a request asks for, by CsvExportRequestDto."""
    if body is None or not _PROPERTIES.issuperset(body):
        raise HttpError(_error(400, "The request body is not a CsvExportRequestDto."))
    if body.get("mappingCode") and body.get("columnMappings"):
        raise HttpError(_error(400, "mappingCode and columnMappings are mutually exclusive."))
    chosen: Json = body.get("filter") or {}
    if not _STATUSES.issuperset(chosen.get("statuses") or ()):
        raise HttpError(_error(400, "The filter names an unknown status."))
    mapped = tuple(mapping.get("csvHeader") for mapping in body.get("columnMappings") or ())
    if not all(mapped):
        raise HttpError(_error(400, "Every column mapping needs a csvHeader."))
    return {"columns": mapped or _COLUMNS, "header": body.get("includeHeaders", True)}


def _error(status: int, message: str) -> Response:
    # The vendor documents no error body; its one public client reads `message` (section 3).
    return JSONResponse({"message": message}, status)

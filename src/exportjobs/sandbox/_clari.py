"""Clari's bulk export framework (seed 002 is its OpenAPI; VENDORS.md section 4)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from attrs import evolve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from exportjobs.sandbox import _draw
from exportjobs.sandbox._api import Api, Operation
from exportjobs.sandbox._clari_dialects import Dialect, Kind, file_name
from exportjobs.sandbox._clari_errors import activity_error, audit_error, error, gateway_error
from exportjobs.sandbox._content import (
    HeldFile,
    Recipe,
    activity_json,
    audit_json,
    forecast_json,
    table_csv,
)
from exportjobs.sandbox._faults import RequestKind
from exportjobs.sandbox._http import HttpError, Json, json_object
from exportjobs.sandbox._jobs import Job, Snapshot
from exportjobs.sandbox._timeline import JobState
from exportjobs.sandbox._world import World

_CURRENT_QUARTER: Final = "2024_Q3"
_QUOTA_WINDOW: Final = timedelta(days=30)
_FORMATS: Final = ("JSON", "CSV")
_TYPES: Final = frozenset(
    {"forecast", "quota", "forecast_updated", "adjustment", "crm_total", "crm_closed"}
)
_ACTIVITIES: Final = frozenset(
    {"MEETING", "EMAIL_SENT", "EMAIL_RECEIVED", "ATTACHMENT_SENT", "ATTACHMENT_RECEIVED"}
)
_SESSIONS: Final = frozenset({"WEB", "IOS", "ANDROID"})
# The header of the result's example in seed 002, /export/jobs/{jobId}/results.
_FORECAST_COLUMNS: Final = (
    "User",
    "Email",
    "CRM User ID",
    "Role",
    "Parent Role",
    "Timeframe",
    "Field",
    "Week",
    "Start Day",
    "End Day",
    "Data Type",
    "Data Value",
)
_MAKERS: Final = {
    Kind.forecast: forecast_json,
    Kind.audit: audit_json,
    Kind.activity: activity_json,
}


class Clari(Api):
    """Clari, in one of the dialects that are known of its API."""

    vendor = "clari"
    root = "/v4"

    def __init__(
        self, world: World, *, label: str, dialect: Dialect, concurrency: int, monthly_quota: int
    ) -> None:
        """Serve an organization with these limits."""
        super().__init__(world, label=label, folder=label)
        self.statuses = dialect.statuses
        self._dialect = dialect
        self._concurrency = concurrency
        self._monthly_quota = monthly_quota
        self._is_crowded = False
        self._downloads: Counter[str] = Counter()

    @property
    def credentials(self) -> Mapping[str, str]:
        """The API key."""
        return {"api_key": _draw.hexadecimal(f"{self.world.seed}/{self.label}/key", length=32)}

    def make_id(self, key: str) -> str:
        """Return a job id such as 6073683781a6da229df71e00."""
        return _draw.hexadecimal(f"{key}/id", length=24)

    def operations(self) -> Sequence[Operation]:
        """Return the export framework, its three submitting operations and the limits."""
        submit = RequestKind.limited_submit
        return (
            Operation("POST", "/export/forecast/{forecast_id}", self._export_forecast, submit),
            Operation("POST", "/export/audit/events", self._export_audit, submit),
            Operation("POST", "/export/activity", self._export_activity, submit),
            Operation("GET", "/export/jobs", self._list, RequestKind.list),
            Operation("GET", "/export/jobs/{job_id}", self._status, RequestKind.poll),
            Operation("PATCH", "/export/jobs/{job_id}", self._cancel),
            Operation("GET", "/export/jobs/{job_id}/results", self._results, RequestKind.download),
            Operation("GET", "/admin/limits", self._limits),
        )

    def look(self, request: Request, *, job: Job) -> Snapshot:
        """Return a job as it is now; one that was cancelled while running is aborted."""
        snapshot = super().look(request, job=job)
        if snapshot.state is JobState.cancelled and job.timeline.has_run:
            return evolve(snapshot, status=self._dialect.aborted)
        return snapshot

    def authorize(self, request: Request) -> None:
        """Check the apikey header."""
        if request.headers.get("apikey") != self.credentials["api_key"]:
            raise HttpError(gateway_error("Invalid authentication credentials", status=401))

    def files(self, job: Job) -> Sequence[HeldFile]:
        """Return the one file every Clari job has."""
        is_table = job.request["format"] == "CSV"
        make = table_csv if is_table else _MAKERS[Kind(job.kind)]
        period = job.request.get("period", "")
        recipe = Recipe(make, job.key, _FORECAST_COLUMNS if is_table else (), period=period)
        media_type = "text/csv" if is_table else "application/json"
        written = job.timeline.ended
        return (HeldFile(self.label, job.id, written, file_name(job), media_type, recipe),)

    def throttled(self) -> Response:
        """Return the gateway's 429."""
        return gateway_error("API rate limit exceeded", status=429)

    def broken(self) -> Response:
        """Return the application's 500."""
        message = "An unexpected error occurred."
        return error("internal_server_error", message=message, status=500)

    def full(self) -> Response:
        """Refuse a job as if other clients had all the slots; the limits say so once."""
        self._is_crowded = True
        return self._quota_reached()

    def unknown(self) -> Response:
        """Return the answer of the Kong gateway for a path without a route."""
        return gateway_error("no Route matched with those values", status=404)

    async def _export_forecast(self, request: Request) -> Response:
        # Every parameter may come in the query as well as in the body.
        query: Json = dict(request.query_params)
        if "typesToExport" in query:
            query["typesToExport"] = request.query_params.getlist("typesToExport")
        body = query | await self._parameters(request)
        _check_forecast(body)
        asked = {
            "forecast_id": request.path_params["forecast_id"],
            "format": body.get("exportFormat", "JSON"),
            "period": body.get("timePeriod", _CURRENT_QUARTER),
            "currency": body.get("currency", "USD"),
        }
        return self._submit(Kind.forecast, asked, status=self._dialect.forecast_status)

    async def _export_audit(self, request: Request) -> Response:
        body = await self._parameters(request)
        if body.get("sessionType", "WEB") not in _SESSIONS:
            raise HttpError(audit_error("Unknown session type.", target="sessionType"))
        return self._submit(Kind.audit, {"format": "JSON"}, status=202)

    async def _export_activity(self, request: Request) -> Response:
        body = await self._parameters(request)
        if body.get("exportFormat", "JSON") != "JSON":
            raise HttpError(activity_error("exportFormat must be JSON."))
        if not _ACTIVITIES.issuperset(body.get("activityTypes") or ()):
            raise HttpError(activity_error("Unsupported activityTypes."))
        return self._submit(Kind.activity, {"format": "JSON"}, status=202)

    async def _parameters(self, request: Request) -> Json:
        body = await json_object(request)
        if body is None:
            text = (await request.body()).decode(errors="replace")
            raise HttpError(_bad_request(f"The request body was malformed: {text}"))
        return {name: value for name, value in body.items() if value is not None}

    def _submit(self, kind: Kind, asked: Json, *, status: int) -> Response:
        self._is_crowded = False
        if not self._free_slots() or not self._free_quota():
            return self._quota_reached()
        return JSONResponse({"jobId": self.book.open(kind, request=asked).id}, status)

    async def _list(self, request: Request) -> Response:
        jobs = [self._describe(self.look(request, job=job)) for job in self.book.all()]
        envelope = self._dialect.list_envelope
        return JSONResponse({envelope: jobs} if envelope else jobs)

    async def _status(self, request: Request) -> Response:
        body = self._describe(self.look(request, job=self._find(request)))
        envelope = self._dialect.job_envelope
        return JSONResponse({envelope: body} if envelope else body)

    async def _cancel(self, request: Request) -> Response:
        job = self._find(request)
        body = await self._parameters(request)
        if body.get("type") != "CANCEL":
            raise HttpError(error("bad_request", message="The type of the update is invalid."))
        if not job.timeline.is_active(self.world.clock.now()):
            message = "Cannot cancel the job because it already finished executing."
            raise HttpError(error("export_failed_to_cancel", message=message))
        cancelled = self.look(request, job=self.book.cancel(job))
        return JSONResponse({"status": cancelled.status, "successful": True})

    async def _results(self, request: Request) -> Response:
        job = self.book.find(request.path_params["job_id"])
        if job is None or self.book.state(job) is not JobState.done:
            message = "Cannot retrieve data for job because it has not finished executing."
            raise HttpError(error("invalid_jobId", message=message))
        self._downloads[job.id] += 1
        (file,) = self.files(job)
        headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
        return Response(file.body, headers=headers, media_type=file.media_type)

    async def _limits(self, _request: Request) -> Response:
        running = [job.id for job in self.book.active()]
        if self._is_crowded:
            running = [self.make_id(f"stranger/{number}") for number in range(self._concurrency)]
            self._is_crowded = False
        limits = {
            "concurrentLimit": self._concurrency,
            "monthlyQuota": self._monthly_quota,
            "submittedJobIds": self._submitted(),
            "availableConcurrentLimit": self._concurrency - len(running),
            "availableMonthlyQuota": self._free_quota(),
        }
        return JSONResponse({"jobs": {**limits, "runningJobIds": running} if running else limits})

    def _find(self, request: Request) -> Job:
        job = self.book.find(request.path_params["job_id"])
        if job is None:
            # The OpenAPI declares no 404 here; its generic exception is all that is left.
            raise HttpError(error("SWW", message="Something went wrong"))
        return job

    def _describe(self, snapshot: Snapshot) -> Json:
        return self._dialect.describe(snapshot, self._downloads[snapshot.job.id])

    def _free_slots(self) -> int:
        return self._concurrency - len(self.book.active())

    def _free_quota(self) -> int:
        return max(0, self._monthly_quota - len(self._submitted()))

    def _submitted(self) -> list[str]:
        """Return the jobs that count towards the quota, which cancelled ones do not."""
        since = self.world.clock.now() - _QUOTA_WINDOW
        return [
            job.id
            for job in self.book.all()
            if job.timeline.created > since and self.book.state(job) is not JobState.cancelled
        ]

    def _quota_reached(self) -> Response:
        message = (
            f"The monthly quota limit of {self._monthly_quota} or concurrent limit of "
            f"{self._concurrency} has been reached."
        )
        return error("export_monthly_quota_reached", message=message, source="Export")


def _check_forecast(body: Json) -> None:
    invalid = [name for name in body.get("typesToExport", ()) if name not in _TYPES]
    if invalid:
        raise HttpError(_bad_request(f"The following typesToExport values are invalid: {invalid}"))
    form = body.get("exportFormat", "JSON")
    if form not in _FORMATS:
        raise HttpError(_bad_request(f"The exportFormat {form} is invalid."))


def _bad_request(message: str) -> Response:
    return error("bad_request", namespace="fcw", message=message)

"""Demandbase's Data Export API as the vendor publishes it (VENDORS.md sections 1.3 to 1.5)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from exportjobs.sandbox import _demandbase_requests as requests
from exportjobs.sandbox import _draw
from exportjobs.sandbox._api import Api, Operation
from exportjobs.sandbox._content import HeldFile, Recipe, table_csv, table_json
from exportjobs.sandbox._demandbase_requests import error
from exportjobs.sandbox._demandbase_tokens import TokenService
from exportjobs.sandbox._faults import RequestKind
from exportjobs.sandbox._http import HttpError, Json, json_object
from exportjobs.sandbox._jobs import Job, Snapshot
from exportjobs.sandbox._signing import Scheme
from exportjobs.sandbox._timeline import JobState
from exportjobs.sandbox._times import zulu
from exportjobs.sandbox._world import World

_EXPORT: Final = "/data/export/v1"
# The export API states no lifetime; its sibling B2B API says 24 hours
# (https://developer.demandbase.com/reference/getbulkjobstatus).
_LINK_LIFETIME: Final = timedelta(hours=24)
_CONCURRENT_JOBS: Final = 1
# Only the official SDK's model knows of several files, as `resultsUrls` (section 1.3).
_PARTS: Final = {"account": 2, "activity": 3}
_FAILURE: Final = "Error processing job. Please try again later."
_COLUMNS: Final = ("{Account}.id", "{Account}.name", "{Account}.industry", "{Account}.domain")


class Demandbase(Api):
    """One API key set's exports: one job at a time, no cancelling, no downloads of its own."""

    vendor = "demandbase"
    statuses: Mapping[JobState, str] = {
        JobState.queued: "accepted",
        JobState.running: "processing",
        JobState.done: "finished",
        JobState.failed: "failed",
    }

    def __init__(self, world: World) -> None:
        """Serve one API key set."""
        super().__init__(world, label="demandbase", folder="demandbase")
        self._tokens = TokenService(world, credentials=self.credentials)

    @property
    def credentials(self) -> Mapping[str, str]:
        """The API key set."""
        key = f"{self.world.seed}/{self.label}"
        return {
            "client_id": _draw.alphanumeric(f"{key}/client", length=24),
            "client_secret": _draw.alphanumeric(f"{key}/secret", length=48),
        }

    def make_id(self, key: str) -> str:
        """Return a UUID."""
        return _draw.uuid(f"{key}/id")

    def operations(self) -> Sequence[Operation]:
        """Return the token exchange, the three submitting operations, status and list."""
        submit = RequestKind.limited_submit
        token = "/auth/v1/token"  # noqa: S105 - a path
        return (
            Operation("POST", token, self._tokens.issue, RequestKind.token, is_public=True),
            Operation("POST", f"{_EXPORT}/job", self._export, submit),
            Operation("POST", f"{_EXPORT}/accountList/job", self._export_account_lists, submit),
            Operation("POST", f"{_EXPORT}/personList/job", self._export_person_lists, submit),
            Operation("GET", f"{_EXPORT}/jobs", self._list, RequestKind.list),
            Operation("GET", _EXPORT + "/job/{job_id}", self._status, RequestKind.poll),
        )

    def authorize(self, request: Request) -> None:
        """Check the bearer token."""
        if not self._tokens.accepts(request):
            raise HttpError(error("401-100", message="Invalid or expired access token."))

    def files(self, job: Job) -> Sequence[HeldFile]:
        """Return the parts of a job's result, in order."""
        form = job.request["format"]
        make = table_csv if form == "csv" else table_json
        columns = tuple(job.request["fields"]) or _COLUMNS
        return [
            HeldFile(
                self.label,
                job.id,
                job.timeline.ended,
                f"{job.kind}-{part}.{form}",
                "text/csv" if form == "csv" else "application/json",
                Recipe(make, f"{job.key}/{part}", columns),
            )
            for part in range(1, _PARTS.get(job.kind, 1) + 1)
        ]

    def throttled(self) -> Response:
        """Return the 429 for too many requests."""
        return error("429-100", message="Rate limit exceeded.")

    def broken(self) -> Response:
        """Return the temporary 500."""
        return error("500-100", message="Internal server error. Please try again later.")

    def full(self) -> Response:
        """Return the 429 for too many jobs at once."""
        return error("429-102", message="Concurrent export job limit exceeded.")

    def unknown(self) -> Response:
        """Return the 404 for a resource that does not exist."""
        return error("404-301", message="Resource not found.")

    async def _export(self, request: Request) -> Response:
        return self._submit(request, requests.export_job(await json_object(request)))

    async def _export_account_lists(self, request: Request) -> Response:
        return self._submit(request, requests.account_list_job(await json_object(request)))

    async def _export_person_lists(self, request: Request) -> Response:
        return self._submit(request, requests.person_list_job(await json_object(request)))

    def _submit(self, request: Request, asked: Json) -> Response:
        if len(self.book.active()) >= _CONCURRENT_JOBS:
            raise HttpError(self.full())
        job = self.book.open(asked["entity_type"], request=asked)
        body = self._summary(self.look(request, job=job))
        del body["updatedAt"]
        return JSONResponse(body, 202)

    async def _status(self, request: Request) -> Response:
        job = self.book.find(request.path_params["job_id"])
        if job is None:
            raise HttpError(error("404-302", message="Job id invalid"))
        snapshot = self.look(request, job=job)
        failure = _FAILURE if snapshot.state is JobState.failed else None
        body = {**self._summary(snapshot), "resultsUrl": "", "message": failure}
        return JSONResponse(body | self._result(job) if snapshot.state is JobState.done else body)

    async def _list(self, request: Request) -> Response:
        """Answer one page of jobs; items carry no link, which takes a request of its own."""
        page = requests.page(request.query_params)
        looks = (self.look(request, job=job) for job in self.book.all())
        jobs = [summary for look in looks if page.matches(summary := self._summary(look))]
        ordered = jobs if page.is_ascending else jobs[::-1]
        return JSONResponse(
            {
                "pageNo": page.number,
                "pageSize": page.size,
                "data": ordered[(page.number - 1) * page.size : page.number * page.size],
                "totalCount": len(jobs),
            }
        )

    def _summary(self, snapshot: Snapshot) -> Json:
        job = snapshot.job
        return {
            "jobId": job.id,
            "jobName": job.request["name"],
            "entityType": job.kind,
            "jobStatus": snapshot.status,
            "createdAt": zulu(job.timeline.created),
            "updatedAt": zulu(snapshot.changed),
        }

    def _result(self, job: Job) -> Json:
        """Return one link, or for several files the list of links that begins with it."""
        files = self.files(job)
        scheme = Scheme.cloudfront if len(files) == 1 else Scheme.cloudfront_policy
        links = [
            self.world.link(file.path, scheme=scheme, lifetime=_LINK_LIFETIME).url for file in files
        ]
        first: Json = {"resultsUrl": links[0]}
        return first if len(links) == 1 else {**first, "resultsUrls": links}

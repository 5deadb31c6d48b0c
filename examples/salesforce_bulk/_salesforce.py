"""The Salesforce adapter: query jobs of Bulk API 2.0.

Sources: developer.salesforce.com/docs/platform/api-asynch/guide, the pages query-create-job,
query-get-one-job, query-get-job-results, query-abort-job and query-get-all-jobs; the limits in
salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-bulkapi, the error bodies in
api-rest/guide/errorcodes (all read in November 2026).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from exportjobs.adapter import (
    Adapter,
    Artifact,
    Budget,
    ExportJob,
    Flow,
    JobRef,
    MalformedResponse,
    Operation,
    PollPolicy,
    Progress,
    RateLimited,
    Rejected,
    Request,
    ResponseError,
    StatusMap,
    Token,
    credential,
    evolve,
    export,
    field,
    frozen,
    path,
    structure,
)

_STATUSES = StatusMap(
    queued=("Open", "UploadComplete"),
    running=("InProgress",),
    done=("JobComplete",),
    failed=("Failed",),
    cancelled=("Aborted",),
)
# The value of the header Sforce-Locator on the last page (query-get-job-results).
_LAST_PAGE = "null"


@frozen
class _Job:
    """A query job, as in the answer to a poll and in the list of all jobs."""

    id: str
    state: str
    api_version: int
    created_date: datetime | None = None
    system_modstamp: datetime | None = None
    number_records_processed: int | None = None
    error_message: str | None = None


@frozen
class _Jobs:
    records: tuple[Mapping[str, object], ...] = ()
    next_records_url: str | None = None


@frozen
class _Token:
    access_token: str


@frozen
class SalesforceBulk(Adapter):
    """One Salesforce org, by a connected app that may use the client credentials flow.

    An org may submit 10,000 query jobs in 24 hours; their results are kept for seven days.
    """

    vendor: ClassVar[str] = "salesforce-bulk"
    polling: ClassVar[PollPolicy] = PollPolicy(typical_duration=timedelta(minutes=2))
    budgets: ClassVar[tuple[Budget, ...]] = (
        Budget(requests=10_000, per=timedelta(days=1), operation=Operation.SUBMIT),
    )
    error_codes: ClassVar[Mapping[str, type[ResponseError]]] = {
        "REQUEST_LIMIT_EXCEEDED": RateLimited
    }

    client_id: str = field(repr=False, validator=credential)
    client_secret: str = field(repr=False, validator=credential)
    base_url: str = field(kw_only=True)
    version: int = field(default=66, kw_only=True)
    """Salesforce's own API version: 66 is that of Spring '26."""

    def authenticate(self, request: Request) -> Request:
        """Return the request unchanged: the token of `sign_in` is all that it needs."""
        return request

    def sign_in(self) -> Flow[Token]:
        """Exchange the app's id and secret for a token; the answer has no expiry."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        reply = yield Request(method="POST", path="/services/oauth2/token", form=form)
        return Token(reply.body(_Token).access_token)

    @export
    def query(self, soql: str, *, include_deleted: bool = False) -> Flow[ExportJob]:
        """Export the result of a query, as CSV.

        Args:
            soql: The query, such as "SELECT Id, Name FROM Account".
            include_deleted: Whether to include deleted records and archived activities.
        """
        if not soql.strip():
            raise self.invalid("soql", "is empty", "pass a query such as SELECT Id FROM Account")
        body = {"operation": "queryAll" if include_deleted else "query", "query": soql}
        reply = yield Request.post(_jobs(str(self.version)), json=body)
        return self._job(reply.json())

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Request one job's status and, once it is done, the paths of its result's pages."""
        reply = yield Request.get(self._at(ref))
        job = self._job(reply.json())
        if job.status != "done":
            return job
        return evolve(job, artifacts=(yield from self._pages(self._at(ref) + "/results")))

    def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Flow[tuple[ExportJob, ...]]:
        """Request the org's query jobs, in no order, until all wanted ids were listed."""
        found: dict[str, ExportJob] = {}
        next_path: str | None = _jobs(str(self.version)) + "?jobType=V2Query"
        while next_path and not (wanted and wanted <= found.keys()):
            page = (yield Request.get(next_path)).body(_Jobs)
            jobs = (evolve(self._job(record), brief=True) for record in page.records)
            found |= {job.ref.id: job for job in jobs}
            next_path = page.next_records_url
        return tuple(found.values())

    def cancel(self, ref: JobRef) -> Flow[ExportJob]:
        """Abort a job, which is possible while it is queued or running."""
        try:
            reply = yield Request.patch(self._at(ref), json={"state": "Aborted"})
        except Rejected:
            job = yield from self.poll(ref)
            if not job.status.is_terminal:
                raise
            return job
        return self._job(reply.json())

    def _pages(self, results: str) -> Flow[tuple[Artifact, ...]]:
        """Return the pages of a result, by the header that has the next one's locator.

        The pages' bodies are not read. Each is a CSV file of its own, with a row of column names,
        and its path is valid as long as the job exists (query-get-job-results).
        """
        pages: list[str] = []
        next_path = results
        while next_path not in pages:
            pages.append(next_path)
            reply = yield Request.peek(next_path).with_header("Accept", "text/csv")
            locator = reply.headers.get("sforce-locator", _LAST_PAGE)
            if locator == _LAST_PAGE:
                return tuple(
                    Artifact(page, authenticated=True, media_type="text/csv", part=number)
                    for number, page in enumerate(pages, start=1)
                )
            next_path = results + path("?locator={}", locator)
        raise MalformedResponse("the header Sforce-Locator repeats a page @ $")

    def _at(self, ref: JobRef) -> str:
        """Return a job's path: its results are in the API version that created it alone."""
        return _jobs(ref.scope.get("version", str(self.version))) + path("/{}", ref.id)

    def _job(self, raw: object) -> ExportJob:
        body = structure(raw, _Job)
        reading = _STATUSES.read(body.state)
        count = body.number_records_processed
        return ExportJob(
            self.ref(body.id, version=str(body.api_version)),
            reading,
            progress=None if count is None else Progress(count),
            created_at=body.created_date,
            finished_at=body.system_modstamp if reading.status.is_terminal else None,
            record_count=count if reading.status == "done" else None,
            error=body.error_message,
            raw=raw,
        )


def _jobs(version: str) -> str:
    return path("/services/data/v{}.0/jobs/query", version)

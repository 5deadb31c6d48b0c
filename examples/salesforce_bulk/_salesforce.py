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
# What stands in the header that leads to the next page where there is none: the word itself
# (query-get-job-results).
_NO_MORE = "null"


@frozen
class _Job:
    """A query job, as its own page and the list of all jobs describe it."""

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

    An org may start 10,000 query jobs in 24 hours; their results are kept for seven days.
    """

    vendor: ClassVar[str] = "salesforce-bulk"
    api_version: ClassVar[int] = 1
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
        """Return the request as it is: the token from signing in is all that it needs."""
        return request

    def sign_in(self) -> Flow[Token]:
        """Trade the app's id and secret for a token, which does not say how long it lasts."""
        asked = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        reply = yield Request(method="POST", path="/services/oauth2/token", form=asked)
        return Token(reply.body(_Token).access_token)

    @export
    def query(self, soql: str, *, include_deleted: bool = False) -> Flow[ExportJob]:
        """Export what a query finds, as CSV.

        Args:
            soql: The query, such as "SELECT Id, Name FROM Account".
            include_deleted: Whether to find deleted records and archived activities too.
        """
        if not soql.strip():
            raise self.invalid("soql", "is empty", "pass a query such as SELECT Id FROM Account")
        asked = {"operation": "queryAll" if include_deleted else "query", "query": soql}
        reply = yield Request.post(_jobs(str(self.version)), json=asked)
        return self._job(reply.json())

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one job's status and, once it is done, for the addresses of its pages."""
        reply = yield Request.get(self._at(ref))
        job = self._job(reply.json())
        if job.status != "done":
            return job
        return evolve(job, artifacts=(yield from self._pages(self._at(ref) + "/results")))

    def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Flow[tuple[ExportJob, ...]]:
        """Ask for the org's query jobs, in no order, until all the wanted ones were seen."""
        found: dict[str, ExportJob] = {}
        following: str | None = _jobs(str(self.version)) + "?jobType=V2Query"
        while following and not (wanted and wanted <= found.keys()):
            page = (yield Request.get(following)).body(_Jobs)
            jobs = (evolve(self._job(record), brief=True) for record in page.records)
            found |= {job.ref.id: job for job in jobs}
            following = page.next_records_url
        return tuple(found.values())

    def cancel(self, ref: JobRef) -> Flow[ExportJob]:
        """Abort a job, which is possible for as long as it is queued or running."""
        try:
            reply = yield Request.patch(self._at(ref), json={"state": "Aborted"})
        except Rejected:
            job = yield from self.poll(ref)
            if not job.status.is_terminal:
                raise
            return job
        return self._job(reply.json())

    def _pages(self, results: str) -> Flow[tuple[Artifact, ...]]:
        """Follow the header that leads from page to page; no page is read for it.

        Each is a CSV file of its own, as the row of headings is repeated. A page stays where it is
        for as long as there is the job (query-get-job-results).
        """
        pages: list[str] = []
        following = results
        while following not in pages:
            pages.append(following)
            reply = yield Request.peek(following).with_header("Accept", "text/csv")
            locator = reply.headers.get("sforce-locator", _NO_MORE)
            if locator == _NO_MORE:
                return tuple(
                    Artifact(page, authenticated=True, media_type="text/csv", part=number)
                    for number, page in enumerate(pages, start=1)
                )
            following = results + path("?locator={}", locator)
        raise MalformedResponse("a Sforce-Locator that leads in a circle @ $")

    def _at(self, ref: JobRef) -> str:
        """Return a job's path: results have to be asked for in the version that made the job."""
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

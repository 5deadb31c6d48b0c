"""The adapter of an older description of Demandbase's exports, at api.demandbase.com/export/v1.

Source: the ExportJob schema and the OpenAPI fragment that are published under Demandbase's name, on
apis.io for example (read in August 2026). The vendor's own documentation describes another API: use
`Demandbase` for that one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from exportjobs.adapter import (
    Adapter,
    Artifact,
    Export,
    ExportJob,
    Flow,
    JobRef,
    MalformedResponse,
    PollPolicy,
    QuotaExceeded,
    RateLimited,
    Rejected,
    Request,
    StatusMap,
    credential,
    export,
    field,
    frozen,
    is_object,
    path,
    structure,
)

Filters = Mapping[str, object]

_JOBS = "/export/v1/jobs"
_PAGE = 100
_CONFLICT = 409
_MOST_PARTS = 10_000
_STATUSES = StatusMap(
    queued=("pending",),
    running=("processing",),
    done=("completed",),
    failed=("failed",),
    cancelled=("cancelled",),
)


@frozen
class _Job:
    id: str
    status: str
    record_count: int | None = None
    file_size_bytes: int | None = None
    file_parts: int | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    error_message: str | None = None


@frozen
class _Page:
    jobs: tuple[Mapping[str, object], ...] = ()
    total: int = 0


@frozen
class DemandbaseV1(Adapter):
    """One account, by its bearer token."""

    vendor: ClassVar[str] = "demandbase-v1"
    statuses: ClassVar[StatusMap] = _STATUSES
    polling: ClassVar[PollPolicy] = PollPolicy(typical_duration=timedelta(minutes=5))

    token: str = field(repr=False, validator=credential)
    base_url: str = field(default="https://api.demandbase.com", kw_only=True)

    def authenticate(self, request: Request) -> Request:
        """Return the request with the bearer token."""
        return request.with_header("Authorization", f"Bearer {self.token}")

    @export
    def accounts(
        self, *, fields: Sequence[str] | None = None, filters: Filters | None = None
    ) -> Flow[ExportJob]:
        """Export accounts.

        Args:
            fields: Names of fields; all of them if not given.
            filters: Such as `{"date_range": {"field": "created", "start": "2026-01-01", "end":
                "2026-03-31"}, "account_list_id": "42"}`.
        """
        return (yield from self._submit("accounts", fields, filters))

    @export
    def people(
        self, *, fields: Sequence[str] | None = None, filters: Filters | None = None
    ) -> Flow[ExportJob]:
        """Export people.

        Args:
            fields: Names of fields; all of them if not given.
            filters: Such as `{"date_range": {"field": "created", "start": "2026-01-01", "end":
                "2026-03-31"}}`; no condition if not given.
        """
        return (yield from self._submit("people", fields, filters))

    @export
    def opportunities(
        self, *, fields: Sequence[str] | None = None, filters: Filters | None = None
    ) -> Flow[ExportJob]:
        """Export opportunities.

        Args:
            fields: Names of fields; all of them if not given.
            filters: Such as `{"date_range": {"field": "created", "start": "2026-01-01", "end":
                "2026-03-31"}}`; no condition if not given.
        """
        return (yield from self._submit("opportunities", fields, filters))

    @export
    def activities(
        self, *, fields: Sequence[str] | None = None, filters: Filters | None = None
    ) -> Flow[ExportJob]:
        """Export activities.

        Args:
            fields: Names of fields; all of them if not given.
            filters: Such as `{"date_range": {"field": "created", "start": "2026-01-01", "end":
                "2026-03-31"}}`; no condition if not given.
        """
        return (yield from self._submit("activities", fields, filters))

    @export
    def campaigns(
        self, *, fields: Sequence[str] | None = None, filters: Filters | None = None
    ) -> Flow[ExportJob]:
        """Export campaigns.

        Args:
            fields: Names of fields; all of them if not given.
            filters: Such as `{"date_range": {"field": "created", "start": "2026-01-01", "end":
                "2026-03-31"}}`; no condition if not given.
        """
        return (yield from self._submit("campaigns", fields, filters))

    @export
    def buying_groups(
        self, *, fields: Sequence[str] | None = None, filters: Filters | None = None
    ) -> Flow[ExportJob]:
        """Export buying groups.

        Args:
            fields: Names of fields; all of them if not given.
            filters: Such as `{"date_range": {"field": "created", "start": "2026-01-01", "end":
                "2026-03-31"}}`; no condition if not given.
        """
        return (yield from self._submit("buying_groups", fields, filters))

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Request one job's status."""
        reply = yield Request.get(_JOBS + path("/{}", ref.id))
        return self._job(reply.json())

    def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Flow[tuple[ExportJob, ...]]:
        """Request many jobs, page by page until all wanted ids were listed."""
        jobs: dict[str, ExportJob] = {}
        offset = 0
        while True:
            params = {"limit": _PAGE, "offset": offset}
            reply = yield Request.get(_JOBS, params=params)
            page = reply.body(_Page)
            jobs |= {job.ref.id: job for job in map(self._job, page.jobs)}
            listed_all = bool(wanted) and wanted <= jobs.keys()
            offset += len(page.jobs)
            if listed_all or not page.jobs or offset >= page.total:
                break
        return tuple(jobs.values())

    def matches_export(self, job: ExportJob, export: Export) -> bool | None:
        """Return False if a listed job is of another entity type, else None.

        The list says neither fields nor filters, so that the same type proves nothing.
        """
        found = job.raw.get("entity_type") if is_object(job.raw) else ""
        return None if found in {None, export.kind} else False

    def cancel(self, ref: JobRef) -> Flow[ExportJob]:
        """Cancel a job."""
        try:
            reply = yield Request.delete(_JOBS + path("/{}", ref.id))
        except Rejected as refusal:
            if refusal.http_status != _CONFLICT:
                raise
            return (yield from self.poll(ref))
        return self._job(reply.json())

    def _submit(
        self, entity: str, fields: Sequence[str] | None, filters: Filters | None
    ) -> Flow[ExportJob]:
        body = {"entity_type": entity, "fields": fields, "filters": filters, "format": "csv"}
        try:
            reply = yield Request.post(_JOBS, json=body)
        except RateLimited as refusal:
            # The description has one meaning of a 429 after a submit: the daily quota of 10 GB. But
            # an answer with Retry-After is a rate limit.
            if refusal.retry_after is not None:
                raise
            reason = f"the daily quota of 10 GB is used up ({refusal.reason})"
            raise QuotaExceeded(reason, http_status=refusal.http_status) from refusal
        return self._job(reply.json())

    def _job(self, raw: object) -> ExportJob:
        body = structure(raw, _Job)
        reading = _STATUSES.read(body.status)
        if not 0 <= (body.file_parts or 0) <= _MOST_PARTS:
            raise MalformedResponse(f"expected 0 to {_MOST_PARTS} parts @ $.file_parts")
        ref = self.ref(body.id)
        return ExportJob(
            ref,
            reading,
            created_at=body.created_at,
            finished_at=body.completed_at,
            artifacts=_parts(body) if reading.status == "done" else (),
            record_count=body.record_count,
            size=body.file_size_bytes,
            error=body.error_message,
            raw=raw,
        )


def _parts(body: _Job) -> tuple[Artifact, ...]:
    """Return a job's parts at the download endpoint, which redirects to a new signed URL.

    The job's own `download_url` is that of the first part alone.
    """
    several = (body.file_parts or 1) > 1
    url_path = _JOBS + path("/{}/download", body.id)
    return tuple(
        Artifact(
            f"{url_path}?part={part}",
            authenticated=True,
            media_type="text/csv",
            size=None if several else body.file_size_bytes,
            expires_at=body.expires_at,
            part=part,
        )
        for part in range(1, (body.file_parts or 1) + 1)
    )

"""The Closient adapter.

Sources: docs.closient.com/api-reference/dashboard/data-export, /rate-limits and /authentication
(read in August 2026).
"""

import re
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from exportjobs.adapter import (
    Adapter,
    Artifact,
    Budget,
    ExportJob,
    Flow,
    JobRef,
    PollPolicy,
    Request,
    Response,
    StatusMap,
    credential,
    export,
    field,
    frozen,
    path,
)

_SHORT_UUID = re.compile(
    r"[23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz]{22}", re.ASCII
)
_STATUSES = StatusMap(
    queued=("pending",), running=("processing",), done=("completed",), failed=("failed",)
)
_MEDIA_TYPES = {"zip": "application/zip", "tar.gz": "application/gzip"}


@frozen
class _Section:
    """A section of the organization's data; the values of its status are not published."""

    key: str
    status: str | None = None
    error: str | None = None


@frozen
class _Job:
    job_id: str
    status: str
    archive_format: str | None = None
    file_size_bytes: int = 0
    output_filename: str | None = None
    download_url: str | None = None
    expires_at: datetime | None = None
    sections: tuple[_Section, ...] = ()
    error: str | None = None


@frozen
class Closient(Adapter):
    """One API key at Closient. Its jobs can neither be listed nor cancelled."""

    vendor: ClassVar[str] = "closient"
    statuses: ClassVar[StatusMap] = _STATUSES
    scope: ClassVar[tuple[str, ...]] = ("organization_id",)
    polling: ClassVar[PollPolicy] = PollPolicy(typical_duration=timedelta(minutes=2))
    # Per API key (docs.closient.com/rate-limits, read in August 2026).
    budgets: ClassVar[tuple[Budget, ...]] = (
        Budget(requests=300, per=timedelta(minutes=1)),
        Budget(requests=10_000, per=timedelta(days=1)),
    )

    api_key: str = field(repr=False, validator=credential)
    base_url: str = field(default="https://www.closient.com", kw_only=True)

    def authenticate(self, request: Request) -> Request:
        """Return the request with the header `X-API-Key`."""
        return request.with_header("X-API-Key", self.api_key)

    @export
    def organization(
        self, organization_id: str, *, archive_format: Literal["zip", "tar.gz"] = "zip"
    ) -> Flow[ExportJob]:
        """Export an organization's data as an archive of YAML files and binary assets.

        A job may be done although some of its sections failed; each of those is a warning.

        Args:
            organization_id: The organization's id, of 22 characters.
            archive_format: The format of the archive.
        """
        if not _SHORT_UUID.fullmatch(organization_id):
            raise self.invalid(
                "organization_id",
                f"{organization_id!r} is not a valid id",
                "pass the 22 characters from the dashboard's URL; none of them is 0, 1, I, O or l",
            )
        # Zip is the vendor's default. It is not sent, because the copies of the documentation that
        # we could read leave out the parameter's name: sending a wrong one could be an error.
        params = None if archive_format == "zip" else {"archive_format": archive_format}
        url_path = path("/dashboard/api/v1/data-export/{}", organization_id)
        reply = yield Request.post(url_path, params=params)
        return self._job(reply, organization_id)

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Request one job's status; the answer may replace a signed URL that has expired."""
        organization_id = ref.scope.get("organization_id", "")
        url_path = path("/dashboard/api/v1/data-export/{}/{}", organization_id, ref.id)
        reply = yield Request.get(url_path)
        return self._job(reply, organization_id)

    def _job(self, reply: Response, organization_id: str) -> ExportJob:
        body = reply.body(_Job)
        return ExportJob(
            self.ref(body.job_id, organization_id=organization_id),
            _STATUSES.read(body.status),
            artifacts=_archive(body),
            size=body.file_size_bytes or None,
            error=body.error,
            warnings=tuple(f"section {s.key}: {s.error}" for s in body.sections if s.error),
            raw=reply.json(),
        )


def _archive(body: _Job) -> tuple[Artifact, ...]:
    if not body.download_url:
        return ()
    archive = Artifact(
        body.download_url,
        name=body.output_filename or f"export.{body.archive_format or ''}".rstrip("."),
        media_type=_MEDIA_TYPES.get(body.archive_format or ""),
        size=body.file_size_bytes or None,
        expires_at=body.expires_at,
    )
    return (archive,)

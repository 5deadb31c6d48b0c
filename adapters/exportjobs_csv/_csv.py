"""The adapter of SodiumHQ's CSV-export API, whose jobs are of the schema CsvExportJobDto.

Sources: sodiumhq.com/docs/api, the operations "Clients - CSV Export" and the schemas
CsvExportJobDto, CsvExportRequestDto and SavedClientFilterDto (read in August 2026).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from exportjobs.adapter import (
    Adapter,
    Artifact,
    ExportJob,
    Flow,
    JobRef,
    MalformedResponse,
    PollPolicy,
    Progress,
    Request,
    Response,
    StatusMap,
    credential,
    export,
    field,
    frozen,
    path,
)

_STATUSES = StatusMap(
    queued=("Queued",),
    running=("InProgress",),
    done=("Completed",),
    failed=("Failed",),
    cancelled=("Cancelled",),
)
# The vendor delays its answer to a submit by up to 10 s, to answer with the finished job if it can.
_SUBMIT_TIMEOUT = timedelta(seconds=40)


@frozen
class _Job:
    """A CsvExportJobDto. Times are UTC, with or without a Z."""

    code: str
    status: str
    total_items: int | None = None
    processed_items: int | None = None
    download_url: str | None = None
    created_date: datetime | None = None
    started_date: datetime | None = None
    completed_date: datetime | None = None


@frozen
class CsvExport(Adapter):
    """One tenant of the CSV-export API. Its jobs can neither be listed nor cancelled."""

    vendor: ClassVar[str] = "csv"
    statuses: ClassVar[StatusMap] = _STATUSES
    polling: ClassVar[PollPolicy] = PollPolicy(typical_duration=timedelta(seconds=30))

    api_key: str = field(repr=False, validator=credential)
    tenant: str
    base_url: str = field(default="https://api.sodiumhq.com", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Check the tenant.

        Raises:
            InvalidArgument: If its code is blank, or would change the path of a request.
        """
        super().__attrs_post_init__()
        if not self.tenant.strip(". "):
            raise self.invalid("tenant", "is not a valid code", "pass the tenant's code")

    def authenticate(self, request: Request) -> Request:
        """Return the request with the header `x-api-key`."""
        return request.with_header("x-api-key", self.api_key)

    @export
    def clients(
        self,
        *,
        filter: Mapping[str, object] | None = None,  # noqa: A002 - the vendor's own word
        mapping_code: str | None = None,
        column_mappings: Sequence[Mapping[str, str]] | None = None,
        include_headers: bool = True,
    ) -> Flow[ExportJob]:
        """Export clients as a CSV file.

        Args:
            filter: Which clients, such as `{"statuses": ["Active"], "managerCodes": ["M1"]}`; all
                if not given.
            mapping_code: A saved mapping of columns; not together with column_mappings.
            column_mappings: The columns, such as
                `[{"csvHeader": "VAT", "targetField": "VatNumber"}]`; all fields under their own
                names if neither is given.
            include_headers: Whether the file starts with a row of column names.
        """
        if mapping_code is not None and column_mappings is not None:
            raise self.invalid(
                "column_mappings", "cannot be combined with mapping_code", "pass one of the two"
            )
        body = {
            "filter": filter,
            "mappingCode": mapping_code,
            "columnMappings": column_mappings,
            "includeHeaders": include_headers,
        }
        reply = yield Request.post(self._exports(), json=body, timeout=_SUBMIT_TIMEOUT)
        return self._job(reply) if reply.content.strip() else self._accepted(reply)

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Request one job's status; the answer may replace a signed URL that has expired."""
        reply = yield Request.get(self._exports() + path("/{}", ref.id))
        return self._job(reply)

    def _exports(self) -> str:
        return path("/tenants/{}/clients/export/csv", self.tenant)

    def _accepted(self, reply: Response) -> ExportJob:
        """Return the job of an answer without a body, from the header `Location`."""
        try:
            url_path = urlsplit(reply.headers.get("location", "")).path
        except ValueError:
            raise MalformedResponse("the header Location is not a valid URL @ $") from None
        code = unquote(url_path.rstrip("/").rpartition("/")[-1])
        if not code:
            raise MalformedResponse("the answer has neither a body nor a Location @ $")
        return ExportJob(self.ref(code), _STATUSES.read("Queued"))

    def _job(self, reply: Response) -> ExportJob:
        body = reply.body(_Job)
        file = Artifact(body.download_url or "", media_type="text/csv")
        return ExportJob(
            self.ref(body.code),
            _STATUSES.read(body.status),
            progress=Progress(body.processed_items, body.total_items),
            created_at=body.created_date,
            started_at=body.started_date,
            finished_at=body.completed_date,
            artifacts=(file,) if body.download_url else (),
            record_count=body.processed_items if body.completed_date else None,
            raw=reply.json(),
        )

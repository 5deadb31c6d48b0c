"""The adapter of Amazon's reports for sellers and vendors: SP-API, Reports API v2021-06-30.

Sources: the model reports_2021-06-30.json in github.com/amzn/selling-partner-api-models, and at
developer-docs.amazon.com/sp-api/docs the pages
reports-api-v2021-06-30-verify-that-the-report-processing-is-complete, retrieve-a-report,
connect-to-the-selling-partner-api and sp-api-endpoints (all read in November 2026).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from exportjobs.adapter import (
    Adapter,
    Artifact,
    AuthenticationFailed,
    Budget,
    ExportJob,
    Flow,
    JobRef,
    Operation,
    PollPolicy,
    Rejected,
    Request,
    StatusMap,
    Token,
    credential,
    export,
    field,
    frozen,
    path,
)

_STATUSES = StatusMap(
    queued=("IN_QUEUE",),
    running=("IN_PROGRESS",),
    done=("DONE",),
    failed=("FATAL",),
    cancelled=("CANCELLED",),
)
_EMPTY = StatusMap(done=("CANCELLED",))
_NO_DATA = "Amazon cancelled the report, as it does when there are no data"
_API = "/reports/2021-06-30"
_LIFETIME = timedelta(hours=1)
"""How long a token is valid (connect-to-the-selling-partner-api)."""


@frozen
class _Accepted:
    report_id: str


@frozen
class _Report:
    report_id: str
    processing_status: str
    created_time: datetime | None = None
    processing_start_time: datetime | None = None
    processing_end_time: datetime | None = None
    report_document_id: str | None = None


@frozen
class _Document:
    url: str
    compression_algorithm: str | None = None


@frozen
class _Token:
    access_token: str


@frozen
class AmazonReports(Adapter):
    """One seller's or vendor's account, by an application that it has authorised.

    The default URLs are those of North America and of Login with Amazon; Europe and the Far East
    have other API hosts. Reports with personal data are not supported: each document needs a token
    of its own. Jobs are not listed, because Amazon lists reports by their types only.
    """

    vendor: ClassVar[str] = "amazon-reports"
    polling: ClassVar[PollPolicy] = PollPolicy(
        typical_duration=timedelta(minutes=3), min_interval=timedelta(seconds=10)
    )
    # createReport: 0.0167 requests a second, bursts of 15 (the model's usage plan).
    budgets: ClassVar[tuple[Budget, ...]] = (
        Budget(requests=15, per=timedelta(minutes=15), operation=Operation.SUBMIT),
    )
    # Amazon answers an expired token with HTTP 403 (the model's responses).
    error_codes: ClassVar = {"Unauthorized": AuthenticationFailed}

    client_id: str = field(repr=False, validator=credential)
    client_secret: str = field(repr=False, validator=credential)
    refresh_token: str = field(repr=False, validator=credential)
    base_url: str = field(default="https://sellingpartnerapi-na.amazon.com", kw_only=True)
    sign_in_url: str = field(default="https://api.amazon.com", kw_only=True)

    def authenticate(self, request: Request) -> Request:
        """Return the request unchanged: the token of `sign_in` is all that it needs."""
        return request

    def sign_in(self) -> Flow[Token]:
        """Exchange the refresh token for an access token, at Login with Amazon."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self.refresh_token,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        reply = yield Request(method="POST", path="/auth/o2/token", form=form)
        return Token(reply.body(_Token).access_token, _LIFETIME)

    def apply_token(self, request: Request, token: Token) -> Request:
        """Return the request with the token added in Amazon's own header."""
        return request.with_header("x-amz-access-token", token.value)

    @export
    def report(
        self,
        report_type: str,
        *,
        marketplace_ids: Sequence[str],
        data_start_time: datetime | None = None,
        data_end_time: datetime | None = None,
        report_options: Mapping[str, str] | None = None,
    ) -> Flow[ExportJob]:
        """Export a report of any type without personal data.

        Args:
            report_type: Such as "GET_MERCHANT_LISTINGS_ALL_DATA".
            marketplace_ids: Such as "ATVPDKIKX0DER" for the United States.
            data_start_time: Only data from this time on, in UTC if it has no zone.
            data_end_time: Only data up to this time, in UTC if it has no zone.
            report_options: Options of the report's type, such as `{"reportPeriod": "WEEK"}`.
        """
        if not marketplace_ids:
            raise self.invalid("marketplace_ids", "is empty", "pass at least one marketplace")
        self.check_order("data_start_time", data_start_time, data_end_time)
        body = {
            "reportType": report_type,
            "marketplaceIds": marketplace_ids,
            "dataStartTime": data_start_time,
            "dataEndTime": data_end_time,
            "reportOptions": report_options,
        }
        reply = yield Request.post(_API + "/reports", json=body)
        ref = self.ref(reply.body(_Accepted).report_id)
        return ExportJob(ref, _STATUSES.read("IN_QUEUE"), raw=reply.json())

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Request one report's status and, if it has a document, the document's signed URL.

        A report that is done has one. A report that failed may have one, which says why.
        """
        reply = yield Request.get(path(_API + "/reports/{}", ref.id))
        report = reply.body(_Report)
        found = report.report_document_id
        documents = () if found is None else ((yield from self._document(found)),)
        return self._job(report, documents, reply.json())

    def cancel(self, ref: JobRef) -> Flow[ExportJob]:
        """Cancel a report, which is possible while it is queued."""
        try:
            yield Request.delete(path(_API + "/reports/{}", ref.id))
        except Rejected:
            job = yield from self.poll(ref)
            if not job.status.is_terminal:
                raise
            return job
        return (yield from self.poll(ref))

    def _document(self, document_id: str) -> Flow[Artifact]:
        """Request a document's signed URL, which is valid for five minutes.

        A compressed document lands as a gzip file.
        """
        reply = yield Request.get(path(_API + "/documents/{}", document_id))
        document = reply.body(_Document)
        is_packed = document.compression_algorithm == "GZIP"
        return Artifact(document.url, name="report.gz" if is_packed else None)

    def _job(self, report: _Report, documents: tuple[Artifact, ...], raw: object) -> ExportJob:
        reading = _STATUSES.read(report.processing_status)
        # A user can cancel only a report that has not started. One that was cancelled after it
        # started was cancelled by Amazon, because there are no data.
        is_empty = reading.status == "cancelled" and report.processing_start_time is not None
        return ExportJob(
            self.ref(report.report_id),
            _EMPTY.read(report.processing_status) if is_empty else reading,
            created_at=report.created_time,
            started_at=report.processing_start_time,
            finished_at=report.processing_end_time,
            artifacts=documents,
            error="its document says why" if reading.status == "failed" and documents else None,
            warnings=(_NO_DATA,) if is_empty else (),
            raw=raw,
        )

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
_NO_DATA = "Amazon cancelled it by itself: as a rule, for want of data"
_API = "/reports/2021-06-30"
_LIFETIME = timedelta(hours=1)
"""Of a token, from when it was issued (connect-to-the-selling-partner-api)."""


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

    The addresses are North America's and Login with Amazon's; Europe and the Far East have API
    hosts of their own. Reports with personal data need a token for each document, and are not
    covered. Reports can be listed only by their types, and are therefore not.
    """

    vendor: ClassVar[str] = "amazon-reports"
    api_version: ClassVar[int] = 1
    polling: ClassVar[PollPolicy] = PollPolicy(
        typical_duration=timedelta(minutes=3), min_interval=timedelta(seconds=10)
    )
    # createReport: 0.0167 requests a second, bursts of 15 (the model's usage plan).
    budgets: ClassVar[tuple[Budget, ...]] = (
        Budget(requests=15, per=timedelta(minutes=15), operation=Operation.SUBMIT),
    )
    # A token that has expired is told with HTTP 403 (the model's responses).
    error_codes: ClassVar = {"Unauthorized": AuthenticationFailed}

    client_id: str = field(repr=False, validator=credential)
    client_secret: str = field(repr=False, validator=credential)
    refresh_token: str = field(repr=False, validator=credential)
    base_url: str = field(default="https://sellingpartnerapi-na.amazon.com", kw_only=True)
    sign_in_url: str = field(default="https://api.amazon.com", kw_only=True)

    def authenticate(self, request: Request) -> Request:
        """Return the request as it is: the token from signing in is all that it needs."""
        return request

    def sign_in(self) -> Flow[Token]:
        """Trade the refresh token for one to ask with, at Login with Amazon."""
        asked = {
            "grant_type": "refresh_token",
            "refresh_token": self.refresh_token,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        reply = yield Request(method="POST", path="/auth/o2/token", form=asked)
        return Token(reply.body(_Token).access_token, _LIFETIME)

    def apply_token(self, request: Request, token: Token) -> Request:
        """Return the request with the token in Amazon's own header."""
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
        """Export a report of any type that needs no more than a token.

        Args:
            report_type: Such as "GET_MERCHANT_LISTINGS_ALL_DATA".
            marketplace_ids: Where, as in "ATVPDKIKX0DER" for the United States.
            data_start_time: Only data from this time on, in UTC if it has no zone.
            data_end_time: Only data up to this time, in UTC if it has no zone.
            report_options: What else the type takes, such as `{"reportPeriod": "WEEK"}`.
        """
        if not marketplace_ids:
            raise self.invalid("marketplace_ids", "is empty", "name at least one marketplace")
        self.check_order("data_start_time", data_start_time, data_end_time)
        asked = {
            "reportType": report_type,
            "marketplaceIds": marketplace_ids,
            "dataStartTime": data_start_time,
            "dataEndTime": data_end_time,
            "reportOptions": report_options,
        }
        reply = yield Request.post(_API + "/reports", json=asked)
        ref = self.ref(reply.body(_Accepted).report_id)
        return ExportJob(ref, _STATUSES.read("IN_QUEUE"), raw=reply.json())

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report's status and, where it has a document, for its address.

        A report that is done has one, and so may one that failed: it explains why.
        """
        reply = yield Request.get(path(_API + "/reports/{}", ref.id))
        report = reply.body(_Report)
        found = report.report_document_id
        documents = () if found is None else ((yield from self._document(found)),)
        return self._job(report, documents, reply.json())

    def cancel(self, ref: JobRef) -> Flow[ExportJob]:
        """Cancel a report, which is possible for as long as it is queued."""
        try:
            yield Request.delete(path(_API + "/reports/{}", ref.id))
        except Rejected:
            job = yield from self.poll(ref)
            if not job.status.is_terminal:
                raise
            return job
        return (yield from self.poll(ref))

    def _document(self, document_id: str) -> Flow[Artifact]:
        """Ask for a document's address, a signed one that is good for five minutes.

        A compressed one is a gzip file, and lands as such.
        """
        reply = yield Request.get(path(_API + "/documents/{}", document_id))
        document = reply.body(_Document)
        is_packed = document.compression_algorithm == "GZIP"
        return Artifact(document.url, name="report.gz" if is_packed else None)

    def _job(self, report: _Report, documents: tuple[Artifact, ...], raw: object) -> ExportJob:
        reading = _STATUSES.read(report.processing_status)
        # One that is asked to be cancelled was not begun yet; those that were begun, Amazon cancels
        # by itself where there are no data.
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

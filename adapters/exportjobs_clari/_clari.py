"""The Clari adapter.

Sources: Clari's OpenAPI 5.0.0 (developer.clari.com, read in August 2026), and what production
clients receive where it differs.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from exportjobs.adapter import (
    Adapter,
    ConcurrencyLimitReached,
    Export,
    ExportJob,
    ExportJobsError,
    Flow,
    JobRef,
    Limits,
    PollPolicy,
    QuotaExceeded,
    Rejected,
    Request,
    StatusMap,
    credential,
    export,
    field,
    frozen,
    path,
    structure,
)
from exportjobs_clari._jobs import STATUSES, accepted, described, is_of_kind, unwrapped

Format = Literal["JSON", "CSV"]
ForecastType = Literal[
    "forecast", "quota", "forecast_updated", "adjustment", "crm_total", "crm_closed"
]
ActivityType = Literal[
    "MEETING", "EMAIL_SENT", "EMAIL_RECEIVED", "ATTACHMENT_SENT", "ATTACHMENT_RECEIVED"
]

_QUARTER = re.compile(r"[0-9]{4}_Q[1-4]")

# One code for two errors: the monthly quota is used up, or too many jobs are running. The OpenAPI
# says that /admin/limits tells which.
_LIMIT_REACHED = "export_monthly_quota_reached"
_ALREADY_ENDED = "export_failed_to_cancel"


@frozen
class _Limits:
    concurrent_limit: int | None = None
    available_concurrent_limit: int | None = None
    monthly_quota: int | None = None
    available_monthly_quota: int | None = None


@frozen
class Clari(Adapter):
    """One user's account at Clari.

    It sees the jobs of the user to whom the API key belongs. How many jobs may run at once, and in
    30 days, is set per organisation and not published: `limits` requests it.
    """

    vendor: ClassVar[str] = "clari"
    statuses: ClassVar[StatusMap] = STATUSES
    polling: ClassVar[PollPolicy] = PollPolicy(typical_duration=timedelta(minutes=2))

    api_key: str = field(repr=False, validator=credential)
    base_url: str = field(default="https://api.clari.com/v4", kw_only=True)

    def authenticate(self, request: Request) -> Request:
        """Return the request with the header `apikey`."""
        return request.with_header("apikey", self.api_key)

    @export
    def forecast(
        self,
        forecast_id: str,
        *,
        time_period: str | None = None,
        types_to_export: Sequence[ForecastType] | None = None,
        scope_id: str | None = None,
        currency: str | None = None,
        schedule: Literal["NONE", "ONCE", "MAX"] | None = None,
        include_historical: bool | None = None,
        format: Format = "JSON",  # noqa: A002 - the vendor's own word
    ) -> Flow[ExportJob]:
        """Export a forecast tab.

        Args:
            forecast_id: The tab's id, from the URL of its page.
            time_period: The fiscal quarter, such as "2024_Q3"; the current one if not given.
            types_to_export: What to export; forecast and forecast_updated if not given.
            scope_id: The root of the hierarchy to export, such as "1905::MGR".
            currency: The currency of the amounts, such as "USD".
            schedule: Whether Clari itself repeats a failed export after 30 minutes: NONE, ONCE or
                MAX, which is three times.
            include_historical: Whether to export every week of the quarter, or the current one.
            format: JSON or CSV.
        """
        if forecast_id.strip(". ") == "":
            raise self.invalid("forecast_id", "is not a valid id", "pass the id from the tab's URL")
        if time_period is not None and not _QUARTER.fullmatch(time_period):
            raise self.invalid(
                "time_period", f"{time_period!r} is not a fiscal quarter", "pass one like 2024_Q3"
            )
        body = {
            "timePeriod": time_period,
            "typesToExport": types_to_export,
            "scopeId": scope_id,
            "currency": currency,
            "schedule": schedule,
            "includeHistorical": include_historical,
            "exportFormat": format,
        }
        return (yield from self._submit(path("/export/forecast/{}", forecast_id), body))

    @export
    def audit_events(
        self,
        *,
        actor_id: int | None = None,
        impersonating_actor_id: int | None = None,
        session_id: str | None = None,
        session_type: Literal["WEB", "IOS", "ANDROID"] | None = None,
        date_from: datetime | None = None,
        date_to: datetime | None = None,
        event: str | None = None,
    ) -> Flow[ExportJob]:
        """Export audit events.

        Args:
            actor_id: Only events of this user.
            impersonating_actor_id: Only events of this user in another's name.
            session_id: Only events of this session.
            session_type: Only events of sessions of this type.
            date_from: Only events from this time on, in UTC if it has no zone; 30 days ago if not
                given.
            date_to: Only events up to this time, in UTC if it has no zone; now if not given.
            event: Only events of this category, such as "api.accessed".
        """
        self.check_order("date_from", date_from, date_to)
        body = {
            "actorId": actor_id,
            "impersonatingActorId": impersonating_actor_id,
            "sessionId": session_id,
            "sessionType": session_type,
            "dateFrom": date_from,
            "dateTo": date_to,
            "event": event,
        }
        return (yield from self._submit("/export/audit/events", body))

    @export
    def activity(
        self,
        *,
        activity_types: Sequence[ActivityType] | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> Flow[ExportJob]:
        """Export activities: meetings, e-mails and attachments.

        Args:
            activity_types: Only activities of these types.
            start_date: From this day on, in UTC if it has no zone; the time of day is ignored.
            end_date: Up to this day, in UTC if it has no zone; the time of day is ignored.
        """
        self.check_order("start_date", start_date, end_date)
        body = {
            "activityTypes": activity_types,
            "startDate": start_date,
            "endDate": end_date,
            "exportFormat": "JSON",
        }
        return (yield from self._submit("/export/activity", body))

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Request one job's status."""
        reply = yield Request.get(path("/export/jobs/{}", ref.id))
        return described(self.ref, unwrapped(reply.json(), "job"))

    def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Flow[tuple[ExportJob, ...]]:  # noqa: ARG002 - the list has no pages to save
        """Request all jobs of the API key's user; the list has neither pages nor filters."""
        reply = yield Request.get("/export/jobs")
        bodies = structure(unwrapped(reply.json(), "jobs"), tuple[Mapping[str, object], ...])
        return tuple(described(self.ref, body) for body in bodies)

    def matches_export(self, job: ExportJob, export: Export) -> bool | None:
        """Return False if a listed job is of another module or type of file, else None.

        The list says no more of what was exported than that, which proves nothing.
        """
        file_type = export.arguments.get("format", "JSON")
        return None if is_of_kind(job.raw, export.kind, file_type) else False

    def cancel(self, ref: JobRef) -> Flow[ExportJob]:
        """Cancel a job; it then no longer counts towards the monthly quota."""
        try:
            yield Request.patch(path("/export/jobs/{}", ref.id), json={"type": "CANCEL"})
        except Rejected as refusal:
            if refusal.code != _ALREADY_ENDED:
                raise
        return (yield from self.poll(ref))

    def limits(self) -> Flow[Limits]:
        """Request how many jobs the organisation may still run, at once and in 30 days."""
        reply = yield Request.get("/admin/limits")
        found = structure(unwrapped(reply.json(), "jobs"), _Limits)
        return Limits(
            slots=found.concurrent_limit,
            free_slots=found.available_concurrent_limit,
            quota=found.monthly_quota,
            remaining_quota=found.available_monthly_quota,
        )

    def _submit(self, url_path: str, body: Mapping[str, object]) -> Flow[ExportJob]:
        try:
            reply = yield Request.post(url_path, json=body)
        except Rejected as refusal:
            if refusal.code == _LIMIT_REACHED:
                yield from self._raise_which_limit(refusal)
            raise
        return accepted(self.ref, reply.json())

    def _raise_which_limit(self, refusal: Rejected) -> Flow[None]:
        """Raise the error that is meant: too many jobs at once, or too many in 30 days."""
        try:
            limits = yield from self.limits()
        except ExportJobsError:
            # The caller then raises the rejection itself, which says more than this error does.
            return
        if limits.remaining_quota is not None and limits.remaining_quota <= 0:
            reason = _with_count("the quota of exports in 30 days is used up", limits.quota)
            raise QuotaExceeded(reason, http_status=refusal.http_status, code=refusal.code)
        raise ConcurrencyLimitReached(
            _with_count("as many exports are running as may at once", limits.slots),
            http_status=refusal.http_status,
            code=refusal.code,
        )


def _with_count(text: str, count: int | None) -> str:
    return text if count is None else f"{text} ({count})"

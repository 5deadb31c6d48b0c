"""Clari's exports: what is asked for, what is refused, and the two limits with one code."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from exportjobs.adapter import (
    ConcurrencyLimitReached,
    ExportJobsError,
    QuotaExceeded,
    Rejected,
    Response,
)
from exportjobs_clari import Clari

from .cases import KEY
from .support import Body, Wire, answer, asked, body_of, refused, refuses, request_of

clari = Clari(api_key=KEY)

BERLIN = timezone(timedelta(hours=2))
FULL_OR_SPENT = {
    "code": "export_monthly_quota_reached",
    "namespace": "exports",
    "message": "The monthly quota limit of 30 or concurrent limit of 1 has been reached.",
}


def limits(**jobs: int | None) -> Response:
    """Return an answer of /admin/limits."""
    return answer({"jobs": {name: number for name, number in jobs.items() if number is not None}})


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({}, {}),
        ({"time_period": "2024_Q3"}, {"timePeriod": "2024_Q3"}),
        (
            {"types_to_export": ["forecast", "crm_total"]},
            {"typesToExport": ["forecast", "crm_total"]},
        ),
        ({"scope_id": "1905::MGR"}, {"scopeId": "1905::MGR"}),
        ({"currency": "USD"}, {"currency": "USD"}),
        ({"schedule": "MAX"}, {"schedule": "MAX"}),
        ({"include_historical": True}, {"includeHistorical": True}),
        ({"include_historical": False}, {"includeHistorical": False}),
        ({"format": "CSV"}, {"exportFormat": "CSV"}),
    ],
)
def test_a_forecast_is_asked_for(given: Body, body: Body) -> None:
    """Each argument is one member of the body, and what is not given is Clari's choice."""
    request = asked(clari, "forecast", {"forecast_id": "deal_owner"} | given)

    assert (request.method, request.path) == ("POST", "/export/forecast/deal_owner")
    assert body_of(request) == {"exportFormat": "JSON"} | body
    assert dict(request.params) == {}
    assert dict(request.headers) == {"apikey": KEY}


def test_a_hostile_forecast_id_stays_in_its_place() -> None:
    """It is one segment of the path, whatever it holds."""
    request = request_of(clari.forecast("../../admin/limits?x=1"))

    assert request.path == "/export/forecast/..%2F..%2Fadmin%2Flimits%3Fx%3D1"


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({}, {}),
        ({"actor_id": 7}, {"actorId": 7}),
        ({"impersonating_actor_id": 8}, {"impersonatingActorId": 8}),
        (
            {"session_id": "fe795746-54b0-11ed-bdc3-0242ac120002"},
            {"sessionId": "fe795746-54b0-11ed-bdc3-0242ac120002"},
        ),
        ({"session_type": "IOS"}, {"sessionType": "IOS"}),
        (
            {"date_from": datetime(2026, 8, 3, 16, 22, 18, tzinfo=UTC)},
            {"dateFrom": "2026-08-03T16:22:18+00:00"},
        ),
        (
            {"date_to": datetime(2026, 8, 3, 16, 22, 18, tzinfo=BERLIN)},
            {"dateTo": "2026-08-03T16:22:18+02:00"},
        ),
        ({"event": "api.accessed"}, {"event": "api.accessed"}),
    ],
)
def test_audit_events_are_asked_for(given: Body, body: Body) -> None:
    """Each argument is one member of the body, and there is no other."""
    request = asked(clari, "audit_events", given)

    assert (request.method, request.path) == ("POST", "/export/audit/events")
    assert body_of(request) == body
    assert dict(request.params) == {}
    assert dict(request.headers) == {"apikey": KEY}


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({}, {}),
        (
            {"activity_types": ["MEETING", "EMAIL_SENT"]},
            {"activityTypes": ["MEETING", "EMAIL_SENT"]},
        ),
        (
            {"start_date": datetime(2026, 8, 3, tzinfo=BERLIN)},
            {"startDate": "2026-08-03T00:00:00+02:00"},
        ),
        (
            {"end_date": datetime(2026, 8, 5, tzinfo=UTC)},
            {"endDate": "2026-08-05T00:00:00+00:00"},
        ),
    ],
)
def test_activities_are_asked_for(given: Body, body: Body) -> None:
    """They are JSON always, and what is not given is Clari's choice."""
    request = asked(clari, "activity", given)

    assert (request.method, request.path) == ("POST", "/export/activity")
    assert body_of(request) == {"exportFormat": "JSON"} | body
    assert dict(request.params) == {}
    assert dict(request.headers) == {"apikey": KEY}


@pytest.mark.parametrize(
    "day",
    ["2026-08-03", date(2026, 8, 3), "2026-08-03T00:00", datetime(2026, 8, 3)],  # noqa: DTZ001 - on purpose
    ids=["text", "date", "naive-text", "naive"],
)
def test_a_time_without_a_zone_is_in_utc(day: Any) -> None:  # noqa: ANN401 - what a manifest may hold
    """A day is its first moment."""
    export = clari.activity(start_date=day)

    assert body_of(request_of(export)) == {
        "exportFormat": "JSON",
        "startDate": "2026-08-03T00:00:00+00:00",
    }


def test_a_range_of_one_moment_is_a_range() -> None:
    """Only a range that ends before it begins is refused."""
    day = datetime(2026, 8, 3, tzinfo=UTC)

    exports = (
        clari.activity(start_date=day, end_date=day),
        clari.audit_events(date_from=day, date_to=day),
    )

    assert [export.kind for export in exports] == ["activity", "audit_events"]


LATE, EARLY = "2026-08-03", "2026-08-01"


@pytest.mark.parametrize(
    "quarter", ["2024Q3", "2024_Q5", "24_Q1", ""], ids=["no-line", "fifth", "short", "empty"]
)
def test_what_is_no_quarter_is_refused_at_once(quarter: str) -> None:
    """The error names the vendor, the argument and the remedy."""
    refuses(
        clari,
        "forecast",
        {"forecast_id": "f", "time_period": quarter},
        reason=f"time_period: {quarter!r} is not a fiscal quarter",
        remedy="pass one like 2024_Q3",
    )


@pytest.mark.parametrize("forecast_id", ["", ".."])
def test_what_is_no_forecasts_id_is_refused_at_once(forecast_id: str) -> None:
    """No request could be made of it."""
    refuses(
        clari,
        "forecast",
        {"forecast_id": forecast_id},
        reason="forecast_id: is not a valid id",
        remedy="pass the id from the tab's URL",
    )


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [("audit_events", "date_from", "date_to"), ("activity", "start_date", "end_date")],
)
def test_a_range_that_ends_before_it_begins_is_refused_at_once(
    kind: str, start: str, end: str
) -> None:
    """By its first argument."""
    refuses(
        clari,
        kind,
        {start: LATE, end: EARLY},
        reason=f"{start}: is after the end",
        remedy="pass a range that ends after it starts",
    )


@pytest.mark.parametrize(
    ("kind", "given", "complaint"),
    [
        ("forecast", {"format": "XML"}, "expected one of JSON, CSV"),
        ("forecast", {"format": "csv"}, "expected one of JSON, CSV"),
        ("forecast", {"schedule": "TWICE"}, "expected one of NONE, ONCE, MAX"),
        ("forecast", {"types_to_export": ["deals"]}, "expected one of forecast, quota, "),
        ("forecast", {"types_to_export": "forecast"}, "expected a list"),
        ("forecast", {"include_historical": "maybe"}, "expected true or false"),
        ("audit_events", {"session_type": "FAX"}, "expected one of WEB, IOS, ANDROID"),
        ("audit_events", {"actor_id": "me"}, "expected a whole number"),
        ("audit_events", {"date_from": "yesterday"}, "expected a time in ISO 8601"),
        ("activity", {"activity_types": ["CALL"]}, "expected one of MEETING, EMAIL_SENT, "),
        ("activity", {"activity_types": "MEETING"}, "expected a list"),
    ],
)
def test_an_argument_of_the_wrong_type_is_refused_at_once(
    kind: str, given: Body, complaint: str
) -> None:
    """The error names the argument and says what it takes instead."""
    needed = {"forecast_id": "f"} if kind == "forecast" else {}

    error = refused(clari, kind, needed | given)

    assert {error.field: given[error.field]} == given
    assert complaint in error.reason


def refused_submit(*answers: Response) -> tuple[ExportJobsError, Wire]:
    """Return the error of a submit that is refused as one too many, and what was asked."""
    wire = Wire(clari, answer(FULL_OR_SPENT, 400), *answers)
    with pytest.raises(ExportJobsError) as caught:
        wire.hear(clari.forecast("deal_owner").submit())
    return caught.value, wire


def test_a_quota_that_is_used_up_is_told_by_the_limits() -> None:
    """One code stands for two refusals; /admin/limits knows which."""
    error, wire = refused_submit(
        limits(monthlyQuota=30, availableMonthlyQuota=0, availableConcurrentLimit=1)
    )

    assert isinstance(error, QuotaExceeded)
    assert "30" in error.reason
    assert (error.http_status, error.code) == (400, "export_monthly_quota_reached")
    assert [request.path for request in wire.requests][1:] == ["/admin/limits"]
    assert dict(wire.requests[1].headers) == {"apikey": KEY}


def test_too_many_at_once_is_told_by_the_limits() -> None:
    """It passes when a job ends, so it is not the quota's error."""
    error, _ = refused_submit(
        limits(
            concurrentLimit=3,
            availableConcurrentLimit=0,
            monthlyQuota=1000,
            availableMonthlyQuota=995,
        )
    )

    assert isinstance(error, ConcurrencyLimitReached)
    assert "3" in error.reason
    assert (error.http_status, error.code) == (400, "export_monthly_quota_reached")


def test_a_slot_that_has_come_free_meanwhile_is_a_full_one_at_the_time() -> None:
    """The limits are asked for a moment later; the submit is worth another try."""
    error, _ = refused_submit(limits(availableConcurrentLimit=1, availableMonthlyQuota=5))

    assert isinstance(error, ConcurrencyLimitReached)


@pytest.mark.parametrize(
    "told",
    [{}, {"availableMonthlyQuota": 0}, {"availableConcurrentLimit": 0}],
    ids=["nothing", "spent", "full"],
)
def test_a_limit_that_is_not_told_is_not_named(told: dict[str, int]) -> None:
    """No message speaks of None exports."""
    error, _ = refused_submit(limits(**told))

    assert "None" not in str(error)


@pytest.mark.parametrize(
    "reply",
    [
        answer({"message": "Invalid permissions"}, 403),
        answer({"message": "oops"}, 500),
        answer({"jobs": "soon"}),
        Response(200, {}, b"<html>"),
    ],
    ids=["forbidden", "unavailable", "malformed", "not-json"],
)
def test_a_refusal_stands_where_the_limits_cannot_be_read(reply: Response) -> None:
    """The submit was refused for sure: no failure of another question may hide it."""
    error, _ = refused_submit(reply)

    assert getattr(error, "code", None) == "export_monthly_quota_reached"


def test_a_code_in_a_list_of_errors_is_found() -> None:
    """Audit events complain in a shape of their own."""
    wire = Wire(
        clari,
        answer({"errors": [{**FULL_OR_SPENT, "status": "400"}]}, 400),
        limits(availableMonthlyQuota=0, monthlyQuota=30),
    )

    with pytest.raises(QuotaExceeded):
        wire.hear(clari.audit_events().submit())


@pytest.mark.parametrize(
    "code", ["no_such_forecast_config", "missing_forecast_id", "type_not_supported", "bad_request"]
)
def test_any_other_refusal_is_passed_on(code: str) -> None:
    """The limits are not asked for, and the vendor's words are kept."""
    wire = Wire(clari, answer({"code": code, "message": "no"}, 400))

    with pytest.raises(Rejected) as caught:
        wire.hear(clari.forecast("deal_owner").submit())

    assert caught.value.code == code
    assert len(wire.requests) == 1

"""Demandbase's exports: what is asked for, and what is refused before it is asked."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from exportjobs_demandbase import Demandbase

from .cases import KEY, OTHER_KEY
from .support import Body, asked, body_of, refused, refuses

demandbase = Demandbase(client_id=OTHER_KEY, client_secret=KEY)

JOB = "/data/export/v1/job"
ENTITIES = {
    "accounts": "account",
    "people": "person",
    "opportunities": "opportunity",
    "activities": "activity",
    "campaigns": "campaign",
    "creatives": "creative",
    "account_buying_groups": "accountBuyingGroup",
    "person_buying_group_members": "personBuyingGroupMember",
}
LISTS = {"account_lists": "accountList", "person_lists": "personList"}
REPORTS: dict[str, Body] = {
    "campaigns": {"adReportType": "campaign_summary", "source": ["all"]},
    "creatives": {"adReportType": "creative_lifetime", "source": ["all"]},
}
DATED = ["accounts", "people", "opportunities", "activities", "campaigns", "creatives"]
LISTED = {
    "accounts": "account_list_ids",
    "people": "person_list_ids",
    "account_buying_groups": "account_list_ids",
    "person_buying_group_members": "person_list_ids",
    "account_lists": "account_list_ids",
    "person_lists": "person_list_ids",
}
MEMBERS = {"account_list_ids": "accountListIds", "person_list_ids": "personListIds"}
START, END = date(2026, 1, 1), date(2026, 1, 31)


def default_name(kind: str) -> str:
    """Return the name that a job has at the vendor if it is given none."""
    short = {"person_buying_group_members": "buying group members"}
    return "exportjobs " + short.get(kind, kind.replace("_", " "))


def default_body(kind: str) -> Body:
    """Return the body of an export that is given no argument."""
    if kind in LISTS:
        return {"jobName": default_name(kind)}
    return {
        "entityType": ENTITIES[kind],
        "jobName": default_name(kind),
        "format": "csv",
        **REPORTS.get(kind, {}),
    }


@pytest.mark.parametrize("kind", ENTITIES)
def test_an_entity_is_asked_for(kind: str) -> None:
    """What is not given is the vendor's choice, but for the members it demands."""
    request = asked(demandbase, kind, {})

    assert (request.method, request.path) == ("POST", JOB)
    assert body_of(request) == default_body(kind)
    assert (dict(request.params), dict(request.headers)) == ({}, {})


@pytest.mark.parametrize(("kind", "list_type"), LISTS.items())
def test_lists_are_asked_for(kind: str, list_type: str) -> None:
    """They have endpoints of their own, in a case of their own, and take only a name and ids."""
    request = asked(demandbase, kind, {})

    assert (request.method, request.path) == ("POST", f"/data/export/v1/{list_type}/job")
    assert body_of(request) == default_body(kind)
    assert (dict(request.params), dict(request.headers)) == ({}, {})


@pytest.mark.parametrize("kind", ENTITIES)
def test_fields_and_filters_go_along(kind: str) -> None:
    """Names and conditions are the vendor's own."""
    filters = [
        {"field": "{Account}.industry", "operator": "Equals", "values": ["Retail"]},
        {"field": "{Account}.name", "operator": "Exists"},
    ]

    request = asked(demandbase, kind, {"fields": ["{Account}.name"], "filters": filters})

    assert body_of(request) == default_body(kind) | {
        "fields": ["{Account}.name"],
        "filters": filters,
    }


@pytest.mark.parametrize(("kind", "argument"), LISTED.items())
@pytest.mark.parametrize("ids", [[42], list(range(1, 10_001))], ids=["one", "most"])
def test_ids_of_lists_go_along(kind: str, argument: str, ids: list[int]) -> None:
    """Up to 10,000 of them."""
    request = asked(demandbase, kind, {argument: ids})

    assert body_of(request) == default_body(kind) | {MEMBERS[argument]: ids}


@pytest.mark.parametrize("kind", DATED)
@pytest.mark.parametrize(
    ("start", "end"),
    [(START, END), ("2026-01-01", "2026-01-31")],
    ids=["date", "text"],
)
def test_days_go_along(kind: str, start: object, end: object) -> None:
    """Both of them, as days without a time."""
    request = asked(demandbase, kind, {"from_date": start, "to_date": end})

    assert body_of(request) == default_body(kind) | {
        "fromDate": "2026-01-01",
        "toDate": "2026-01-31",
    }


@pytest.mark.parametrize("kind", [*ENTITIES, *LISTS])
@pytest.mark.parametrize("name", ["x", "n" * 50, "Nächtlich"], ids=["short", "long", "umlaut"])
def test_a_job_is_named_as_it_is_told(kind: str, name: str) -> None:
    """In up to 50 characters."""
    request = asked(demandbase, kind, {"job_name": name})

    assert body_of(request) == default_body(kind) | {"jobName": name}


@pytest.mark.parametrize(
    ("kind", "report", "dated"),
    [
        ("campaigns", "campaign_summary", False),
        ("campaigns", "campaign_performance_rollup", True),
        ("campaigns", "campaign_account_lifetime", False),
        ("campaigns", "campaign_account_rollup", True),
        ("creatives", "creative_lifetime", False),
        ("creatives", "creative_rollup", True),
    ],
)
def test_a_report_is_of_a_type(kind: str, report: str, *, dated: bool) -> None:
    """A rollup is of some days, and the others need none."""
    days = {"from_date": START, "to_date": END} if dated else {}

    request = asked(demandbase, kind, {"ad_report_type": report, **days})

    sent_days = {"fromDate": "2026-01-01", "toDate": "2026-01-31"} if dated else {}
    assert body_of(request) == default_body(kind) | {"adReportType": report} | sent_days


@pytest.mark.parametrize("kind", REPORTS)
@pytest.mark.parametrize("source", [["google"], ["demandbase", "linkedin"]], ids=["one", "two"])
def test_a_report_is_from_sources(kind: str, source: Sequence[str]) -> None:
    """Where the advertisements ran."""
    request = asked(demandbase, kind, {"source": source})

    assert body_of(request) == default_body(kind) | {"source": source}


def test_activities_may_span_ninety_days() -> None:
    """The vendor's limit is on the difference of the two days."""
    days = {"from_date": START, "to_date": START + timedelta(days=90)}

    request = asked(demandbase, "activities", days)

    assert body_of(request) == default_body("activities") | {
        "fromDate": "2026-01-01",
        "toDate": "2026-04-01",
    }


@pytest.mark.parametrize("kind", [*ENTITIES, *LISTS])
@pytest.mark.parametrize("name", ["", "n" * 51], ids=["empty", "long"])
def test_a_name_that_the_vendor_refuses_is_refused_at_once(kind: str, name: str) -> None:
    """It has 1 to 50 characters."""
    refuses(
        demandbase,
        kind,
        {"job_name": name},
        reason=f"job_name: has {len(name)} characters",
        remedy="pass 1 to 50 characters",
    )


BOTH_DAYS = "pass from_date and to_date together"


@pytest.mark.parametrize("kind", DATED)
@pytest.mark.parametrize(
    ("days", "reason", "remedy"),
    [
        ({"from_date": START}, "to_date: is missing", BOTH_DAYS),
        ({"to_date": END}, "from_date: is missing", BOTH_DAYS),
        (
            {"from_date": END, "to_date": START},
            "from_date: is after the end",
            "pass a range that ends after it starts",
        ),
    ],
    ids=["no-end", "no-start", "reversed"],
)
def test_days_that_are_no_range_are_refused_at_once(
    kind: str, days: Body, reason: str, remedy: str
) -> None:
    """Both of them or none, and in their order."""
    refuses(demandbase, kind, days, reason=reason, remedy=remedy)


def test_more_than_ninety_days_of_activities_are_refused_at_once() -> None:
    """One day more than the vendor gives."""
    days = {"from_date": START, "to_date": START + timedelta(days=91)}

    refuses(
        demandbase,
        "activities",
        days,
        reason="to_date: is more than 90 days after from_date",
        remedy="export it in several parts",
    )


@pytest.mark.parametrize(
    ("kind", "report"),
    [
        ("campaigns", "campaign_performance_rollup"),
        ("campaigns", "campaign_account_rollup"),
        ("creatives", "creative_rollup"),
    ],
)
def test_a_rollup_without_days_is_refused_at_once(kind: str, report: str) -> None:
    """It is a report on some days."""
    refuses(
        demandbase,
        kind,
        {"ad_report_type": report},
        reason=f"ad_report_type: is {report}, which needs a range of days",
        remedy="pass from_date and to_date",
    )


@pytest.mark.parametrize("kind", REPORTS)
def test_a_report_from_nowhere_is_refused_at_once(kind: str) -> None:
    """An empty list is not all sources."""
    refuses(
        demandbase,
        kind,
        {"source": []},
        reason="source: is empty",
        remedy="pass a source, such as all",
    )


@pytest.mark.parametrize(("kind", "argument"), LISTED.items())
@pytest.mark.parametrize("ids", [[], list(range(10_001))], ids=["none", "too-many"])
def test_ids_out_of_bounds_are_refused_at_once(kind: str, argument: str, ids: list[int]) -> None:
    """An empty list is not all lists, and 10,000 is the most."""
    refuses(
        demandbase,
        kind,
        {argument: ids},
        reason=f"{argument}: holds {len(ids)} ids",
        remedy="pass 1 to 10000 ids, or None for all",
    )


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("accounts", {"fields": "{Account}.name"}, "expected a list"),
    ("accounts", {"fields": [None]}, "expected a string"),
    ("accounts", {"filters": {"field": "x"}}, "expected a list"),
    ("accounts", {"filters": ["x"]}, "expected an object"),
    ("accounts", {"account_list_ids": "42"}, "expected a list"),
    ("accounts", {"account_list_ids": ["x"]}, "expected a whole number"),
    ("accounts", {"from_date": "2026-02-30"}, "expected a date such as 2026-08-31"),
    ("campaigns", {"ad_report_type": "creative_rollup"}, "expected one of campaign_summary, "),
    ("campaigns", {"source": "all"}, "expected a list"),
    ("campaigns", {"source": ["bing"]}, "expected one of demandbase, google, linkedin, all"),
    ("creatives", {"ad_report_type": "campaign_summary"}, "expected one of creative_lifetime, "),
    ("creatives", {"source": ["ALL"]}, "expected one of demandbase, google, linkedin, all"),
]


@pytest.mark.parametrize(("kind", "given", "complaint"), WRONG)
def test_an_argument_of_the_wrong_type_is_refused_at_once(
    kind: str, given: Body, complaint: str
) -> None:
    """The error names the argument and says what it takes instead."""
    error = refused(demandbase, kind, given)

    assert [error.field] == list(given)
    assert complaint in error.reason

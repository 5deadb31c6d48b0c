"""What Demandbase accepts, and the codes with which it refuses the rest (VENDORS.md 1.3, 1.5)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, cast

from attrs import frozen
from starlette.responses import JSONResponse, Response

from exportjobs.sandbox import _draw
from exportjobs.sandbox._http import HttpError, Json

_LONGEST_NAME: Final = 50
_LONGEST_LIST: Final = 10_000
_LONGEST_ACTIVITY_WINDOW: Final = timedelta(days=90)
_ENTITIES: Final = {
    name.lower(): name
    for name in (
        "account",
        "accountBuyingGroup",
        "personBuyingGroupMember",
        "opportunity",
        "person",
        "activity",
        "campaign",
        "creative",
    )
}
_ADVERTISING: Final = frozenset({"campaign", "creative"})
_SOURCES: Final = frozenset({"demandbase", "google", "linkedin", "all"})
_PROPERTIES: Final = frozenset(
    {
        "entityType",
        "jobName",
        "fromDate",
        "toDate",
        "fields",
        "filters",
        "source",
        "adReportType",
        "accountListIds",
        "personListIds",
        "format",
        # Not in the OpenAPI; sent by the partner support's Postman collection (section 1.3).
        "limit",
        "jobType",
    }
)
_OPERATORS: Final = frozenset(
    {
        "Equals",
        "Does Not Equal",
        "Contains",
        "Does Not Contain",
        "Begins With",
        "Does Not Begin With",
        "Ends With",
        "Does Not End With",
        "Greater Than",
        "Greater Than or Equal To",
        "Less Than",
        "Less Than or Equal To",
        "Between",
        "Exists",
        "Does Not Exist",
        "In",
        "Not In",
    }
)
_FORMATS: Final = frozenset({"csv", "json"})
_STATES: Final = frozenset({"all", "accepted", "processing", "finished", "failed"})


@frozen
class Page:
    """Which jobs a list is to show."""

    number: int
    size: int
    is_ascending: bool
    entity: str
    state: str

    def matches(self, summary: Json) -> bool:
        """Tell whether a job is in the list."""
        entity, state = summary["entityType"].lower(), summary["jobStatus"].lower()
        return self.entity in {"all", entity} and self.state in {"all", state}


def error(code: str, *, message: str) -> Response:
    """Return the vendor's error envelope; a code begins with the HTTP status it is sent with."""
    diagnostic = _draw.hexadecimal(f"demandbase/{code}/{message}", length=32)
    body = {"errorCode": code, "errorMessage": message, "diagnosticCode": diagnostic}
    return JSONResponse(body, int(code[:3]))


def export_job(body: Json | None) -> Json:
    """Check the body of POST /v1/job and return what it asks for."""
    asked = _known(body, _PROPERTIES)
    entity = _ENTITIES.get(str(_present(asked, "entityType")).lower())
    _require(entity is not None, "400-127", "Invalid entityType.")
    _check_dates(asked, is_activity=entity == "activity")
    _check_advertising(asked, is_advertising=entity in _ADVERTISING)
    conditions: list[Json] = asked.get("filters") or []
    known = all(condition.get("operator") in _OPERATORS for condition in conditions)
    _require(known, "400-140", "Invalid filter operator.")
    form = str(asked.get("format") or "csv").lower()
    _require(form in _FORMATS, "400-116", "Invalid format: must be CSV or JSON.")
    fields: list[str] = asked.get("fields") or []
    return {"entity_type": entity, "name": _name(asked), "fields": fields, "format": form}


def account_list_job(body: Json | None) -> Json:
    """Check the body of POST /v1/accountList/job and return what it asks for."""
    asked = _known(body, frozenset({"jobName", "accountListId", "accountListIds"}))
    both = asked.keys() >= {"accountListId", "accountListIds"}
    _require(not both, "400-144", "Give accountListId or accountListIds, not both.")
    return {"entity_type": "accountList", "name": _name(asked), "fields": [], "format": "csv"}


def person_list_job(body: Json | None) -> Json:
    """Check the body of POST /v1/personList/job and return what it asks for."""
    asked = _known(body, frozenset({"jobName", "personListIds"}))
    return {"entity_type": "personList", "name": _name(asked), "fields": [], "format": "csv"}


def page(query: Mapping[str, str]) -> Page:
    """Check the parameters of GET /v1/jobs, all of which are strings, and return the page."""
    number, size = query.get("page", "1"), query.get("perPage", "10")
    _require(number.isdecimal() and int(number) > 0, "400-121", "Invalid page.")
    _require(size.isdecimal() and int(size) > 0, "400-122", "Invalid perPage.")
    entity, state = query.get("entityType", "All").lower(), query.get("jobStatus", "All").lower()
    _require(entity == "all" or entity in _ENTITIES, "400-123", "Invalid entityType filter.")
    _require(state in _STATES, "400-124", "Invalid jobStatus filter.")
    return Page(int(number), int(size), query.get("sort") == "ascending", entity, state)


def _require(holds: bool, code: str, message: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not holds:
        raise HttpError(error(code, message=message))


def _known(body: Json | None, properties: frozenset[str]) -> Json:
    if body is None:
        raise HttpError(error("400-102", message="The request body is not valid JSON."))
    strange = sorted(body.keys() - properties)
    _require(not strange, "400-147", f"Unrecognized properties: {', '.join(strange)}")
    for name in ("accountListIds", "personListIds"):
        ids = body.get(name)
        too_long = isinstance(ids, list) and len(cast("list[object]", ids)) > _LONGEST_LIST
        _require(not too_long, "400-145", f"{name} holds more than {_LONGEST_LIST} ids.")
    return {name: value for name, value in body.items() if value is not None}


def _present(asked: Json, name: str) -> object:
    _require(bool(asked.get(name)), "400-103", f"Missing required parameter: {name}")
    return asked[name]


def _name(asked: Json) -> str:
    name = asked.get("jobName")
    fits = isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME
    _require(
        fits, "400-126", f"jobName is required and must not exceed {_LONGEST_NAME} characters."
    )
    return str(name)


def _check_dates(asked: Json, *, is_activity: bool) -> None:
    given = [asked[name] for name in ("fromDate", "toDate") if name in asked]
    if not given:
        return
    both = len(given) == 2  # noqa: PLR2004 - the two ends of one window
    _require(both, "400-112", "fromDate and toDate must be given together.")
    try:
        start, end = (date.fromisoformat(text) for text in given)
    except (TypeError, ValueError):
        raise HttpError(error("400-111", message="Invalid date.")) from None
    _require(start <= end, "400-113", "fromDate must not be after toDate.")
    fits = not is_activity or end - start <= _LONGEST_ACTIVITY_WINDOW
    _require(fits, "400-114", "The date range of activities must not exceed 90 days.")


def _check_advertising(asked: Json, *, is_advertising: bool) -> None:
    if is_advertising:
        sources = asked.get("source") or ()
        known = bool(sources) and _SOURCES.issuperset(sources)
        _require(known, "400-138", "source is required for campaign and creative.")
        named = bool(asked.get("adReportType"))
        _require(named, "400-139", "adReportType is required for campaign and creative.")

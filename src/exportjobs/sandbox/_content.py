"""Files that jobs produce: built from a recipe when needed, the same bytes every time."""

import csv
import hashlib
import io
import json
import struct
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from attrs import field, frozen

from exportjobs.sandbox import _draw

_MEDIAN_BYTES: Final = 120_000
_SIGMA: Final = 0.9
_SMALLEST: Final = 20_000
_LARGEST: Final = 2_000_000
# maxItems of the audit result's `items` in seed 002.
_MOST_AUDIT_EVENTS: Final = 1000


@frozen
class Made:
    """What a recipe gives: the bytes, and how many records they hold."""

    body: bytes = field(repr=False)
    records: int


@frozen
class Recipe:
    """How to make a file; columns and header matter to tables only, the period to forecasts."""

    make: "Callable[[Recipe], Made]"
    key: str
    columns: tuple[str, ...] = ()
    has_header: bool = True
    period: str = ""


@frozen
class Facts:
    """What can be known about a file without holding its bytes."""

    size: int
    records: int
    sha256: str
    md5: bytes


@frozen
class HeldFile:
    """One file of a finished job, under the name its vendor gives it."""

    label: str
    job_id: str
    written: datetime
    name: str
    media_type: str
    recipe: Recipe = field(repr=False)
    is_attachment: bool = False

    @property
    def path(self) -> str:
        """Where the blob origin serves the file."""
        return f"/{self.label}/{self.job_id}/{self.name}"

    @property
    def facts(self) -> Facts:
        """Size, number of records and digests."""
        return _facts(self.recipe)

    @property
    def body(self) -> bytes:
        """The bytes."""
        return _made(self.recipe).body


@lru_cache(maxsize=64)
def _made(recipe: Recipe) -> Made:
    return recipe.make(recipe)


@lru_cache(maxsize=65_536)
def _facts(recipe: Recipe) -> Facts:
    made = _made(recipe)
    return Facts(
        size=len(made.body),
        records=made.records,
        sha256=hashlib.sha256(made.body).hexdigest(),
        md5=hashlib.md5(made.body, usedforsecurity=False).digest(),
    )


def table_csv(recipe: Recipe) -> Made:
    """Make a CSV table."""
    rows = _rows(recipe)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if recipe.has_header:
        writer.writerow(recipe.columns)
    writer.writerows(rows)
    return Made(text.getvalue().encode(), len(rows))


def table_json(recipe: Recipe) -> Made:
    """Make a JSON array with an object per row."""
    rows = _rows(recipe)
    return _json([dict(zip(recipe.columns, row, strict=True)) for row in rows], len(rows))


def forecast_json(recipe: Recipe) -> Made:
    """Make Clari's forecast result: five lists joined by ids.

    As jlloyd-widen/tap-clari reads it, tap_clari/streams.py (VENDORS.md section 4.3).
    """
    numbers = _numbers(recipe.key, per=330)
    lists = {
        "entries": [
            _forecast_entry(index, number) | {"timePeriodId": recipe.period}
            for index, number in enumerate(numbers)
        ],
        "fields": [{"fieldId": f"field_{n}", "fieldName": f"Field {n}"} for n in range(3)],
        "timeFrames": [
            {"timeFrameId": f"WEEK_{n}", "startDate": "2024-07-01", "endDate": "2024-07-07"}
            for n in range(13)
        ],
        "timePeriods": [
            {
                "timePeriodId": recipe.period,
                "type": "QUARTER",
                "label": "Q3",
                "year": "2024",
                "startDate": "2024-07-01",
                "endDate": "2024-09-30",
                "crmId": "0260000000000001",
            }
        ],
        "users": [_forecast_user(n) for n in range(20)],
    }
    return _json(lists, len(numbers))


def audit_json(recipe: Recipe) -> Made:
    """Make Clari's audit result: events, and the actors in them (seed 002, /audit/events)."""
    numbers = _numbers(recipe.key, per=240)[:_MOST_AUDIT_EVENTS]
    items = [_audit_event(index, number) for index, number in enumerate(numbers)]
    actors = [
        {
            "actorType": "USER",
            "actorId": str(n),
            "name": f"User {n}",
            "email": f"user{n}@customer.example",
        }
        for n in range(20)
    ]
    return _json({"items": items, "actors": actors}, len(items))


def activity_json(recipe: Recipe) -> Made:
    """Make Clari's activity result (seed 002, /export/activity, x-export-results)."""
    numbers = _numbers(recipe.key, per=420)
    activities = [_activity(index, number) for index, number in enumerate(numbers)]
    return _json({"activities": activities}, len(activities))


def target_size(key: str) -> int:
    """Return about how many bytes a file should have: 20 kB to 2 MB, most of them small."""
    size = _draw.log_normal(f"{key}/size", median=_MEDIAN_BYTES, sigma=_SIGMA)
    return int(min(max(size, _SMALLEST), _LARGEST))


def _numbers(key: str, *, per: int) -> Sequence[int]:
    """Return a drawn number for each record of a file whose records take `per` bytes each."""
    count = target_size(key) // per + 1
    octets = _draw.draw_bytes(f"{key}/numbers", size=4 * count)
    return struct.unpack(f"<{count}I", octets)


def _rows(recipe: Recipe) -> list[list[str]]:
    stems = [column.strip("{}").rpartition(".")[2] or column for column in recipe.columns]
    per = sum(len(stem) + 6 for stem in stems)
    return [
        [f"{stem} {(number >> shift % 16) % 10_000}" for shift, stem in enumerate(stems)]
        for number in _numbers(recipe.key, per=per)
    ]


def _json(value: object, records: int) -> Made:
    return Made(json.dumps(value, separators=(",", ":")).encode(), records)


def _forecast_entry(index: int, number: int) -> dict[str, Any]:
    return {
        "fieldId": f"field_{number % 3}",
        "timeFrameId": f"WEEK_{index % 13}",
        "userId": f"{number % 20}::MGR",
        "forecastValue": number % 1_000_000,
        "quotaValue": number % 2_000_000,
        "adjustmentValue": None,
        "adjustedBy": None,
        "adjustedOn": None,
        "aggregationTotal": number % 500_000,
        "isUpdated": number % 2 == 0,
        "currency": {"code": "USD", "symbol": "$"},
    }


def _forecast_user(number: int) -> dict[str, Any]:
    return {
        "userId": f"{number}::MGR",
        "name": f"User {number}",
        "email": f"user{number}@customer.example",
        "scopeId": f"{number}::MGR",
        "crmId": f"00500000000000{number:02d}",
        "hierarchyId": str(number),
        "hierarchyName": "Sales",
        "parentHierarchyId": None,
        "parentHierarchyName": None,
    }


def _audit_event(index: int, number: int) -> dict[str, Any]:
    return {
        "correlationID": f"{number:016x}",
        "actorId": str(number % 20),
        "actorType": "USER",
        "sessionId": _draw.uuid(f"session/{number % 97}"),
        "sessionType": "WEB",
        "event": "api.accessed",
        "eventTimestamp": f"2026-08-{1 + index % 28:02d}T16:22:18Z",
        "ipAddress": "127.0.0.1",
    }


def _activity(index: int, number: int) -> dict[str, Any]:
    return {
        "activityId": f"{number:032x}",
        "activityType": "MEETING" if number % 2 else "EMAIL_SENT",
        "subject": f"Subject {number % 1000}",
        "date": 1_702_906_200_000 + 60_000 * index,
        "activityOwnerId": f"0073x{number % 100:010d}",
        "activityOrganiserId": f"0044x{number % 100:010d}",
        "accounts": [{"accountId": f"0014x{number % 50:010d}", "accountName": "Account"}],
        "opportunities": [],
        "participants": [{"name": "Ava Turner", "email": "ava@customer.example"}],
    }

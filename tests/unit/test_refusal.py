"""What a vendor means when it does not answer with a 2xx, and how long it asks to be left alone."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs import (
    AuthenticationFailed,
    JobNotFound,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    Rejected,
    SlotsFull,
    VendorUnavailable,
)
from exportjobs._refusal import refusal, server_wait
from exportjobs.adapter import Refusal, Response

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CODES: dict[str, type[Refusal]] = {"BUSY": SlotsFull, "SPENT": QuotaExceeded, "7": RateLimited}


def said(body: object, status: int = 400, **headers: str) -> Refusal:
    """Return the error that an answer stands for, which has to be one."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = refusal(Response(status, named, content), CODES, now=NOW)
    assert error is not None
    return error


def wait(**headers: str) -> timedelta | None:
    """Return how long a server asks to wait by its headers, written with underscores."""
    return server_wait({name.replace("_", "-"): text for name, text in headers.items()}, now=NOW)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_2xx_is_no_refusal(status: int) -> None:
    """Whatever the body says."""
    response = Response(status, {"retry-after": "5"}, b'{"code": "BUSY"}')

    assert refusal(response, CODES, now=NOW) is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (199, Rejected),
        (300, Rejected),
        (302, Rejected),
        (400, Rejected),
        (401, AuthenticationFailed),
        (402, Rejected),
        (403, PermissionDenied),
        (404, JobNotFound),
        (409, Rejected),
        (410, JobNotFound),
        (422, Rejected),
        (429, RateLimited),
        (499, Rejected),
        (500, VendorUnavailable),
        (503, VendorUnavailable),
        (599, VendorUnavailable),
    ],
)
def test_the_status_decides_where_no_code_does(status: int, error: type[Refusal]) -> None:
    """A code that the adapter does not know is kept, and decides nothing."""
    without, unknown = said({}, status), said({"code": "OTHER"}, status)

    assert (type(without), without.http_status, without.code) == (error, status, None)
    assert (type(unknown), unknown.http_status, unknown.code) == (error, status, "OTHER")


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_the_vendors_own_code_decides_first(status: int) -> None:
    """One HTTP status may stand for many things, and the code tells which."""
    error = said({"code": "SPENT", "message": "no more"}, status)

    assert type(error) is QuotaExceeded
    assert (error.http_status, error.code) == (status, "SPENT")


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        pytest.param({"code": "BUSY"}, "BUSY", "HTTP 400 (BUSY)", id="code"),
        pytest.param({"errorCode": "BUSY"}, "BUSY", "HTTP 400 (BUSY)", id="error-code"),
        pytest.param({"error_code": "BUSY"}, "BUSY", "HTTP 400 (BUSY)", id="error_code"),
        pytest.param({"code": 7}, "7", "HTTP 400 (7)", id="number"),
        pytest.param({"message": "no"}, None, "HTTP 400 (no)", id="message"),
        pytest.param({"errorMessage": "no"}, None, "HTTP 400 (no)", id="error-message"),
        pytest.param({"detail": "no"}, None, "HTTP 400 (no)", id="detail"),
        pytest.param({"error": "no"}, None, "HTTP 400 (no)", id="error"),
        pytest.param({"title": "no"}, None, "HTTP 400 (no)", id="title"),
        pytest.param(
            {"code": "BUSY", "message": "no", "title": "t"},
            "BUSY",
            "HTTP 400 (BUSY: no)",
            id="flat",
        ),
        pytest.param(
            {"errors": [{"code": "BUSY", "message": "no"}, {"code": "OTHER"}]},
            "BUSY",
            "HTTP 400 (BUSY: no)",
            id="first-of-a-list",
        ),
        pytest.param({"errors": [], "message": "no"}, None, "HTTP 400 (no)", id="empty-list"),
        pytest.param({"errors": {}, "code": "BUSY"}, "BUSY", "HTTP 400 (BUSY)", id="no-list"),
        pytest.param({"errors": ["BUSY"]}, None, "HTTP 400", id="list-of-texts"),
        pytest.param({"code": {"x": 1}, "message": None}, None, "HTTP 400", id="no-texts"),
        pytest.param(["BUSY"], None, "HTTP 400", id="list"),
        pytest.param("BUSY", None, "HTTP 400", id="text"),
        pytest.param(None, None, "HTTP 400", id="null"),
        pytest.param(b"", None, "HTTP 400", id="nothing"),
        pytest.param(b"<html>Bad gateway</html>", None, "HTTP 400", id="page"),
        pytest.param(b"\xff\xfe\x00", None, "HTTP 400", id="no-text"),
        pytest.param(b'{"code": "BUSY"', None, "HTTP 400", id="cut-off"),
        pytest.param(b"[" * 100_000, None, "HTTP 400", id="deep"),
        pytest.param(b"1" * 5_000, None, "HTTP 400", id="long-number"),
    ],
)
def test_the_bodies_that_are_in_use(body: object, code: str | None, reason: str) -> None:
    """Flat or the first of a list; a body that is neither says nothing."""
    error = said(body)

    assert (error.code, error.reason) == (code, reason)
    assert type(error) is {"BUSY": SlotsFull, "7": RateLimited, None: Rejected}[code]


def test_what_a_vendor_says_is_made_harmless() -> None:
    """Its words may hold a signed URL, or a line of their own for the log."""
    error = said({"message": "see https://files.example/x?sig=abc\n2026 ERROR hacked \x1b[31m"})

    assert "sig=abc" not in f"{error}{error!r}"
    assert error.reason.isprintable()


_words = st.text(st.characters(exclude_categories=()), max_size=20)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=8,
)
_bodies = st.dictionaries(
    st.sampled_from(["errors", "code", "errorCode", "message", "error", "detail"]),
    _json | st.lists(st.dictionaries(st.sampled_from(["code", "message"]), _json)),
)
_headers = st.dictionaries(
    st.sampled_from(
        ["Retry-After", "RateLimit-Remaining", "RateLimit-Reset", "X-RateLimit-Remaining"]
    ),
    st.text() | st.integers().map(str) | st.floats().map(str) | st.just("0"),
)


@given(
    status=st.integers(300, 599),
    content=st.binary() | _bodies.map(lambda body: json.dumps(body).encode()),
    headers=_headers,
)
def test_any_answer_is_a_typed_error(status: int, content: bytes, headers: dict[str, str]) -> None:
    """No bytes and no headers raise another exception than the one that they stand for."""
    error = refusal(Response(status, headers, content), CODES, now=NOW)

    assert isinstance(error, Refusal)
    assert error.http_status == status
    assert str(error).isprintable()
    assert error.retry_after is None or error.retry_after >= timedelta(0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("0", 0, id="now"),
        pytest.param("120", 120, id="seconds"),
        pytest.param(" 7 ", 7, id="spaces"),
        pytest.param("1.5", 1.5, id="fraction"),
        pytest.param("-5", 0, id="negative"),
        pytest.param("Sun, 01 Mar 2026 12:01:00 GMT", 60, id="date"),
        pytest.param("Sun, 01 Mar 2026 14:01:00 +0200", 60, id="date-with-zone"),
        pytest.param("Sun, 01 Mar 2026 12:01:00 -0000", 60, id="date-without-zone"),
        pytest.param("Sun, 01 Mar 2026 11:59:00 GMT", 0, id="past"),
        pytest.param("Thu, 01 Jan 1970 00:00:00 GMT", 0, id="long-past"),
        pytest.param("1772366460", 60, id="unix-time"),
    ],
)
def test_retry_after(text: str, seconds: float) -> None:
    """In seconds or as a date, and never negative."""
    assert wait(retry_after=text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param("soon", id="word"),
        pytest.param("inf", id="infinite"),
        pytest.param("nan", id="no-number"),
        pytest.param("9" * 400, id="more-than-a-float"),
        pytest.param("1e15", id="more-than-a-duration"),
        pytest.param("Sun, 32 Mar 2026 12:00:00 GMT", id="no-such-day"),
        pytest.param(f"Sun, 01 Mar {'9' * 30} 12:00:00 GMT", id="more-than-a-year"),
        pytest.param(f"Sun, 01 Mar 2026 12:00:00 +{'9' * 30}", id="more-than-a-zone"),
        pytest.param(f"Sun, 01 Mar 2026 {'9' * 30}:00:00 GMT", id="more-than-an-hour"),
    ],
)
def test_a_retry_after_that_says_nothing(text: str) -> None:
    """What cannot be read is as good as absent."""
    assert wait(retry_after=text) is None


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1971, 1, 1)))  # noqa: DTZ001 - a bound
def test_a_date_is_waited_for(moment: datetime) -> None:
    """Any date that a server can write is read to the second."""
    whole = moment.replace(microsecond=0)

    asked = wait(retry_after=format_datetime(whole, usegmt=True))

    assert asked == max(timedelta(0), whole - NOW)


@given(st.text() | st.from_regex(r"\w{3}, \d+ Mar \d+ \d+:\d+:\d+ [+-]?\w*", fullmatch=True))
@example("Sun, 01 Mar 2026 12:00:00 +9999")
@example("\ud800")
def test_any_retry_after_is_a_wait_or_nothing(text: str) -> None:
    """A header may hold anything."""
    asked = wait(retry_after=text)

    assert asked is None or asked >= timedelta(0)


@pytest.mark.parametrize("family", ["ratelimit", "x_ratelimit"])
@pytest.mark.parametrize(
    ("remaining", "reset", "seconds"),
    [
        pytest.param("0", "30", 30, id="used-up"),
        pytest.param(" 0 ", "30", 30, id="spaces"),
        pytest.param("0", "1772366460", 60, id="unix-time"),
        pytest.param("0", "1772366340", 0, id="past-unix-time"),
        pytest.param("0", "soon", None, id="garbage"),
        pytest.param("0", "", None, id="no-reset"),
        pytest.param("1", "30", None, id="one-left"),
        pytest.param("99", "1772366460", None, id="many-left"),
        pytest.param("", "30", None, id="not-said"),
    ],
)
def test_a_rate_limit_counts_when_it_is_used_up(
    family: str, remaining: str, reset: str, seconds: float | None
) -> None:
    """Its reset is a number of seconds, or a moment where it is too large for one."""
    headers = {f"{family}_remaining": remaining, f"{family}_reset": reset}

    assert wait(**headers) == (None if seconds is None else timedelta(seconds=seconds))


def test_retry_after_comes_before_a_rate_limit() -> None:
    """What the server says outright is what it wants."""
    asked = wait(retry_after="5", ratelimit_remaining="0", ratelimit_reset="600")

    assert asked == timedelta(seconds=5)


def test_a_server_that_asks_for_nothing() -> None:
    """No header, no wait."""
    assert wait() is None
    assert wait(ratelimit_reset="30") is None


@pytest.mark.parametrize("headers", [{"Retry-After": "9"}, {"retry-after": "9"}], ids=["A", "a"])
def test_the_wait_goes_along_with_the_error(headers: dict[str, Any]) -> None:
    """However the server writes its header's name."""
    error = refusal(Response(429, headers), {}, now=NOW)

    assert isinstance(error, RateLimited)
    assert error.retry_after == timedelta(seconds=9)

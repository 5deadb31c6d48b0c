"""What a vendor means when it does not answer with a 2xx."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportjobs import (
    AuthenticationFailed,
    ConcurrencyLimitReached,
    JobNotFound,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    Rejected,
    VendorUnavailable,
)
from exportjobs._http.answers import response_error
from exportjobs.adapter import Response, ResponseError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CODES: dict[str, type[ResponseError]] = {
    "BUSY": ConcurrencyLimitReached,
    "SPENT": QuotaExceeded,
    "7": RateLimited,
}


def said(body: object, status: int = 400, **headers: str) -> ResponseError:
    """Return the error that an answer stands for, which has to be one."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = response_error(Response(status, named, content), CODES, now=NOW)
    assert error is not None
    return error


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_2xx_is_no_refusal(status: int) -> None:
    """Whatever the body says."""
    response = Response(status, {"retry-after": "5"}, b'{"code": "BUSY"}')

    assert response_error(response, CODES, now=NOW) is None


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
def test_the_status_decides_where_no_code_does(status: int, error: type[ResponseError]) -> None:
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
        pytest.param(
            [{"errorCode": "BUSY", "message": "no"}, {"errorCode": "OTHER"}],
            "BUSY",
            "HTTP 400 (BUSY: no)",
            id="first-of-a-bare-list",
        ),
        pytest.param([], None, "HTTP 400", id="empty-bare-list"),
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
    assert type(error) is {"BUSY": ConcurrencyLimitReached, "7": RateLimited, None: Rejected}[code]


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
    error = response_error(Response(status, headers, content), CODES, now=NOW)

    assert isinstance(error, ResponseError)
    assert error.http_status == status
    assert str(error).isprintable()
    assert error.retry_after is None or error.retry_after >= timedelta(0)


@pytest.mark.parametrize("headers", [{"Retry-After": "9"}, {"retry-after": "9"}], ids=["A", "a"])
def test_the_wait_goes_along_with_the_error(headers: dict[str, Any]) -> None:
    """However the server writes its header's name."""
    error = response_error(Response(429, headers), {}, now=NOW)

    assert isinstance(error, RateLimited)
    assert error.retry_after == timedelta(seconds=9)


def test_a_used_up_rate_limit_goes_along_with_the_error() -> None:
    """Where the server says no more than that."""
    error = said({}, 429, RateLimit_Remaining="0", RateLimit_Reset="30")

    assert error.retry_after == timedelta(seconds=30)

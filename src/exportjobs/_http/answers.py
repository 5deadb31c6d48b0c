"""What a vendor means when it does not answer with a 2xx."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from attrs import frozen

from exportjobs._schedule.budgets import RateLimitState
from exportjobs.adapter._errors import (
    AuthenticationFailed,
    JobNotFound,
    MalformedResponse,
    PermissionDenied,
    RateLimited,
    Rejected,
    ResponseError,
    VendorUnavailable,
)
from exportjobs.adapter._flow import Response
from exportjobs.adapter._structure import is_list, is_object, parse_json

# An X-RateLimit-Reset above this is a moment since 1970, below it a number of seconds from now;
# far above, the moment is in milliseconds.
_MOMENT_FROM = 1e9
_MILLISECONDS = (1e11, 1e14)
_DIGITS = 15
"""More than any count of requests has."""
_LONGEST = timedelta(days=31)
"""The longest that a rate limit's window may last; a vendor that says more means something else."""


def retry_after(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """Return how long `Retry-After` asks for, in seconds or as a date; None without one.

    Never negative.
    """
    return _duration(headers.get("retry-after", ""), now)


def server_wait(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """Return how long a server that refused asks to wait, or None if it does not say.

    `Retry-After` counts, and a used-up rate limit with its time of reset. Never negative.
    """
    if headers.get("retry-after"):
        return retry_after(headers, now=now)
    state = rate_limit(headers, now=now)
    if state is None or state.remaining > 0:
        return None
    return timedelta(seconds=max(0.0, state.until - now.timestamp()))


def rate_limit(headers: Mapping[str, str], *, now: datetime) -> RateLimitState | None:
    """Return what a server says of its rate limit: what remains, and until when.

    `RateLimit-Reset` is in seconds from now (draft-ietf-httpapi-ratelimit-headers), and
    `X-RateLimit-Reset` is so with some vendors and a Unix time with others (Closient,
    docs.closient.com/rate-limits, read in August 2026).
    """
    for family in ("ratelimit", "x-ratelimit"):
        remaining = _count(headers.get(f"{family}-remaining"))
        if remaining is None:
            continue
        reset = _duration(headers.get(f"{family}-reset", ""), now)
        if reset is None or reset > _LONGEST:
            continue
        until = now.timestamp() + reset.total_seconds()
        return RateLimitState(remaining, until, _count(headers.get(f"{family}-limit")))
    return None


def _count(text: str | None) -> int | None:
    """Return a whole number; the first, where a list of windows or parameters follows it."""
    first = (text or "").replace(";", ",").split(",")[0].strip()
    counts = first.isascii() and first.isdigit() and len(first) <= _DIGITS
    return int(first) if counts else None


def _duration(text: str, now: datetime) -> timedelta | None:
    if not text:
        return None
    try:
        seconds = float(text)
        if not math.isfinite(seconds):
            return None
        if _MILLISECONDS[0] <= seconds < _MILLISECONDS[1]:
            seconds /= 1000
        if seconds >= _MOMENT_FROM:
            seconds -= now.timestamp()
        return timedelta(seconds=max(0.0, seconds))
    except (ValueError, OverflowError):
        return _until_date(text, now)


def _until_date(text: str, now: datetime) -> timedelta | None:
    try:
        moment = parsedate_to_datetime(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(timedelta(0), aware - now)
    except (ValueError, TypeError, OverflowError):
        return None


_BY_STATUS: Mapping[int, type[ResponseError]] = {
    HTTPStatus.UNAUTHORIZED: AuthenticationFailed,
    HTTPStatus.FORBIDDEN: PermissionDenied,
    HTTPStatus.NOT_FOUND: JobNotFound,
    HTTPStatus.GONE: JobNotFound,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimited,
}
_CODE_NAMES = ("code", "errorCode", "error_code")
_TEXT_NAMES = ("message", "errorMessage", "error_message", "detail", "error", "title")


def response_error(
    response: Response, error_codes: Mapping[str, type[ResponseError]], *, now: datetime
) -> ResponseError | None:
    """Return the error that an answer means, or None if it is a 2xx.

    The vendor's own code decides where the adapter knows it, else the HTTP status.
    """
    if response.ok:
        return None
    error_body = _error_body(response)
    by_status = _BY_STATUS.get(response.status) or (
        VendorUnavailable if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR else Rejected
    )
    error = error_codes.get(error_body.code or "", by_status)
    return error(
        error_body.reason(response.status),
        http_status=response.status,
        code=error_body.code,
        retry_after=server_wait(response.headers, now=now),
    )


@frozen
class _ErrorBody:
    """The vendor's code and text for an error."""

    code: str | None = None
    text: str | None = None

    def reason(self, status: int) -> str:
        said = ": ".join(part for part in (self.code, self.text) if part)
        return f"HTTP {status}{f' ({said})' if said else ''}"


def _error_body(response: Response) -> _ErrorBody:
    """Read the shapes of error bodies that are in use: flat, or the first of a list of errors."""
    try:
        body = parse_json(response.content)
    except MalformedResponse:
        return _ErrorBody()
    errors = body.get("errors") if is_object(body) else body
    if is_list(errors) and errors:
        body = errors[0]
    if not is_object(body):
        return _ErrorBody()
    return _ErrorBody(_first_text(body, _CODE_NAMES), _first_text(body, _TEXT_NAMES))


def _first_text(body: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    return next((str(body[n]) for n in names if isinstance(body.get(n), str | int)), None)

"""What a vendor means when it does not answer with a 2xx."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from attrs import frozen

from exportjobs._errors import (
    AuthenticationFailed,
    JobNotFound,
    MalformedResponse,
    PermissionDenied,
    RateLimited,
    Refusal,
    Rejected,
    VendorUnavailable,
)
from exportjobs._flow import Response
from exportjobs._structure import is_list, is_object, parse_json

_BY_STATUS: Mapping[int, type[Refusal]] = {
    HTTPStatus.UNAUTHORIZED: AuthenticationFailed,
    HTTPStatus.FORBIDDEN: PermissionDenied,
    HTTPStatus.NOT_FOUND: JobNotFound,
    HTTPStatus.GONE: JobNotFound,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimited,
}
_CODE_NAMES = ("code", "errorCode", "error_code")
_TEXT_NAMES = ("message", "errorMessage", "error_message", "detail", "error", "title")
# An X-RateLimit-Reset above this is a moment since 1970, below it a number of seconds from now.
_MOMENT_FROM = 1e9


def refusal(
    response: Response, error_codes: Mapping[str, type[Refusal]], *, now: datetime
) -> Refusal | None:
    """Return the error that an answer stands for, or None if it is a 2xx.

    The vendor's own code decides where the adapter knows it, else the HTTP status.
    """
    if response.ok:
        return None
    complaint = _complaint(response)
    by_status = _BY_STATUS.get(response.status) or (
        VendorUnavailable if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR else Rejected
    )
    error = error_codes.get(complaint.code or "", by_status)
    return error(
        complaint.line(response.status),
        http_status=response.status,
        code=complaint.code,
        retry_after=server_wait(response.headers, now=now),
    )


@frozen
class _Complaint:
    """The vendor's code and words for what it did not like."""

    code: str | None = None
    text: str | None = None

    def line(self, status: int) -> str:
        said = ": ".join(part for part in (self.code, self.text) if part)
        return f"HTTP {status}{f' ({said})' if said else ''}"


def _complaint(response: Response) -> _Complaint:
    """Read the error bodies that are in use: flat, or the first of a list named `errors`."""
    try:
        body = parse_json(response.content)
    except MalformedResponse:
        return _Complaint()
    if is_object(body) and is_list(errors := body.get("errors")) and errors:
        body = errors[0]
    if not is_object(body):
        return _Complaint()
    return _Complaint(_first_text(body, _CODE_NAMES), _first_text(body, _TEXT_NAMES))


def _first_text(body: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    return next((str(body[n]) for n in names if isinstance(body.get(n), str | int)), None)


def server_wait(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """Return how long a server asks to be left alone, or None if it does not.

    `Retry-After` counts, as seconds or as a date, and a used-up rate limit with its time of reset:
    `RateLimit-Reset` in seconds from now (draft-ietf-httpapi-ratelimit-headers) or
    `X-RateLimit-Reset`, which some vendors give as a Unix time (Closient, docs.closient.com
    /rate-limits, read in August 2026). Never negative.
    """
    if asked := headers.get("retry-after"):
        return _duration(asked, now)
    for family in ("ratelimit", "x-ratelimit"):
        if headers.get(f"{family}-remaining", "").strip() == "0":
            return _duration(headers.get(f"{family}-reset", ""), now)
    return None


def _duration(text: str, now: datetime) -> timedelta | None:
    try:
        seconds = float(text)
        if not math.isfinite(seconds):
            return None
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

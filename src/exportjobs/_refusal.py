"""What a vendor means when it does not answer with a 2xx."""

from collections.abc import Mapping
from datetime import datetime
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
from exportjobs._hints import server_wait
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
    """Read the error bodies that are in use: flat, or the first of a list that may stand alone."""
    try:
        body = parse_json(response.content)
    except MalformedResponse:
        return _Complaint()
    errors = body.get("errors") if is_object(body) else body
    if is_list(errors) and errors:
        body = errors[0]
    if not is_object(body):
        return _Complaint()
    return _Complaint(_first_text(body, _CODE_NAMES), _first_text(body, _TEXT_NAMES))


def _first_text(body: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    return next((str(body[n]) for n in names if isinstance(body.get(n), str | int)), None)

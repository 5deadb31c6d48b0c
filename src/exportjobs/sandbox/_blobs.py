"""The second origin: a blob store that serves files only by signed URL."""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from exportjobs.sandbox import _signing
from exportjobs.sandbox._api import Api
from exportjobs.sandbox._content import HeldFile
from exportjobs.sandbox._fault_injection import Target, answer_download
from exportjobs.sandbox._faults import Fault, RequestKind
from exportjobs.sandbox._signing import Examination, Scheme, Verdict
from exportjobs.sandbox._timeline import JobState
from exportjobs.sandbox._times import zulu
from exportjobs.sandbox._world import World

_CREDENTIALS: Final = frozenset({"authorization", "apikey", "x-api-key"})
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


class BlobStore:
    """Serves the files of all accounts to every client with a signed URL."""

    def __init__(self, world: World, *, apis: Mapping[str, Api]) -> None:
        """Serve the files of these APIs, given by their labels."""
        self._world = world
        self._apis = apis

    def router(self) -> Router:
        """Return the store as an ASGI application."""
        routes = [Route("/{label}/{job_id}/{name}", self._read)]
        return Router(routes, redirect_slashes=False, default=_not_found())

    async def _read(self, request: Request) -> Response:
        label: str = request.path_params["label"]
        target = Target(self._world, label, RequestKind.download, subject=request.url.path)
        return await answer_download(request, self._open, target=target)

    async def _open(self, request: Request) -> Response:
        if not _CREDENTIALS.isdisjoint(request.headers.keys()):
            return _two_credentials()
        now = self._world.clock.now()
        examination = _signing.examine(
            request.url.path, query=request.query_params, secret=self._world.secret, now=now
        )
        if examination.verdict is Verdict.expired and self._world.plan.has(Fault.expired_link):
            self._world.log.mark(request, fault=Fault.expired_link)
        if examination.verdict is not Verdict.valid:
            return _refused(examination, now=now)
        file = self._find(**request.path_params)
        return _not_found(examination.scheme) if file is None else _content(file, request)

    def _find(self, *, label: str, job_id: str, name: str) -> HeldFile | None:
        api = self._apis.get(label)
        job = api.book.find(job_id) if api else None
        if api is None or job is None or api.book.state(job) is not JobState.done:
            return None
        return next((file for file in api.files(job) if file.name == name), None)


def _content(file: HeldFile, request: Request) -> Response:
    etag = f'"{file.facts.md5.hex()}"'
    modified = format_datetime(file.written.astimezone(UTC), usegmt=True)
    headers = {
        "ETag": etag,
        "Last-Modified": modified,
        "Accept-Ranges": "bytes",
        "Content-Type": file.media_type,
    }
    if file.is_attachment:
        headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    if not _range_applies(request, etag=etag, modified=modified):
        headers["Content-MD5"] = base64.b64encode(file.facts.md5).decode()
        return Response(file.body, headers=headers)
    return _part(file, request.headers["range"], headers)


def _part(file: HeldFile, wanted: str, headers: Mapping[str, str]) -> Response:
    """Answer a range request: 206 with the part, or 416 if it begins after the end."""
    size = file.facts.size
    first, last = _bounds(wanted, size=size)
    if first > last:
        return _error(
            416,
            "InvalidRange",
            "The range specified is invalid for the current size of the resource.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    content_range = f"bytes {first}-{last}/{size}"
    body = file.body[first : last + 1]
    return Response(body, 206, headers={**headers, "Content-Range": content_range})


def _range_applies(request: Request, *, etag: str, modified: str) -> bool:
    # RFC 9110, 14.2: a range that is malformed, or has several parts, may be ignored; 13.1.5:
    # one whose If-Range does not match must be.
    wanted = _RANGE.fullmatch(request.headers.get("range", ""))
    if wanted is None or not any(wanted.groups()):
        return False
    condition = request.headers.get("if-range")
    if condition is None or condition.startswith(('"', "W/")):
        return condition in {None, etag}
    return _parse_date(condition) == parsedate_to_datetime(modified)


def _parse_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


def _bounds(wanted: str, *, size: int) -> tuple[int, int]:
    """Return the first and last byte of a range, first after last if nothing is in it."""
    match = _RANGE.fullmatch(wanted)
    first, last = match.groups() if match else ("", "")
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last or size), size - 1)


def _refused(examination: Examination, *, now: datetime) -> Response:
    """Return the error for a URL that is not valid, as the store that signs such URLs would."""
    expired = examination.verdict is Verdict.expired
    if examination.scheme is Scheme.azure:
        detail = (
            "Signature not valid in the specified time frame"
            if expired
            else "Signature did not match"
        )
        message = (
            "Server failed to authenticate the request. Make sure the value of Authorization "
            "header is formed correctly including the signature."
        )
        return _error(403, "AuthenticationFailed", message, AuthenticationErrorDetail=detail)
    if examination.scheme is Scheme.amazon and expired:
        end = examination.end or now
        return _error(
            403, "AccessDenied", "Request has expired", Expires=zulu(end), ServerTime=zulu(now)
        )
    if examination.scheme is Scheme.amazon:
        message = "The request signature we calculated does not match the signature you provided."
        return _error(403, "SignatureDoesNotMatch", message)
    return _error(403, "AccessDenied", "Access denied")


def _two_credentials() -> Response:
    message = (
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
        "query string parameter or the Authorization header should be specified"
    )
    return _error(400, "InvalidArgument", message)


def _not_found(scheme: Scheme | None = None) -> Response:
    if scheme is Scheme.azure:
        return _error(404, "BlobNotFound", "The specified blob does not exist.")
    return _error(404, "NoSuchKey", "The specified key does not exist.")


def _error(
    status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, **more: str
) -> Response:
    elements = {"Code": code, "Message": message, **more}
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements.items())
    body = f'<?xml version="1.0" encoding="utf-8"?>\n<Error>{inner}</Error>'
    return Response(body, status, headers=headers, media_type="application/xml")

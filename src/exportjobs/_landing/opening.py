"""What a host's answer to the request for a file means: what comes, and from where in the file."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from attrs import field, frozen

from exportjobs._landing.digests import expected_digests
from exportjobs.adapter._errors import DownloadFailed, NetworkError, SignedUrlRejected

_SETTLED = timedelta(seconds=1)
"""How much older than the answer a file has to be for its time to tell its versions apart."""


@frozen
class Version:
    """What a file's host says of the version that it sends."""

    etag: str = ""
    """A strong one; nothing where the host gives none, or a weak one."""
    modified: str = ""
    """As the host writes it; nothing where it does not tell versions apart."""
    size: int | None = None
    """Bytes in all, as they come over the wire."""

    @classmethod
    def of(cls, headers: Mapping[str, str], size: int | None) -> "Version":
        """Return the version that an answer's headers speak of (RFC 9110, 8.8)."""
        etag = headers.get("etag", "").strip()
        if is_strong(etag):
            return cls(etag, size=size)
        modified = headers.get("last-modified", "").strip()
        is_settled = _is_settled(modified, headers.get("date", ""))
        return cls(modified=modified if is_settled else "", size=size)

    @property
    def condition(self) -> str:
        """What `If-Range` takes; nothing where the version cannot be told from another."""
        return self.etag or self.modified

    def is_continued_by(self, headers: Mapping[str, str], size: int | None) -> bool:
        """Return whether an answer to `If-Range` with a part of the file has a part of this one.

        A host may leave out Last-Modified when it was asked by it (RFC 9110, 15.3.7), but no ETag.
        """
        if self.size is not None and size is not None and self.size != size:
            return False
        if self.etag:
            return headers.get("etag", "").strip() == self.etag
        return bool(self.modified) and headers.get("last-modified", self.modified) == self.modified


def is_strong(etag: str) -> bool:
    """Return whether an ETag tells any two versions apart, and can be sent back."""
    return len(etag) > 1 and etag[0] == etag[-1] == '"' and is_sendable(etag)


def is_sendable(text: str) -> bool:
    """Return whether a header may hold a text."""
    return text.isascii() and text.isprintable()


def _is_settled(modified: str, date: str) -> bool:
    """Whether a file that changes again will have another time (RFC 9110, 8.8.2.2)."""
    changed, answered = _moment(modified), _moment(date)
    if changed is None or answered is None:
        return False
    try:
        return answered - changed >= _SETTLED
    except TypeError:
        return False


def _moment(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None


_RANGE = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_DIGITS = 18
"""More than any file's length has."""
_GZIP = {"gzip", "x-gzip"}
_URL_REJECTED = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
}
# Google and Amazon answer 400 where a token has expired, with one of these codes in the body.
_EXPIRED = re.compile(rb"<Code>(?:Expired|RequestExpired|TokenRefreshRequired)")
_TRANSIENT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
ENOUGH = 64
"""Bytes that are enough to tell an error page from a file."""
_MARKUP = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:\?xml|!doctype|html|error)\b", re.IGNORECASE)
_MARKUP_TYPES = {"text/html", "application/xml", "text/xml", "application/xhtml+xml"}
_MARKUP_SUFFIXES = {".html", ".htm", ".xml", ".xhtml"}


class NoContinuation(NetworkError):
    """The rest of a file was asked for, and what came may be something else."""


@frozen
class Opening:
    """The body that is about to come."""

    start: int = 0
    """Where in the file it begins, in bytes."""
    size: int | None = None
    """Bytes of the whole file, where that is known."""
    version: Version = field(factory=Version)
    digests: Mapping[str, bytes] = field(factory=dict[str, bytes])
    """Digests of the whole file, by algorithm."""
    compressed: bool = False
    """Whether it has a content coding, which is undone as it comes."""
    media_type: str = ""


@frozen
class Head:
    """What is known of an answer before its body is read."""

    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    said: bytes = b""
    """The first bytes of an answer that is not a file."""


def opening(head: Head, *, suffix: str, asked: Version | None, start: int) -> Opening:
    """Return what is about to come.

    Args:
        head: The answer's.
        suffix: Of the file, as far as it is known.
        asked: The version whose rest was asked for; None where the whole file was.
        start: From which byte on.

    Raises:
        SignedUrlRejected: If the host rejects the URL.
        NoContinuation: If what comes may not be the rest.
        NetworkError: If the host cannot answer for now.
        DownloadFailed: If it will never.
    """
    status = head.status
    if status == HTTPStatus.OK:
        return _whole(head.headers, suffix)
    if status == HTTPStatus.PARTIAL_CONTENT and asked is not None:
        return _rest(head.headers, asked, start, suffix)
    said = f"the file's host answered HTTP {status}"
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and asked is not None:
        raise NoContinuation(f"the file is shorter than it was: {said}")
    if status in _URL_REJECTED or _EXPIRED.search(head.said):
        raise SignedUrlRejected(f"the URL was rejected: {said}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TRANSIENT:
        raise NetworkError(said)
    raise DownloadFailed(said)


def may_be_error_page(opened: Opening, suffix: str) -> bool:
    """Return whether what comes is served as something else than the file is."""
    is_page = opened.start == 0 and opened.media_type in _MARKUP_TYPES
    return is_page and bool(suffix) and suffix not in _MARKUP_SUFFIXES


def check_no_error_page(begin: bytes) -> None:
    """Check that the first bytes of a file are not an error page.

    Raises:
        SignedUrlRejected: If they are: some hosts answer 200 with a page that says that a URL has
            expired.
    """
    if _MARKUP.match(begin):
        raise SignedUrlRejected("the URL was rejected: the file's host sent an error page")


def _whole(headers: Mapping[str, str], suffix: str) -> Opening:
    coding = _coding(headers, suffix)
    length = headers.get("content-length", "")
    size = int(length[:_DIGITS]) if length.isdecimal() else None
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if coding is not None and coding not in _GZIP:
        raise DownloadFailed(f"the file's host compresses it in an unknown way, {coding}")
    if coding is not None:
        # Length, version and digests are of the compressed bytes, and say nothing of the file.
        return Opening(compressed=True, media_type=media_type)
    digests = expected_digests(headers, whole=True)
    return Opening(0, size, Version.of(headers, size), digests, media_type=media_type)


def _coding(headers: Mapping[str, str], suffix: str) -> str | None:
    """Return a body's content coding, if it has one that is not part of the file."""
    coding = headers.get("content-encoding", "").strip().lower()
    # A file that is a gzip itself is often stored with gzip as its content coding.
    is_payload = coding in _GZIP and suffix.endswith((".gz", ".tgz"))
    return None if is_payload or coding in {"", "identity"} else coding


def _rest(headers: Mapping[str, str], asked: Version, start: int, suffix: str) -> Opening:
    if _coding(headers, suffix) is not None:
        raise NoContinuation("the file's host compresses what it did not compress before")
    match = _RANGE.fullmatch(headers.get("content-range", "").strip().lower())
    if match is None:
        raise NoContinuation("the file's host does not say which part of the file it sends")
    first, last = int(match[1]), int(match[2])
    size = None if match[3] == "*" else int(match[3])
    whole = asked.size if size is None else size
    if whole is None or first != start or last < first or last != whole - 1:
        raise NoContinuation("the file's host sends another part of the file than was asked for")
    if not asked.is_continued_by(headers, size):
        raise NoContinuation("the file has changed since its download began")
    return Opening(start, whole, asked, expected_digests(headers, whole=False))

"""Which version of a file an answer speaks of, and what proves that two are the same."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from attrs import frozen

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

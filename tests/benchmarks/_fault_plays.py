"""What a host may do to those who fetch a file from it: one play for each fault, no bytes moved."""

import base64
import hashlib
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import Enum
from http import HTTPStatus

FAULTS: Mapping[str, str] = {
    "ok": "nothing goes wrong",
    "cut1": "the first answer is cut off at 40 % of the file; ranges are honoured",
    "cut1_norange": "the same, and ranges are ignored",
    "reset": "the same as `cut1`, by a reset in place of an end",
    "change": "cut off, and then another file of the same length stands there",
    "wrongrange": "cut off, and what is resumed begins 4 KiB too early, as its headers say",
    "flip": "one bit is flipped in every answer, and its headers tell the truth",
    "expire": "HTTP 403 with XML: the link is none any more, and the vendor has a new one",
    "expire_midway": "cut off, and then HTTP 403 until the vendor was asked for a new link",
    "shrink": "cut off, and then a shorter file stands there: HTTP 416 for what was beyond",
    "errorpage": "HTTP 200 with a page in HTML in place of the file, whichever link is used",
}
LEAK = "redirect"
SECRETS: Mapping[str, str] = {
    "Authorization": "Bearer planted",
    "apikey": "planted",
    "X-API-Key": "planted",
}
"""What is sent along, and should not arrive at another origin."""

_CUTTING = {"cut1", "cut1_norange", "reset", "change", "wrongrange", "expire_midway", "shrink"}
_CUT = 0.4
_EARLY = 4096
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_NOT_AVAILABLE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code>'
    b"<Message>Request has expired</Message></Error>"
)
_PAGE = b"<!DOCTYPE html>\n<html><body><h1>Your session has ended</h1></body></html>\n"


class Ending(Enum):
    """How a connection goes on after an answer."""

    STAYS = "kept alive"
    CUT = "closed"
    RESET = "reset"


class File:
    """One version of a file."""

    def __init__(self, content: bytes, modified: str) -> None:
        """Take its bytes and when they were written, and compute what tells it from another."""
        md5 = hashlib.md5(content)  # noqa: S324 - as the hosts do
        self.content = content
        self.modified = modified
        self.etag = f'"{md5.hexdigest()}"'
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._md5 = base64.b64encode(md5.digest()).decode()

    def promises(self, *, whole: bool) -> dict[str, str]:
        """Return the headers in which hosts promise what the file is, be it sent whole or not."""
        promised = {"X-Goog-Hash": f"md5={self._md5}"}
        return {**promised, "Content-MD5": self._md5} if whole else promised


@dataclass(frozen=True)
class Files:
    """A file, and what may take its place while it is being fetched."""

    old: File
    new: File
    shorter: File

    @classmethod
    def of(cls, size: int) -> "Files":
        """Return files of rows that chance wrote, the same in every run."""
        old, new = (_rows(size, seed) for seed in (1, 2))
        before, after = (
            formatdate(1_700_000_000, usegmt=True),
            formatdate(1_750_000_000, usegmt=True),
        )
        return cls(File(old, before), File(new, after), File(new[: size * 3 // 10], after))


def _rows(size: int, seed: int) -> bytes:
    digits = random.Random(seed).randbytes(size // 2 + 1).hex().encode()
    rows = [digits[begin : begin + 63] for begin in range(0, size, 63)]
    return b"\n".join(rows)[:size]


@dataclass
class Run:
    """One downloader before one fault."""

    fault: str
    files: Files
    asked: int = 0
    """Requests for the file, of any method."""
    served: int = 0
    """Bytes of bodies, of refusals and pages too."""
    offered: int = 1
    """The number of the link that the vendor tells of."""
    cut: bool = False
    arrived: list[str] | None = None
    """Which secrets came along to the other origin; None if nobody came there."""

    @property
    def current(self) -> File:
        """The version that stands there now."""
        if not self.cut:
            return self.files.old
        return {"change": self.files.new, "shrink": self.files.shorter}.get(
            self.fault, self.files.old
        )

    @property
    def good_link(self) -> int:
        """The number of the link that is honoured."""
        return 2 if self.fault == "expire" or (self.fault == "expire_midway" and self.cut) else 1


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    headers: Mapping[str, str]
    pieces: Sequence[memoryview] = field(default=(), repr=False)
    ending: Ending = Ending.STAYS

    @classmethod
    def of(cls, status: int, body: bytes, kind: str, **headers: str) -> "Answer":
        """Return an answer with a small body."""
        told = {"Content-Type": kind, "Content-Length": str(len(body)), **headers}
        return cls(status, told, (memoryview(body),))


def answer(run: Run, link: int, headers: Mapping[str, str]) -> Answer:
    """Return what a host says that plays a fault.

    Args:
        run: What happened so far; what changes by the answer is noted there.
        link: The number of the link that was used.
        headers: Of the request, by names in lower case.
    """
    if run.fault == "errorpage":
        run.offered = link + 1
        return Answer.of(HTTPStatus.OK, _PAGE, "text/html; charset=utf-8")
    if run.fault in {"expire", "expire_midway"} and link < run.good_link:
        run.offered = run.good_link
        return Answer.of(HTTPStatus.FORBIDDEN, _NOT_AVAILABLE, "application/xml")
    file = run.current
    if _is_refused(file, headers):
        return Answer.of(HTTPStatus.PRECONDITION_FAILED, b"", "text/plain", ETag=file.etag)
    part = None if run.fault == "cut1_norange" else _part(file, headers)
    if part is None:
        return _body(run, file, 0, len(file.content), HTTPStatus.OK)
    if part[0] >= len(file.content):
        said = {"Content-Range": f"bytes */{len(file.content)}"}
        return Answer.of(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", "text/plain", **said)
    begin = max(0, part[0] - _EARLY) if run.fault == "wrongrange" and run.cut else part[0]
    return _body(run, file, begin, part[1], HTTPStatus.PARTIAL_CONTENT)


def _is_refused(file: File, headers: Mapping[str, str]) -> bool:
    """Whether a request is for another version alone."""
    matched = headers.get("if-match", file.etag) in {file.etag, "*"}
    return not matched or headers.get("if-unmodified-since", file.modified) != file.modified


def _part(file: File, headers: Mapping[str, str]) -> tuple[int, int] | None:
    """Return where the part of a file begins and ends that was asked for, None for all of it."""
    asked = headers.get("x-ms-range") or headers.get("range", "")
    match = _RANGE.fullmatch(asked.strip())
    if match is None or headers.get("if-range", file.etag) not in {file.etag, file.modified}:
        return None
    end = int(match[2]) + 1 if match[2] else len(file.content)
    return int(match[1]), min(end, len(file.content))


def _body(run: Run, file: File, begin: int, end: int, status: int) -> Answer:
    whole = status == HTTPStatus.OK
    headers = {
        "Content-Type": "text/csv",
        "Content-Length": str(end - begin),
        "ETag": file.etag,
        "Last-Modified": file.modified,
        **file.promises(whole=whole),
    }
    if run.fault != "cut1_norange":
        headers["Accept-Ranges"] = "bytes"
    if not whole:
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(file.content)}"
    cuts = run.fault in _CUTTING and not run.cut
    upto = begin + int(_CUT * (end - begin)) if cuts else end
    pieces = (_flipped if run.fault == "flip" else _pieces)(file, begin, upto)
    ending = (Ending.RESET if run.fault == "reset" else Ending.CUT) if cuts else Ending.STAYS
    run.cut = run.cut or cuts
    return Answer(status, headers, pieces, ending)


def _pieces(file: File, begin: int, end: int) -> tuple[memoryview, ...]:
    return (memoryview(file.content)[begin:end],)


def _flipped(file: File, begin: int, end: int) -> tuple[memoryview, ...]:
    """Return a part in whose midst one bit of the file is another."""
    place = len(file.content) // 2
    if not begin <= place < end:
        return _pieces(file, begin, end)
    other = memoryview(bytes([file.content[place] ^ 1]))
    return (*_pieces(file, begin, place), other, *_pieces(file, place + 1, end))

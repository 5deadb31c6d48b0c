"""Names for files, from parts that a vendor chose and may have chosen badly."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from exportjobs.adapter._errors import DownloadFailed
from exportjobs.adapter._job import Artifact, ExportJob, JobRef, JobStatus

LOOK: Final = "check the archive before you trust it"
_LONGEST_NAME: Final = 1024
_LONGEST_MEMBER_PART: Final = 255
_UNSAFE_MEMBERS: Final[Mapping[str, re.Pattern[str]]] = {
    "is absolute": re.compile(r"^/"),
    "leads out of the folder": re.compile(r"(?:^|/)\.\.(?:/|\Z)"),
    "has a drive letter": re.compile(r"(?:^|/)[A-Za-z]:"),
    "has a backslash": re.compile(r"\\"),
    "has a control character": re.compile(r"[\x00-\x1f\x7f-\x9f]"),
    "is not valid Unicode": re.compile(r"[\ud800-\udfff]"),
    "is nested too deep": re.compile(r"(?:/[^/]*){64}"),
}
_UNSAFE_MEMBERS_ON_WINDOWS: Final[Mapping[str, re.Pattern[str]]] = {
    "is reserved": re.compile(
        r"(?:^|/)(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³]) *(?:[.:/]|\Z)",
        re.IGNORECASE,
    ),
    "has a character that no file may have": re.compile(r'[<>:"|?*]'),
    "ends in a dot or a space": re.compile(r"[. ](?:/|\Z)"),
}


def refused(name: str, reason: str, remedy: str = LOOK) -> DownloadFailed:
    """Return the error for a member of an archive that is not unpacked."""
    return DownloadFailed(f"the archive is refused: {name!r} {reason}", remedy=remedy)


def safe_place(name: str, *, windows: bool = os.name == "nt") -> PurePosixPath:
    """Return where a member belongs in the folder, if it may have its name on this system.

    Raises:
        DownloadFailed: If it may not.
    """
    place = PurePosixPath(name)
    unsafe = (
        {**_UNSAFE_MEMBERS, **_UNSAFE_MEMBERS_ON_WINDOWS}
        if windows and place.parts
        else _UNSAFE_MEMBERS
    )
    for reason, pattern in unsafe.items():
        if pattern.search(str(place)):
            raise refused(name, reason)
    sizes = [len(part.encode()) for part in place.parts]
    if max(sizes, default=0) > _LONGEST_MEMBER_PART or sum(sizes) + len(sizes) > _LONGEST_NAME:
        raise refused(name, "is too long")
    return place


def folded(place: PurePosixPath) -> str:
    """Return what a place's name is to a file system that cares for no case and no composition."""
    caseless = unicodedata.normalize("NFD", str(place)).casefold()
    return unicodedata.normalize("NFD", caseless)


_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")
_COMPRESSED = {".gz", ".bz2", ".xz", ".zst"}
_PART = re.compile(r".*\.part-[0-9]{5,}(?=\.|$)")
_LONGEST_PART = 48
_MARK = 8
_MARKED = re.compile(r"-[0-9a-f]{8}$|^[0-9a-f]{8}$")
_BY_MEDIA_TYPE = {
    "application/gzip": ".gz",
    "application/json": ".json",
    "application/x-ndjson": ".jsonl",
    "application/xml": ".xml",
    "application/zip": ".zip",
    "text/csv": ".csv",
}


# A job may have thousands of files.
@lru_cache(maxsize=256)
def job_stem(ref: JobRef) -> str:
    """Return what the names of all of a job's files begin with.

    It is the job's ref with dots for slashes, so that a job lands under the same name each time and
    two jobs never share one.
    """
    return ".".join(safe_word(word) for word in (ref.vendor, ref.account, ref.kind, ref.id))


def file_stem(job: ExportJob, index: int) -> str:
    """Return the name under which one of a job's artifacts lands, without its suffix.

    Numbered parts sort. The vendor's own name gives no more than the suffix, as it may hold
    anything. The file of a job that failed has its status in its name, lest it be taken for data.
    """
    stem = job_stem(job.ref)
    if job.status.is_terminal and job.status is not JobStatus.DONE:
        stem = f"{stem}.{job.status}"
    return f"{stem}.part-{index + 1:05}" if len(job.artifacts) > 1 else stem


def stem_of(name: str) -> str:
    """Return the name of one of a job's several files without its suffix."""
    match = _PART.match(name)
    return match[0] if match else name


def safe_word(word: str) -> str:
    """Return a word that can stand in a file name anywhere, and is no other word's.

    One that had to change is marked, and so is one that looks marked or differs from another by the
    case of a letter alone: some file systems do not tell them apart.
    """
    safe = _UNSAFE.sub("-", word).strip("-")[:_LONGEST_PART]
    if safe == word and word == word.lower() and not _MARKED.search(word):
        return safe
    mark = hashlib.sha256(word.encode(errors="surrogatepass")).hexdigest()[:_MARK]
    return f"{safe}-{mark}" if safe else mark


def suffix(artifact: Artifact) -> str:
    """Return a file's suffix, such as ".csv" or ".tar.gz", from what is known of it, or nothing."""
    return (
        _suffix_of(artifact.name or "")
        or suffix_of_type(artifact.media_type or "")
        or _suffix_of(_path(artifact.url))
    )


def suffix_of_type(media_type: str) -> str:
    """Return the suffix that files of a media type have, or nothing."""
    return _BY_MEDIA_TYPE.get(media_type.partition(";")[0].strip().lower(), "")


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _suffix_of(name: str) -> str:
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    found = [s for word in last.lstrip(".").split(".")[1:] if _SUFFIX.fullmatch(s := f".{word}")]
    kept = found[-2:] if found and found[-1].lower() in _COMPRESSED else found[-1:]
    return "".join(kept).lower()

"""Names for files, from parts that a vendor chose and may have chosen badly."""

import hashlib
import re
from functools import lru_cache
from urllib.parse import urlsplit

from exportjobs._job import Artifact, ExportJob, JobRef, JobStatus

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
    anything. What a job that came to a bad end left behind says so, lest it be taken for data.
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

"""An export job as frozen values, and the table of its legal status transitions."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self, TypedDict

from attrs import evolve, field, frozen

from exportjobs.adapter._errors import (
    ExportJobsError,
    InvalidArgument,
    InvalidRef,
    JobCancelled,
    JobFailed,
)
from exportjobs.adapter._redact import optional_safe_text, safe_text, safe_texts
from exportjobs.adapter._structure import freeze_members
from exportjobs.adapter._urls import expiry


class JobStatus(StrEnum):
    """A job's status, the same five for every vendor."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether a job in this status has ended."""
        return not TRANSITIONS[self] - {self}

    def may_become(self, other: "JobStatus") -> bool:
        """Return whether a job may go from this status to the other."""
        return other in TRANSITIONS[self]


# Running may fall back to queued: a vendor that repeats a failed attempt by itself (Clari's
# `schedule`: ONCE and MAX, developer.clari.com, OpenAPI 5.0.0) queues the same job again.
TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = MappingProxyType(
    {
        JobStatus.QUEUED: frozenset(JobStatus),
        JobStatus.RUNNING: frozenset(JobStatus),
        JobStatus.DONE: frozenset({JobStatus.DONE}),
        JobStatus.FAILED: frozenset({JobStatus.FAILED}),
        JobStatus.CANCELLED: frozenset({JobStatus.CANCELLED}),
    }
)


@frozen
class Reading:
    """A vendor's status word, and the status that it stands for."""

    status: JobStatus
    raw: str = field(converter=safe_text)
    """The vendor's own word."""
    recognised: bool = True
    """Whether the adapter's status map has the word."""


@frozen(kw_only=True)
class StatusMap:
    """A vendor's status words: which of them stand for which of our five statuses.

    Case is ignored. An unknown word is read as running, and marked as not recognised: it is neither
    an error nor a terminal status.
    """

    queued: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()

    def read(self, raw: str) -> Reading:
        """Return the status that a vendor's word stands for."""
        word = raw.strip().casefold()
        for status in JobStatus:
            words: tuple[str, ...] = getattr(self, status.value)
            if word in (known.casefold() for known in words):
                return Reading(status, raw)
        return Reading(JobStatus.RUNNING, raw, recognised=False)


@frozen
class Progress:
    """A job's progress, counted in the vendor's own items; either number may be unknown."""

    processed: int | None = None
    """In the vendor's own items."""
    total: int | None = None
    """In the vendor's own items."""

    @property
    def fraction(self) -> float | None:
        """The fraction done, from 0 to 1, or None if the numbers are unknown or not valid."""
        if self.processed is None or not self.total or self.total < 0:
            return None
        return max(0, min(self.processed, self.total)) / self.total


_REF_VERSION = 1


@frozen
class JobRef:
    """The durable name of a job: enough to find the job again from another process.

    It never holds a URL, a host, a header or a secret: the adapter builds URLs from its own base
    URL.
    """

    vendor: str
    """The vendor's name, as the entry point has it."""
    account: str
    """The account's name, as in `Adapter.name`."""
    id: str
    """The vendor's own id of the job."""
    kind: str = ""
    """What was exported, such as "forecast"; empty where it is not known."""
    scope: Mapping[str, str] = field(factory=dict[str, str], converter=freeze_members, hash=False)
    """What else is needed to poll the job, such as an organization's id."""
    submitted_at: datetime | None = None
    """When it was submitted, in UTC, by this machine's clock."""
    digest: str = ""
    """The digest of the export that created it: see `Export.digest`."""

    def __str__(self) -> str:
        """Return the ref on one line, as the command line prints and reads it."""
        return "/".join((self.vendor, self.account, self.kind or "-", self.id))

    @property
    def account_key(self) -> tuple[str, str]:
        """The vendor's name and the account's, which identify an account."""
        return (self.vendor, self.account)

    def names_same_job_as(self, other: "JobRef") -> bool:
        """Return whether two refs name the same job, even if one of them holds more about it."""
        mine = (self.account_key, self.id, dict(self.scope))
        return mine == (other.account_key, other.id, dict(other.scope)) and (
            not (self.kind and other.kind) or self.kind == other.kind
        )

    def to_json(self) -> str:
        """Return the ref as one line of versioned JSON; `submitted_at` is ISO 8601 in UTC."""
        submitted_at = self.submitted_at
        return json.dumps(
            {
                "version": _REF_VERSION,
                "vendor": self.vendor,
                "account": self.account,
                "kind": self.kind,
                "id": self.id,
                "scope": dict(self.scope),
                "submitted_at": submitted_at and submitted_at.astimezone(UTC).isoformat(),
                "digest": self.digest,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the ref that `to_json` wrote; members that a later version added are ignored.

        Raises:
            InvalidRef: If the text is not a ref, or is in an incompatible version of the format.
        """
        try:
            written = json.loads(text)
            version = written["version"]
            if version == _REF_VERSION and type(version) is int:
                return cls(**_members(written))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise InvalidRef(f"cannot be read ({type(error).__name__})") from None
        raise InvalidRef(f"is in version {version!r} of the format, which is not supported")


def check_ref(given: object, vendor: str | None = None) -> None:
    """Check that an argument is a JobRef.

    Raises:
        InvalidArgument: If it is not.
    """
    if not isinstance(given, JobRef):
        remedy = "read one with JobRef.from_json(text)"
        raise InvalidArgument("ref", "must be a JobRef", vendor=vendor, remedy=remedy)


class _Members(TypedDict):
    vendor: str
    account: str
    id: str
    kind: str
    scope: Mapping[str, str]
    submitted_at: datetime | None
    digest: str


def _members(written: Mapping[str, Any]) -> _Members:
    submitted_at = written.get("submitted_at")
    return {
        "vendor": _word(written["vendor"]),
        "account": _word(written["account"]),
        "id": _word(written["id"]),
        "kind": _text(written.get("kind", "")),
        "scope": {_word(key): _word(value) for key, value in written["scope"].items()},
        "submitted_at": _moment(submitted_at) if submitted_at else None,
        "digest": _text(written.get("digest", "")),
    }


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(value)
    return value


def _word(value: object) -> str:
    if not value:
        raise ValueError(value)
    return _text(value)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)


@frozen
class Artifact:
    """One file to download from a finished job.

    A signed URL opens the file for whoever has it until it expires, so it is never shown. An
    authenticated artifact is on the vendor's own API and is downloaded with the account's
    credentials; its URL is a path below the adapter's base URL.
    """

    url: str = field(repr=False)
    """A signed URL, or a path below the adapter's base URL where `authenticated`."""
    authenticated: bool = False
    """Whether it is downloaded from the vendor's own API, with the account's credentials."""
    name: str | None = None
    """The file's name as the vendor gives it; None where it does not."""
    media_type: str | None = None
    """Such as "text/csv"; it gives the file its suffix if the name has none."""
    size: int | None = None
    """Bytes, as the vendor says; None where it does not."""
    expires_at: datetime | None = None
    """When the URL expires, in UTC, as the vendor says."""
    part: int | None = None
    """The part's number, from 1, where a job has several."""
    md5: str | None = None
    """Of the bytes, in hexadecimal, as the vendor says."""
    sha256: str | None = None
    """Of the bytes, in hexadecimal, as the vendor says."""

    @property
    def url_expires_at(self) -> datetime | None:
        """When the URL expires, in UTC: as the vendor says, or else as the URL itself says."""
        return self.expires_at or expiry(self.url)


@frozen
class ExportJob:
    """A snapshot of a job, as its vendor last described it. All times are aware and in UTC."""

    ref: JobRef
    reading: Reading
    progress: Progress | None = None
    """None where the vendor does not report it."""
    created_at: datetime | None = None
    """When it was accepted, as the vendor says; None where it does not."""
    started_at: datetime | None = None
    """When it started to run, as the vendor says; None where it does not."""
    finished_at: datetime | None = None
    """When it ended, as the vendor says; None where it does not."""
    artifacts: tuple[Artifact, ...] = ()
    """The files to download; none if the job is not done, or is done and empty."""
    record_count: int | None = None
    """Rows or records in all artifacts together, as the vendor says."""
    size: int | None = None
    """Bytes in all artifacts together, as the vendor says."""
    error: str | None = field(default=None, converter=optional_safe_text)
    """Why it failed, in the vendor's words; None where it did not, or the vendor does not say."""
    warnings: tuple[str, ...] = field(default=(), converter=safe_texts)
    """What is missing from a job that is done nevertheless."""
    brief: bool = False
    """Whether this comes from a list that leaves out the artifacts, which a poll returns."""
    raw: object = field(default=None, repr=False, eq=False)
    """The vendor's own description. It may hold signed URLs: do not print it."""

    @property
    def status(self) -> JobStatus:
        """The job's status, one of our five."""
        return self.reading.status

    @property
    def raw_status(self) -> str:
        """The job's status in the vendor's own word."""
        return self.reading.raw

    @property
    def expires_at(self) -> datetime | None:
        """When the first of the artifacts' URLs expires, in UTC, if it is known."""
        ends = (artifact.url_expires_at for artifact in self.artifacts)
        return min((end for end in ends if end), default=None)

    def advance(self, snapshot: "ExportJob") -> "ExportJob":
        """Return what is known of the job after a newer snapshot.

        The ref is kept. A terminal status never changes, and an unknown status word leaves the
        status as it was. A snapshot without any news returns this very object.
        """
        if not self.status.may_become(snapshot.status):
            return self
        if not snapshot.reading.recognised:
            snapshot = evolve(snapshot, reading=evolve(snapshot.reading, status=self.status))
        snapshot = evolve(snapshot, ref=self.ref)
        # A new object per poll would make Python's garbage collector scan all that is kept.
        is_news = snapshot != self or snapshot.raw != self.raw
        return snapshot if is_news else self


def verdict(job: ExportJob) -> ExportJobsError | None:
    """Return the error that a job's terminal status stands for; None for one that is done."""
    vendor = job.ref.vendor
    match job.status:
        case JobStatus.FAILED:
            reason = f"the job failed: {job.error or 'the vendor does not say why'}"
            return JobFailed(reason, vendor=vendor, ref=job.ref)
        case JobStatus.CANCELLED:
            return JobCancelled("the job was cancelled", vendor=vendor, ref=job.ref)
        case _:
            return None

"""What is known of an export job: frozen values and the table of legal moves."""

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
    """Where a job stands, in the same five words for every vendor."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether a job in this status has come to its end."""
        return not TRANSITIONS[self] - {self}

    def may_become(self, other: "JobStatus") -> bool:
        """Return whether a job in this status may next be seen in the other."""
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
    """A vendor's status word and what we make of it."""

    status: JobStatus
    raw: str = field(converter=safe_text)
    """The vendor's own word."""
    recognised: bool = True
    """Whether the adapter knows the word."""


@frozen(kw_only=True)
class StatusMap:
    """A vendor's vocabulary: which of its words stand for which of our five.

    Words are matched whatever their case. A word that nobody knows is read as running and marked as
    not recognised: it is neither an error nor an end.
    """

    queued: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()

    def read(self, raw: str) -> Reading:
        """Return what a vendor's status word means."""
        word = raw.strip().casefold()
        for status in JobStatus:
            words: tuple[str, ...] = getattr(self, status.value)
            if word in (known.casefold() for known in words):
                return Reading(status, raw)
        return Reading(JobStatus.RUNNING, raw, recognised=False)


@frozen
class Progress:
    """How far a job has come, counted in the vendor's own items; either number may be unknown."""

    processed: int | None = None
    """In the vendor's own items."""
    total: int | None = None
    """In the vendor's own items."""

    @property
    def fraction(self) -> float | None:
        """The share done, from 0 to 1, or None where the vendor's numbers do not tell."""
        if self.processed is None or not self.total or self.total < 0:
            return None
        return max(0, min(self.processed, self.total)) / self.total


_REF_VERSION = 1


@frozen
class JobRef:
    """The durable name of a job: enough to find it again from another process.

    It never holds a URL, a host, a header or a secret: the adapter rebuilds addresses from its own
    base URL.
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
    """What else the vendor needs to find the job, such as an organization's id."""
    submitted_at: datetime | None = None
    """When it was submitted, in UTC, by this machine's clock."""
    digest: str = ""
    """The digest of the export that it came of: see `Export.digest`."""

    def __str__(self) -> str:
        """Return the ref on one line, as the command line prints and reads it."""
        return "/".join((self.vendor, self.account, self.kind or "-", self.id))

    @property
    def account_key(self) -> tuple[str, str]:
        """The vendor's name and the account's: what the library keeps accounts apart by."""
        return (self.vendor, self.account)

    def names_same_job_as(self, other: "JobRef") -> bool:
        """Return whether two refs name one job, whatever else each of them knows of it."""
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
            InvalidRef: If the text is not a ref, or was written by an incompatible version.
        """
        try:
            written = json.loads(text)
            version = written["version"]
            if version == _REF_VERSION and type(version) is int:
                return cls(**_members(written))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise InvalidRef(f"cannot be read ({type(error).__name__})") from None
        raise InvalidRef(f"was written in version {version!r} of its format")


def check_ref(given: object, vendor: str | None = None) -> None:
    """Check that something names a job.

    Raises:
        InvalidArgument: If it is no ref.
    """
    if not isinstance(given, JobRef):
        remedy = "read one with JobRef.from_json(text)"
        raise InvalidArgument("ref", "is no JobRef", vendor=vendor, remedy=remedy)


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
    """One thing to download from a finished job.

    A signed URL is a lease: it opens the file for whoever holds it until it expires, so it is never
    shown. An authenticated artifact lives on the vendor's own API and is fetched with the account's
    credentials; its address is a path below the adapter's base URL.
    """

    url: str = field(repr=False)
    """A signed URL, or a path below the adapter's base URL where `authenticated`."""
    authenticated: bool = False
    """Whether it is fetched from the vendor's own API, with the account's credentials."""
    name: str | None = None
    """The file's name as the vendor gives it; None where it does not."""
    media_type: str | None = None
    """Such as "text/csv"; it decides the file's suffix where the name has none."""
    size: int | None = None
    """Bytes, as the vendor says; None where it does not."""
    expires_at: datetime | None = None
    """When the address stops working, in UTC, as the vendor says."""
    part: int | None = None
    """The part's number, from 1, where a job has several."""
    md5: str | None = None
    """Of the bytes, in hexadecimal, as the vendor says."""
    sha256: str | None = None
    """Of the bytes, in hexadecimal, as the vendor says."""

    @property
    def lease_ends_at(self) -> datetime | None:
        """When the address stops working, in UTC: as the vendor says, else as the URL does."""
        return self.expires_at or expiry(self.url)


@frozen
class ExportJob:
    """A snapshot of a job, as its vendor last described it. All times are aware and in UTC."""

    ref: JobRef
    reading: Reading
    progress: Progress | None = None
    """How far it has come; None where the vendor does not report that."""
    created_at: datetime | None = None
    """When it was accepted, as the vendor says; None where it does not."""
    started_at: datetime | None = None
    """When it began to run, as the vendor says; None where it does not."""
    finished_at: datetime | None = None
    """When it ended, as the vendor says; None where it does not."""
    artifacts: tuple[Artifact, ...] = ()
    """What there is to download; none where the job is not done, or done and empty."""
    record_count: int | None = None
    """Rows or records in all artifacts together, as the vendor says."""
    size: int | None = None
    """Bytes in all artifacts together, as the vendor says."""
    error: str | None = field(default=None, converter=optional_safe_text)
    """Why it failed, in the vendor's words; None where it did not, or the vendor does not say."""
    warnings: tuple[str, ...] = field(default=(), converter=safe_texts)
    """What is missing from a job that is done all the same."""
    brief: bool = False
    """Whether this is a list's summary, which does not tell of artifacts; a poll does."""
    raw: object = field(default=None, repr=False, eq=False)
    """The vendor's own words, whole. It may hold signed URLs: do not print it."""

    @property
    def status(self) -> JobStatus:
        """Where the job stands, in our five words."""
        return self.reading.status

    @property
    def raw_status(self) -> str:
        """Where the job stands, in the vendor's own word."""
        return self.reading.raw

    @property
    def expires_at(self) -> datetime | None:
        """When the first of the artifacts' addresses stops working, in UTC, if it is known."""
        ends = (artifact.lease_ends_at for artifact in self.artifacts)
        return min((end for end in ends if end), default=None)

    def advance(self, snapshot: "ExportJob") -> "ExportJob":
        """Return what is known after a newer snapshot.

        The name under which the job was submitted stays. A terminal status never goes back, and a
        status that nobody knows says nothing new about where the job stands. A snapshot that says
        nothing new at all changes nothing.
        """
        if not self.status.may_become(snapshot.status):
            return self
        if not snapshot.reading.recognised:
            snapshot = evolve(snapshot, reading=evolve(snapshot.reading, status=self.status))
        snapshot = evolve(snapshot, ref=self.ref)
        # What is replaced time and again has Python's collector go through everything that is kept.
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

"""One export as the ledger knows it, and what is written down of a job that has ended."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from exportjobs.adapter._job import ExportJob, JobRef, JobStatus, Reading
from exportjobs.adapter._structure import dump_json, is_object
from exportjobs.events import LandedFile

_TIMES = ("created_at", "started_at", "finished_at")
_KEPT = frozenset({"error", "warnings", "record_count", "size", *_TIMES})


@frozen(kw_only=True)
class LedgerEntry:
    """One export of a ledger. Times are aware and in UTC."""

    number: int
    """Its number in the ledger."""
    run_key: str | None
    """The run that it belongs to; None where that has no name."""
    vendor: str
    account: str
    kind: str
    asked: str | None = field(default=None, repr=False)
    """What was asked for, in JSON; None for a job that was only resumed."""
    sent_at: datetime | None = None
    """When it was last submitted, unless that was refused."""
    ref: JobRef | None = None
    """Its job's durable name; None where it is not known that there is a job."""
    reading: Reading | None = None
    """Where the job stood when it was last seen."""
    seen_at: datetime | None = None
    """When the vendor last described the job."""
    polls: int = 0
    """Times its status was asked for."""
    landed_at: datetime | None = None
    """When its files had all landed."""
    resubmit_at: datetime | None = None
    """When it was decided by hand that it is to be submitted again."""
    abandoned_at: datetime | None = None
    """When it was given up by hand, without knowing whether there is a job."""
    files: tuple[LandedFile, ...] = ()
    """What landed."""
    told: Mapping[str, Any] = field(factory=dict[str, Any], repr=False)
    """What the vendor said in the end."""
    is_mine: bool = False
    """Whether this poller has taken it up before."""
    is_taken: bool = False
    """Whether another process is at work on it."""

    def __str__(self) -> str:
        """Return the job's ref, or what is known before there is one."""
        return str(self.ref or f"{self.vendor}/{self.account}/{self.kind}")

    @property
    def account_key(self) -> tuple[str, str]:
        """The vendor's name and the account's."""
        return (self.vendor, self.account)

    @property
    def is_doubtful(self) -> bool:
        """Whether it was submitted, and nobody knows what came of it."""
        return self.ref is None and self.sent_at is not None and self.abandoned_at is None

    @property
    def is_outstanding(self) -> bool:
        """Whether something is left to be done: a job to see to its end, or a doubt to settle."""
        if self.ref is None:
            return self.is_doubtful or self.resubmit_at is not None
        ended = self.reading is not None and self.reading.status in _ENDED_BADLY
        return not self.landed_at and not ended

    @property
    def state(self) -> str:
        """How it stands, in a word or two."""
        if self.landed_at is not None:
            return "landed"
        if self.ref is not None and self.reading is not None:
            return self.reading.status.value
        if self.abandoned_at is not None:
            return "abandoned"
        if self.resubmit_at is not None:
            return "to be resubmitted"
        return "in doubt" if self.is_doubtful else "not submitted"

    @property
    def job(self) -> ExportJob | None:
        """The job as it was last seen, if it ever was; its artifacts are not kept."""
        if self.ref is None or self.reading is None or self.seen_at is None:
            return None
        return ExportJob(self.ref, self.reading, **self.told)


_ENDED_BADLY = frozenset({JobStatus.FAILED, JobStatus.CANCELLED})


def told(job: ExportJob) -> str | None:
    """Return what is kept of a job that has ended, in JSON: no address and nothing secret."""
    if not job.status.is_terminal:
        return None
    said = {
        "error": job.error,
        "warnings": list(job.warnings),
        "record_count": job.record_count,
        "size": job.size,
        **{name: _iso(getattr(job, name)) for name in _TIMES},
    }
    return dump_json({name: value for name, value in said.items() if value})


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def read_told(text: str | None) -> Mapping[str, Any]:
    """Return what `told` wrote, as arguments of `ExportJob`.

    Raises:
        ValueError: If it was not that which wrote it.
    """
    written: object = json.loads(text) if text else {}
    if not is_object(written):
        raise ValueError(text)
    # A later version may say more.
    said: dict[str, Any] = {name: written[name] for name in _KEPT if name in written}
    for name in _TIMES:
        if name in said:
            said[name] = datetime.fromisoformat(said[name])
    return {**said, "warnings": tuple(said.get("warnings", ()))}

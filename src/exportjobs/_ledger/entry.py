"""One export as it stands in the ledger, and how the details of an ended job are kept as JSON."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from exportjobs.adapter._job import ExportJob, JobRef, JobStatus, Reading
from exportjobs.adapter._structure import dump_json, is_object
from exportjobs.events import LandedFile

_TIMES = ("created_at", "started_at", "finished_at")
_DETAILS = frozenset({"error", "warnings", "record_count", "size", *_TIMES})


@frozen(kw_only=True)
class LedgerEntry:
    """One export of a ledger. Times are aware and in UTC."""

    number: int
    """Its number in the ledger."""
    run_key: str | None
    """The key of the run that it belongs to; None for a run without a key."""
    vendor: str
    account: str
    kind: str
    export_json: str | None = field(default=None, repr=False)
    """The export with its arguments, in JSON; None for a job that was only resumed."""
    sent_at: datetime | None = None
    """When it was last submitted; None if the submit was refused."""
    ref: JobRef | None = None
    """The ref of its job; None as long as no job is known."""
    reading: Reading | None = None
    """The job's status when it was last polled."""
    seen_at: datetime | None = None
    """When that status was received."""
    polls: int = 0
    """How many times its status was requested."""
    landed_at: datetime | None = None
    """When the last of its files had landed."""
    resubmit_at: datetime | None = None
    """When a person decided that it is to be submitted again."""
    abandoned_at: datetime | None = None
    """When a person gave it up without knowing whether a job exists."""
    files: tuple[LandedFile, ...] = ()
    """The files that landed."""
    details: Mapping[str, Any] = field(factory=dict[str, Any], repr=False)
    """What the vendor reported of the job when it had ended: times, sizes, error, warnings."""
    is_mine: bool = False
    """Whether this poller has taken it over before."""
    is_taken: bool = False
    """Whether another process is at work on it."""

    def __str__(self) -> str:
        """Return the job's ref, or vendor, account and kind before there is one."""
        return str(self.ref or f"{self.vendor}/{self.account}/{self.kind}")

    @property
    def account_key(self) -> tuple[str, str]:
        """The vendor's name and the account's."""
        return (self.vendor, self.account)

    @property
    def is_outcome_unknown(self) -> bool:
        """Whether it was submitted and it is not known if the vendor made a job of it."""
        return self.ref is None and self.sent_at is not None and self.abandoned_at is None

    @property
    def is_outstanding(self) -> bool:
        """Whether there is work left: to poll or land its job, or to find out about its submit."""
        if self.ref is None:
            return self.is_outcome_unknown or self.resubmit_at is not None
        failed = self.reading is not None and self.reading.status in _FAILED
        return not self.landed_at and not failed

    @property
    def state(self) -> str:
        """The status of its job, or else what is known of its submit, in a few words."""
        if self.landed_at is not None:
            return "landed"
        if self.ref is not None and self.reading is not None:
            return self.reading.status.value
        if self.abandoned_at is not None:
            return "abandoned"
        if self.resubmit_at is not None:
            return "to be resubmitted"
        return "submit outcome unknown" if self.is_outcome_unknown else "not submitted"

    @property
    def job(self) -> ExportJob | None:
        """The job as it was last described, without its artifacts; None if it never was."""
        if self.ref is None or self.reading is None or self.seen_at is None:
            return None
        return ExportJob(self.ref, self.reading, **self.details)


_FAILED = frozenset({JobStatus.FAILED, JobStatus.CANCELLED})


def details_to_json(job: ExportJob) -> str | None:
    """Return the details of an ended job that are kept, in JSON: no URL and no secret."""
    if not job.status.is_terminal:
        return None
    details = {
        "error": job.error,
        "warnings": list(job.warnings),
        "record_count": job.record_count,
        "size": job.size,
        **{name: _iso(getattr(job, name)) for name in _TIMES},
    }
    return dump_json({name: value for name, value in details.items() if value})


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def details_from_json(text: str | None) -> Mapping[str, Any]:
    """Return what `details_to_json` wrote, as arguments of `ExportJob`.

    Raises:
        ValueError: If the text is not of that form.
    """
    written: object = json.loads(text) if text else {}
    if not is_object(written):
        raise ValueError(text)
    # A later version of the library may have written more.
    details: dict[str, Any] = {name: written[name] for name in _DETAILS if name in written}
    for name in _TIMES:
        if name in details:
            details[name] = datetime.fromisoformat(details[name])
    return {**details, "warnings": tuple(details.get("warnings", ()))}

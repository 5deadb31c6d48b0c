"""Which of a vendor's jobs a submit without an answer may have become: decisions only."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import evolve

from exportjobs.adapter._adapter import Export
from exportjobs.adapter._job import ExportJob, JobRef

LIST_DELAY = 15.0
"""Seconds after a submit until a vendor's list is sure to show the job that it became."""
_CLOCK_SKEW = timedelta(minutes=1)
"""How far the vendor's clock may differ from ours."""
_CREATION_DELAY = timedelta(minutes=15)
"""A vendor may keep a submit waiting for so long before it creates the job."""
APART = _CLOCK_SKEW + _CREATION_DELAY
"""A job cannot come from two submits that are farther apart than this."""


def candidates(
    listed: Iterable[ExportJob], export: Export, sent_at: datetime
) -> tuple[ExportJob, ...]:
    """Return the jobs that an export may have become, each with the ref that it would have.

    Args:
        listed: The jobs that the vendor lists.
        export: What was submitted.
        sent_at: When it was submitted.
    """
    in_time = (job for job in listed if _was_made_then(job, sent_at))
    matches = export.adapter.matches_export
    matching = (job for job in in_time if matches(job, export) is not False)
    return tuple(evolve(job, ref=_ref_for(job, export, sent_at)) for job in matching)


def may_be_older(job: ExportJob) -> bool:
    """Return whether a job may be older: it has ended, and does not say when it was created."""
    return job.status.is_terminal and made_at(job) is None


def made_at(job: ExportJob) -> datetime | None:
    """Return when a job was created, if it says so."""
    return job.created_at or job.started_at


def _was_made_then(job: ExportJob, sent_at: datetime) -> bool:
    made = made_at(job)
    if made is None:
        return True
    try:
        return sent_at - _CLOCK_SKEW <= made <= sent_at + _CREATION_DELAY
    except TypeError:
        # An adapter may have left out the time zone.
        return False


def _ref_for(job: ExportJob, export: Export, sent_at: datetime) -> JobRef:
    return evolve(job.ref, kind=export.kind, digest=export.digest, submitted_at=sent_at)

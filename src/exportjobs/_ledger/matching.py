"""Which of a vendor's jobs a submit may have become of which no answer came: decisions only."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import evolve

from exportjobs.adapter._adapter import Export
from exportjobs.adapter._job import ExportJob, JobRef

SETTLES = 15.0
"""Seconds after a submit from which on a vendor's list tells what became of it."""
_CLOCKS_DIFFER = timedelta(minutes=1)
_TAKES_ITS_TIME = timedelta(minutes=15)
"""A vendor may let a submit wait before it makes a job of it."""
APART = _CLOCKS_DIFFER + _TAKES_ITS_TIME
"""Two submits that are farther apart cannot have become the same job."""


def candidates(
    listed: Iterable[ExportJob], export: Export, sent_at: datetime
) -> tuple[ExportJob, ...]:
    """Return the jobs that an export may have become, named as if they were.

    Args:
        listed: The vendor's jobs.
        export: What was submitted.
        sent_at: When.
    """
    fitting = (job for job in listed if _is_of_its_time(job, sent_at))
    named = (job for job in fitting if export.adapter.matches_export(job, export))
    return tuple(evolve(job, ref=_named(job, export, sent_at)) for job in named)


def may_be_older(job: ExportJob) -> bool:
    """Return whether a job may be from long ago: it has ended, and nothing tells when it began."""
    return job.status.is_terminal and made_at(job) is None


def made_at(job: ExportJob) -> datetime | None:
    """Return when a job was made, if it tells."""
    return job.created_at or job.started_at


def _is_of_its_time(job: ExportJob, sent_at: datetime) -> bool:
    made = made_at(job)
    if made is None:
        return True
    try:
        return sent_at - _CLOCKS_DIFFER <= made <= sent_at + _TAKES_ITS_TIME
    except TypeError:
        # An adapter may have left the zone off.
        return False


def _named(job: ExportJob, export: Export, sent_at: datetime) -> JobRef:
    return evolve(job.ref, kind=export.kind, digest=export.digest, submitted_at=sent_at)

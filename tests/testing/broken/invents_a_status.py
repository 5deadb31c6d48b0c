"""Acme, where a report that does not get on has a status of its own."""

from typing import Any

from exportjobs.adapter import ExportJob, evolve, frozen

from .sound import Acme


@frozen
class Inventive(Acme):
    """One account at Acme."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes, called stalled while it is below a half."""
        job = super().described(raw)
        if job.progress and (job.progress.fraction or 0) < 0.5:
            status: Any = "stalled"
            return evolve(job, reading=evolve(job.reading, status=status))
        return job

"""Acme, where the vendor's word for a failure was forgotten."""

from exportjobs.adapter import ExportJob, StatusMap, evolve, frozen

from .sound import Acme

STATUSES = StatusMap(queued=("new",), running=("working",), done=("ready",))


@frozen
class Forgetful(Acme):
    """One account at Acme."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        return evolve(job, reading=STATUSES.read(job.raw_status))

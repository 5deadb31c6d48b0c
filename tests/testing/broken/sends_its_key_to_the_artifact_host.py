"""Acme, where the files on another host are fetched with the token."""

from exportjobs.adapter import ExportJob, evolve, frozen

from .sound import Acme


@frozen
class Generous(Acme):
    """One account at Acme."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes, its files under authentication."""
        job = super().described(raw)
        files = tuple(evolve(file, authenticated=True) for file in job.artifacts)
        return evolve(job, artifacts=files)

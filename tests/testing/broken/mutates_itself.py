"""Acme, where the adapter counts its polls."""

from exportjobs.adapter import ExportJob, Flow, JobRef, field, frozen

from .sound import Acme


@frozen
class Counting(Acme):
    """One account at Acme."""

    polls: int = field(default=0, kw_only=True)

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        object.__setattr__(self, "polls", self.polls + 1)
        return super().poll(ref)

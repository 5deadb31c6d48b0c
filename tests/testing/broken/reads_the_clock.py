"""Acme, where a poll says when it was made."""

from datetime import UTC, datetime

from exportjobs.adapter import ExportJob, Flow, JobRef, Request, frozen, path

from .sound import Acme


@frozen
class Timed(Acme):
    """One account at Acme."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        now = datetime.now(UTC).isoformat()
        reply = yield Request.get(path("/reports/{}", ref.id), params={"asked": now})
        return self.described(reply.json())

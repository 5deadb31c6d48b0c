"""Acme, where a poll that failed is sent again, three times, within the flow."""

from exportjobs.adapter import (
    ExportJob,
    Flow,
    JobRef,
    Request,
    VendorUnavailable,
    frozen,
    path,
)

from .sound import Acme


@frozen
class Stubborn(Acme):
    """One account at Acme."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        for _ in range(3):
            try:
                reply = yield Request.get(path("/reports/{}", ref.id))
            except VendorUnavailable:
                continue
            return self.described(reply.json())
        raise VendorUnavailable("three times")

"""What the APIs and the blob store of one sandbox share."""

from datetime import timedelta

from attrs import field, frozen

from exportjobs._schedule.clock import Clock
from exportjobs.sandbox import _signing
from exportjobs.sandbox._faults import FaultPlan
from exportjobs.sandbox._http import RequestLog
from exportjobs.sandbox._signing import Lease, Scheme


@frozen
class Link:
    """A signed link to a file, and how long it opens it."""

    url: str = field(repr=False)
    lease: Lease


@frozen
class World:
    """One sandbox: its time, its seed, its faults and its two origins."""

    clock: Clock
    seed: int
    speed: float
    plan: FaultPlan
    log: RequestLog
    api_url: str
    blob_url: str
    secret: bytes = field(repr=False)

    def link(self, path: str, *, scheme: Scheme, lifetime: timedelta) -> Link:
        """Return a fresh link to a file; the first for each file is stale if the plan says so."""
        now = self.clock.now()
        start = now - 2 * lifetime if self.plan.is_stale(path) else now
        lease = Lease(start, start + lifetime)
        query = _signing.sign(path, scheme=scheme, lease=lease, secret=self.secret)
        return Link(f"{self.blob_url}{path}?{query}", lease)

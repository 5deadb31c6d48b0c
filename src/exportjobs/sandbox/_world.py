"""What the APIs and the blob store of one sandbox share."""

from datetime import timedelta

from attrs import field, frozen

from exportjobs._schedule.clock import Clock
from exportjobs.sandbox import _signing
from exportjobs.sandbox._faults import FaultPlan
from exportjobs.sandbox._http import RequestLog
from exportjobs.sandbox._signing import Scheme, Validity


@frozen
class Link:
    """A signed URL of a file, and when it is valid."""

    url: str = field(repr=False)
    validity: Validity


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
        """Return a new signed URL of a file; the first one is expired if that is a fault."""
        now = self.clock.now()
        start = now - 2 * lifetime if self.plan.is_expired(path) else now
        validity = Validity(start, start + lifetime)
        query = _signing.sign(path, scheme=scheme, validity=validity, secret=self.secret)
        return Link(f"{self.blob_url}{path}?{query}", validity)

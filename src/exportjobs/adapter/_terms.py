"""A vendor's terms: how often it is worth asking, and what an account may do."""

from datetime import timedelta
from enum import StrEnum

from attrs import field, frozen
from attrs.validators import ge, gt, instance_of, optional

_count = optional(instance_of(int))
_zero = timedelta(0)
_SPOKEN = {
    timedelta(days=1): "a day",
    timedelta(hours=1): "an hour",
    timedelta(minutes=1): "a minute",
}


@frozen(kw_only=True)
class PollPolicy:
    """When to ask for a job's status, in so far as the vendor decides.

    The moments themselves are worked out from how far the job has come and from how long its like
    have taken; these are what that begins with and the bounds that it keeps to.
    """

    typical_duration: timedelta = field(default=timedelta(minutes=1), validator=gt(_zero))
    """How long a job may take, for as long as none was seen to its end; a rough guess is enough."""
    latency_cost: float = field(default=0.05, validator=gt(0.0))
    """How much delay one saved request is worth, as a fraction of a job's length. At 0.05, a job
    that takes 100 s may be noticed 5 s later if that saves a request."""
    min_interval: timedelta = field(default=timedelta(seconds=1), validator=ge(_zero))
    """The shortest wait between two questions about a job."""
    max_interval: timedelta = field(default=timedelta(hours=1), validator=ge(_zero))
    """The longest wait between two questions about a job that is well."""
    unknown_status_interval: timedelta = field(default=timedelta(minutes=5), validator=ge(_zero))
    """The wait where a status is unknown, and the longest that failures stretch one to."""


class Operation(StrEnum):
    """What a request is for, where a vendor counts them apart."""

    SUBMIT = "submit"
    POLL = "poll"
    LIST = "list"
    OTHER = "other"


@frozen(kw_only=True)
class Budget:
    """How many requests an account may send in so much time, as the vendor publishes it."""

    requests: int = field(validator=ge(1))
    """How many requests …"""
    per: timedelta = field(validator=gt(_zero))
    """… in how much time."""
    operation: Operation | None = None
    """What is counted; None for all requests together."""
    calendar: bool = False
    """Whether the count begins anew by the clock (a day's at midnight UTC), not in a window that
    moves along with the time."""

    def __str__(self) -> str:
        """Return the budget in words, such as "300 poll requests a day"."""
        what = f"{self.operation} requests" if self.operation else "requests"
        spoken = _SPOKEN.get(self.per, f"in {self.per.total_seconds():g} s")
        return f"{self.requests:,} {what} {spoken}"


@frozen(kw_only=True)
class Limits:
    """What an account may do at this moment, as its vendor says; None where it does not."""

    slots: int | None = field(default=None, validator=_count)
    """Jobs that may be queued or running at once."""
    free_slots: int | None = field(default=None, validator=_count)
    """How many of them are free."""
    quota: int | None = field(default=None, validator=_count)
    """Jobs in the vendor's accounting period."""
    remaining_quota: int | None = field(default=None, validator=_count)
    """How many of them are left."""

"""A vendor's terms: how often to poll, and what an account may do."""

from datetime import timedelta
from enum import StrEnum

from attrs import field, frozen
from attrs.validators import ge, gt, instance_of, optional

from exportjobs.adapter._renamed import renamed_arguments

_count = optional(instance_of(int))
_zero = timedelta(0)
_SPOKEN = {
    timedelta(days=1): "a day",
    timedelta(hours=1): "an hour",
    timedelta(minutes=1): "a minute",
}


@renamed_arguments(
    typical="typical_duration",
    price="latency_cost",
    floor="min_interval",
    ceiling="max_interval",
    slow="unknown_status_interval",
)
@frozen(kw_only=True)
class PollPolicy:
    """How often to poll a vendor's jobs.

    When exactly a job is polled is computed from its progress and from how long earlier jobs of its
    kind took. The policy gives the starting values of that computation, and its bounds.
    """

    typical_duration: timedelta = field(default=timedelta(minutes=1), validator=gt(_zero))
    """How long a job takes, used until the first one has been observed; a rough guess is enough."""
    latency_cost: float = field(default=0.05, validator=gt(0.0))
    """How much delay one saved request is worth, as a fraction of a job's duration. At 0.05, the
    end of a job that takes 100 s may be noticed 5 s later if that saves a request."""
    min_interval: timedelta = field(default=timedelta(seconds=1), validator=ge(_zero))
    """The shortest time between two polls of a job."""
    max_interval: timedelta = field(default=timedelta(hours=1), validator=ge(_zero))
    """The longest time between two polls of a job whose polls succeed."""
    unknown_status_interval: timedelta = field(default=timedelta(minutes=5), validator=ge(_zero))
    """The time between polls of a job whose status is unknown, and the longest after failures."""


class Operation(StrEnum):
    """What a request is for, where a vendor counts requests by purpose."""

    SUBMIT = "submit"
    POLL = "poll"
    LIST = "list"
    OTHER = "other"


@renamed_arguments(of="operation")
@frozen(kw_only=True)
class Budget:
    """How many requests an account may send in a period, as the vendor publishes it."""

    requests: int = field(validator=ge(1))
    """The largest number of requests in a period."""
    per: timedelta = field(validator=gt(_zero))
    """The length of the period."""
    operation: Operation | None = None
    """Which requests are counted; None for all together."""
    calendar: bool = False
    """Whether the count resets at fixed times of the clock (a daily one at midnight UTC); otherwise
    the period is a sliding window."""

    def __str__(self) -> str:
        """Return the budget in words, such as "300 poll requests a day"."""
        what = f"{self.operation} requests" if self.operation else "requests"
        spoken = _SPOKEN.get(self.per, f"in {self.per.total_seconds():g} s")
        return f"{self.requests:,} {what} {spoken}"


@frozen(kw_only=True)
class Limits:
    """What an account may do now, as its vendor says; None for what the vendor does not say."""

    slots: int | None = field(default=None, validator=_count)
    """Jobs that may be queued or running at once."""
    free_slots: int | None = field(default=None, validator=_count)
    """How many of them are free."""
    quota: int | None = field(default=None, validator=_count)
    """Jobs in the vendor's accounting period."""
    remaining_quota: int | None = field(default=None, validator=_count)
    """How many more jobs may be submitted in that period."""

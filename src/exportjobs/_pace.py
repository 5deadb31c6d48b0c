"""A vendor's terms: how often it likes to be asked, and what an account may do."""

from datetime import timedelta

from attrs import field, frozen
from attrs.validators import ge

_zero = timedelta(0)


@frozen(kw_only=True)
class Pace:
    """How often to ask for a job's status where nothing better is known."""

    first: timedelta = field(default=timedelta(seconds=2), validator=ge(_zero))
    """From submitting to asking for the first time."""
    interval: timedelta = field(default=timedelta(seconds=10), validator=ge(_zero))
    """Between one answer and the next question."""
    ceiling: timedelta = field(default=timedelta(minutes=5), validator=ge(_zero))
    """The longest that failures and unknown statuses may stretch the interval."""


@frozen(kw_only=True)
class Limits:
    """What an account may do at this moment, as its vendor says; None where it does not."""

    slots: int | None = None
    """Jobs that may be queued or running at once."""
    free_slots: int | None = None
    quota: int | None = None
    """Jobs in the vendor's accounting period."""
    remaining_quota: int | None = None

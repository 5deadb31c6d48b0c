"""When to ask again: decisions only, no clock and no waiting.

Two clocks never mix. Repairing one HTTP exchange is the session's business and takes seconds; when
a job is asked about again is decided here and takes as long as the job does.

What counts, in this order: what the server asks for, what the account's budget bears, the user's
own interval, how far the job says it has come and how long its like have taken, the vendor's guess.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from attrs import field, frozen

from exportjobs._schedule.durations import Durations
from exportjobs._schedule.plan import shared_wait, wait
from exportjobs._schedule.progress import ProgressTrend
from exportjobs.adapter._terms import PollPolicy

Jitter = Callable[[float, float], float]
"""Draws a number between two bounds, such as `random.uniform`."""
FAILURES_ALLOWED = 10
"""Polls of a job that may fail in a row before it is given up."""
NOT_FOUND_GRACE = timedelta(seconds=30)
"""How long after submitting a vendor may not know the job yet."""
_SPREAD = 0.1
_DOUBLINGS = 30
_FIRST_REPAIR = 10.0
"""Seconds until a question that failed is asked again, to begin with."""
_SLOWER = 10
"""How many of the user's own intervals a status that nobody knows is left alone for."""


@frozen
class PollContext:
    """What bears on when to ask about a running job, as it was just described."""

    age: float
    """Seconds since it was submitted."""
    durations: Durations
    trend: ProgressTrend = field(factory=ProgressTrend)
    recognised: bool = True
    """Whether its status is one that the adapter knows."""
    weight: float = 1.0
    """How much more than the job itself waits for its end, such as exports that want its slot."""


@frozen
class PollBounds:
    """What bears on every question: seconds not to undercut, whatever else is known."""

    server_wait: timedelta | None = None
    """What the server asks for."""
    spacing: float = 0.0
    """What makes the account's budget last."""


@frozen
class Schedule:
    """A vendor's pace, or the user's own interval in place of it."""

    polling: PollPolicy
    interval: timedelta | None = None
    """The user's wish, taken for the first question as well as for the later ones."""

    def after(self, context: PollContext, bounds: PollBounds, jitter: Jitter) -> float:
        """Return seconds until the next question about a job.

        What the server asked for is never undercut. A job whose status nobody knows is asked about
        at the slow interval.
        """
        return self.after_list([context], bounds, jitter)

    def after_list(
        self, contexts: Sequence[PollContext], bounds: PollBounds, jitter: Jitter
    ) -> float:
        """Return seconds until the next question that serves several jobs at once."""
        known = [one for one in contexts if one.recognised]
        usual = _spread(self._usual(known), jitter) if known else _beyond(self.slow, jitter)
        return _obliging(max(usual, bounds.spacing), bounds.server_wait, jitter)

    def after_failure(self, failures: int, asked: timedelta | None, jitter: Jitter) -> float:
        """Return seconds until the next question after some number of failures in a row.

        Where the server says when to come back, it is believed; one that says so time and again is
        asked less and less often all the same.
        """
        before = max(0, failures - 1)
        usual = _spread(self._repair(before), jitter)
        return _obliging(usual, asked, jitter, patience=2.0 ** min(before, _DOUBLINGS))

    @property
    def slow(self) -> float:
        """Seconds between two questions about jobs whose status nobody knows."""
        if self.interval is None:
            return self.polling.unknown_status_interval.total_seconds()
        return self.interval.total_seconds() * _SLOWER

    def _usual(self, known: Sequence[PollContext]) -> float:
        if self.interval is not None:
            return self.interval.total_seconds()
        price = self.polling.latency_cost / max(one.weight for one in known)
        if len(known) == 1:
            (one,) = known
            return self._bounded(wait(one.age, one.durations, one.trend, price=price))
        jobs = ((one.age, one.durations, one.trend) for one in known)
        return self._bounded(shared_wait(jobs, price=price))

    def _bounded(self, planned: float) -> float:
        floor, ceiling = (
            self.polling.min_interval.total_seconds(),
            self.polling.max_interval.total_seconds(),
        )
        return max(floor, min(planned, ceiling))

    def _repair(self, times: int) -> float:
        """Return the wait after a failure, doubled some number of times but not for ever."""
        if self.interval is None:
            first = max(_FIRST_REPAIR, self.polling.min_interval.total_seconds())
        else:
            first = self.interval.total_seconds()
        longest = max(first, self.polling.unknown_status_interval.total_seconds())
        return min(first * 2.0 ** min(times, _DOUBLINGS), longest)


def _obliging(
    usual: float, asked: timedelta | None, jitter: Jitter, *, patience: float = 1.0
) -> float:
    """Return the usual wait, or what the server asked for: no sooner, and never at once."""
    if asked is None:
        return usual
    return max(min(usual, patience), _beyond(asked.total_seconds(), jitter))


def _spread(seconds: float, jitter: Jitter) -> float:
    return max(0.0, seconds * jitter(1 - _SPREAD, 1 + _SPREAD))


def _beyond(seconds: float, jitter: Jitter) -> float:
    """Return a wait that must not be undercut, spread to one side only."""
    return max(seconds, seconds * jitter(1.0, 1 + _SPREAD))

"""When to poll again: decisions only, no clock and no waiting.

Retrying a single HTTP request is the session's task and takes seconds; here it is decided when a
job is polled again, which takes as long as the job does. The two are never mixed.

What decides, the strongest first: the wait that the server asks for; the spacing that makes the
account's budget last; the user's own interval; the job's progress and how long earlier jobs of its
kind took; the vendor's typical duration.
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
"""Polls of a job that may fail in a row before it ends with the error."""
NOT_FOUND_GRACE = timedelta(seconds=30)
"""How long after a submit the vendor may answer that it does not know the job."""
_JITTER = 0.1
"""The share by which waits vary at random, so that many jobs are not polled all at once."""
_MAX_DOUBLINGS = 30
"""More would only overflow: every wait has reached its maximum by then."""
_FIRST_BACKOFF = 10.0
"""Seconds to wait after the first of several polls that failed."""
_UNKNOWN_STATUS_FACTOR = 10
"""How many of the user's own intervals to wait while the status of a job is unknown."""


@frozen
class PollContext:
    """What is known of a running job when its next poll is decided."""

    age: float
    """Seconds since it was submitted."""
    durations: Durations
    trend: ProgressTrend = field(factory=ProgressTrend)
    recognised: bool = True
    """Whether its status is one that the adapter knows."""
    weight: float = 1.0
    """How many times the usual a late answer costs: more if exports wait for the job's slot."""


@frozen
class PollBounds:
    """The least waits, whatever else is known of the jobs."""

    server_wait: timedelta | None = None
    """The wait that the server asked for."""
    spacing: float = 0.0
    """Seconds between polls that make the account's budget last."""


@frozen
class Schedule:
    """A vendor's poll policy, or the user's own interval in place of it."""

    polling: PollPolicy
    interval: timedelta | None = None
    """The user's own interval, for the first poll as well as for the later ones."""

    def after(self, context: PollContext, bounds: PollBounds, jitter: Jitter) -> float:
        """Return seconds until a job is polled again.

        The wait is never shorter than what the server asked for. A job whose status is unknown is
        polled at the slow interval.
        """
        return self.after_list([context], bounds, jitter)

    def after_list(
        self, contexts: Sequence[PollContext], bounds: PollBounds, jitter: Jitter
    ) -> float:
        """Return seconds until the next request that polls several jobs at once."""
        known = [one for one in contexts if one.recognised]
        usual = _jittered(self._usual(known), jitter) if known else _lengthened(self.slow, jitter)
        return _with_server_wait(max(usual, bounds.spacing), bounds.server_wait, jitter)

    def after_failure(self, failures: int, server_wait: timedelta | None, jitter: Jitter) -> float:
        """Return seconds until the next attempt after some number of failures in a row.

        The wait that a server asks for takes the place of the usual backoff. But where it fails
        again after it, the wait has a minimum that doubles each time, up to the usual backoff.
        """
        before = max(0, failures - 1)
        usual = _jittered(self._backoff(before), jitter)
        minimum = 2.0 ** min(before, _MAX_DOUBLINGS)
        return _with_server_wait(usual, server_wait, jitter, minimum=minimum)

    @property
    def slow(self) -> float:
        """Seconds between two polls of jobs whose status is unknown."""
        if self.interval is None:
            return self.polling.unknown_status_interval.total_seconds()
        return self.interval.total_seconds() * _UNKNOWN_STATUS_FACTOR

    def _usual(self, known: Sequence[PollContext]) -> float:
        if self.interval is not None:
            return self.interval.total_seconds()
        # A plan compares the cost of a poll with that of a late answer. So if a late answer costs
        # more than usual, a poll is given a lower cost.
        poll_cost = self.polling.latency_cost / max(one.weight for one in known)
        if len(known) == 1:
            (one,) = known
            return self._bounded(wait(one.age, one.durations, one.trend, poll_cost=poll_cost))
        jobs = ((one.age, one.durations, one.trend) for one in known)
        return self._bounded(shared_wait(jobs, poll_cost=poll_cost))

    def _bounded(self, planned: float) -> float:
        shortest = self.polling.min_interval.total_seconds()
        longest = self.polling.max_interval.total_seconds()
        return max(shortest, min(planned, longest))

    def _backoff(self, doublings: int) -> float:
        """Return the wait after a failure, doubled some number of times, up to a maximum."""
        if self.interval is None:
            first = max(_FIRST_BACKOFF, self.polling.min_interval.total_seconds())
        else:
            first = self.interval.total_seconds()
        longest = max(first, self.polling.unknown_status_interval.total_seconds())
        return min(first * 2.0 ** min(doublings, _MAX_DOUBLINGS), longest)


def _with_server_wait(
    usual: float, server_wait: timedelta | None, jitter: Jitter, *, minimum: float = 1.0
) -> float:
    """Return the usual wait, or what the server asked for, which is never shortened.

    There is a minimum, as some servers ask for a wait of 0 seconds. It is no longer than the usual
    wait.
    """
    if server_wait is None:
        return usual
    return max(min(usual, minimum), _lengthened(server_wait.total_seconds(), jitter))


def _jittered(seconds: float, jitter: Jitter) -> float:
    return max(0.0, seconds * jitter(1 - _JITTER, 1 + _JITTER))


def _lengthened(seconds: float, jitter: Jitter) -> float:
    """Return a wait that must not be shorter, so that jitter only makes it longer."""
    return max(seconds, seconds * jitter(1.0, 1 + _JITTER))

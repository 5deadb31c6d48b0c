"""When to ask again: decisions only, no clock and no waiting.

Two clocks never mix. Repairing one HTTP exchange is the session's business and takes seconds; when
a job is asked about again is decided here and takes as long as the job does.
"""

from collections.abc import Callable
from datetime import timedelta

from attrs import frozen

from exportjobs._pace import Pace

Jitter = Callable[[float, float], float]
"""Draws a number between two bounds, such as `random.uniform`."""

FAILURES_ALLOWED = 10
"""Polls of a job that may fail in a row before it is given up."""
NOT_FOUND_GRACE = timedelta(seconds=30)
"""How long after submitting a vendor may not know the job yet."""
_SPREAD = 0.1
_DOUBLINGS = 30


@frozen
class Schedule:
    """A vendor's pace, or the user's own interval in place of it."""

    pace: Pace
    interval: timedelta | None = None
    """The user's wish, taken for the first question as well as for the later ones."""

    def first(self, asked: timedelta | None, jitter: Jitter) -> float:
        """Return seconds from submitting a job to asking about it for the first time."""
        wait = self.pace.first if self.interval is None else self.interval
        return _obliging(wait.total_seconds(), asked, jitter)

    def after(self, asked: timedelta | None, jitter: Jitter, *, unknown: int = 0) -> float:
        """Return seconds until the next question about a job that was just described.

        What the server asked for comes first and is never undercut. A job whose status nobody knew
        the last so many times is asked about less and less often.
        """
        return _obliging(self._grown(unknown), asked, jitter)

    def after_failure(self, failures: int, asked: timedelta | None, jitter: Jitter) -> float:
        """Return seconds until the next question after some number of failures in a row.

        Where the server says when to come back, it is believed; one that says so time and again is
        asked less and less often all the same.
        """
        before = max(0, failures - 1)
        usual = self._grown(before)
        return _obliging(usual, asked, jitter, patience=2.0 ** min(before, _DOUBLINGS))

    def _grown(self, times: int) -> float:
        """Return the usual interval, doubled some number of times but not beyond the ceiling."""
        usual = self.pace.interval if self.interval is None else self.interval
        ceiling = max(usual, self.pace.ceiling).total_seconds()
        return min(usual.total_seconds() * 2.0 ** min(times, _DOUBLINGS), ceiling)


def _obliging(
    usual: float, asked: timedelta | None, jitter: Jitter, *, patience: float = 1.0
) -> float:
    """Return the usual wait, or what the server asked for: no sooner, and never at once."""
    if asked is None:
        return _spread(usual, jitter)
    least = _spread(min(usual, patience), jitter)
    return max(least, asked.total_seconds() * jitter(1.0, 1 + _SPREAD))


def _spread(seconds: float, jitter: Jitter) -> float:
    return max(0.0, seconds * jitter(1 - _SPREAD, 1 + _SPREAD))

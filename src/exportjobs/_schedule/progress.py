"""How long a job will still run, estimated from the progress that it reports.

From two reports the remaining time is extrapolated: `left / gained * time taken`. The estimate is
less certain the more is left compared with what was seen, and the longer nothing has changed.
"""

from math import exp, hypot, isfinite, log
from typing import Self

from attrs import evolve, frozen

_RESOLUTION = 0.01
"""Vendors report whole percents, so a fraction is only known to within this."""
_UNEVENNESS = 0.35
"""How unevenly jobs progress: spread of the remaining time's logarithm per doubling of what was
seen."""
_GAIN_OF_LEFT = 0.5
"""The part of what is left that a job has to gain before the older of two reports is dropped, …"""
_MIN_GAIN = 0.1
"""… and the least gain in any case: from less, no speed can be told."""
_MIN_SPREAD = 0.03
"""The least spread of the remaining time's logarithm: no estimate is better."""
_MIN_REMAINING = 1e-3
"""Seconds; no remaining time is shorter."""
_MAX_AGE = 1e10
"""Seconds; no job is older, whatever a clock says."""
_OVERDUE = 0.05
"""The part of its age that a job still runs after it reported to be complete, more or less."""
_MAX_SPREAD = 5.0
"""The greatest spread of the remaining time's logarithm; with more, it would say nothing."""
_OVERDUE_SPREAD = 1.0
"""The spread of the remaining time's logarithm after a job reported to be complete."""


@frozen
class RemainingTime:
    """How much longer a job will run: a log-normal distribution."""

    median: float
    """Seconds."""
    spread: float
    """Standard deviation of the logarithm."""

    def combined(self, other: Self) -> Self:
        """Return what two independent estimates say together; the narrower one has more weight."""
        own, others = self.spread**-2, other.spread**-2
        middle = (own * log(self.median) + others * log(other.median)) / (own + others)
        return type(self)(exp(middle), (own + others) ** -0.5)


@frozen
class ProgressTrend:
    """Two of a job's progress reports, from which the remaining time is extrapolated.

    The latest one said `fraction`, first at age `reached_at`; an earlier one, at age `since`, said
    `before`. Ages are in seconds.
    """

    since: float = 0.0
    before: float = 0.0
    reached_at: float = 0.0
    fraction: float = 0.0

    def reported(self, age: float, fraction: float | None) -> Self:
        """Return the trend after a report, or the same one if it says nothing new.

        Args:
            age: The job's age in seconds.
            fraction: The share done, from 0 to 1.
        """
        if fraction is None or not isfinite(fraction) or not isfinite(age):
            return self
        age = _bounded_age(age)
        share = min(1.0, max(0.0, fraction))
        if share == 0.0:
            return type(self)(since=age, reached_at=age)
        if share < self.fraction:
            return self._restarted(age, share)
        if share == self.fraction or age <= self.reached_at:
            return self
        if share - self.fraction < max(_GAIN_OF_LEFT * (1 - share), _MIN_GAIN):
            return evolve(self, reached_at=age, fraction=share)
        return type(self)(self.reached_at, self.fraction, age, share)

    def _restarted(self, age: float, share: float) -> Self:
        """Return the trend after the fraction fell, because the vendor found more to do."""
        since = self.since if self.before == 0.0 else 0.0
        return type(self)(since=since, reached_at=age, fraction=share)

    def remaining(self, age: float) -> RemainingTime | None:
        """Return how much longer the job will run at an age in seconds, or None if unknown."""
        age = _bounded_age(age)
        idle = max(0.0, age - self.reached_at)
        if self.fraction >= 1.0:
            return RemainingTime(max(_OVERDUE * age, idle, _MIN_REMAINING), _OVERDUE_SPREAD)
        gained = self.fraction - self.before
        taken = age - self.since
        if gained < _RESOLUTION or taken <= 0.0:
            return None
        left = 1.0 - self.fraction
        unevenness = _UNEVENNESS * (left + gained) / (self.fraction + gained)
        spread = hypot(
            _MIN_SPREAD,
            unevenness,
            _RESOLUTION / gained,
            _RESOLUTION / (left + _RESOLUTION),
            idle / taken,
        )
        spread = min(spread, _MAX_SPREAD)
        return RemainingTime(
            max(max(left, _RESOLUTION / 2) * taken / gained, idle, _MIN_REMAINING), spread
        )


def _bounded_age(age: float) -> float:
    """Return an age within bounds that no formula fails on, whatever a clock says."""
    return min(max(age, -_MAX_AGE), _MAX_AGE) if isfinite(age) else 0.0

"""What a job's progress reports tell of its end.

From two reports the rest is extrapolated: `left / gained * time taken`. How far that may be off
grows with what is left against what was seen, and with the time since anything moved.
"""

from math import exp, hypot, isfinite, log
from typing import Self

from attrs import evolve, frozen

_GRAIN = 0.01
"""Vendors report whole percents, so a fraction is known to within this."""
_CURVATURE = 0.35
"""How unevenly jobs progress: spread of the rest's logarithm per doubling of what was seen."""
_ENOUGH = 0.5
"""The part of what is left that must be gained before an older report is dropped."""
_PLAIN = 0.1
"""The least gain to tell a pace from."""
_SURE = 0.03
"""The least spread of the rest's logarithm: no estimate is better."""
_SOON = 1e-3
"""Seconds; no rest is shorter."""
_AGES = 1e10
"""Seconds; no job is older, whatever a clock says."""
_OVERDUE = 0.05
"""A job with nothing left to do takes another twentieth of its age, more or less."""
_WILDEST = 5.0
"""The greatest spread of the rest's logarithm: more would say nothing at all."""
_VAGUE = 1.0
"""Spread of the rest's logarithm where a vendor's count says that nothing is left."""


@frozen
class Rest:
    """How much longer a job will run: a log-normal."""

    median: float
    """Seconds."""
    spread: float
    """Standard deviation of the logarithm."""

    def agreed(self, other: Self) -> Self:
        """Return what two independent estimates say together, each trusted as it is narrow."""
        mine, theirs = self.spread**-2, other.spread**-2
        middle = (mine * log(self.median) + theirs * log(other.median)) / (mine + theirs)
        return type(self)(exp(middle), (mine + theirs) ** -0.5)


@frozen
class ProgressTrend:
    """What a job's progress reports tell of its end: two of them, all that is kept.

    The fraction was reached at `reached_at`, an earlier one at `since`; ages are in seconds.
    """

    since: float = 0.0
    before: float = 0.0
    reached_at: float = 0.0
    fraction: float = 0.0

    def reported(self, age: float, fraction: float | None) -> Self:
        """Return the course after a report, or the same one where it says nothing new.

        Args:
            age: The job's age in seconds.
            fraction: The share done, from 0 to 1.
        """
        if fraction is None or not isfinite(fraction) or not isfinite(age):
            return self
        age = _bounded(age)
        share = min(1.0, max(0.0, fraction))
        if share == 0.0:
            return type(self)(since=age, reached_at=age)
        if share < self.fraction:
            return self._recounted(age, share)
        if share == self.fraction or age <= self.reached_at:
            return self
        if share - self.fraction < max(_ENOUGH * (1 - share), _PLAIN):
            return evolve(self, reached_at=age, fraction=share)
        return type(self)(self.reached_at, self.fraction, age, share)

    def _recounted(self, age: float, share: float) -> Self:
        """Return the course where the vendor found more to do: what it had counted is void."""
        since = self.since if self.before == 0.0 else 0.0
        return type(self)(since=since, reached_at=age, fraction=share)

    def rest(self, age: float) -> Rest | None:
        """Return how much longer the job will run at an age in seconds, or None if unknown."""
        age = _bounded(age)
        idle = max(0.0, age - self.reached_at)
        if self.fraction >= 1.0:
            return Rest(max(_OVERDUE * age, idle, _SOON), _VAGUE)
        gained = self.fraction - self.before
        taken = age - self.since
        if gained < _GRAIN or taken <= 0.0:
            return None
        left = 1.0 - self.fraction
        curvature = _CURVATURE * (left + gained) / (self.fraction + gained)
        spread = hypot(_SURE, curvature, _GRAIN / gained, _GRAIN / (left + _GRAIN), idle / taken)
        spread = min(spread, _WILDEST)
        return Rest(max(max(left, _GRAIN / 2) * taken / gained, idle, _SOON), spread)


def _bounded(age: float) -> float:
    """Return an age that can be reckoned with, whatever a clock says."""
    return min(max(age, -_AGES), _AGES) if isfinite(age) else 0.0

"""When to poll a job again, so that few polls find its end soon.

Every poll has a cost, and so has every second by which the end of a job is seen late; a second
costs less in a long job than in a short one. `optimum.cheapest` finds the ages to poll at that cost
least in all. It is given the probability of each duration, as learned from jobs of the same kind.
Where the job reports progress, the remaining time extrapolated from that is combined with it.

One request that polls many jobs has no such plan, as the jobs have different ages. It follows the
rule that the best plans come close to where polls are frequent: it is time for the next poll when
the integral over time of `sqrt(hazard * weight / (2 * poll_cost))` has grown by one. The hazard is
the probability per second that a job that still runs ends now, and the weight is what a second of
delay costs. For many jobs, `hazard * weight` is added up.
"""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from math import erfc, exp, isfinite, log, pi, sqrt
from operator import mul, neg
from typing import Protocol

from attrs import frozen

from exportjobs._schedule.durations import (
    CELLS,
    EDGES,
    LOGARITHMS,
    Belief,
    Durations,
    cell_at,
    probabilities,
)
from exportjobs._schedule.optimum import AgeRange, Plan, cheapest
from exportjobs._schedule.progress import ProgressTrend, RemainingTime

_RELATIVE = 0.75
"""A second of delay costs the job's duration to the power of minus this. With 1, only the delay
relative to the duration would count, with 0 only the seconds. In between, each of the two comes out
about a tenth worse than if it alone counted."""
_SHARED = 0.8
"""What each job but the first adds to the cost of a request that polls them all, in costs of a poll
of one job. It is below 1, so that polling together saves requests and shows ends sooner as well."""
_EARLY = 0.85
"""The part of the planned wait after which a job that reports progress is polled. The answer will
also make the estimate of its end better, which the plan does not count as a gain."""
_NEGLIGIBLE = 1e-4
"""The share of the shortest jobs, and of the longest, that a plan leaves out."""
_STEPS = 8
"""The least number of steps in which the integral for a shared request is added up to one."""
_STEP = 0.2
"""The part of an age, or of a wait, over which a hazard is taken to be constant."""
_OUTER = 4.0
"""Standard deviations of the remaining time that a plan covers."""
_CERTAIN = 30.0
"""Standard deviations beyond which probabilities are too small to calculate with."""
_BINS = 80
"""Age ranges that the remaining time is divided into."""
_UNLIKE = 0.02
"""If fewer of the jobs that are still running at this age end near the moment that progress tells,
earlier jobs say nothing of this one, and only its progress counts."""
_LEAST_SPREAD = 0.3
"""The least spread of the remaining time's logarithm by the durations of earlier jobs."""
_POLL_COST = 0.05
"""Taken where a poll's cost is not a number."""
_POLL_COSTS = (1e-6, 1e6)
"""The least and the greatest."""
_SHORTEST = 1e-3
"""Seconds; the shortest wait."""
_LONGEST = 30 * 86_400.0
"""Seconds; the longest wait for a shared request."""


def wait(age: float, durations: Durations, trend: ProgressTrend, *, poll_cost: float) -> float:
    """Return seconds until the next poll of one job that was just seen running.

    Args:
        age: Seconds since the job was submitted.
        durations: What was learned of jobs of its kind.
        trend: The progress that it reported.
        poll_cost: What a poll costs: as much as to see the end of a job of usual duration late by
            this fraction of its duration.
    """
    now, cost = _bounded_age(age), _bounded_cost(poll_cost)
    left = _remaining(now, durations.belief, trend)
    if left is None:
        return max(_SHORTEST, _plan(durations.belief, cost).after(now) - now)
    weight = _forecast(durations.belief).weight(now + left.median)
    # The plan for a median of 1 fits every median, so it is made, and cached, for that one only.
    relative = cost / (weight * left.median)
    share = _first_poll(round(10 * log(left.spread)), round(4 * log(relative)))
    return max(_SHORTEST, _EARLY * share * left.median)


def shared_wait(
    jobs: Iterable[tuple[float, Durations, ProgressTrend]], *, poll_cost: float
) -> float:
    """Return seconds until the next request that polls many jobs.

    Args:
        jobs: For each job that was just seen running the arguments of `wait`.
        poll_cost: What a poll of one job costs; the request costs more, as it polls many.
    """
    known = list(jobs)
    if len(known) == 1:
        return wait(*known[0], poll_cost=poll_cost)
    cost = _bounded_cost(poll_cost) * (1 + _SHARED * (len(known) - 1))
    groups = _groups(known)
    waited, polls = 0.0, 0.0
    while polls < 1 and waited < _LONGEST:
        urgency = sum(count * group.urgency(waited) for group, count in groups.items())
        rate = sqrt(urgency / (2 * cost))
        longest = min((group.step(waited) for group in groups), default=_LONGEST)
        step = min(longest, 1 / (_STEPS * rate)) if rate > 0 else longest
        waited += step
        polls += rate * step
    return max(_SHORTEST, waited)


def _bounded_age(age: float) -> float:
    """Return an age within bounds that no formula fails on: clocks may disagree."""
    return min(max(age, 0.0), 1e4 * _LONGEST) if isfinite(age) else 0.0


def _bounded_cost(poll_cost: float) -> float:
    lowest, highest = _POLL_COSTS
    return min(max(poll_cost, lowest), highest) if isfinite(poll_cost) else _POLL_COST


@frozen(eq=False)
class _Forecast:
    """What a belief says of the ends of jobs."""

    running: Sequence[float]
    """The share of jobs still running at each bound between two cells."""
    urgency: Sequence[float]
    """Hazard times weight in each cell: what the delays of jobs that end there cost, per second."""
    usual: float
    """The geometric mean of the durations, in seconds."""

    def weight(self, duration: float) -> float:
        """Return what a second of delay costs a job of some duration; 1 / duration if usual."""
        return _weight(duration, self.usual)

    def remaining(self, age: float, reported: RemainingTime) -> RemainingTime | None:
        """Return how much longer jobs run at an age, of those that end near the reported end.

        It is None if too few of them do: then this job is not like the others.
        """
        factor = exp(2 * reported.spread)
        first, last = (cell_at(age + reported.median * by) for by in (1 / factor, factor))
        before, after = self.running[first], self.running[last + 1]
        if before - after <= _UNLIKE * self.running[cell_at(age)]:
            return None
        shares = (before + (after - before) * share for share in (0.25, 0.5, 0.75))
        low, middle, high = (
            EDGES[first + bisect_right(self.running[first : last + 2], -share, key=neg)] - age
            for share in shares
        )
        if low <= 0:
            return None
        # The quartiles of a normal distribution lie 1.349 standard deviations apart.
        return RemainingTime(middle, max(_LEAST_SPREAD, log(high / low) / 1.349))


@lru_cache(maxsize=256)
def _forecast(belief: Belief) -> _Forecast:
    found = probabilities(belief)
    # Added up from the longest duration on: so small shares are exact, which hazards divide by.
    running = array("d", list(accumulate(reversed(found), initial=0.0))[::-1])
    usual = exp(sum(map(mul, LOGARITHMS, found)))
    hazards = (
        probability / running[cell] / (EDGES[cell + 1] - EDGES[cell])
        for cell, probability in enumerate(found)
    )
    weights = (_weight(exp(middle), usual) for middle in LOGARITHMS)
    return _Forecast(running, array("d", map(mul, hazards, weights)), usual)


def _weight(duration: float, usual: float) -> float:
    return exp(-_RELATIVE * log(duration) - (1 - _RELATIVE) * log(usual))


@lru_cache(maxsize=256)
def _plan(belief: Belief, poll_cost: float) -> Plan:
    """Return when to poll a job of which only the durations of its kind are known."""
    found, forecast = probabilities(belief), _forecast(belief)
    ranges = [
        AgeRange(
            EDGES[cell],
            EDGES[cell + 1],
            found[cell],
            forecast.weight(exp(LOGARITHMS[cell])),
        )
        for cell in range(CELLS)
        if forecast.running[cell + 1] < 1 - _NEGLIGIBLE and forecast.running[cell] > _NEGLIGIBLE
    ]
    return cheapest(ranges, poll_cost)


def _remaining(age: float, belief: Belief, trend: ProgressTrend) -> RemainingTime | None:
    """Return how much longer a job will run, or None if its progress does not tell.

    As long as no job of the kind has ended, the guessed duration does not count against progress.
    """
    reported = trend.remaining(age)
    if reported is None or trend.fraction >= 1 or not belief.ends:
        return reported
    others = _forecast(belief).remaining(age, reported)
    return reported if others is None else reported.combined(others)


@lru_cache(maxsize=4_096)
def _first_poll(spread_step: int, cost_step: int) -> float:
    """Return when to poll a job whose remaining time is log-normal with a median of 1.

    Args:
        spread_step: Ten times the logarithm of the spread, rounded, so that the cache is hit often.
        cost_step: Four times the logarithm of a poll's cost, relative to the median, rounded.
    """
    spread, poll_cost = exp(spread_step / 10), exp(cost_step / 4)
    bounds = [_OUTER * (2 * place / _BINS - 1) for place in range(_BINS + 1)]
    ranges = [
        AgeRange(exp(spread * low), exp(spread * high), _above(low) - _above(high), 1.0)
        for low, high in pairwise(bounds)
    ]
    return cheapest(ranges, poll_cost).nexts[0]


def _density(deviations: float) -> float:
    return exp(-(deviations**2) / 2) / sqrt(2 * pi)


def _above(deviations: float) -> float:
    """Return the probability that a normal variable is above so many standard deviations."""
    return erfc(deviations / sqrt(2)) / 2


class _Group(Protocol):
    """Jobs that are so much alike that one calculation is enough for all of them."""

    def urgency(self, waited: float) -> float:
        """Return hazard times weight of one of the jobs, so many seconds from now."""
        ...

    def step(self, waited: float) -> float:
        """Return seconds over which that may be taken to be constant."""
        ...


@frozen(cache_hash=True)
class _ByAge:
    """Jobs of about the same age that report no progress."""

    belief: Belief
    cell: int

    def urgency(self, waited: float) -> float:
        return _forecast(self.belief).urgency[cell_at(EDGES[self.cell] + waited)]

    def step(self, waited: float) -> float:
        return _STEP * (EDGES[self.cell] + waited) + _SHORTEST


@frozen(cache_hash=True)
class _ByProgress:
    """Jobs of about the same remaining time by their progress."""

    left: RemainingTime
    weight: float

    def urgency(self, waited: float) -> float:
        if waited <= 0:
            return 0.0
        deviations = log(waited / self.left.median) / self.left.spread
        hazard = _density(deviations) / max(_above(deviations), _density(_CERTAIN) / _CERTAIN)
        return self.weight * hazard / (self.left.spread * waited)

    def step(self, waited: float) -> float:
        return _STEP * min(1.0, self.left.spread) * max(self.left.median, waited / 2)


def _groups(jobs: Iterable[tuple[float, Durations, ProgressTrend]]) -> dict[_Group, int]:
    """Return the groups of jobs, and how many jobs are in each."""
    ages: Counter[tuple[Belief, int]] = Counter()
    groups: Counter[_Group] = Counter()
    for age, durations, trend in jobs:
        now, belief = _bounded_age(age), durations.belief
        left = _remaining(now, belief, trend) if trend.fraction else None
        if left is None:
            ages[belief, cell_at(now)] += 1
        else:
            weight = _rounded(_forecast(belief).weight(now + left.median))
            alike = RemainingTime(_rounded(left.median), _rounded(left.spread))
            groups[_ByProgress(alike, weight)] += 1
    return groups | {_ByAge(*same): count for same, count in ages.items()}


def _rounded(value: float) -> float:
    """Return a positive value to within 5 %, so that jobs nearly alike are in one group."""
    return exp(round(10 * log(value)) / 10)

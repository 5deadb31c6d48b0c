"""When to ask about a job again, so that few questions find its end soon.

A question has a price; finding an end late costs the delay, weighed so that a second matters less
in a long job. What is known of the end is a belief about the durations of such jobs, narrowed by
the job's own progress where it reports any; `_cheapest` makes the plan.

One request about many jobs is made by the rule that every such plan tends to where questions are
many: whenever the integral of `sqrt(hazard * weight / (2 * price))` has grown by one, the hazards
of all the jobs being added up.
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
from exportjobs._schedule.optimum import Plan, Stretch, cheapest
from exportjobs._schedule.progress import ProgressTrend, Rest

_RELATIVE = 0.75
"""A second's delay weighs duration to minus this power: 1 would mind the delay over the duration
only, 0 the seconds only. Each is then about a tenth worse than if it were minded alone."""
_SHARED = 0.8
"""What every job but the first adds to the price of a request that serves them all, in prices of a
question about one: so sharing saves requests first of all, and time as well."""
_EAGER = 0.85
"""How much of its wait a job that reports progress is left alone: the answer will also tell more of
the end, which the plan does not count as a gain."""
_RARE = 1e-4
"""The share of jobs so short, and of jobs so long, that no plan is made for them."""
_STEPS = 8
"""In which the integral of a shared request is taken to one."""
_STRIDE = 0.2
"""The part of an age or of a wait over which a hazard changes little."""
_OUTER = 4.0
"""Standard deviations at which the rest of a job is taken to be certain."""
_CERTAIN = 30.0
"""Standard deviations beyond which numbers are too small to be reckoned with."""
_BINS = 80
"""Stretches that the rest of a job is cut into."""
_UNLIKE = 0.02
"""If fewer of the jobs that last so long end when progress says, then its word is taken alone."""
_LEAST_SPREAD = 0.3
"""How well past durations can tell the rest of a job, as a spread of its logarithm."""
_PRICE = 0.05
_PRICES = (1e-6, 1e6)
_SHORTEST = 1e-3
"""Seconds; the least that is ever waited."""
_LONGEST = 30 * 86_400.0
"""Seconds; the most that is waited for jobs of which nothing is known."""


def wait(age: float, durations: Durations, trend: ProgressTrend, *, price: float) -> float:
    """Return seconds until the next question about one job that was just seen running.

    Args:
        age: Seconds since the job was submitted.
        durations: What is known of how long its like take.
        trend: What its progress reports tell.
        price: What a question costs: as much as finding a usual job late by so much of its length.
    """
    now, cost = _real_age(age), _real_price(price)
    rest = _rest(now, durations.belief, trend)
    if rest is None:
        return max(_SHORTEST, _plan(durations.belief, cost).after(now) - now)
    relative = cost / (_outlook(durations.belief).weight(now + rest.median) * rest.median)
    share = _first_question(round(10 * log(rest.spread)), round(4 * log(relative)))
    return max(_SHORTEST, _EAGER * share * rest.median)


def shared_wait(jobs: Iterable[tuple[float, Durations, ProgressTrend]], *, price: float) -> float:
    """Return seconds until one request should be made that serves many jobs.

    Args:
        jobs: The age, in seconds, of every job just seen running, and what `wait` takes with it.
        price: What a question about one job costs; the request costs more, as it answers for many.
    """
    known = list(jobs)
    if len(known) == 1:
        return wait(*known[0], price=price)
    cost = _real_price(price) * (1 + _SHARED * (len(known) - 1))
    crowds = _crowds(known)
    waited, questions = 0.0, 0.0
    while questions < 1 and waited < _LONGEST:
        urgency = sum(count * crowd.urgency(waited) for crowd, count in crowds.items())
        rate = sqrt(urgency / (2 * cost))
        stride = min((crowd.stride(waited) for crowd in crowds), default=_LONGEST)
        step = min(stride, 1 / (_STEPS * rate)) if rate > 0 else stride
        waited += step
        questions += rate * step
    return max(_SHORTEST, waited)


def _real_age(age: float) -> float:
    """Return an age that can be reckoned with: clocks may disagree."""
    return min(max(age, 0.0), 1e4 * _LONGEST) if isfinite(age) else 0.0


def _real_price(price: float) -> float:
    return min(max(price, _PRICES[0]), _PRICES[1]) if isfinite(price) else _PRICE


@frozen(eq=False)
class _Outlook:
    """What a belief says of the end of a job."""

    running: Sequence[float]
    """The share of jobs still running at each edge between cells."""
    urgency: Sequence[float]
    """Hazard times weight in each cell: what a second of delay costs there, per second."""
    usual: float
    """The geometric mean of durations, in seconds."""

    def weight(self, duration: float) -> float:
        """Return what a second of delay costs a job of some duration: 1 / duration if usual."""
        return _weight(duration, self.usual)

    def rest(self, age: float, reported: Rest) -> Rest | None:
        """Return how much longer jobs run at an age, of those that end about when reported.

        It is None where too few of them do: then this job is not like the others.
        """
        factor = exp(2 * reported.spread)
        first, last = (cell_at(age + reported.median * by) for by in (1 / factor, factor))
        most, least = self.running[first], self.running[last + 1]
        if most - least <= _UNLIKE * self.running[cell_at(age)]:
            return None
        shares = (most + (least - most) * share for share in (0.25, 0.5, 0.75))
        low, middle, high = (
            EDGES[first + bisect_right(self.running[first : last + 2], -share, key=neg)] - age
            for share in shares
        )
        if low <= 0:
            return None
        # The quartiles of a normal distribution lie 1.349 standard deviations apart.
        return Rest(middle, max(_LEAST_SPREAD, log(high / low) / 1.349))


@lru_cache(maxsize=256)
def _outlook(belief: Belief) -> _Outlook:
    chances = probabilities(belief)
    running = array("d", list(accumulate(reversed(chances), initial=0.0))[::-1])
    usual = exp(sum(map(mul, LOGARITHMS, chances)))
    hazards = (
        chance / running[cell] / (EDGES[cell + 1] - EDGES[cell])
        for cell, chance in enumerate(chances)
    )
    weights = (_weight(exp(middle), usual) for middle in LOGARITHMS)
    return _Outlook(running, array("d", map(mul, hazards, weights)), usual)


def _weight(duration: float, usual: float) -> float:
    return exp(-_RELATIVE * log(duration) - (1 - _RELATIVE) * log(usual))


@lru_cache(maxsize=256)
def _plan(belief: Belief, price: float) -> Plan:
    """Return when to ask about a job of which nothing is known but how long its like take."""
    chances, context = probabilities(belief), _outlook(belief)
    stretches = [
        Stretch(
            EDGES[cell],
            EDGES[cell + 1],
            chances[cell],
            context.weight(exp(LOGARITHMS[cell])),
        )
        for cell in range(CELLS)
        if context.running[cell + 1] < 1 - _RARE and context.running[cell] > _RARE
    ]
    return cheapest(stretches, price)


def _rest(age: float, belief: Belief, trend: ProgressTrend) -> Rest | None:
    """Return how much longer a job will run, or None if it reports nothing to tell it from.

    A guess that no job has yet borne out has no say against what the job itself reports.
    """
    reported = trend.rest(age)
    if reported is None or trend.fraction >= 1 or not belief.ends:
        return reported
    usual = _outlook(belief).rest(age, reported)
    return reported if usual is None else reported.agreed(usual)


@lru_cache(maxsize=4_096)
def _first_question(spread_step: int, price_step: int) -> float:
    """Return when to ask about a job whose rest is log-normal with median 1.

    Args:
        spread_step: Ten times the logarithm of the spread, rounded, as it repeats more often then.
        price_step: Four times the logarithm of the price in parts of the median.
    """
    spread, price = exp(spread_step / 10), exp(price_step / 4)
    bounds = [_OUTER * (2 * place / _BINS - 1) for place in range(_BINS + 1)]
    stretches = [
        Stretch(exp(spread * low), exp(spread * high), _above(low) - _above(high), 1.0)
        for low, high in pairwise(bounds)
    ]
    return cheapest(stretches, price).nexts[0]


def _density(deviations: float) -> float:
    return exp(-(deviations**2) / 2) / sqrt(2 * pi)


def _above(deviations: float) -> float:
    """Return the chance of a normal variable to lie above so many standard deviations."""
    return erfc(deviations / sqrt(2)) / 2


class _Crowd(Protocol):
    """Jobs near enough alike to be reckoned with as one."""

    def urgency(self, waited: float) -> float:
        """Return hazard times weight of one of them, so many seconds from now."""
        ...

    def stride(self, waited: float) -> float:
        """Return seconds over which that changes little."""
        ...


@frozen(cache_hash=True)
class _Unforeseen:
    """Jobs of about one age that report no progress."""

    belief: Belief
    cell: int

    def urgency(self, waited: float) -> float:
        return _outlook(self.belief).urgency[cell_at(EDGES[self.cell] + waited)]

    def stride(self, waited: float) -> float:
        return _STRIDE * (EDGES[self.cell] + waited) + _SHORTEST


@frozen(cache_hash=True)
class _Foreseen:
    """Jobs whose progress tells about one end."""

    rest: Rest
    weight: float

    def urgency(self, waited: float) -> float:
        if waited <= 0:
            return 0.0
        deviations = log(waited / self.rest.median) / self.rest.spread
        hazard = _density(deviations) / max(_above(deviations), _density(_CERTAIN) / _CERTAIN)
        return self.weight * hazard / (self.rest.spread * waited)

    def stride(self, waited: float) -> float:
        return _STRIDE * min(1.0, self.rest.spread) * max(self.rest.median, waited / 2)


def _crowds(jobs: Iterable[tuple[float, Durations, ProgressTrend]]) -> dict[_Crowd, int]:
    """Return how many jobs there are of each sort."""
    ages: Counter[tuple[Belief, int]] = Counter()
    crowds: Counter[_Crowd] = Counter()
    for age, durations, trend in jobs:
        now, belief = _real_age(age), durations.belief
        rest = _rest(now, belief, trend) if trend.fraction else None
        if rest is None:
            ages[belief, cell_at(now)] += 1
        else:
            weight = _rounded(_outlook(belief).weight(now + rest.median))
            crowds[_Foreseen(Rest(_rounded(rest.median), _rounded(rest.spread)), weight)] += 1
    return crowds | {_Unforeseen(*alike): count for alike, count in ages.items()}


def _rounded(value: float) -> float:
    """Return a positive value to within 5 %, so that jobs alike are seen to be."""
    return exp(round(10 * log(value)) / 10)

"""The world that schedules are tried in: how long jobs take, how they progress, what is optimal."""

from collections.abc import Sequence
from math import erf, exp, log, sqrt

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Array = NDArray[np.float64]

JOBS = 120
"""In a history: jobs of one kind at one account, one after the other, begun in ignorance."""
GUESS = 60.0
"""Seconds that a job is guessed to take before any was seen, in every scenario."""
_MARGIN = 5.5
"""Standard deviations that an optimum looks ahead and back."""
_KNOTS = 900
"""Ages that an optimum may ask at."""
_CROWDED = 0.0008
"""The price below which those are too few; there the limit of many questions is optimal."""


@frozen
class Scenario:
    """A distribution of durations: log-normals in parts."""

    name: str
    parts: tuple[tuple[float, float, float], ...]
    """Share, median in seconds, sigma."""
    bound: float
    """What the latency over the optimum's is to stay below."""
    longest: float = float("inf")
    """Seconds; longer jobs do not occur."""
    rivalled: bool = True
    """Whether google's latency is to be reached with half of its requests."""

    def draw(self, jobs: int, chance: np.random.Generator) -> Array:
        """Return durations in seconds."""
        shares, medians, sigmas = (np.array(column) for column in zip(*self.parts, strict=True))
        drawn = np.empty(0)
        while len(drawn) < jobs:
            part = chance.choice(len(shares), jobs, p=shares)
            more = medians[part] * np.exp(sigmas[part] * chance.standard_normal(jobs))
            drawn = np.concatenate([drawn, more[more <= self.longest]])
        return drawn[:jobs]

    def running(self, ages: Array) -> Array:
        """Return the share of jobs that run still at some ages."""
        return np.clip((self._above(ages) - self._cut) / (1 - self._cut), 0.0, 1.0)

    def reach(self) -> tuple[float, float]:
        """Return the ages between which practically all jobs end."""
        low = min(median * exp(-_MARGIN * sigma) for _, median, sigma in self.parts)
        high = max(median * exp(_MARGIN * sigma) for _, median, sigma in self.parts)
        return low, min(high, self.longest)

    @property
    def _cut(self) -> float:
        return 0.0 if self.longest == float("inf") else float(self._above(np.array(self.longest)))

    def _above(self, ages: Array) -> Array:
        logs = np.log(ages)
        parts = [
            share * (1 - _below((logs - log(median)) / sigma))
            for share, median, sigma in self.parts
        ]
        return np.asarray(np.sum(parts, axis=0))


def _below(deviations: Array) -> Array:
    values = [erf(value / sqrt(2)) for value in np.ravel(deviations)]
    return 0.5 + 0.5 * np.reshape(np.array(values), np.shape(deviations))


def _single(median: float, words: str) -> list[Scenario]:
    return [
        Scenario(f"{words}, sigma {sigma}", ((1.0, median, sigma),), 1.25, rivalled=median <= 900)
        for sigma in (0.5, 1.0, 1.5)
    ]


MEDIANS = {"20 s": 20.0, "2 min": 120.0, "15 min": 900.0, "2 h": 7200.0}
SCENARIOS = (
    *(scenario for words, median in MEDIANS.items() for scenario in _single(median, words)),
    Scenario("70 % 20 s + 30 % 15 min, sigma 0.3", ((0.7, 20, 0.3), (0.3, 900, 0.3)), 1.5),
    Scenario("70 % 20 s + 30 % 15 min, sigma 0.5", ((0.7, 20, 0.5), (0.3, 900, 0.5)), 1.5),
    Scenario("all four medians, sigma 1.0", tuple((0.25, m, 1.0) for m in MEDIANS.values()), 1.5),
)
CROWD = Scenario("50 jobs at once", ((1.0, 1.93, 0.8),), 1.25, longest=7.9)


@frozen
class Curve:
    """What a family of schedules reaches: mean latency over mean requests, fewest first."""

    requests: Array
    latency: Array

    @classmethod
    def through(cls, points: Sequence[tuple[float, float]]) -> "Curve":
        """Return the curve through some points."""
        requests, latency = zip(*sorted(points), strict=True)
        return cls(np.array(requests), np.array(latency))

    def latency_at(self, requests: float) -> float:
        """Return the latency at a number of requests, between points as a power law."""
        return exp(np.interp(log(requests), np.log(self.requests), np.log(self.latency)))

    def requests_at(self, latency: float) -> float:
        """Return the requests that a latency takes, between points as a power law."""
        falling = np.log(self.latency)[::-1], np.log(self.requests)[::-1]
        return exp(np.interp(log(latency), *falling))


def scored(questions: Array, jobs: Array, power: float = 1.0) -> tuple[float, float]:
    """Return mean requests and mean latency of asking every job at the same ages.

    Args:
        questions: Ages in seconds, rising, the last beyond every job.
        jobs: Durations in seconds.
        power: 1 for latency over duration, 0 for latency in seconds.
    """
    place = np.minimum(np.searchsorted(questions, jobs), len(questions) - 1)
    late = np.maximum(questions[place] - jobs, 0.0) / jobs**power
    return float(np.mean(place + 1)), float(np.mean(late))


def optimum(scenario: Scenario, jobs: Array, power: float = 1.0) -> Curve:
    """Return what knowing the distribution reaches on some jobs, by dynamic programming."""
    usual = float(np.median(jobs)) ** (1 - power)
    prices = 1.28 / 2 ** np.arange(0, 10.5, 0.5)
    points = [scored(_planned(scenario, price * usual, power), jobs, power) for price in prices]
    low = _CROWDED / 2 ** np.arange(8)
    points += [scored(_dense(scenario, price * usual, power), jobs, power) for price in low]
    return Curve.through(points)


def _planned(scenario: Scenario, price: float, power: float) -> Array:
    """Return the ages of least expected cost among some hundreds of ages."""
    fine = np.geomspace(*scenario.reach(), 20 * _KNOTS)
    ended = 1 - scenario.running(fine)
    even = 0.5 * ended + 0.5 * np.linspace(0, 1, len(fine))
    places = np.searchsorted(even, np.linspace(even[0], even[-1], _KNOTS))
    places = np.unique(np.minimum(places, len(fine) - 1))
    middles = np.sqrt(fine[1:] * fine[:-1])
    mass = np.diff(ended)
    weight = np.concatenate([[0.0], np.cumsum(mass * middles**-power)])[places]
    moment = np.concatenate([[0.0], np.cumsum(mass * middles ** (1 - power))])[places]
    ages, running = fine[places], 1 - ended[places]
    costs, nexts = np.zeros(len(ages)), np.zeros(len(ages), dtype=int)
    for place in range(len(ages) - 2, -1, -1):
        later = slice(place + 1, None)
        delay = ages[later] * (weight[later] - weight[place]) - (moment[later] - moment[place])
        total = price * running[place] + delay + costs[later]
        nexts[place] = place + 1 + int(np.argmin(total))
        costs[place] = total[nexts[place] - place - 1]
    asked, place = list[float](), 0
    while place < len(ages) - 1:
        place = nexts[place]
        asked.append(ages[place])
    return np.array(asked)


def _dense(scenario: Scenario, price: float, power: float) -> Array:
    """Return the ages between which sqrt(hazard * weight / 2 price) integrates to one."""
    ages = np.geomspace(*scenario.reach(), 40_000)
    running = np.maximum(scenario.running(ages), 1e-12)
    hazard = -np.diff(running) / np.diff(ages) / running[:-1]
    rate = np.sqrt(np.maximum(hazard, 0.0) * ages[1:] ** -power / (2 * price))
    grown = np.concatenate([[0.0], np.cumsum(rate * np.diff(ages))])
    return np.append(np.interp(np.arange(1, grown[-1]), grown, ages), ages[-1])


@frozen
class PollPolicy:
    """How one job progresses: it may queue, stall once, and goes on unevenly."""

    curvature: float
    """The share done is the share of working time to this power."""
    queue: float
    """The share of its life before it begins."""
    stall_at: float
    """The share of its working time done when it stalls."""
    stall: float
    """The share of its life that it stalls for."""

    @classmethod
    def draw(cls, chance: np.random.Generator) -> "PollPolicy":
        """Return a job's way: three in ten queue, one in ten stalls."""
        queue = chance.uniform(0.05, 0.4) if chance.random() < 0.3 else 0.0
        stall = chance.uniform(0.1, 0.3) if chance.random() < 0.1 else 0.0
        curvature = exp(0.3 * chance.standard_normal())
        return cls(curvature, queue, chance.uniform(0.1, 0.9), stall * (1 - queue))

    def fraction(self, life: float) -> float:
        """Return the share that a job reports as done at a share of its life, in whole percents."""
        worked = max(0.0, life - self.queue)
        working = 1 - self.queue - self.stall
        stalls_at = self.stall_at * working
        if worked > stalls_at:
            worked = max(stalls_at, worked - self.stall)
        return int(100 * min(1.0, worked / working) ** self.curvature) / 100


PACE_IN_WORDS = (
    "A job reports floor(100 (t/D)^gamma) percent, gamma being log-normal (0, 0.3) and t/D the"
    " share of its working time; three jobs in ten queue for 5 to 40 % of their life before they"
    " begin, and one in ten stalls once, anywhere, for 10 to 30 % of it."
)

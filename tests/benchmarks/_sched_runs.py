"""What schedules reach: ours, lived through by the library itself, and others, by arithmetic."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from multiprocessing import Pool

import numpy as np
from _sched_world import GUESS, JOBS, Array, Curve, PollPolicy, Scenario, scored
from attrs import frozen

from exportjobs._schedule.durations import Durations
from exportjobs._schedule.plan import shared_wait, wait
from exportjobs._schedule.progress import ProgressTrend

Life = tuple[float, float]
"""Requests about one job, and seconds from its end to the answer that told of it."""
_NO_REPORTS = ProgressTrend()


@frozen
class History:
    """Jobs of one kind, one after the other, asked about at one price."""

    jobs: tuple[float, ...]
    """Durations in seconds."""
    price: float
    paces: tuple[PollPolicy, ...] = ()
    """How the jobs progress; empty where they do not tell."""

    def lives(self) -> list[Life]:
        """Return what became of each job, having begun in ignorance."""
        durations, found = Durations.prior(GUESS), list[Life]()
        for job, polling in zip(self.jobs, self.paces or repeat(None)):  # noqa: B905 - endless
            last, end, requests = asked_about(job, durations, self.price, polling)
            durations = durations.ended(last, end)
            found.append((requests, end - job))
        return found


def asked_about(
    job: float, durations: Durations, price: float, polling: PollPolicy | None
) -> tuple[float, float, int]:
    """Return when a job was last seen running and first seen ended, and the requests it took."""
    trend, last, requests = _NO_REPORTS, 0.0, 0
    while True:
        age = last + wait(last, durations, trend, poll_cost=price)
        requests += 1
        if age >= job:
            return last, age, requests
        last = age
        if polling:
            trend = trend.reported(age, polling.fraction(age / job))


@frozen
class Measured:
    """What schedules reach in a scenario: mean requests, and mean latency over duration."""

    scenario: Scenario
    ours: Mapping[float, tuple[float, float]]
    """By price."""
    progress: Mapping[float, tuple[float, float]]
    """By price, where the vendor reports progress."""
    low: Mapping[float, tuple[float, float]]
    """By price, down to where the latency is google's; empty if that is not asked."""
    google: tuple[float, float]
    optimum: Curve
    fixed: Curve
    geometric: Curve

    def over_optimum(self, point: tuple[float, float]) -> float:
        """Return a latency over the optimum's at as many requests."""
        return point[1] / self.optimum.latency_at(point[0])

    @property
    def like_google(self) -> float:
        """Requests that ours takes for google's latency."""
        return Curve.through([*self.ours.values(), *self.low.values()]).requests_at(self.google[1])


@frozen(eq=False)
class Jump:
    """What becomes of jobs whose durations change at once, by history and job."""

    factor: float
    requests: Array
    latency: Array
    """Over duration."""

    def cost(self, first: int, last: int) -> float:
        """Return requests times latency of some jobs after the change over those before it."""
        return self._product(80 + first - 1, 80 + last) / self._product(40, 80)

    def _product(self, begin: int, end: int) -> float:
        return float(self.requests[:, begin:end].mean() * self.latency[:, begin:end].mean())


@frozen
class Crowd:
    """What 50 jobs at once take: requests for each, and mean seconds of latency."""

    price: float
    reached: Mapping[str, tuple[float, float]]
    """By how they are asked about."""
    optimum: Curve
    """In seconds, asking one by one."""


@frozen
class Results:
    """All that was measured."""

    histories: int
    scenarios: Sequence[Measured]
    jumps: Sequence[Jump]
    crowds: Sequence[Crowd]


def lived(histories: Sequence[History]) -> Array:
    """Return requests and latency for each history and job, on all cores."""
    with Pool() as pool:
        found = pool.map(History.lives, histories, chunksize=1)
    return np.array(found)


def reached(lives: Array, jobs: Array) -> tuple[float, float]:
    """Return mean requests, and mean latency over duration."""
    return float(lives[..., 0].mean()), float((lives[..., 1] / jobs).mean())


def google(jobs: Array, chance: np.random.Generator) -> tuple[float, float]:
    """Return what google-api-core's default reaches: uniform(0, d), d from 1 to 20 s by 1.5."""
    requests, late = 0, 0.0
    for job in jobs.ravel():
        age = 0.0
        delays = np.minimum(20.0, 1.5 ** np.minimum(np.arange(int(job / 5) + 60), 20))
        ages = np.cumsum(chance.uniform(0, delays))
        place = int(np.searchsorted(ages, job))
        age = float(ages[place])
        requests += place + 1
        late += (age - job) / job
    return requests / jobs.size, late / jobs.size


def fixed(jobs: Array) -> Curve:
    """Return what fixed intervals reach, of all lengths."""
    points = []
    for interval in np.geomspace(jobs.min() / 2, 4 * jobs.max(), 60):
        asked = np.ceil(jobs / interval)
        points.append((float(asked.mean()), float(((asked * interval - jobs) / jobs).mean())))
    return Curve.through(points)


def geometric(jobs: Array) -> Curve:
    """Return what intervals reach that grow from one second by some factor each time."""
    factors = (1.02, 1.05, 1.1, 1.2, 1.35, 1.5, 2.0, 3.0, 5.0, 10.0)
    return Curve.through([scored(_growing(factor, jobs.max()), jobs) for factor in factors])


def _growing(factor: float, longest: float) -> Array:
    waits, age = [1.0], 1.0
    while age < longest:
        waits.append(waits[-1] * factor)
        age += waits[-1]
    return np.cumsum(waits)


def crowd(scenario: Scenario, price: float, seeds: Iterable[int]) -> dict[str, tuple[float, float]]:
    """Return requests per job and mean seconds of latency of 50 jobs, by how they are asked."""
    with Pool() as pool:
        rows = pool.starmap(_crowd, [(scenario, price, seed) for seed in seeds])
    return {name: tuple(np.mean([row[name] for row in rows], axis=0)) for name in rows[0]}


def _crowd(scenario: Scenario, price: float, seed: int) -> dict[str, tuple[float, float]]:
    chance = np.random.default_rng(seed)
    learned = Durations.prior(GUESS)
    for job in scenario.draw(JOBS, chance):
        last, end, _ = asked_about(float(job), learned, price, None)
        learned = learned.ended(last, end)
    jobs = [float(job) for job in scenario.draw(50, chance)]
    paces = [PollPolicy.draw(chance) for _ in jobs]
    return {
        "one by one": _alone(jobs, learned, price, [None] * len(jobs)),
        "one by one, with progress": _alone(jobs, learned, price, paces),
        "by a list": _listed(jobs, learned, price),
        "by a list, from ignorance": _listed(jobs, Durations.prior(GUESS), price),
    }


def _alone(
    jobs: Sequence[float], learned: Durations, price: float, paces: Sequence[PollPolicy | None]
) -> tuple[float, float]:
    found = [
        asked_about(job, learned, price, polling) for job, polling in zip(jobs, paces, strict=True)
    ]
    late = [end - job for (_, end, _), job in zip(found, jobs, strict=True)]
    return sum(requests for _, _, requests in found) / len(jobs), sum(late) / len(jobs)


def _listed(jobs: Sequence[float], durations: Durations, price: float) -> tuple[float, float]:
    """Return what requests for all jobs reach, the later ones knowing what the first ones told."""
    running, age, requests, late = list(enumerate(jobs)), 0.0, 0, 0.0
    while running:
        last = age
        age += shared_wait([(last, durations, _NO_REPORTS)] * len(running), poll_cost=price)
        requests += 1
        for turn, job in running:
            if job <= age:
                durations = durations.ended(last, age, turn=turn)
                late += age - job
        running = [(turn, job) for turn, job in running if job > age]
    return requests / len(jobs), late / len(jobs)

"""Contenders, their settings and what came of them: values only."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Setting:
    """One way of running a contender."""

    label: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """For the contender."""
    knobs: Mapping[str, Any] = field(default_factory=dict)
    """For the vendor."""
    own_pace: bool = False
    """Whether the contender's own defaults, or the server, decide how often it asks."""
    quick: bool = False
    """Whether it is one of the few of a quick run."""
    once: bool = False
    """Whether one run is enough: long waits of fixed length decide its figures."""
    slow: bool = False
    """Whether it takes so long that it has to be asked for."""


def every(seconds: float) -> Mapping[str, object]:
    """Return stamina's arguments for a fixed interval."""
    return {
        "attempts": None,
        "timeout": None,
        "wait_initial": seconds,
        "wait_max": seconds,
        "wait_jitter": 0,
    }


@dataclass(frozen=True)
class Contender:
    """One way of getting exports, with the settings that trace what it can do."""

    name: str
    script: str
    environment: str
    settings: tuple[Setting, ...]
    ours: bool = False


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What one run of one setting came to. Times are in seconds."""

    jobs: int = 0
    landed: int = 0
    requests: float = 0.0
    """Requests for a status or a list, in all."""
    latency: float = 0.0
    """The mean of the first answers that told of an end, after that end."""
    latency95: float = 0.0
    relative_latency: float = 0.0
    """The mean of each job's latency over its length."""
    makespan: float = 0.0
    refused: int = 0
    submits: int = 0
    limits_requests: int = 0
    answer_time: float = 0.0
    """What the vendor took for an answer, on average."""
    cpu: float = 0.0
    importing: float = 0.0
    """The part of `cpu` that importing took."""
    threads: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    """Why it did not finish."""

    @property
    def requests_per_job(self) -> float:
        """Requests for a status or a list, for each job."""
        return self.requests / max(1, self.jobs)

    @property
    def calls_per_job(self) -> float:
        """Requests of every sort but for files, for each job."""
        return (self.requests + self.submits + self.limits_requests) / max(1, self.jobs)


@dataclass(frozen=True)
class Result:
    """All runs of one setting of one contender."""

    contender: str
    label: str
    ours: bool
    own_pace: bool
    samples: tuple[Sample, ...]

    @property
    def error(self) -> str | None:
        """Why a run did not finish."""
        return next((sample.error for sample in self.samples if sample.error), None)

    def median(self, figure: Callable[[Sample], float]) -> float:
        """Return the median of the runs' figures."""
        return statistics.median(figure(sample) for sample in self.samples)

    def spread(self, figure: Callable[[Sample], float]) -> tuple[float, float]:
        """Return the least and the greatest of the runs' figures."""
        figures = [figure(sample) for sample in self.samples]
        return min(figures), max(figures)

    @property
    def place(self) -> tuple[float, float]:
        """Its place in the plane that polling is judged in: requests per job, mean latency."""
        return (
            self.median(lambda sample: sample.requests_per_job),
            self.median(lambda sample: sample.latency),
        )

    def beats(self, other: "Result") -> bool:
        """Return whether it asks less and notices sooner."""
        return all(mine < theirs for mine, theirs in zip(self.place, other.place, strict=True))


def beaten_by(result: Result, results: Iterable[Result]) -> list[Result]:
    """Return who is better on both axes: of each of our contenders, its most frugal setting."""
    best: dict[str, Result] = {}
    for one in results:
        if one.ours and not one.error and one.beats(result):
            known = best.get(one.contender)
            best[one.contender] = min(known or one, one, key=lambda found: found.place)
    return list(best.values())


def sampled(
    statistics_: Mapping[str, Any], figures: Mapping[str, Any], threads: int | None
) -> Sample:
    """Return a sample from what the vendor and the contender counted."""
    latencies = statistics_["latencies"]
    return Sample(
        jobs=statistics_["jobs"],
        landed=statistics_["fetched"],
        requests=statistics_["single_requests"] + statistics_["list_requests"],
        latency=statistics.fmean(latencies),
        latency95=statistics.quantiles(latencies, n=20, method="inclusive")[-1],
        relative_latency=statistics.fmean(statistics_["relative_latencies"]),
        makespan=statistics_["makespan"],
        refused=statistics_["refused"],
        submits=statistics_["submits"],
        limits_requests=statistics_["limits_requests"],
        answer_time=statistics_["seconds"] / statistics_["answers"],
        threads=threads,
        **figures,
    )


def as_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return results as JSON."""
    return [asdict(result) for result in results]


def from_json(written: Iterable[Mapping[str, Any]]) -> list[Result]:
    """Return the results that `as_json` wrote."""
    return [
        Result(**{**one, "samples": tuple(Sample(**sample) for sample in one["samples"])})
        for one in written
    ]

"""How long jobs of one kind take, learned from the jobs that ended.

When exactly a job ends is not known: it was somewhere between the last answer "running" and the
first answer "done". Both ages are kept, as cells of a grid over the logarithm of time. `Belief`
holds them, and `probabilities` turns it into the probability that the next job ends in each cell.
That is a weighted sum of a few simple estimates:

* a log-normal distribution with unknown mean and variance (averaged over both, it is a Student t
  distribution). It is good after only a few jobs, and for durations with a single mode.
* a kernel density estimate: the recorded jobs themselves, smoothed. It finds several modes:
  `(mixing * t + sum of kernels) / (mixing + weight of the jobs)`, with `t` from above.
* Each of these twice, once with all jobs and once with the latest few, to follow a change.

The weight of an estimate is how well it would have predicted the recent jobs:
`exp(sum of log probability)`, where each job is predicted from the others only. So users have
nothing to tune.
"""

import json
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from math import ceil, erf, exp, inf, isfinite, log, sqrt
from operator import mul
from typing import Any, Self

from attrs import evolve, frozen

Span = tuple[int, int]
"""The first and the last cell that a job may have ended in."""
_SHORTEST = 1e-3
"""Seconds; shorter durations are not told apart."""
_LONGEST = 30 * 86_400.0
"""Seconds; longer durations are not told apart."""
_STEP = 0.05
"""Width of a cell in the logarithm of seconds: a cell covers 5 % of a duration."""
CELLS = ceil(log(_LONGEST / _SHORTEST) / _STEP)
EDGES = (0.0, *(_SHORTEST * exp(_STEP * cell) for cell in range(1, CELLS + 1)))
"""The bounds of the cells, in seconds: one more than there are cells."""
LOGARITHMS = tuple(log(_SHORTEST) + _STEP * (cell + 0.5) for cell in range(CELLS))
"""The middle of each cell, as the logarithm of seconds."""
_REMEMBERED = 64
"""The number of jobs that a belief is made from; older ones would have almost no weight."""
_MEMORIES = (0.985, 0.8)
"""The weight of each job relative to the next newer one: about sixty jobs count, or about five."""
_BANDWIDTHS = (0.1, 0.25)
"""Widths of the kernels, in the logarithm of seconds."""
_MIXING = 0.25
"""The weight that the log-normal keeps in a kernel estimate, in jobs."""
_SCORE_DECAY = 0.88
"""How much the prediction of a job counts relative to that of the next newer one."""
_LOG_NORMAL_ADVANTAGE = 0.75
"""Added to the score of the log-normal: it is preferred until enough jobs favour the kernels."""
_LONG_MEMORY_ADVANTAGE = 1.0
"""Added to the score of the long memory: it is preferred until jobs favour the short one."""
_GUESS_WEIGHT = 0.15
"""The weight of the guessed typical duration, in jobs."""
_SPREAD_WEIGHT = 2.0
"""The weight of the guessed variance, in jobs."""
_VARIANCE = 0.7
"""The guessed variance of the durations' logarithm: two jobs in three within a factor of 2.3."""
_MIN_PROBABILITY = 1e-9
"""The least probability of anything, so that its logarithm is finite."""
_OPEN_CELLS = round(log(2) / _STEP)
"""How many cells a span with only one known end is cut to at first: a factor of two."""
_VERSION = 1
_FRESH_SHARE = 0.1
"""The share of jobs that may be newer than the belief before it is updated."""
_MAX_FRESH = 32
"""The number of newer jobs after which it is updated in any case."""
_MAX_DRIFT = 2.9
"""Standard deviations by which newer jobs may be longer or shorter before it is updated at once."""


@frozen(cache_hash=True)
class Belief:
    """What probabilities are calculated from: a guess, and where the latest jobs ended."""

    typical: float
    """The guessed typical duration in seconds."""
    ends: tuple[Span, ...] = ()
    """Where the latest jobs ended, the newest last."""


@frozen
class Durations:
    """What was learned of how long one kind of job takes on one account.

    To make a plan from a belief takes milliseconds, and plans are cached by belief. So the belief
    is updated only when enough has changed; until then newer jobs are kept in `fresh`.
    """

    belief: Belief
    fresh: tuple[Span, ...] = ()
    turns: tuple[float, ...] = ()
    """The order in which the jobs were submitted: those of the belief, then the fresh ones."""
    seen: int = 0
    """The number of jobs ever seen, including those that are no longer kept."""

    @classmethod
    def prior(cls, typical: float) -> Self:
        """Return what is assumed before any job ended: a wide guess around `typical` seconds."""
        known = float(typical) if isfinite(typical) and typical > 0 else 60.0
        return cls(Belief(min(max(known, _SHORTEST), _LONGEST)))

    def ended(self, after: float, by: float, *, turn: float = inf) -> Self:
        """Return what is known after a job ended between two ages, in seconds.

        Of jobs that run at the same time the short ones end first. So which jobs are the newest is
        told by the order in which they were submitted, not by that in which they ended.

        Args:
            after: The job's age when it was last seen running; 0 if it never was.
            by: Its age when it was first seen ended; the same as `after` if the vendor says when.
            turn: A number that grows from job to job as they are submitted.
        """
        first = cell_at(after)
        return self._observed((first, max(first, cell_at(by * (1 - 1e-9)))), turn)

    def timed_out(self, age: float, *, turn: float = inf) -> Self:
        """Return what is known after a job was given up at an age in seconds, still running."""
        first = cell_at(age)
        return self._observed((first, CELLS - 1), turn) if first else self

    def to_json(self) -> str:
        """Return what was learned as one line of versioned JSON."""
        ends, _ = self._in_order()
        fields = {
            "version": _VERSION,
            "typical": self.belief.typical,
            "seen": self.seen,
            "ends": [cell for span in ends for cell in span],
        }
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what `to_json` wrote.

        Raises:
            ValueError: If it cannot be read, or was written by an incompatible version.
        """
        try:
            return cls._read(json.loads(text))
        except (ValueError, TypeError, LookupError, RecursionError, OverflowError) as error:
            raise ValueError(f"not a record of durations ({type(error).__name__})") from None

    @classmethod
    def _read(cls, written: Any) -> Self:  # noqa: ANN401 - whatever is in the file
        flat = [int(cell) for cell in written["ends"]]
        ends = tuple(zip(flat[::2], flat[1::2], strict=True))
        typical, seen = float(written["typical"]), int(written["seen"])
        is_valid = all(0 <= first <= last < CELLS for first, last in ends)
        if written["version"] != _VERSION or not is_valid or not _SHORTEST <= typical <= _LONGEST:
            raise ValueError(written)
        belief = Belief(typical, ends[-_REMEMBERED:])
        return cls(belief, turns=(-inf,) * len(belief.ends), seen=max(seen, len(ends)))

    def _observed(self, span: Span, turn: float) -> Self:
        fresh, turns = (*self.fresh, span), (*self.turns, turn)
        known = evolve(self, fresh=fresh, turns=turns, seen=self.seen + 1)
        enough = min(_MAX_FRESH, _FRESH_SHARE * known.seen)
        if len(known.fresh) < enough and not _drifted(self.belief.ends, known.fresh):
            return known
        ends, turns = known._in_order()  # noqa: SLF001 - it is of this class
        return evolve(known, belief=evolve(self.belief, ends=ends), fresh=(), turns=turns)

    def _in_order(self) -> tuple[tuple[Span, ...], tuple[float, ...]]:
        """Return where the latest jobs ended, in the order of their submits, and their turns."""
        ends = (*self.belief.ends, *self.fresh)
        order = sorted(range(len(ends)), key=self.turns.__getitem__)[-_REMEMBERED:]
        return tuple(ends[one] for one in order), tuple(self.turns[one] for one in order)


def cell_at(age: float) -> int:
    """Return the cell of an age in seconds; ages beyond the grid are in the outermost cells."""
    if not age > _SHORTEST:
        return 0
    return min(CELLS - 1, int(log(min(age, _LONGEST) / _SHORTEST) / _STEP))


def _drifted(known: Sequence[Span], fresh: Sequence[Span]) -> bool:
    """Return whether the newest jobs are longer or shorter than the others by more than chance.

    That is a rank test (Mann-Whitney): the mean rank of the fresh jobs among the known ones, as a
    share of their number, is 0.5 by chance, with a standard deviation of `1 / sqrt(12 * n)`.
    """
    if not known:
        return True
    middles = sorted(map(sum, known))
    ranks = sum(
        bisect_left(middles, sum(span)) + bisect_right(middles, sum(span)) for span in fresh
    )
    mean = ranks / (2 * len(middles) * len(fresh))
    return abs(mean - 0.5) * sqrt(12 * len(fresh)) > _MAX_DRIFT


@lru_cache(maxsize=256)
def probabilities(belief: Belief) -> Sequence[float]:
    """Return the probability that a job ends in each cell; they add up to one."""
    if not belief.ends:
        return array("d", _log_normal(log(belief.typical), [0.0] * CELLS))
    guess, ends = log(belief.typical), belief.ends
    memories = [[memory**age for age in reversed(range(len(ends)))] for memory in _MEMORIES]
    # Where in its span a job ended depends on the durations that are being estimated. So there is a
    # first estimate with each job spread evenly over its span, and a second one with the first.
    even = _spread_over_cells([_closed(span) for span in ends], memories[0], [1.0] * CELLS)
    _, first = _blend(*_estimates(ends, memories[0], even, guess))
    scores, densities = zip(
        *(
            _blend(*_estimates(ends, weights, _spread_over_cells(ends, weights, first), guess))
            for weights in memories
        ),
        strict=True,
    )
    _, blend = _blend([scores[0] + _LONG_MEMORY_ADVANTAGE, *scores[1:]], densities)
    total = sum(blend)
    return array("d", [probability / total for probability in blend])


def _estimates(
    ends: Sequence[Span], weights: Sequence[float], masses: Sequence[float], guess: float
) -> tuple[list[float], list[list[float]]]:
    """Return the scores of the estimates, and the estimates.

    Args:
        ends: Where each job ended.
        weights: What each job counts.
        masses: The weights of the jobs, spread over the cells.
        guess: The logarithm of the guessed typical duration.
    """
    shape = _log_normal(guess, masses)
    scores, densities = [_LOG_NORMAL_ADVANTAGE + _score(_predicted(ends, shape))], [shape]
    total = _MIXING + sum(weights)
    for bandwidth in _BANDWIDTHS:
        kernels = _smoothed(masses, bandwidth)
        mixed = [(_MIXING * t + kernel) / total for t, kernel in zip(shape, kernels, strict=True)]
        # Each job is predicted without its own kernel, or the narrowest kernels would always win.
        without = (
            max(_MIN_PROBABILITY, chance * total - weight * _own_share(span, bandwidth))
            / (total - weight)
            for chance, weight, span in zip(_predicted(ends, mixed), weights, ends, strict=True)
        )
        scores.append(_score(without))
        densities.append(mixed)
    return scores, densities


def _blend(
    scores: Sequence[float], densities: Sequence[Sequence[float]]
) -> tuple[float, list[float]]:
    """Return the score of several densities together, and their sum weighted by `exp(score)`."""
    best = max(scores)
    odds = [exp(score - best) for score in scores]
    total = sum(odds)
    shares = [value / total for value in odds]
    blend = [sum(map(mul, shares, row), 0.0) for row in zip(*densities, strict=True)]
    return best + log(total), blend


def _log_normal(guess: float, masses: Sequence[float]) -> list[float]:
    """Return the probabilities by a log-normal distribution of unknown mean and variance.

    That is a Student t distribution over the logarithm of time. The guess moves the mean, but its
    distance from the jobs is not counted as variance: a wrong guess does not make jobs vary more.
    """
    jobs = sum(masses)
    mean = sum(map(mul, LOGARITHMS, masses)) / jobs if jobs else guess
    squares = sum((x - mean) ** 2 * weight for x, weight in zip(LOGARITHMS, masses, strict=True))
    trust = _GUESS_WEIGHT + jobs
    freedom = _SPREAD_WEIGHT + jobs
    centre = (_GUESS_WEIGHT * guess + jobs * mean) / trust
    variance = (_SPREAD_WEIGHT * _VARIANCE + squares) / freedom * (trust + 1) / trust
    scale, power = 1 / (freedom * variance), -(freedom + 1) / 2
    densities = [(1 + (x - centre) ** 2 * scale) ** power for x in LOGARITHMS]
    total = sum(densities)
    return [density / total for density in densities]


def _closed(span: Span) -> Span:
    """Return a span with an unknown end cut to within a factor of two of the known one."""
    first, last = span
    if last == CELLS - 1:
        return first, min(last, first + _OPEN_CELLS)
    return (max(first, last - _OPEN_CELLS), last) if first == 0 else span


def _spread_over_cells(
    ends: Sequence[Span], weights: Sequence[float], density: Sequence[float]
) -> list[float]:
    """Return the jobs' weights spread over the cells of their spans in proportion to a density.

    The factor of each job is added where its span begins and taken away behind its end, so that one
    running sum makes all of them, instead of one loop a job.
    """
    changes = [0.0] * (CELLS + 1)
    for (first, last), weight, share in zip(ends, weights, _predicted(ends, density), strict=True):
        factor = weight / max(share, _MIN_PROBABILITY)
        changes[first] += factor
        changes[last + 1] -= factor
    return [max(0.0, value) for value in map(mul, density, accumulate(changes))]


def _smoothed(masses: Sequence[float], bandwidth: float) -> list[float]:
    """Return the masses smoothed by three moving averages, which come close to a normal kernel."""
    reach = max(1, round((sqrt(4 * (bandwidth / _STEP) ** 2 + 1) - 1) / 2))
    width = 2 * reach + 1
    smooth = list(masses)
    for _ in range(3):
        sums = [0.0] * (reach + 1) + list(accumulate(smooth))
        sums += sums[-1:] * reach
        smooth = [(high - low) / width for low, high in zip(sums, sums[width:], strict=False)]
    return smooth


def _predicted(ends: Iterable[Span], density: Iterable[float]) -> list[float]:
    """Return the probability by a density that each job ends where it did."""
    below = [0.0, *accumulate(density)]
    return [max(_MIN_PROBABILITY, below[last + 1] - below[first]) for first, last in ends]


def _own_share(span: Span, bandwidth: float) -> float:
    """Return how much of a job's own kernel is within the job's span."""
    width = (span[1] + 1 - span[0]) * _STEP
    return erf(width / 2 / sqrt(2 * (bandwidth**2 + width**2 / 12)))


def _score(predicted: Iterable[float]) -> float:
    """Return how well the jobs were predicted: the logarithm, the newest counting most."""
    score = 0.0
    for probability in predicted:
        score = _SCORE_DECAY * score + log(probability)
    return score

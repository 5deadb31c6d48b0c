"""How long jobs take, learned from when they were seen running and seen ended.

Nobody sees a job end: it ended somewhere between the last answer "running" and the first answer
"done". Both ages are kept as cells of a grid in the logarithm of time, and the belief is the
probability of ending in each cell, a blend of a few simple estimates:

* a log-normal whose mean and variance are unknown (a Student t once both are averaged over), which
  is right after a handful of jobs and where durations have one mode;
* the jobs themselves, smoothed by a kernel, which finds several modes:
  `(mixing * t + sum of kernels) / (mixing + weight of the jobs)`;
* both from a long memory and from a short one, so that a change is followed.

Each weighs as much as it would have foretold the recent jobs, `exp(sum of log probability)`, every
job being foretold without itself. Nothing is left to tune.
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
"""Seconds; no vendor answers twice within less."""
_LONGEST = 30 * 86_400.0
"""Seconds; no export takes longer."""
_STEP = 0.05
"""Width of a cell in the logarithm of seconds: durations are told apart to 5 %."""
CELLS = ceil(log(_LONGEST / _SHORTEST) / _STEP)
EDGES = (0.0, *(_SHORTEST * exp(_STEP * cell) for cell in range(1, CELLS + 1)))
"""Where cells meet, in seconds: one more than there are cells."""
LOGARITHMS = tuple(log(_SHORTEST) + _STEP * (cell + 0.5) for cell in range(CELLS))
"""The middle of every cell, in the logarithm of seconds."""
_REMEMBERED = 64
"""Jobs that a belief rests on; older ones would weigh next to nothing."""
_MEMORIES = (0.985, 0.8)
"""What a job weighs against the one after it: a memory of some sixty jobs and one of five."""
_BANDWIDTHS = (0.1, 0.25)
"""Of the kernels, in the logarithm of seconds."""
_MIXING = 0.25
"""How many jobs' worth of the log-normal stays in an estimate by kernels."""
_RECENT = 0.88
"""What foretelling a job counts for against foretelling the one after it."""
_HEAD_START = 0.75
"""Of the log-normal before the kernels, as a logarithm of odds."""
_LONG_HEAD_START = 1.0
"""Of the long memory before the short one, as a logarithm of odds."""
_GUESS_WEIGHT = 0.15
"""How many jobs' worth of trust the guessed typical duration has."""
_SPREAD_WEIGHT = 2.0
"""How many jobs' worth of trust the guessed variance has."""
_VARIANCE = 0.7
"""Of the logarithm of durations, as guessed: two jobs in three within a factor of 2.3."""
_LEAST = 1e-9
"""A probability so small that the job was not foretold at all."""
_OPEN = round(log(2) / _STEP)
"""How many cells an open end counts for before there is an estimate: a factor of two."""
_VERSION = 1
_GROWTH = 0.1
"""How much of what a belief rests on may be new before it is formed again."""
_PATIENCE = 32
"""Jobs after which it is formed again in any case."""
_SURPRISE = 2.9
"""Standard deviations by which the newest jobs may be longer or shorter than the others."""


@frozen(cache_hash=True)
class Belief:
    """What a forecast rests on: the guess, and where the latest jobs ended, newest last."""

    typical: float
    """Seconds."""
    ends: tuple[Span, ...] = ()


@frozen
class Durations:
    """How long one kind of job takes at one account: what was learned so far.

    A belief costs milliseconds to turn into a plan, so it is formed anew only when enough has
    changed; the jobs since are kept aside.
    """

    belief: Belief
    fresh: tuple[Span, ...] = ()
    turns: tuple[float, ...] = ()
    """In which order the jobs were submitted, those of the belief and then the fresh ones."""
    seen: int = 0
    """Jobs in all, also those since forgotten."""

    @classmethod
    def prior(cls, typical: float) -> Self:
        """Return what is known before any job was seen: a wide guess around `typical` seconds."""
        known = float(typical) if isfinite(typical) and typical > 0 else 60.0
        return cls(Belief(min(max(known, _SHORTEST), _LONGEST)))

    def ended(self, after: float, by: float, *, turn: float = inf) -> Self:
        """Return what is known after a job ended at an age between two, in seconds.

        Of jobs that run side by side the short ones end first. So it is the order in which they
        were submitted that tells which of them are the newest.

        Args:
            after: The job's age when it was last seen running; 0 if it never was.
            by: Its age when it was first seen ended; the same as `after` if the vendor says when.
            turn: A number that grows from job to job as they are submitted.
        """
        first = cell_at(after)
        return self._observed((first, max(first, cell_at(by * (1 - 1e-9)))), turn)

    def outlived(self, age: float, *, turn: float = inf) -> Self:
        """Return what is known after a job was given up, still running, at an age in seconds."""
        first = cell_at(age)
        return self._observed((first, CELLS - 1), turn) if first else self

    def to_json(self) -> str:
        """Return what was learned as one line of versioned JSON."""
        ends, _ = self._in_order()
        written = {
            "version": _VERSION,
            "typical": self.belief.typical,
            "seen": self.seen,
            "ends": [cell for span in ends for cell in span],
        }
        return json.dumps(written, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return what `to_json` wrote.

        Raises:
            ValueError: If it cannot be read, or was written by an incompatible version.
        """
        try:
            return cls._read(json.loads(text))
        except (ValueError, TypeError, LookupError, RecursionError, OverflowError) as error:
            raise ValueError(f"not what was learned ({type(error).__name__})") from None

    @classmethod
    def _read(cls, written: Any) -> Self:  # noqa: ANN401 - whatever stood in the file
        flat = [int(cell) for cell in written["ends"]]
        ends = tuple(zip(flat[::2], flat[1::2], strict=True))
        typical, seen = float(written["typical"]), int(written["seen"])
        orderly = all(0 <= first <= last < CELLS for first, last in ends)
        if written["version"] != _VERSION or not orderly or not _SHORTEST <= typical <= _LONGEST:
            raise ValueError(written)
        belief = Belief(typical, ends[-_REMEMBERED:])
        return cls(belief, turns=(-inf,) * len(belief.ends), seen=max(seen, len(ends)))

    def _observed(self, span: Span, turn: float) -> Self:
        fresh, turns = (*self.fresh, span), (*self.turns, turn)
        known = evolve(self, fresh=fresh, turns=turns, seen=self.seen + 1)
        due = min(_PATIENCE, _GROWTH * known.seen)
        if len(known.fresh) < due and not _drifted(self.belief.ends, known.fresh):
            return known
        ends, turns = known._in_order()  # noqa: SLF001 - it is the same room
        return evolve(known, belief=evolve(self.belief, ends=ends), fresh=(), turns=turns)

    def _in_order(self) -> tuple[tuple[Span, ...], tuple[float, ...]]:
        """Return where the latest jobs ended, as they were submitted, and their turns."""
        ends = (*self.belief.ends, *self.fresh)
        order = sorted(range(len(ends)), key=self.turns.__getitem__)[-_REMEMBERED:]
        return tuple(ends[one] for one in order), tuple(self.turns[one] for one in order)


def cell_at(age: float) -> int:
    """Return the cell that an age in seconds lies in, the outermost ones being open."""
    if not age > _SHORTEST:
        return 0
    return min(CELLS - 1, int(log(min(age, _LONGEST) / _SHORTEST) / _STEP))


def _drifted(known: Sequence[Span], fresh: Sequence[Span]) -> bool:
    """Return whether the newest jobs rank too high or too low among the others to be chance."""
    if not known:
        return True
    middles = sorted(map(sum, known))
    ranks = sum(
        bisect_left(middles, sum(span)) + bisect_right(middles, sum(span)) for span in fresh
    )
    mean = ranks / (2 * len(middles) * len(fresh))
    return abs(mean - 0.5) * sqrt(12 * len(fresh)) > _SURPRISE


@lru_cache(maxsize=256)
def probabilities(belief: Belief) -> Sequence[float]:
    """Return the probability of a job's ending in each cell; they add up to one."""
    if not belief.ends:
        return array("d", _log_normal(log(belief.typical), [0.0] * CELLS))
    guess, ends = log(belief.typical), belief.ends
    memories = [[memory**age for age in reversed(range(len(ends)))] for memory in _MEMORIES]
    located = _located([_closed(span) for span in ends], memories[0], [1.0] * CELLS)
    _, first = _blend(*_estimates(ends, memories[0], located, guess))
    # Where in its span a job ended is itself foretold, so all is estimated once more with that.
    scores, densities = zip(
        *(
            _blend(*_estimates(ends, weights, _located(ends, weights, first), guess))
            for weights in memories
        ),
        strict=True,
    )
    _, blend = _blend([scores[0] + _LONG_HEAD_START, *scores[1:]], densities)
    total = sum(blend)
    return array("d", [chance / total for chance in blend])


def _estimates(
    ends: Sequence[Span], weights: Sequence[float], located: Sequence[float], guess: float
) -> tuple[list[float], list[list[float]]]:
    """Return the logarithms of the estimates' weights, and the estimates."""
    shape = _log_normal(guess, located)
    scores, densities = [_HEAD_START + _score(_foretold(ends, shape))], [shape]
    whole = _MIXING + sum(weights)
    for bandwidth in _BANDWIDTHS:
        kernels = _smoothed(located, bandwidth)
        mixed = [(_MIXING * t + kernel) / whole for t, kernel in zip(shape, kernels, strict=True)]
        # A job must not foretell itself, or the narrowest kernel would always be the best.
        without = (
            max(_LEAST, chance * whole - weight * _own(span, bandwidth)) / (whole - weight)
            for chance, weight, span in zip(_foretold(ends, mixed), weights, ends, strict=True)
        )
        scores.append(_score(without))
        densities.append(mixed)
    return scores, densities


def _blend(
    scores: Sequence[float], densities: Sequence[Sequence[float]]
) -> tuple[float, list[float]]:
    """Return the blend of densities of given logarithms of weight, after the logarithm of all."""
    best = max(scores)
    odds = [exp(score - best) for score in scores]
    total = sum(odds)
    shares = [value / total for value in odds]
    blend = [sum(map(mul, shares, row), 0.0) for row in zip(*densities, strict=True)]
    return best + log(total), blend


def _log_normal(guess: float, located: Sequence[float]) -> list[float]:
    """Return the probabilities foretold by a log-normal of unknown mean and variance.

    That is a Student t over the logarithm of time. The guess pulls the mean, but how far off it was
    says nothing about how much durations vary.
    """
    jobs = sum(located)
    mean = sum(map(mul, LOGARITHMS, located)) / jobs if jobs else guess
    squares = sum((x - mean) ** 2 * weight for x, weight in zip(LOGARITHMS, located, strict=True))
    trust = _GUESS_WEIGHT + jobs
    freedom = _SPREAD_WEIGHT + jobs
    centre = (_GUESS_WEIGHT * guess + jobs * mean) / trust
    variance = (_SPREAD_WEIGHT * _VARIANCE + squares) / freedom * (trust + 1) / trust
    scale, power = 1 / (freedom * variance), -(freedom + 1) / 2
    densities = [(1 + (x - centre) ** 2 * scale) ** power for x in LOGARITHMS]
    total = sum(densities)
    return [density / total for density in densities]


def _closed(span: Span) -> Span:
    """Return where a job ended, an open end cut to within a factor of two of the known one."""
    first, last = span
    if last == CELLS - 1:
        return first, min(last, first + _OPEN)
    return (max(first, last - _OPEN), last) if first == 0 else span


def _located(
    ends: Sequence[Span], weights: Sequence[float], density: Sequence[float]
) -> list[float]:
    """Return the jobs' weights laid out over the cells, each in proportion to a density."""
    changes = [0.0] * (CELLS + 1)
    for (first, last), weight, share in zip(ends, weights, _foretold(ends, density), strict=True):
        factor = weight / max(share, _LEAST)
        changes[first] += factor
        changes[last + 1] -= factor
    return [max(0.0, value) for value in map(mul, density, accumulate(changes))]


def _smoothed(located: Sequence[float], bandwidth: float) -> list[float]:
    """Return the weights blurred by three running means, which is nearly a normal kernel."""
    reach = max(1, round((sqrt(4 * (bandwidth / _STEP) ** 2 + 1) - 1) / 2))
    width = 2 * reach + 1
    smooth = list(located)
    for _ in range(3):
        sums = [0.0] * (reach + 1) + list(accumulate(smooth))
        sums += sums[-1:] * reach
        smooth = [(high - low) / width for low, high in zip(sums, sums[width:], strict=False)]
    return smooth


def _foretold(ends: Iterable[Span], density: Iterable[float]) -> list[float]:
    """Return what a density says of each job's ending where it did."""
    below = [0.0, *accumulate(density)]
    return [max(_LEAST, below[last + 1] - below[first]) for first, last in ends]


def _own(span: Span, bandwidth: float) -> float:
    """Return how much of a job's own kernel lies where the job ended."""
    width = (span[1] + 1 - span[0]) * _STEP
    return erf(width / 2 / sqrt(2 * (bandwidth**2 + width**2 / 12)))


def _score(foretold: Iterable[float]) -> float:
    """Return how well the jobs were foretold, the newest counting most."""
    score = 0.0
    for probability in foretold:
        score = _RECENT * score + log(probability)
    return score

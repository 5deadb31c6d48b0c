"""How long the jobs take: the same lists in every run."""

import math
import random
from collections.abc import Sequence

MEDIAN = 1.93
SIGMA = 0.8
JOBS = 50
SLOT_JOBS = 12
SLOTS = 3
# Its median, longest and sum are those of the list that docs and design quote: 1.93, 7.9 and 115 s.
_MEASURED_SEED = 61563
_PRACTICE_SEED = 1


def measured(count: int = JOBS) -> list[float]:
    """Return the durations of the jobs that are measured, in seconds."""
    return _log_normal(_MEASURED_SEED, count)


def practice(count: int = JOBS) -> list[float]:
    """Return durations of the same distribution, for a contender that learns."""
    return _log_normal(_PRACTICE_SEED, count)


def _log_normal(seed: int, count: int) -> list[float]:
    draw = random.Random(seed)
    return [draw.lognormvariate(math.log(MEDIAN), SIGMA) for _ in range(count)]


def ideal_makespan(durations: Sequence[float], slots: int) -> float:
    """Return how long the jobs take, each in turn in the slot that is free first."""
    free_at = [0.0] * slots
    for duration in durations:
        soonest = free_at.index(min(free_at))
        free_at[soonest] += duration
    return max(free_at)

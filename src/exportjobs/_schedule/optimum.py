"""The ages at which to ask that cost least, for jobs that end as is foretold.

A question has a price, and a delay costs a weight per second. With S the share of jobs running,

    cost(t) = min over u of [price * S(t) + cost of the delays of jobs ending in (t, u] + cost(u)]

is found backward from the longest job on, by dynamic programming over the ages tried.
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from math import ceil, sqrt

from attrs import frozen

_FINENESS = 8
"""Ages tried per question that is worth asking."""
_FINEST = 1_500
"""Ages tried in all, however low the price."""
_HARDLY_ANY = 1e-9
"""A share of jobs too small to tell from none."""
_PATIENCE = 0.25
"""What is waited of a job's age once it has outlived the plan."""


@frozen
class Stretch:
    """A stretch of ages in which a job may end, evenly."""

    begin: float
    end: float
    chance: float
    weight: float
    """What a second of delay costs a job that ends there."""


@frozen(eq=False)
class Plan:
    """The age to ask at next for each age to have asked at, in seconds."""

    ages: Sequence[float]
    nexts: Sequence[float]

    def after(self, age: float) -> float:
        """Return the age to ask at next."""
        if age >= self.ages[-1]:
            return age * (1 + _PATIENCE)
        place = max(0, bisect_right(self.ages, age) - 1)
        while self.nexts[place] <= age:
            place += 1
        return self.nexts[place]


def cheapest(stretches: Sequence[Stretch], price: float) -> Plan:
    """Return the plan of least cost, each stretch being tried as finely as it is worth.

    Args:
        stretches: Where jobs may end, one after the other; their chances add up to nearly one.
        price: What a question costs, in the units of `weight` times seconds.
    """
    worth = _worth(stretches, price)
    size = max(1 / _FINENESS, sum(worth) / _FINEST)
    ages, running, weights, moments = [stretches[0].begin], [1.0], [0.0], [0.0]
    for stretch, questions in zip(stretches, worth, strict=True):
        parts = max(1, ceil(questions / size))
        chance, width = stretch.chance / parts, (stretch.end - stretch.begin) / parts
        weight = chance * stretch.weight
        for part in range(1, parts + 1):
            ages.append(stretch.begin + width * part)
            running.append(running[-1] - chance)
            weights.append(weights[-1] + weight)
            moments.append(moments[-1] + weight * (ages[-1] - width / 2))
    return Plan(array("d", ages), _nexts(ages, running, weights, moments, price))


def _worth(stretches: Sequence[Stretch], price: float) -> list[float]:
    """Return about how many questions are worth asking in each stretch.

    Where that is many, it is the integral of `sqrt(hazard * weight / (2 * price))`.
    """
    running, worth = 1.0, list[float]()
    for stretch in stretches:
        hazards = stretch.chance / max(running, _HARDLY_ANY) * (stretch.end - stretch.begin)
        worth.append(sqrt(hazards * stretch.weight / (2 * price)))
        running -= stretch.chance
    return worth


def _nexts(
    ages: Sequence[float],
    running: Sequence[float],
    weights: Sequence[float],
    moments: Sequence[float],
    price: float,
) -> Sequence[float]:
    """Return the best age to ask at next for each age, by dynamic programming backward.

    With W and M the sums of weight, and of weight times end, over the jobs ended by an age, waiting
    from t to u costs `u * (W(u) - W(t)) - (M(u) - M(t))` in delay. As a function of W(t) that is a
    straight line for every u, and the least of them lies on their lower hull. Going back in time,
    lines come in at one end of it and the best one moves towards that end, so all is one pass.
    """
    last = len(ages) - 1
    hull = [(ages[last], ages[last] * weights[last] - moments[last])]
    nexts, best = array("d", [ages[last] * (1 + _PATIENCE)]), 0
    for place in range(last - 1, -1, -1):
        age, weight = ages[place], weights[place]
        while best + 1 < len(hull) and _line(hull[best + 1], weight) <= _line(hull[best], weight):
            best += 1
        nexts.append(hull[best][0])
        cost = price * running[place] + _line(hull[best], weight)
        line = (age, cost + age * weight)
        while len(hull) > best + 1 and _is_hidden(hull[-1], hull[-2], line):
            hull.pop()
        hull.append(line)
    nexts.reverse()
    return nexts


def _line(line: tuple[float, float], weight: float) -> float:
    """Return the height of a line, given by its fall and its height at zero, over a weight."""
    fall, height = line
    return height - fall * weight


def _is_hidden(
    line: tuple[float, float], above: tuple[float, float], below: tuple[float, float]
) -> bool:
    """Return whether a line is nowhere the least of three, lying between the others in slope."""
    return (below[1] - above[1]) * (above[0] - line[0]) <= (line[1] - above[1]) * (
        above[0] - below[0]
    )

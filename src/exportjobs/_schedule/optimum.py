"""The ages to poll at that cost least, for jobs whose durations have known probabilities.

Every poll has a cost, and each second of delay costs a weight. Suppose that a job was polled at age
t and still runs. If it is polled next at age u, then with S(t) the share of jobs still running,

    cost(t) = min over u > t of
        [poll_cost * S(t) + cost of the delays of jobs that end in (t, u] + cost(u)]

Only so many ages are tried. The best u for each t is found by dynamic programming, from the longest
duration backward.
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from math import ceil, sqrt

from attrs import frozen

_AGES_PER_POLL = 8
"""Ages tried for each poll that the plan will have."""
_MAX_AGES = 1_500
"""Ages tried in all, about, however low the cost of a poll."""
_MIN_SHARE = 1e-9
"""The least share of jobs that is divided by."""
_WAIT_BEYOND = 0.25
"""The part of its age that a job is waited for once it is older than the plan."""


@frozen
class AgeRange:
    """A range of ages in which a job may end, at each age with the same probability."""

    begin: float
    end: float
    probability: float
    """That a job ends in the range."""
    weight: float
    """What a second of delay costs for a job that ends there."""


@frozen(eq=False)
class Plan:
    """At which age to poll next, for each age at which a job was polled, in seconds."""

    ages: Sequence[float]
    nexts: Sequence[float]
    """The age to poll at after each of these."""

    def after(self, age: float) -> float:
        """Return the age to poll at after an age."""
        if age >= self.ages[-1]:
            return age * (1 + _WAIT_BEYOND)
        place = max(0, bisect_right(self.ages, age) - 1)
        while self.nexts[place] <= age:
            place += 1
        return self.nexts[place]


def cheapest(ranges: Sequence[AgeRange], poll_cost: float) -> Plan:
    """Return the plan that costs least.

    The more polls a range will have, the more ages are tried in it.

    Args:
        ranges: Where jobs may end, one after the other; the probabilities add up to nearly one.
        poll_cost: What a poll costs, in the units of `weight` times seconds.
    """
    expected = _expected_polls(ranges, poll_cost)
    polls_per_age = max(1 / _AGES_PER_POLL, sum(expected) / _MAX_AGES)
    ages, running, weights, moments = [ranges[0].begin], [1.0], [0.0], [0.0]
    for one, polls in zip(ranges, expected, strict=True):
        parts = max(1, ceil(polls / polls_per_age))
        probability, width = one.probability / parts, (one.end - one.begin) / parts
        weight = probability * one.weight
        for part in range(1, parts + 1):
            ages.append(one.begin + width * part)
            running.append(running[-1] - probability)
            weights.append(weights[-1] + weight)
            moments.append(moments[-1] + weight * (ages[-1] - width / 2))
    return Plan(array("d", ages), _nexts(ages, running, weights, moments, poll_cost))


def _expected_polls(ranges: Sequence[AgeRange], poll_cost: float) -> list[float]:
    """Return about how many polls the best plan has in each range.

    Polls d seconds apart cost `poll_cost / d + hazard * weight * d / 2` per second for a job that
    runs, which is least for `1 / d = sqrt(hazard * weight / (2 * poll_cost))`. Where polls are
    frequent, their number is the integral of that.
    """
    running, expected = 1.0, list[float]()
    for one in ranges:
        hazards = one.probability / max(running, _MIN_SHARE) * (one.end - one.begin)
        expected.append(sqrt(hazards * one.weight / (2 * poll_cost)))
        running -= one.probability
    return expected


def _nexts(
    ages: Sequence[float],
    running: Sequence[float],
    weights: Sequence[float],
    moments: Sequence[float],
    poll_cost: float,
) -> Sequence[float]:
    """Return the best age to poll at next for each age, by dynamic programming backward.

    Let W(t) be the sum of the weights of the jobs that ended by age t, and M(t) the sum of weight
    times age at the end. Then waiting from t to u costs `u * (W(u) - W(t)) - (M(u) - M(t))` in
    delays. With cost(u) added, this is for every u a straight line as a function of W(t), with the
    slope -u. The best u at W(t) is the line that is lowest there, and the lines that are lowest
    anywhere are their lower hull. Going back in time, each new line is the flattest so far, so
    it is added at one end of the hull; W(t) falls, so the lowest line moves towards the same end.
    One pass finds them all. (This is known as the convex hull trick.)
    """
    last = len(ages) - 1
    hull = [(ages[last], ages[last] * weights[last] - moments[last])]
    nexts, best = array("d", [ages[last] * (1 + _WAIT_BEYOND)]), 0
    for place in range(last - 1, -1, -1):
        age, weight = ages[place], weights[place]
        while best + 1 < len(hull) and _line(hull[best + 1], weight) <= _line(hull[best], weight):
            best += 1
        nexts.append(hull[best][0])
        cost = poll_cost * running[place] + _line(hull[best], weight)
        line = (age, cost + age * weight)
        while len(hull) > best + 1 and _is_hidden(hull[-1], hull[-2], line):
            hull.pop()
        hull.append(line)
    nexts.reverse()
    return nexts


def _line(line: tuple[float, float], weight: float) -> float:
    """Return the value at a weight of a line, given by its negative slope and its value at zero."""
    fall, at_zero = line
    return at_zero - fall * weight


def _is_hidden(
    line: tuple[float, float], above: tuple[float, float], below: tuple[float, float]
) -> bool:
    """Return whether a line is nowhere the lowest of three; its slope is between the others'."""
    return (below[1] - above[1]) * (above[0] - line[0]) <= (line[1] - above[1]) * (
        above[0] - below[0]
    )

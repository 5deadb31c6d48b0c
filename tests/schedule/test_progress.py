"""What progress tells of a job's end: near if it moves on, never sure, never at once."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportjobs._schedule.progress import ProgressTrend, RemainingTime

anything = st.floats(allow_nan=True, allow_infinity=True)
reports = st.lists(st.tuples(anything, st.none() | anything | st.floats(-0.5, 1.5)), max_size=12)


def course_of(*reported: tuple[float, float | None]) -> ProgressTrend:
    """Return the course after some reports."""
    trend = ProgressTrend()
    for age, fraction in reported:
        trend = trend.reported(age, fraction)
    return trend


def rest_of(trend: ProgressTrend, age: float) -> RemainingTime:
    """Return how much longer a job will run that can be told of."""
    rest = trend.remaining(age)
    assert rest is not None
    return rest


def test_nothing_reported_tells_nothing() -> None:
    """Nor does a report without a number."""
    trend = ProgressTrend()
    assert trend.remaining(10) is None
    for fraction in (None, math.nan, math.inf):
        assert trend.reported(10, fraction) == trend


def test_steady_progress_is_extrapolated() -> None:
    """Half done after ten seconds: about ten to go."""
    assert rest_of(course_of((10, 0.5)), 10).median == pytest.approx(10)
    assert rest_of(course_of((5, 0.25), (10, 0.5), (16, 0.8)), 16).median == pytest.approx(4)


def test_a_late_start_is_noticed() -> None:
    """Time in the queue does not count as work."""
    late = course_of((30, 0.0), (40, 0.5))
    assert rest_of(late, 40).median == pytest.approx(10)


def test_the_latest_pace_counts() -> None:
    """A job that slowed down is extrapolated from its slower part."""
    slowed = course_of((10, 0.5), (40, 0.8))
    assert rest_of(slowed, 40).median == pytest.approx(20)


def test_the_nearer_the_end_the_surer() -> None:
    """What is left to go wrong is less."""
    spreads = [rest_of(course_of((t, t / 100)), t).spread for t in (10.0, 30.0, 60.0, 90.0)]
    assert spreads == sorted(spreads, reverse=True)


def test_a_stall_puts_the_end_off() -> None:
    """The longer nothing moves, the longer the rest and the less it is known."""
    trend = course_of((10, 0.2), (40, 0.8))
    moving, stalled, stuck = (rest_of(trend.reported(age, 0.8), age) for age in (40, 60, 400))
    assert moving.median < stalled.median < stuck.median
    assert moving.spread < stalled.spread < stuck.spread
    assert stuck.median >= 300


def test_a_total_that_grows_begins_the_count_again() -> None:
    """Of twice as many items half as many are done."""
    recounted = course_of((10, 0.4), (20, 0.8), (30, 0.6))
    assert rest_of(recounted, 30).median == pytest.approx(20)


@pytest.mark.parametrize("fraction", [1.0, 1.5])
def test_a_job_with_nothing_left_is_awaited_calmly(fraction: float) -> None:
    """The more so the longer it takes."""
    trend = course_of((50, 0.5), (100, fraction))
    waits = [rest_of(trend, age).median for age in (100.0, 110.0, 200.0)]
    assert waits == [pytest.approx(5), pytest.approx(10), pytest.approx(100)]


@given(reports, anything)
def test_whatever_is_reported_the_rest_is_a_number(
    reported: list[tuple[float, float | None]], age: float
) -> None:
    """Finite and above zero, or not told."""
    rest = course_of(*reported).remaining(age)
    if rest is not None:
        assert 0 < rest.median < math.inf
        assert 0 < rest.spread < math.inf


@given(st.floats(1, 1e6), st.floats(0.01, 0.99), st.floats(1, 1e6), st.floats(0.02, 2))
def test_two_estimates_agree_between_them(
    median: float, spread: float, other: float, doubt: float
) -> None:
    """And are surer together than either alone."""
    one, two = RemainingTime(median, spread), RemainingTime(other, doubt)
    both = one.combined(two)
    low, high = sorted((median, other))
    assert low * (1 - 1e-9) <= both.median <= high * (1 + 1e-9)
    assert both.spread < min(spread, doubt)

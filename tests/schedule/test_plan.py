"""When to ask: near where jobs end, rarely elsewhere, and never at once or never."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exportjobs._schedule.durations import Durations
from exportjobs._schedule.plan import shared_wait, wait
from exportjobs._schedule.progress import ProgressTrend

NONE = ProgressTrend()
PRICE = 0.02
DAY = 86_400.0

anything = st.floats(allow_nan=True, allow_infinity=True)
ages = st.sampled_from([0.0, -5.0, 1e-9, 1e9, math.inf, math.nan]) | st.floats(0, 1e6)
fractions = st.none() | st.floats(-0.5, 1.5)
prices = st.sampled_from([0.0, -1.0, 1e-12, 1e12, math.nan, math.inf]) | st.floats(1e-4, 1)
histories = st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)).map(sorted), max_size=6)


def learned(*jobs: tuple[float, float], times: int = 1) -> Durations:
    """Return what is known after jobs ended within spans, some number of times over."""
    durations = Durations.prior(60)
    for after, by in jobs * times:
        durations = durations.ended(after, by)
    return durations


REGULAR = learned((19, 20), (20, 21), times=20)
TWO_MODES = learned((18, 22), (19, 24), (850, 950), times=15)
VARIED = learned((5, 6), (11, 13), (18, 20), (30, 35), (60, 80), times=10)


def asked(durations: Durations, until: float, price: float = PRICE) -> list[float]:
    """Return the ages at which a job that reports nothing is asked about."""
    found = [0.0]
    while found[-1] < until:
        found.append(found[-1] + wait(found[-1], durations, NONE, poll_cost=price))
    return found[1:]


def course_of(history: list[tuple[float, float | None]]) -> ProgressTrend:
    """Return the course after some reports."""
    trend = ProgressTrend()
    for age, fraction in history:
        trend = trend.reported(age, fraction)
    return trend


@settings(deadline=None)
@given(ages, histories, st.lists(st.tuples(anything, fractions), max_size=4), prices)
def test_every_wait_is_finite_and_above_zero(
    age: float,
    history: list[tuple[float, float]],
    reports: list[tuple[float, float | None]],
    price: float,
) -> None:
    """Whatever the clocks, the vendor and the user say."""
    durations, trend = learned(*history), course_of(reports)
    assert 0 < wait(age, durations, trend, poll_cost=price) < math.inf
    for jobs in (1, 2, 30):
        assert 0 < shared_wait([(age, durations, trend)] * jobs, poll_cost=price) < math.inf


def test_without_jobs_there_is_no_hurry() -> None:
    """A request that serves nobody can wait."""
    assert DAY < shared_wait([], poll_cost=PRICE) < math.inf


def test_regular_jobs_are_left_alone_until_they_end() -> None:
    """And then asked about often enough."""
    questions = asked(REGULAR, 25)
    assert questions[0] > 17
    assert 2 <= sum(17 < age < 24 for age in questions) <= 6


def test_between_two_modes_a_job_is_left_alone() -> None:
    """Asked about near the first, then near the second."""
    questions = asked(TWO_MODES, 1100)
    gaps = [later - sooner for sooner, later in pairwise(questions)]
    assert questions[0] == pytest.approx(20, rel=0.3)
    assert max(gaps) > 400
    assert sum(60 < age < 600 for age in questions) <= 1


def test_the_dearer_a_question_the_fewer_are_asked() -> None:
    """Over the lives of many jobs."""
    for durations in (Durations.prior(60), REGULAR, TWO_MODES, VARIED):
        counts = [
            sum(len(asked(durations, end, price)) for end in (5, 20, 25, 60, 300, 900, 2000))
            for price in (0.32, 0.08, 0.02, 0.005)
        ]
        assert counts == sorted(counts)


def test_nobody_is_asked_hot() -> None:
    """A job that outlives every expectation is asked about ever more rarely."""
    for durations in (Durations.prior(60), REGULAR, TWO_MODES):
        questions = [age for age in asked(durations, 30 * DAY) if age > 2_000]
        assert len(questions) < 100
        assert questions[-1] - questions[-2] > DAY / 8


def test_a_prior_of_another_scale_asks_at_that_scale() -> None:
    """All that matters is time over the usual time."""
    short, long = asked(Durations.prior(6), 60), asked(Durations.prior(6000), 60_000)
    assert len(short) == pytest.approx(len(long), abs=4)


def test_progress_brings_the_next_question_near_the_end() -> None:
    """Whatever other jobs took."""
    trend = course_of([(100, 0.25), (200, 0.5), (300, 0.75), (360, 0.9)])
    assert 15 < wait(360, Durations.prior(60), trend, poll_cost=PRICE) < 45


def test_progress_that_has_not_begun_changes_nothing() -> None:
    """What its like took is all there is."""
    trend = course_of([(10, 0.0)])
    assert wait(10, VARIED, trend, poll_cost=PRICE) == wait(10, VARIED, NONE, poll_cost=PRICE)


@pytest.mark.parametrize("stuck_at", [0.1, 0.5, 0.99, 1.0])
def test_a_stalled_job_is_asked_about_less_and_less(stuck_at: float) -> None:
    """Nobody asks a stuck job as if it were about to end."""
    trend = course_of([(10, stuck_at / 2), (20, stuck_at)])
    age, waits = 20.0, list[float]()
    while age < DAY:
        waits.append(wait(age, VARIED, trend, poll_cost=PRICE))
        age += waits[-1]
        trend = trend.reported(age, stuck_at)
    assert len(waits) < 100
    assert waits[-1] > 100 * waits[0]


def test_a_total_that_keeps_growing_is_not_asked_hot() -> None:
    """A job that is told to be nearly done, again and again, is no reason to hurry."""
    trend, age, questions = ProgressTrend(), 0.0, 0
    while age < 3600:
        age += wait(age, VARIED, trend, poll_cost=PRICE)
        trend = trend.reported(age, 0.5 + 0.4 * (questions % 2))
        questions += 1
    assert questions < 150


def test_one_job_alone_is_asked_about_as_ever() -> None:
    """Sharing begins with two."""
    assert shared_wait([(12, VARIED, NONE)], poll_cost=PRICE) == wait(
        12, VARIED, NONE, poll_cost=PRICE
    )


def test_many_jobs_share_far_fewer_requests() -> None:
    """But more than any one of them would be asked about alone, and none too late."""
    age, requests = 0.0, 0
    while age < 60:
        age += shared_wait([(age, VARIED, NONE)] * 50, poll_cost=PRICE)
        requests += 1
    alone = len(asked(VARIED, 60))
    assert alone / 3 < requests < 2 * alone


def test_the_job_about_to_end_sets_the_pace_for_all() -> None:
    """Ten that are far from their end do not make the one wait."""
    ending = (19.0, REGULAR, NONE)
    far = [(1.0, learned((3500, 3700), times=20), NONE)] * 10
    assert shared_wait([ending, *far], poll_cost=PRICE) < shared_wait(far, poll_cost=PRICE) / 10


def test_progress_sets_the_pace_for_all() -> None:
    """Of two jobs alike in age, the one that reports its end near is waited for."""
    near = (300.0, TWO_MODES, course_of([(150, 0.5), (300, 0.97)]))
    other = (300.0, TWO_MODES, NONE)
    assert (
        shared_wait([near, other], poll_cost=PRICE)
        < shared_wait([other, other], poll_cost=PRICE) / 5
    )

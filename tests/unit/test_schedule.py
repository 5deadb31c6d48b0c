"""When to ask again: never sooner than the server wants, never later than the ceiling allows."""

import math
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs._schedule import Jitter, Schedule
from exportjobs.adapter import Pace

PACE = Pace(
    first=timedelta(seconds=2), interval=timedelta(seconds=10), ceiling=timedelta(minutes=5)
)
WISH = timedelta(seconds=60)
MARGIN = 1.1 + 1e-9


def middle(low: float, high: float) -> float:
    """Draw the middle."""
    return (low + high) / 2


def lowest(low: float, _: float) -> float:
    """Draw the lower bound."""
    return low


def highest(_: float, high: float) -> float:
    """Draw the upper bound."""
    return high


def drawn(share: float) -> Jitter:
    """Return a source that draws at a share of the way from the lower bound to the upper."""
    return lambda low, high: min(high, low + share * (high - low))


lengths = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))
paces = st.builds(Pace, first=lengths, interval=lengths, ceiling=lengths)
schedules = st.builds(Schedule, paces, st.none() | lengths)
jitters = st.floats(0, 1).map(drawn)
times = st.integers(0, 10**6)
failures_in_a_row = st.integers(1, 10**6)
asked_for = st.none() | st.timedeltas(min_value=timedelta(0))


def longest(schedule: Schedule) -> float:
    """Return the seconds that no wait of our own exceeds."""
    usual = schedule.pace.interval if schedule.interval is None else schedule.interval
    return max(usual, schedule.pace.ceiling).total_seconds() * MARGIN


@given(schedules, jitters)
def test_the_first_question_is_asked_at_the_vendors_pace(
    schedule: Schedule, jitter: Jitter
) -> None:
    """Or at the user's, give or take a tenth."""
    wanted = schedule.pace.first if schedule.interval is None else schedule.interval

    wait = schedule.first(None, jitter)

    assert wait == pytest.approx(wanted.total_seconds(), rel=0.1 + 1e-9)
    assert wait >= 0


@given(schedules, asked_for, times, jitters)
def test_no_wait_is_shorter_than_the_server_asks(
    schedule: Schedule, asked: timedelta | None, unknown: int, jitter: Jitter
) -> None:
    """A server's wish is never undercut, and never stretched by more than a tenth."""
    wait = schedule.after(asked, jitter, unknown=unknown)

    assert math.isfinite(wait)
    assert wait >= 0
    if asked is None:
        assert wait <= longest(schedule)
    else:
        assert asked.total_seconds() <= wait <= asked.total_seconds() * MARGIN
        assert schedule.first(asked, jitter) == wait


@given(schedules, asked_for, failures_in_a_row, jitters)
@example(Schedule(PACE), timedelta(seconds=19), 2, lowest)
@example(Schedule(PACE), timedelta(seconds=20), 2, lowest)
@example(Schedule(PACE), timedelta(seconds=21), 2, lowest)
def test_no_failure_makes_the_wait_shorter_than_the_server_asks(
    schedule: Schedule, asked: timedelta | None, failures: int, jitter: Jitter
) -> None:
    """Not even where our own wait is about as long."""
    wait = schedule.after_failure(failures, asked, jitter)

    assert math.isfinite(wait)
    assert wait >= (asked or timedelta(0)).total_seconds()
    assert wait <= max(longest(schedule), (asked or timedelta(0)).total_seconds() * MARGIN)


@given(schedules, asked_for, st.floats(allow_nan=True, allow_infinity=False))
def test_a_bad_source_of_jitter_makes_no_negative_wait(
    schedule: Schedule, asked: timedelta | None, number: float
) -> None:
    """Whatever it draws, a loop can sleep for it."""

    def draw(_: float, __: float) -> float:
        return number

    waits = [
        schedule.first(asked, draw),
        schedule.after(asked, draw),
        schedule.after_failure(3, asked, draw),
    ]

    assert all(wait >= 0 for wait in waits)


@given(schedules, asked_for, failures_in_a_row, failures_in_a_row)
def test_waits_grow_with_failures_and_with_unknown_statuses(
    schedule: Schedule, asked: timedelta | None, one: int, other: int
) -> None:
    """The more often nothing was learnt, the less often it is asked."""
    few, many = sorted((one, other))

    assert schedule.after(None, middle, unknown=few) <= schedule.after(None, middle, unknown=many)
    assert schedule.after_failure(few, asked, middle) <= schedule.after_failure(many, asked, middle)


@pytest.mark.parametrize(
    ("times", "seconds"),
    [(0, 10), (1, 20), (2, 40), (3, 80), (4, 160), (5, 300), (6, 300), (10**9, 300)],
)
def test_a_wait_doubles_up_to_the_ceiling(times: int, seconds: float) -> None:
    """Ten seconds become five minutes, and stay there."""
    schedule = Schedule(PACE)

    assert schedule.after(None, middle, unknown=times) == seconds
    assert schedule.after_failure(times + 1, None, middle) == seconds


def test_a_users_interval_replaces_the_vendors_pace() -> None:
    """For the first question as well as for the later ones."""
    schedule = Schedule(PACE, WISH)

    assert schedule.first(None, middle) == 60
    assert schedule.after(None, middle) == 60
    assert schedule.after_failure(2, None, middle) == 120


def test_a_users_interval_may_be_none_at_all() -> None:
    """Zero is a wish too, and not the absence of one."""
    schedule = Schedule(PACE, timedelta(0))

    assert (schedule.first(None, middle), schedule.after(None, middle)) == (0, 0)


def test_a_users_interval_beyond_the_ceiling_stays_as_it_is() -> None:
    """The ceiling bounds growth, not what the user wants."""
    schedule = Schedule(PACE, timedelta(hours=1))

    assert [schedule.after_failure(n, None, middle) for n in (1, 2, 9)] == [3600, 3600, 3600]


@pytest.mark.parametrize(
    ("asked", "failures", "seconds"),
    [(1, 0, 1), (600, 0, 600), (0, 0, 0.9)],
    ids=["sooner-than-usual", "beyond-the-ceiling", "never-at-once"],
)
def test_the_server_comes_before_user_and_vendor(
    asked: float, failures: int, seconds: float
) -> None:
    """What it asks for is done, be it more or less than anybody wants, but never at once."""
    schedule = Schedule(PACE, WISH)

    assert schedule.after(timedelta(seconds=asked), lowest, unknown=failures) == seconds


@pytest.mark.parametrize(
    ("asked", "failures", "seconds"),
    [(5, 1, 5), (600, 1, 600), (600, 9, 600), (0, 1, 1), (0, 6, 32), (5, 6, 32), (0, 99, 300)],
    ids=["believed", "long", "long-as-before", "at-once", "again", "again-soon", "for-ever"],
)
def test_a_hopeful_server_is_believed_less_and_less(
    asked: float, failures: int, seconds: float
) -> None:
    """One that says "at once" time and again would else be asked without a pause."""
    schedule = Schedule(PACE)

    wait = schedule.after_failure(failures, timedelta(seconds=asked), middle)

    assert wait == pytest.approx(seconds, rel=0.051)


@pytest.mark.parametrize(
    ("jitter", "ours", "asked"),
    [(lowest, 9, 30), (middle, 10, 31.5), (highest, 11, 33)],
    ids=["lowest", "middle", "highest"],
)
def test_waits_are_spread(
    jitter: Callable[[float, float], float], ours: float, asked: float
) -> None:
    """Ours by a tenth to both sides, the server's to one side only."""
    schedule = Schedule(PACE)

    assert schedule.after(None, jitter) == pytest.approx(ours)
    assert schedule.after(timedelta(seconds=30), jitter) == pytest.approx(asked)


@pytest.mark.parametrize("name", ["first", "interval", "ceiling"])
def test_a_pace_is_not_negative(name: str) -> None:
    """An adapter that would ask before it has submitted is refused."""
    with pytest.raises(ValueError, match=name):
        Pace(**{name: timedelta(microseconds=-1)})

"""When to ask again: what the server wants comes first, then the budget, the user and the plan."""

import math
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.draws import lowest, middle

from exportjobs._schedule.durations import Durations
from exportjobs._schedule.progress import ProgressTrend
from exportjobs._schedule.schedule import Jitter, PollBounds, PollContext, Schedule
from exportjobs.adapter import PollPolicy, evolve

TEN = timedelta(seconds=10)
PACE = PollPolicy(min_interval=TEN, max_interval=TEN, unknown_status_interval=timedelta(minutes=5))
"""One that leaves the plan no choice."""
WISH = timedelta(seconds=60)
FREE = PollBounds()
MARGIN = 1.1 + 1e-9


def highest(_: float, high: float) -> float:
    """Draw the upper bound."""
    return high


def drawn(share: float) -> Jitter:
    """Return a source that draws at a share of the way from the lower bound to the upper."""
    return lambda low, high: min(high, low + share * (high - low))


def asking(seconds: float) -> PollBounds:
    """Return what bears on a question if the server asks for some time."""
    return PollBounds(timedelta(seconds=seconds))


def looking(age: float, *, recognised: bool = True) -> PollContext:
    """Return what bears on a job of some age, of which nothing else is known."""
    return PollContext(age, Durations.prior(60.0), recognised=recognised)


def history(typical: float, ends: list[tuple[float, float]]) -> Durations:
    """Return what is known after some jobs ended, each between two moments of its life."""
    durations = Durations.prior(typical)
    for after, took in ends:
        durations = durations.ended(after, after + took)
    return durations


def travelled(reports: list[tuple[float, float | None]]) -> ProgressTrend:
    """Return how far a job has come by its own reports."""
    trend = ProgressTrend()
    for age, fraction in reports:
        trend = trend.reported(age, fraction)
    return trend


lengths = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))
some_time = st.timedeltas(min_value=timedelta(milliseconds=1), max_value=timedelta(days=400))
paces = st.builds(
    PollPolicy,
    typical_duration=some_time,
    latency_cost=st.sampled_from([1e-6, 0.02, 100.0]),
    min_interval=lengths,
    max_interval=lengths,
    unknown_status_interval=lengths,
)
schedules = st.builds(Schedule, paces, st.none() | lengths)
unhurried = st.builds(Schedule, paces)
jitters = st.floats(0, 1).map(drawn)
failures_in_a_row = st.integers(0, 10**6)
asked_for = st.none() | st.timedeltas(min_value=timedelta(0))
bounds = st.builds(PollBounds, asked_for, st.floats(0, 1e6))
seconds_of_life = st.floats(0, 1e6)
# A belief costs milliseconds to turn into a plan: a few are tried often.
histories = st.sampled_from(
    [
        history(60.0, []),
        history(1e-3, [(0.0, 0.0)]),
        history(60.0, [(10.0, 2.0), (100.0, 0.0), (0.0, 5.0)] * 3),
        history(1e7, [(1e6, 1e6)]),
        history(60.0, []).timed_out(1e5),
    ]
)
contexts = st.builds(
    PollContext,
    age=st.floats(-1e6, 1e9) | st.sampled_from([0.0, -0.0, 5e-324]),
    durations=histories,
    trend=st.builds(
        travelled, st.lists(st.tuples(seconds_of_life, st.none() | st.floats(0, 1)), max_size=4)
    ),
    recognised=st.booleans(),
    weight=st.sampled_from([1.0, 2.0, 1000.0]),
)


@given(schedules, st.lists(contexts, max_size=5), bounds, failures_in_a_row, jitters)
def test_every_wait_can_be_slept_for_and_is_no_shorter_than_asked(
    schedule: Schedule, jobs: list[PollContext], bounds: PollBounds, failures: int, jitter: Jitter
) -> None:
    """A server's wish is never undercut, whatever is known of the jobs."""
    waits = [
        *(schedule.after(job, bounds, jitter) for job in jobs),
        schedule.after_list(jobs, bounds, jitter),
        schedule.after_failure(failures, bounds.server_wait, jitter),
    ]

    for wait in waits:
        assert math.isfinite(wait)
        assert wait >= (bounds.server_wait or timedelta(0)).total_seconds()


@given(schedules, contexts, bounds, jitters)
def test_a_wait_is_never_stretched_by_more_than_a_tenth(
    schedule: Schedule, job: PollContext, bounds: PollBounds, jitter: Jitter
) -> None:
    """What the server asks for is done, and no more; nor do we wait longer than anybody wants."""
    polling, asked = schedule.polling, bounds.server_wait
    wishes = (
        polling.min_interval,
        polling.max_interval,
        polling.unknown_status_interval,
        (schedule.interval or timedelta(0)) * 10,
    )
    longest = max(bounds.spacing, *(wish.total_seconds() for wish in wishes))

    for wait in (schedule.after(job, bounds, jitter), schedule.after_list([job], bounds, jitter)):
        # Never at once, even where the server agrees to it.
        most = longest if asked is None else max(1.0, asked.total_seconds())
        assert wait <= most * MARGIN


FIRST_OF_MANY = PollContext(30.0, Durations.prior(60.0), travelled([(20.0, 1e-5)]))
DONE_AT_ONCE = PollContext(0.0, Durations.prior(60.0), travelled([(0.0, 1.0)]))


@given(unhurried, contexts, st.floats(0, 1e6), jitters)
@example(Schedule(PollPolicy()), FIRST_OF_MANY, 0.0, middle)
@example(Schedule(PollPolicy()), DONE_AT_ONCE, 0.0, middle)
def test_a_plan_keeps_to_the_vendors_bounds(
    schedule: Schedule, job: PollContext, spacing: float, jitter: Jitter
) -> None:
    """Not below the floor nor above the ceiling, give or take a tenth, but for the budget's sake.

    Where the two contradict each other, the floor holds.
    """
    floor, ceiling = (
        bound.total_seconds()
        for bound in (schedule.polling.min_interval, schedule.polling.max_interval)
    )
    low, high = max(floor * 0.9, spacing), max(floor * MARGIN, ceiling * MARGIN, spacing)
    known = evolve(job, recognised=True)

    for wait in (
        schedule.after(known, PollBounds(spacing=spacing), jitter),
        schedule.after_list([known], PollBounds(spacing=spacing), jitter),
    ):
        assert low * (1 - 1e-9) <= wait <= high


@given(schedules, contexts, st.lists(contexts), asked_for, st.floats(allow_infinity=False))
def test_a_bad_source_of_jitter_makes_no_negative_wait(
    schedule: Schedule,
    job: PollContext,
    jobs: list[PollContext],
    asked: timedelta | None,
    number: float,
) -> None:
    """Whatever it draws, a loop can sleep for it."""

    def draw(_: float, __: float) -> float:
        return number

    waits = [
        schedule.after(job, PollBounds(asked), draw),
        schedule.after_list(jobs, PollBounds(asked), draw),
        schedule.after_failure(3, asked, draw),
    ]

    assert all(wait >= 0 for wait in waits)


@pytest.mark.parametrize(
    ("bounds", "interval", "recognised", "seconds"),
    [
        (FREE, None, True, 10),
        (FREE, WISH, True, 60),
        (FREE, None, False, 315),
        (FREE, WISH, False, 630),
        (PollBounds(spacing=5), None, True, 10),
        (PollBounds(spacing=40), None, True, 40),
        (PollBounds(spacing=40), WISH, True, 60),
        (PollBounds(spacing=90), WISH, True, 90),
        (PollBounds(spacing=90), None, False, 315),
        (PollBounds(spacing=900), WISH, False, 900),
        (PollBounds(timedelta(seconds=1)), WISH, True, 1.05),
        (PollBounds(timedelta(seconds=1), spacing=900), None, True, 1.05),
        (PollBounds(timedelta(seconds=1)), None, False, 1.05),
        (PollBounds(timedelta(hours=1), spacing=900), WISH, False, 3780),
    ],
    ids=[
        "plan",
        "user",
        "unknown",
        "unknown-user",
        "little-thrift",
        "thrift",
        "user-before-thrift",
        "thrift-before-user",
        "unknown-before-thrift",
        "thrift-before-unknown",
        "server-before-user",
        "server-before-thrift",
        "server-before-unknown",
        "server-before-all",
    ],
)
def test_what_counts_is_in_order(
    bounds: PollBounds, interval: timedelta | None, seconds: float, *, recognised: bool
) -> None:
    """The server, the budget as the least, a status that is unknown, the user, the plan."""
    schedule, job = Schedule(PACE, interval), looking(30.0, recognised=recognised)

    alone = schedule.after(job, bounds, middle)
    together = schedule.after_list([job, job], bounds, middle)

    assert alone == together == pytest.approx(seconds)


@given(unhurried, contexts, st.lists(contexts, max_size=4))
def test_a_job_whose_status_nobody_knows_does_not_slow_the_others(
    schedule: Schedule, job: PollContext, jobs: list[PollContext]
) -> None:
    """One request serves all: those of which something is known decide when."""
    known = evolve(job, recognised=True)
    strange = [evolve(one, recognised=False) for one in jobs]

    alone = schedule.after_list([known], FREE, middle)

    assert schedule.after_list([*strange, known], FREE, middle) == alone


@given(schedules, st.lists(contexts, max_size=4))
def test_where_no_status_is_known_the_slow_interval_counts(
    schedule: Schedule, jobs: list[PollContext]
) -> None:
    """Nothing that a plan could be made of has been heard."""
    strange = [evolve(one, recognised=False) for one in jobs]

    waits = [
        schedule.after_list(strange, FREE, middle),
        *(schedule.after(one, FREE, middle) for one in strange),
    ]

    assert waits == [pytest.approx(schedule.slow * 1.05)] * len(waits)


@pytest.mark.parametrize("age", [0.0, 1.0, 3600.0, 1e9])
def test_a_users_interval_replaces_the_plan_at_every_age(age: float) -> None:
    """For the first question as well as for the later ones, and whatever the vendor's bounds."""
    schedule = Schedule(PACE, WISH)

    assert schedule.after(looking(age), FREE, middle) == 60
    assert schedule.after_list([looking(age), looking(0.0)], FREE, middle) == 60


def test_a_users_interval_may_be_none_at_all() -> None:
    """Zero is a wish too, and not the absence of one."""
    schedule = Schedule(PACE, timedelta(0))

    assert schedule.after(looking(1.0), FREE, middle) == 0
    assert schedule.after_list([looking(1.0)], FREE, middle) == 0


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 0.5])
@pytest.mark.parametrize("jitter", [lowest, middle, highest])
def test_a_server_that_says_at_once_is_not_asked_at_once(seconds: float, jitter: Jitter) -> None:
    """It would else be asked without a pause."""
    wait = Schedule(PACE, WISH).after(looking(1.0), asking(seconds), jitter)

    assert wait == 1


@pytest.mark.parametrize("age", [0.0, 20.0, 60.0, 200.0, 5000.0])
def test_a_job_that_more_waits_for_is_asked_about_no_later(age: float) -> None:
    """Its end frees a slot that others want."""
    schedule, job = Schedule(PollPolicy(min_interval=timedelta(0))), looking(age)

    waits = [
        schedule.after(evolve(job, weight=weight), FREE, middle) for weight in (1.0, 10.0, 100.0)
    ]

    assert waits == sorted(waits, reverse=True)
    assert waits[0] > waits[-1]


def test_together_the_highest_stakes_count() -> None:
    """One question tells the end of whichever is waited for."""
    schedule, job = Schedule(PollPolicy(min_interval=timedelta(0))), looking(60.0)
    wanted = evolve(job, weight=100.0)

    together = schedule.after_list([job, wanted], FREE, middle)

    assert together == schedule.after_list([wanted, wanted], FREE, middle)
    assert together < schedule.after_list([job, job], FREE, middle)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 10), (1, 10), (2, 20), (3, 40), (4, 80), (5, 160), (6, 300), (7, 300), (10**9, 300)],
)
def test_a_failed_question_is_repeated_less_and_less_often(failures: int, seconds: float) -> None:
    """Ten seconds become five minutes, and stay there."""
    assert Schedule(PollPolicy()).after_failure(failures, None, middle) == seconds


@pytest.mark.parametrize(
    ("polling", "seconds"),
    [
        (PollPolicy(min_interval=timedelta(seconds=60)), [60, 120, 240, 300, 300]),
        (PollPolicy(min_interval=timedelta(minutes=20)), [1200, 1200, 1200, 1200, 1200]),
        (PollPolicy(unknown_status_interval=timedelta(seconds=25)), [10, 20, 25, 25, 25]),
        (
            PollPolicy(unknown_status_interval=timedelta(0), min_interval=timedelta(0)),
            [10, 10, 10, 10, 10],
        ),
    ],
    ids=["floor", "floor-above-slow", "slow", "hasty"],
)
def test_the_vendors_bounds_hold_for_failures_too(
    polling: PollPolicy, seconds: list[float]
) -> None:
    """No sooner than its floor, and not after doubling beyond the slow interval."""
    waits = [Schedule(polling).after_failure(failures, None, middle) for failures in range(1, 6)]

    assert waits == seconds


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [(60, [60, 120, 240, 300]), (3600, [3600, 3600, 3600, 3600]), (0, [0, 0, 0, 0])],
    ids=["usual", "beyond-slow", "none"],
)
def test_a_users_interval_is_doubled_by_failures(interval: float, seconds: list[float]) -> None:
    """Up to the slow interval, which bounds the growth and not what the user wants."""
    schedule = Schedule(PACE, timedelta(seconds=interval))

    assert [schedule.after_failure(n, None, middle) for n in (1, 2, 3, 9)] == seconds


@given(schedules, failures_in_a_row, failures_in_a_row)
def test_waits_grow_with_failures(schedule: Schedule, one: int, other: int) -> None:
    """The more often nothing was learnt, the less often it is asked."""
    few, many = sorted((one, other))

    assert schedule.after_failure(few, None, middle) <= schedule.after_failure(many, None, middle)


@given(schedules, asked_for, failures_in_a_row, jitters)
@example(Schedule(PACE), timedelta(seconds=19), 2, lowest)
@example(Schedule(PACE), timedelta(seconds=20), 2, lowest)
@example(Schedule(PACE), timedelta(seconds=21), 2, lowest)
def test_no_failure_makes_the_wait_shorter_than_the_server_asks(
    schedule: Schedule, asked: timedelta | None, failures: int, jitter: Jitter
) -> None:
    """Not even where our own wait is about as long; nor is it longer than both."""
    usual = timedelta(seconds=10) if schedule.interval is None else schedule.interval
    longest = max(
        usual,
        schedule.polling.min_interval,
        schedule.polling.unknown_status_interval,
        asked or timedelta(0),
    )

    wait = schedule.after_failure(failures, asked, jitter)

    assert (asked or timedelta(0)).total_seconds() <= wait <= longest.total_seconds() * MARGIN


@pytest.mark.parametrize(
    ("asked", "failures", "seconds"),
    [(5, 1, 5), (600, 1, 600), (600, 9, 600), (0, 1, 1), (0, 6, 32), (5, 6, 32), (0, 99, 300)],
    ids=["believed", "long", "long-as-before", "at-once", "again", "again-soon", "for-ever"],
)
def test_a_hopeful_server_is_believed_less_and_less(
    asked: float, failures: int, seconds: float
) -> None:
    """One that says "at once" time and again would else be asked without a pause."""
    schedule = Schedule(PollPolicy())

    wait = schedule.after_failure(failures, timedelta(seconds=asked), middle)

    assert wait == pytest.approx(seconds, rel=0.051)


@pytest.mark.parametrize(
    ("jitter", "ours", "slow", "asked"),
    [(lowest, 9, 300, 30), (middle, 10, 315, 31.5), (highest, 11, 330, 33)],
    ids=["lowest", "middle", "highest"],
)
def test_waits_are_spread(
    jitter: Callable[[float, float], float], ours: float, slow: float, asked: float
) -> None:
    """Ours by a tenth to both sides, what must not be undercut to one side only."""
    schedule, job = Schedule(PACE), looking(30.0)

    waits = [
        schedule.after(job, FREE, jitter),
        schedule.after_failure(1, None, jitter),
        schedule.after(evolve(job, recognised=False), FREE, jitter),
        schedule.after(job, asking(30), jitter),
    ]

    assert waits == pytest.approx([ours, ours, slow, asked])


@pytest.mark.parametrize("jitter", [lowest, middle, highest])
def test_thrift_is_not_spread(jitter: Jitter) -> None:
    """It would else be undercut every other time."""
    assert Schedule(PACE).after(looking(30.0), PollBounds(spacing=40), jitter) == 40


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [(None, 300), (WISH, 600), (timedelta(0), 0)],
    ids=["vendor", "user", "zero"],
)
def test_the_slow_interval(interval: timedelta | None, seconds: float) -> None:
    """The vendor's, or ten of the user's own."""
    assert Schedule(PACE, interval).slow == seconds

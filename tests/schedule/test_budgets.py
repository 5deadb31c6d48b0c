"""What an account may still send: never more than its vendor publishes, and all day long."""

import math
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from exportjobs._schedule.budgets import Budgets, RateLimitState
from exportjobs.adapter._terms import Budget, Operation

DAY = 86_400.0
MIDNIGHT = 20_000 * DAY
NOON = MIDNIGHT + DAY / 2
POLL, LIST, SUBMIT, OTHER = Operation.POLL, Operation.LIST, Operation.SUBMIT, Operation.OTHER
TOLERANCE = 1e-3
"""Seconds that floats since 1970 may be off by, many times over."""


def a_day(requests: int, of: Operation | None = None, *, calendar: bool = True) -> Budget:
    """Return a budget by the day."""
    return Budget(requests=requests, per=timedelta(days=1), operation=of, calendar=calendar)


def a_minute(requests: int, of: Operation | None = None) -> Budget:
    """Return a budget by the minute, in a window that moves along."""
    return Budget(requests=requests, per=timedelta(minutes=1), operation=of)


def having_sent(budgets: Budgets, times: int, operation: Operation, now: float) -> Budgets:
    """Return what is left after so many requests at one moment."""
    for _ in range(times):
        budgets = budgets.sent(operation, now)
    return budgets


operations = st.sampled_from(Operation)
published = st.lists(
    st.builds(
        Budget,
        requests=st.integers(1, 6),
        per=st.sampled_from([timedelta(seconds=s) for s in (1, 7, 60, 3600, DAY)]),
        operation=st.none() | operations,
        calendar=st.booleans(),
    ),
    max_size=4,
).map(tuple)
lapses = (
    st.floats(0, 2) | st.floats(0, 100) | st.sampled_from([60.0, 3600.0, DAY]) | st.floats(0, DAY)
)
moments = st.floats(MIDNIGHT, MIDNIGHT + 3 * DAY)


class AnAccount(RuleBasedStateMachine):
    """An account that sends whenever it may, by a clock that is put back now and then."""

    def __init__(self) -> None:
        """Begin at a moment of which nothing else is known."""
        super().__init__()
        self.elapsed = 0.0
        self.now = MIDNIGHT
        self.sent: list[tuple[Operation, float, float]] = []
        """What was sent, after how long, and at what time by the clock."""

    @initialize(published=published, now=moments)
    def begin(self, published: tuple[Budget, ...], now: float) -> None:
        """Take what the vendor publishes."""
        self.published = published
        self.budgets = Budgets.of(published)
        self.now = now

    @rule(seconds=lapses)
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.elapsed += seconds
        self.now += seconds

    @rule(seconds=st.floats(0, 30))
    def put_the_clock_back(self, seconds: float) -> None:
        """Correct a clock that was fast, while no time passes."""
        self.now -= seconds

    @rule(operation=operations, times=st.integers(1, 8))
    def send(self, operation: Operation, times: int) -> None:
        """Send a few requests, as far as that is allowed."""
        for _ in range(times):
            if self.budgets.wait(operation, self.now) == 0:
                self.sent.append((operation, self.elapsed, self.now))
                self.budgets = self.budgets.sent(operation, self.now)

    @precondition(lambda self: max(self.budgets.wait(of, self.now) for of in Operation) > 0)
    @rule(data=st.data())
    def wait_out(self, data: st.DataObject) -> None:
        """Wait as long as is said: no less helps, and no more is needed."""
        held = [of for of in Operation if self.budgets.wait(of, self.now) > 0]
        operation = data.draw(st.sampled_from(held))
        wait = self.budgets.wait(operation, self.now)
        halfway = self.now + wait / 2
        assert halfway in (self.now, self.now + wait) or self.budgets.wait(operation, halfway) > 0

        self.wait(wait)

        assert self.budgets.wait(operation, self.now) == 0
        self.send(operation, 1)

    @invariant()
    def no_budget_is_exceeded(self) -> None:
        """In any stretch of its length, or in any period by the clock."""
        for budget in self.published:
            counted = [one for one in self.sent if budget.operation in (None, one[0])]
            per = budget.per.total_seconds()
            if budget.calendar:
                most = max(in_periods([moment for *_, moment in counted], per), default=0)
            else:
                most = busiest([elapsed for _, elapsed, _ in counted], per - TOLERANCE)
            assert most <= budget.requests

    @invariant()
    def says_what_is_left(self) -> None:
        """Every number can be slept for, and all agree on whether a request may be sent."""
        for operation in Operation:
            wait = self.budgets.wait(operation, self.now)
            spacing = self.budgets.spacing(operation, self.now)
            remaining = self.budgets.remaining(operation, self.now)
            spent = self.budgets.spent(operation, self.now)

            assert 0 <= wait < math.inf
            assert 0 <= spacing < math.inf
            assert remaining >= 0
            assert (wait > 0) == (remaining == 0) == (spent is not None)
            assert spent is None or spent in self.published


TestAnAccount = AnAccount.TestCase


def in_periods(moments: list[float], per: float) -> list[int]:
    """Return how many came in each period; a clock that is put back opens no period anew."""
    counts: dict[int, int] = {}
    period = math.floor(MIDNIGHT / per) - 1_000_000
    for moment in moments:
        period = max(period, math.floor(moment / per))
        counts[period] = counts.get(period, 0) + 1
    return list(counts.values())


def busiest(moments: list[float], per: float) -> int:
    """Return how many came at most in any stretch of time that is open at its beginning."""
    return max((sum(end - per < one <= end for one in moments) for end in moments), default=0)


@given(operations, moments)
def test_what_no_budget_bounds_may_always_be_sent(operation: Operation, now: float) -> None:
    """Most vendors publish nothing."""
    budgets = Budgets.of(()).sent(operation, now)

    assert budgets == Budgets()
    assert budgets.wait(operation, now) == budgets.spacing(operation, now) == 0
    assert budgets.remaining(operation, now) == math.inf
    assert budgets.spent(operation, now) is None


@given(published, operations, moments)
def test_nothing_is_spared_before_anything_was_sent(
    published: tuple[Budget, ...], operation: Operation, now: float
) -> None:
    """A budget that is whole holds nobody back."""
    budgets = Budgets.of(published)

    assert budgets.wait(operation, now) == budgets.spacing(operation, now) == 0


@pytest.mark.parametrize("calendar", [True, False], ids=["calendar", "rolling"])
def test_all_of_a_budget_may_be_sent_at_once(*, calendar: bool) -> None:
    """It bounds how many, not how fast."""
    budgets, sent = Budgets.of((a_day(60, calendar=calendar),)), 0

    while budgets.wait(SUBMIT, NOON) == 0:
        budgets, sent = budgets.sent(SUBMIT, NOON), sent + 1

    assert sent == 60
    assert budgets.remaining(SUBMIT, NOON) == 0


@pytest.mark.parametrize(
    ("sent_at", "renewed_at"),
    [(MIDNIGHT, MIDNIGHT + DAY), (NOON, MIDNIGHT + DAY), (MIDNIGHT + DAY - 1, MIDNIGHT + DAY)],
    ids=["midnight", "noon", "evening"],
)
def test_a_calendar_days_budget_is_renewed_at_midnight(sent_at: float, renewed_at: float) -> None:
    """In UTC, and whole, however late the last request was."""
    budgets = having_sent(Budgets.of((a_day(2),)), 2, POLL, sent_at)

    assert budgets.wait(POLL, sent_at) == renewed_at - sent_at
    assert budgets.remaining(POLL, renewed_at - 1) == 0
    assert budgets.remaining(POLL, renewed_at) == 2


def test_a_rolling_budget_is_renewed_a_window_later() -> None:
    """Request by request, each a little after it has left the window and never before."""
    budgets = Budgets.of((a_day(2, calendar=False),)).sent(POLL, NOON).sent(POLL, NOON + 7200)

    assert DAY < budgets.wait(POLL, NOON) <= DAY + DAY / 60
    assert budgets.remaining(POLL, NOON + DAY) == 0
    assert budgets.remaining(POLL, NOON + DAY + DAY / 60) == 1
    assert budgets.remaining(POLL, NOON + DAY + 7200 + DAY / 60) == 2


def test_a_budget_counts_what_it_is_of() -> None:
    """Lists do not use up the polls, and all use up what is for all."""
    budgets = Budgets.of((a_day(2, POLL), a_day(3)))

    budgets = budgets.sent(POLL, NOON).sent(POLL, NOON)

    assert [budgets.remaining(of, NOON) for of in (POLL, LIST, OTHER)] == [0, 1, 1]
    assert [budgets.wait(of, NOON) > 0 for of in (POLL, LIST)] == [True, False]
    assert budgets.sent(LIST, NOON).remaining(OTHER, NOON) == 0


def test_the_budget_that_is_renewed_last_is_the_one_to_tell_of() -> None:
    """What is worth knowing is when it goes on."""
    day, minute = a_day(2), a_minute(2)
    budgets = having_sent(Budgets.of((minute, day, a_day(9))), 2, POLL, NOON)

    assert budgets.spent(POLL, NOON) == day
    assert budgets.wait(POLL, NOON) == DAY / 2
    assert Budgets.of((minute, day)).sent(POLL, NOON).spent(POLL, NOON) is None


def test_a_clock_that_is_put_back_over_midnight_opens_no_day_anew() -> None:
    """What was sent in the new day goes on being counted in it."""
    budgets = having_sent(Budgets.of((a_day(3),)), 3, POLL, MIDNIGHT - 10)

    budgets = having_sent(budgets, 2, POLL, MIDNIGHT + 10)
    budgets = budgets.sent(POLL, MIDNIGHT - 10)

    assert budgets.remaining(POLL, MIDNIGHT - 10) == 0
    assert budgets.remaining(POLL, MIDNIGHT + 10) == 0


@given(st.integers(2, 1000), st.booleans(), moments)
def test_the_less_remains_the_more_is_spared(requests: int, calendar: bool, now: float) -> None:  # noqa: FBT001 - drawn
    """Next to nothing at first, then more with each request, and all the time left for the last."""
    budgets = Budgets.of((a_day(requests, calendar=calendar),))

    spared: list[float] = []
    while budgets.remaining(POLL, now):
        spared.append(budgets.spacing(POLL, now))
        budgets = budgets.sent(POLL, now)

    assert spared == sorted(spared)
    assert spared[0] == 0
    assert budgets.spacing(POLL, now) == budgets.wait(POLL, now)


def keeping_to_thrift(budget: Budget, begin: float, end: float) -> tuple[list[float], list[float]]:
    """Return when a poller sends that keeps to thrift, and where it was held back all the same."""
    budgets, now = Budgets.of((budget,)), begin
    sent: list[float] = []
    held: list[float] = []
    while now < end:
        if budgets.wait(POLL, now) > 0:
            held.append(now)
            now += budgets.wait(POLL, now)
        budgets = budgets.sent(POLL, now)
        sent.append(now)
        now += max(1.0, budgets.spacing(POLL, now))
    return sent, held


@given(begin=st.floats(0, DAY - 1))
def test_a_day_of_few_requests_lasts_to_its_end(begin: float) -> None:
    """From whatever time on: never held back, and never blind for long.

    An even spread would be a question every 4.8 minutes.
    """
    sent, held = keeping_to_thrift(a_day(300), MIDNIGHT + begin, MIDNIGHT + 2 * DAY)

    assert held == []
    assert max(later - earlier for earlier, later in pairwise(sent)) < 25 * 60
    # As many as there are, unless the day has no time for them at one a second.
    assert sum(moment < MIDNIGHT + DAY for moment in sent) >= min(295, DAY - begin) * 0.5


@pytest.mark.parametrize(
    ("budget", "gap"),
    [
        (a_day(300), 25 * 60),
        (a_day(300, calendar=False), 45 * 60),
        (a_day(60, calendar=False), 4 * 3600),
        (a_day(10_000, calendar=False), 120),
        (a_minute(30), 60),
    ],
    ids=["few", "few-rolling", "very-few", "many", "by-the-minute"],
)
def test_thrift_uses_most_of_a_budget(budget: Budget, gap: float) -> None:
    """Over three windows no request is held back, and not much is left over."""
    end = MIDNIGHT + 3 * budget.per.total_seconds()

    sent, held = keeping_to_thrift(budget, MIDNIGHT, end)

    assert held == []
    assert max(later - earlier for earlier, later in pairwise(sent)) <= gap
    assert 0.6 <= len(sent) / (3 * budget.requests) <= 1


@pytest.mark.parametrize(
    ("told", "spacing"),
    [
        (RateLimitState(100, NOON + 60, 100), 0.0),
        (RateLimitState(150, NOON + 60, 100), 0.0),
        (RateLimitState(50, NOON + 60, 100), 0.3),
        (RateLimitState(1, NOON + 60, 10), 48.6),
        (RateLimitState(1, NOON + 60), 0.0),
        (RateLimitState(1, NOON + 60, 0), 0.0),
        (RateLimitState(0, NOON + 60, 100), 60.0),
        (RateLimitState(0, NOON + 60), 60.0),
        (RateLimitState(0, NOON - 60, 100), 0.0),
        (RateLimitState(1, NOON - 60, 100), 0.0),
    ],
    ids=["all", "more", "half", "last", "no-limit", "nil", "none", "none-no-limit", "past", "over"],
)
def test_what_is_told_is_spread_as_well(told: RateLimitState, spacing: float) -> None:
    """Where the vendor says what remains and of how many; else until it is used up."""
    budgets = Budgets().with_reported(told)

    assert budgets.spacing(POLL, NOON) == pytest.approx(spacing)


@given(
    st.builds(
        RateLimitState,
        st.integers(0, 10**12),
        st.floats(MIDNIGHT - DAY, MIDNIGHT + 400 * DAY),
        st.none() | st.integers(0, 10**12),
    ),
    moments,
    st.integers(0, 5),
)
def test_whatever_is_told_can_be_waited_for(told: RateLimitState, now: float, sent: int) -> None:
    """A vendor's numbers may be anything."""
    budgets = having_sent(Budgets().with_reported(told), sent, POLL, now)

    for wait in (budgets.wait(POLL, now), budgets.spacing(POLL, now)):
        assert 0 <= wait <= max(0.0, told.until - now)


@pytest.mark.parametrize("operation", Operation)
def test_nothing_is_sent_when_nothing_remains(operation: Operation) -> None:
    """Of no operation, until the vendor's count begins anew."""
    budgets = Budgets.of((a_day(300, POLL),)).with_reported(RateLimitState(0, NOON + 90, 100))

    assert budgets.wait(operation, NOON) == 90
    assert budgets.wait(operation, NOON + 89) == 1
    assert budgets.wait(operation, NOON + 90) == 0
    assert budgets.spacing(operation, NOON + 90) == 0
    assert budgets.spent(operation, NOON) is None


def test_what_was_told_counts_down_with_what_is_sent() -> None:
    """Answers take their time, and the next one may be the one too many."""
    budgets = having_sent(Budgets().with_reported(RateLimitState(3, NOON + 60)), 2, POLL, NOON)
    assert budgets.wait(LIST, NOON) == 0

    budgets = budgets.sent(LIST, NOON)

    assert budgets.wait(POLL, NOON) == 60


def test_within_a_window_the_lower_number_counts() -> None:
    """An answer that was long under way does not know of what was sent since."""
    budgets = having_sent(
        Budgets().with_reported(RateLimitState(10, NOON + 60, 100)), 4, POLL, NOON
    )

    late = budgets.with_reported(RateLimitState(9, NOON + 60, 100))
    others = budgets.with_reported(RateLimitState(2, NOON + 60, 100))

    assert late.reported == RateLimitState(6, NOON + 60, 100)
    assert others.reported == RateLimitState(2, NOON + 60, 100)


def test_after_a_window_the_new_number_counts() -> None:
    """What was left of the old one is over and done with."""
    budgets = Budgets().with_reported(RateLimitState(0, NOON + 60, 100))

    renewed = budgets.with_reported(RateLimitState(99, NOON + 120, 100))

    assert renewed.reported == RateLimitState(99, NOON + 120, 100)
    assert renewed.wait(POLL, NOON + 60) == 0


def test_a_window_that_is_over_is_not_taken_for_one_that_ends_soon_after() -> None:
    """Windows may be as short as a second; that one is used up, too."""
    budgets = Budgets().with_reported(RateLimitState(0, NOON + 30))

    budgets = budgets.with_reported(RateLimitState(0, NOON + 31))

    assert budgets.wait(POLL, NOON + 30) == 1


@pytest.mark.parametrize("remaining", [0, 200])
def test_what_is_used_up_stays_so_whatever_is_said_of_another_window(remaining: int) -> None:
    """An answer that was under way may tell of the shorter, or the less tight, of two windows."""
    budgets = Budgets().with_reported(RateLimitState(0, NOON + 60, 100))

    budgets = budgets.with_reported(RateLimitState(remaining, NOON + 7, 300))

    assert budgets.wait(POLL, NOON + 7) == 53
    assert budgets.wait(POLL, NOON + 60) == 0


def test_an_answer_that_tells_nothing_changes_nothing() -> None:
    """What was told before stands."""
    budgets = Budgets().with_reported(RateLimitState(0, NOON + 60))

    assert budgets.with_reported(None) == budgets


def test_a_short_windows_number_is_not_taken_for_a_long_ones() -> None:
    """A vendor with two windows tells of whichever is the tighter: they are not one count."""
    budgets = Budgets().with_reported(RateLimitState(50, NOON + 30, 300))

    budgets = budgets.with_reported(RateLimitState(200, NOON + DAY / 2, 10_000))
    budgets = having_sent(budgets, 100, POLL, NOON + 60)

    assert budgets.wait(POLL, NOON + 60) == 0


def test_a_window_that_moves_along_is_believed_each_time() -> None:
    """A vendor that says after each request that all but one remain holds nobody back."""
    budgets, now = Budgets(), NOON
    for _ in range(1200):
        assert budgets.wait(POLL, now) == 0
        budgets = budgets.sent(POLL, now).with_reported(RateLimitState(999, now + DAY, 1000))
        now += 120

    assert budgets.spacing(POLL, now) < 120


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60), st.integers(1, 5))
def test_a_vendor_that_tells_is_never_asked_once_too_often(gaps: list[float], limit: int) -> None:
    """One that counts by the minute, if nobody else asks and each answer is awaited."""
    budgets, now = Budgets(), MIDNIGHT
    counts: dict[int, int] = {}
    for gap in gaps:
        now += gap
        now += budgets.wait(POLL, now)
        minute = math.floor(now / 60)
        counts[minute] = counts.get(minute, 0) + 1
        told = RateLimitState(limit - counts[minute], (minute + 1) * 60, limit)
        budgets = budgets.sent(POLL, now).with_reported(told)

    assert max(counts.values()) <= limit


def test_both_counts_bound_what_is_sent() -> None:
    """The one that holds longer is the one that counts."""
    budgets = Budgets.of((a_day(1),)).sent(POLL, NOON)

    assert budgets.with_reported(RateLimitState(0, NOON + 60)).wait(POLL, NOON) == DAY / 2
    assert budgets.with_reported(RateLimitState(0, NOON + DAY)).wait(POLL, NOON) == DAY
    assert budgets.with_reported(RateLimitState(9, NOON + DAY)).wait(POLL, NOON) == DAY / 2


def test_budgets_are_a_value() -> None:
    """What is asked of them leaves them as they were."""
    before = Budgets.of((a_day(2),))

    before.sent(POLL, NOON)
    before.with_reported(RateLimitState(0, NOON + 60))
    before.spacing(POLL, NOON)

    assert before == Budgets.of((a_day(2),))

"""How many requests fly at once: one goes ahead, the others follow if it is well."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exportjobs._schedule.limits import MAX_IN_FLIGHT, MAX_WIDTH, ConcurrencyWindow

SLOW_AFTER = 0.25
IDLE_AFTER = 1.0
NOW = 1000.0


class AnAccount(RuleBasedStateMachine):
    """Requests of an account that start as soon as they may, and are answered at any time."""

    def __init__(self) -> None:
        """Begin with nothing in the air."""
        super().__init__()
        self.now = NOW
        self.flights: list[float] = []
        self.last_start = -math.inf
        self.window = ConcurrencyWindow()

    @precondition(lambda self: self.window.next_start() <= self.now)
    @rule()
    def start(self) -> None:
        """Send a request, as the loop does when it may."""
        after_a_rest = not self.flights and self.now - self.last_start > IDLE_AFTER

        self.window = self.window.started(self.now)
        self.flights.append(self.now)
        self.last_start = self.now

        assert not after_a_rest or self.window.next_start() == self.now + SLOW_AFTER
        assert sum(start > self.now - SLOW_AFTER for start in self.flights) <= self.window.width

    @precondition(lambda self: self.flights)
    @rule(data=st.data(), ok=st.booleans())
    def answer(self, data: st.DataObject, *, ok: bool) -> None:
        """Hear an answer, of whichever request."""
        width = self.window.width
        flight = data.draw(st.sampled_from(self.flights))

        self.window = self.window.answered(flight, ok=ok)
        self.flights.remove(flight)

        assert self.window.width == (min(MAX_WIDTH, width + 1) if ok else width)

    # Whole parts of a second that a float holds exactly.
    @rule(parts=st.integers(0, 256) | st.integers(0, 100_000))
    def wait(self, parts: int) -> None:
        """Let time pass."""
        self.now += parts / 64

    @precondition(lambda self: self.now < self.window.next_start() < math.inf)
    @rule()
    def wait_until_it_may(self) -> None:
        """Let as much time pass as the window asks for, which is not long."""
        until = self.window.next_start()
        assert until - self.now <= SLOW_AFTER
        self.now = until

    @invariant()
    def counts(self) -> None:
        """It knows what is in the air, which is never too much."""
        assert list(self.window.in_flight) == self.flights
        assert len(self.flights) <= MAX_IN_FLIGHT
        assert 1 <= self.window.width <= MAX_WIDTH

    @invariant()
    def comes_to_no_standstill(self) -> None:
        """Only where too many hang does nothing but an answer help."""
        assert (self.window.next_start() == math.inf) == (len(self.flights) >= MAX_IN_FLIGHT)


TestAnAccount = AnAccount.TestCase


def started_at_once(window: ConcurrencyWindow, now: float) -> int:
    """Return how many requests may start at one moment."""
    started = 0
    while window.next_start() <= now:
        window, started = window.started(now), started + 1
    return started


def test_the_first_request_goes_ahead_alone() -> None:
    """What is wrong with the account is told once."""
    assert started_at_once(ConcurrencyWindow(), NOW) == 1


@pytest.mark.parametrize(
    ("answers", "at_once"),
    [
        ([], 1),
        ([True], 2),
        ([True, True], 3),
        ([True, True, True], 4),
        ([True] * 50, MAX_WIDTH),
        ([False] * 50, 1),
        ([True, False, True], 3),
    ],
    ids=["new", "one", "two", "three", "many", "errors", "mixed"],
)
def test_good_answers_let_more_fly(answers: list[bool], at_once: int) -> None:
    """One more for each, up to a few; an error changes nothing."""
    window = ConcurrencyWindow()
    for ok in answers:
        window = window.started(NOW).answered(NOW, ok=ok)

    assert started_at_once(window, NOW) == at_once


@pytest.mark.parametrize("width", [1, 2, MAX_WIDTH])
def test_requests_that_take_long_hold_nobody_back_for_long(width: int) -> None:
    """After a quarter of a second as many again may go, until too many hang."""
    window, starts = ConcurrencyWindow(width, started_at=NOW), list[float]()

    while (moment := max(NOW, window.next_start())) < math.inf:
        window = window.started(moment)
        starts.append(moment - NOW)

    assert starts == [SLOW_AFTER * (number // width) for number in range(MAX_IN_FLIGHT)]


def test_an_answer_lets_another_start_even_where_too_many_hang() -> None:
    """The account is not stuck for good."""
    window = ConcurrencyWindow(MAX_WIDTH, in_flight=(NOW,) * MAX_IN_FLIGHT, started_at=NOW)

    assert window.next_start() == math.inf
    assert window.answered(NOW, ok=False).next_start() == NOW + SLOW_AFTER


def test_an_answer_is_that_of_its_own_request() -> None:
    """A late one leaves those that started since in the air."""
    window = ConcurrencyWindow(MAX_WIDTH).started(NOW).started(NOW + 1).started(NOW + 2)

    window = window.answered(NOW + 1, ok=True)

    assert window.in_flight == (NOW, NOW + 2)


@pytest.mark.parametrize(
    ("idle", "at_once"),
    [(0.0, MAX_WIDTH), (IDLE_AFTER, MAX_WIDTH), (IDLE_AFTER + 0.01, 1), (3600.0, 1)],
    ids=["busy", "short", "rest", "long"],
)
def test_after_a_rest_one_goes_ahead_again(idle: float, at_once: int) -> None:
    """A key may have been revoked in the meantime."""
    window = ConcurrencyWindow(width=MAX_WIDTH, started_at=NOW)

    assert started_at_once(window, NOW + idle) == at_once


def test_an_account_with_a_request_in_the_air_does_not_rest() -> None:
    """However long ago it started."""
    window = ConcurrencyWindow(MAX_WIDTH, in_flight=(NOW,), started_at=NOW)

    assert window.started(NOW + 3600).width == MAX_WIDTH


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=20))
def test_nothing_is_left_in_the_air_when_all_were_answered(
    flights: list[tuple[float, bool]],
) -> None:
    """No request is counted twice, and none is forgotten."""
    window = ConcurrencyWindow()
    for start, _ in sorted(flights):
        window = window.started(start)
    for start, ok in flights:
        window = window.answered(start, ok=ok)

    assert window.in_flight == ()
    assert window.next_start() == -math.inf

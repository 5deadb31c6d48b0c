"""What an account may do now: no interleaving lets it do more than its vendor allows."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exportjobs._limits import Allowance

moments = st.floats(-1e6, 1e6)


class AnAccount(RuleBasedStateMachine):
    """An account of three slots under whatever a loop may do to it."""

    slots = 3

    def __init__(self) -> None:
        """Begin with no job outstanding."""
        super().__init__()
        self.now = 0.0
        self.outstanding = 0
        self.allowance = Allowance(self.slots)

    @precondition(lambda self: self.allowance.may_submit(self.now))
    @rule()
    def submit(self) -> None:
        """Take a slot, as the loop does when it may."""
        self.allowance = self.allowance.taken()
        self.outstanding += 1

    @rule()
    def resume(self) -> None:
        """Take a slot without asking, as a job that is resumed does."""
        self.allowance = self.allowance.taken()
        self.outstanding += 1

    @precondition(lambda self: self.outstanding > 0)
    @rule()
    def end(self) -> None:
        """Free a slot."""
        self.allowance = self.allowance.freed()
        self.outstanding -= 1

    @rule(after=st.floats(0, 1000))
    def refuse(self, after: float) -> None:
        """Hear that the account is full."""
        self.allowance = self.allowance.full(self.now + after)

    @rule(after=st.floats(0, 1000))
    def throttle(self, after: float) -> None:
        """Hear that the account has to wait."""
        self.allowance = self.allowance.paused(self.now + after)

    @rule(seconds=st.floats(0, 500))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    @invariant()
    def counts(self) -> None:
        """It knows how many jobs are outstanding."""
        assert self.allowance.outstanding == self.outstanding

    @invariant()
    def keeps_to_its_slots(self) -> None:
        """No more than the declared slots, and nothing while it is paused."""
        if self.outstanding >= self.slots or not self.allowance.may_ask(self.now):
            assert not self.allowance.may_submit(self.now)

    @invariant()
    def knows_its_next_chance(self) -> None:
        """It is neither in the past nor too early, and never too late by itself."""
        chance = self.allowance.next_chance(self.now)
        if chance is None:
            assert not self.allowance.may_submit(math.inf)
            return
        assert chance >= self.now
        assert self.allowance.may_submit(chance)
        assert self.allowance.may_submit(self.now) == (chance == self.now)
        halfway = (self.now + chance) / 2
        assert halfway in (self.now, chance) or not self.allowance.may_submit(halfway)


TestAnAccount = AnAccount.TestCase


@pytest.mark.parametrize("slots", [0, 1, 2, 5])
def test_an_account_fills_its_declared_slots(slots: int) -> None:
    """As many as declared can be taken, and then none."""
    allowance, taken = Allowance(slots), 0

    while allowance.may_submit(0.0):
        allowance, taken = allowance.taken(), taken + 1

    assert taken == slots
    assert allowance.next_chance(0.0) is None
    assert slots == 0 or allowance.freed().may_submit(0.0)


@given(st.integers(0, 10**6), moments)
def test_an_account_without_declared_slots_has_room(outstanding: int, now: float) -> None:
    """Until its vendor says otherwise."""
    assert Allowance(None, outstanding).may_submit(now)


def test_a_refusal_teaches_the_limit() -> None:
    """As many as were outstanding are held for the limit, and a job that ends makes room."""
    full = Allowance().taken().taken().full(until=60.0)

    assert not full.may_submit(0.0)
    assert full.next_chance(0.0) == 60.0
    assert full.freed().may_submit(0.0)
    assert not full.freed().taken().may_submit(0.0)


def test_a_learnt_limit_is_tried_again_after_a_while() -> None:
    """Somebody else's jobs may have filled the account."""
    full = Allowance().taken().full(until=60.0)

    assert not full.may_submit(59.9)
    assert full.may_submit(60.0)


def test_a_refusal_with_nothing_outstanding_waits_for_time() -> None:
    """All the slots are somebody else's."""
    full = Allowance().full(until=60.0)

    assert full.next_chance(0.0) == 60.0
    assert not full.may_submit(0.0)


def test_declared_slots_hold_even_when_a_learnt_limit_has_passed() -> None:
    """Only the end of a job can tell."""
    full = Allowance(1).taken().full(until=60.0)

    assert full.next_chance(1000.0) is None


def test_a_pause_stops_requests_and_submits() -> None:
    """Until it is over."""
    paused = Allowance().paused(until=60.0)

    assert [paused.may_ask(now) for now in (0.0, 59.9, 60.0)] == [False, False, True]
    assert [paused.may_submit(now) for now in (0.0, 59.9, 60.0)] == [False, False, True]
    assert paused.next_chance(0.0) == 60.0


def test_a_full_account_may_still_ask() -> None:
    """Want of a slot does not stop the polls that make room."""
    assert Allowance(0).full(until=60.0).may_ask(0.0)


@given(st.lists(moments, min_size=1))
def test_pauses_do_not_shorten_one_another(untils: list[float]) -> None:
    """The longest holds, in whatever order they come."""
    allowance = Allowance()

    for until in untils:
        allowance = allowance.paused(until)

    assert allowance.paused_until == max(untils)


def test_an_allowance_is_a_value() -> None:
    """What is asked of it leaves it as it was."""
    before = Allowance(2)

    before.taken()
    before.full(1.0)
    before.paused(1.0)

    assert before == Allowance(2)

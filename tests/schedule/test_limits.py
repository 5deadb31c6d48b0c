"""How many jobs an account may have: no interleaving lets it do more than its vendor allows."""

import math

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

from exportjobs._schedule.limits import Allowance
from exportjobs.adapter import Limits

moments = st.floats(-1e6, 1e6)


class AnAccount(RuleBasedStateMachine):
    """An account of three slots, some of them others', under whatever a loop may do to it."""

    slots = 3

    def __init__(self) -> None:
        """Begin with no job outstanding."""
        super().__init__()
        self.now = 0.0
        self.outstanding = 0
        self.foreign = 0
        self.known = False
        """Whether the number of slots was declared, or told."""
        self.sure_until = -math.inf
        """Until when nobody else can have taken the slots that were told to be free."""
        self.allowance = Allowance()

    @initialize(declared=st.booleans(), foreign=st.integers(0, slots))
    def begin(self, *, declared: bool, foreign: int) -> None:
        """Take up an account on which others may have jobs already."""
        self.allowance = Allowance(self.slots if declared else None)
        self.known = declared
        self.foreign = foreign

    @property
    def free(self) -> int:
        """How many slots are free in truth."""
        return self.slots - self.outstanding - self.foreign

    @precondition(lambda self: self.allowance.may_submit(self.now))
    @rule(after=st.floats(0, 1000))
    def submit(self, after: float) -> None:
        """Submit, as the loop does when it may, and hear that the account is full if it is."""
        self.allowance = self.allowance.taken()
        if self.free > 0:
            self.outstanding += 1
        else:
            assert self.now >= self.sure_until
            self.allowance = self.allowance.freed().full(self.now + after)

    @precondition(lambda self: self.foreign > 0)
    @rule()
    def resume(self) -> None:
        """Take up a job that runs already, and that nobody here had counted."""
        self.allowance = self.allowance.taken()
        self.outstanding += 1
        self.foreign -= 1

    @precondition(lambda self: self.outstanding > 0)
    @rule()
    def end(self) -> None:
        """See one of our own jobs end."""
        self.allowance = self.allowance.freed()
        self.outstanding -= 1

    @precondition(lambda self: self.free > 0)
    @rule()
    def somebody_else_begins(self) -> None:
        """Lose a slot unseen."""
        self.foreign += 1
        self.sure_until = -math.inf

    @precondition(lambda self: self.foreign > 0)
    @rule()
    def somebody_else_ends(self) -> None:
        """Have a slot fall free unseen."""
        self.foreign -= 1

    @rule(after=st.floats(0, 1000), slots=st.booleans(), free=st.booleans())
    def tell(self, after: float, *, slots: bool, free: bool) -> None:
        """Hear the limits, as far as the vendor tells them."""
        limits = Limits(
            slots=self.slots if slots else None, free_slots=self.free if free else None, quota=9
        )
        self.allowance = self.allowance.with_reported(limits, self.now + after)
        self.known = self.known or slots
        if free:
            self.sure_until = self.now + after

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
        """It knows how many jobs are outstanding, which are never too many."""
        assert self.allowance.outstanding == self.outstanding
        assert self.free >= 0

    @invariant()
    def keeps_to_its_slots(self) -> None:
        """No more than are known, none that is taken for sure, and nothing while paused."""
        full = self.outstanding >= self.slots and self.known
        taken = self.free == 0 and self.now < self.sure_until
        if full or taken or self.now < self.allowance.paused_until:
            assert not self.allowance.may_submit(self.now)

    @invariant()
    def knows_its_next_chance(self) -> None:
        """It is neither in the past nor too early, and never too late by itself."""
        chance = self.allowance.next_chance(self.now)
        if chance is None:
            assert not self.allowance.may_submit(math.inf)
            return
        assert self.now <= chance < math.inf
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


def test_a_pause_stops_submits() -> None:
    """Until it is over."""
    paused = Allowance().paused(until=60.0)

    assert [paused.may_submit(now) for now in (0.0, 59.9, 60.0)] == [False, False, True]
    assert paused.next_chance(0.0) == 60.0


def test_want_of_a_slot_is_no_pause() -> None:
    """The questions that find out about room go on."""
    assert Allowance().taken().full(until=60.0).paused_until == -math.inf


@given(st.lists(moments, min_size=1))
def test_pauses_do_not_shorten_one_another(untils: list[float]) -> None:
    """The longest holds, in whatever order they come."""
    allowance = Allowance()

    for until in untils:
        allowance = allowance.paused(until)

    assert allowance.paused_until == max(untils)


def filled(allowance: Allowance, now: float = 0.0) -> int:
    """Return how many jobs may be submitted at once."""
    taken = 0
    while allowance.may_submit(now) and taken < 100:
        allowance, taken = allowance.taken(), taken + 1
    return taken


@pytest.mark.parametrize(
    ("declared", "limits", "room", "later"),
    [
        (None, Limits(), 100, 100),
        (None, Limits(slots=3), 3, 3),
        (None, Limits(slots=3, free_slots=1), 1, 3),
        (None, Limits(slots=3, free_slots=0), 0, 3),
        (None, Limits(slots=3, free_slots=-2), 0, 3),
        (None, Limits(slots=3, free_slots=9), 3, 3),
        (None, Limits(free_slots=2), 2, 100),
        (None, Limits(free_slots=0), 0, 100),
        (2, Limits(slots=3), 2, 2),
        (3, Limits(slots=2), 2, 2),
        (2, Limits(), 2, 2),
        (2, Limits(free_slots=1), 1, 2),
        (None, Limits(quota=0, remaining_quota=0), 100, 100),
    ],
)
def test_told_limits_are_kept_to(
    declared: int | None, limits: Limits, room: int, later: int
) -> None:
    """The least of what is declared and told; what others hold is tried again after a while."""
    told = Allowance(declared).with_reported(limits, until=60.0)

    assert filled(told) == room
    assert filled(told, 60.0) == later


def test_free_slots_come_on_top_of_our_own_jobs() -> None:
    """Two of ours run, and there is room for one more: for three, as long as others stay."""
    told = Allowance().taken().taken().with_reported(Limits(slots=5, free_slots=1), until=60.0)

    assert filled(told) == 1
    assert filled(told.freed()) == 2
    assert filled(told, 60.0) == 3


def test_free_slots_end_a_wait_for_room() -> None:
    """The vendor's word of now is worth more than its refusal of before."""
    full = Allowance().taken().full(until=60.0)

    assert filled(full.with_reported(Limits(free_slots=2), until=90.0)) == 2


def test_what_is_told_of_slots_ends_no_pause() -> None:
    """Room is not leave."""
    told = Allowance().paused(until=60.0).with_reported(Limits(free_slots=2), until=30.0)

    assert told.next_chance(0.0) == 60.0


def test_an_allowance_is_a_value() -> None:
    """What is asked of it leaves it as it was."""
    before = Allowance(2)

    before.taken()
    before.full(1.0)
    before.paused(1.0)
    before.with_reported(Limits(slots=1, free_slots=0), 1.0)

    assert before == Allowance(2)

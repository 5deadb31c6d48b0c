"""Who comes when: by moment, then in the order they were added."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs._schedule.agenda import Agenda

moments = st.floats(allow_nan=False)
some_moments = st.lists(moments | st.sampled_from([0.0, 1.0, 2.0]))


class Incomparable:
    """An item that has no order of its own."""

    def __lt__(self, other: object) -> bool:
        """Refuse to be compared."""
        raise AssertionError(other)


def agenda_of(moments: list[float]) -> Agenda[int]:
    """Return an agenda of items that are numbered in the order they are added."""
    agenda: Agenda[int] = Agenda()
    for number, moment in enumerate(moments):
        agenda.add(moment, number)
    return agenda


def in_order(moments: list[float]) -> list[int]:
    """Return the items' numbers by moment, then by number."""
    return sorted(range(len(moments)), key=lambda number: moments[number])


@given(some_moments)
def test_items_come_by_moment_then_as_they_were_added(moments: list[float]) -> None:
    """Nobody overtakes who was there before."""
    agenda = agenda_of(moments)

    popped = [agenda.pop() for _ in moments]

    assert popped == in_order(moments)
    assert not agenda


@given(some_moments, moments)
@example([0.0, math.inf], math.inf)
@example([], math.inf)
def test_due_takes_exactly_what_is_due(moments: list[float], now: float) -> None:
    """What comes up to now, in order; the rest stays."""
    agenda = agenda_of(moments)

    due = agenda.due(now)

    assert due == [number for number in in_order(moments) if moments[number] <= now]
    assert agenda.next == min((m for m in moments if m > now), default=math.inf)
    assert bool(agenda) == any(m > now for m in moments)


@given(some_moments, some_moments, moments)
def test_what_is_added_later_finds_its_place(
    before: list[float], after: list[float], now: float
) -> None:
    """Taking some off in between does not disturb the others."""
    agenda = agenda_of(before)

    agenda.due(min(now, 1e300))
    kept = [(m, number) for number, m in enumerate(before) if m > min(now, 1e300)]
    for number, moment in enumerate(after, start=len(before)):
        agenda.add(moment, number)
        kept.append((moment, number))

    assert [agenda.pop() for _ in kept] == [number for _, number in sorted(kept)]


def test_an_empty_agenda() -> None:
    """There is nothing to do, ever."""
    agenda: Agenda[str] = Agenda()

    assert not agenda
    assert agenda.next == math.inf
    assert agenda.due(1e9) == []
    with pytest.raises(IndexError):
        agenda.pop()


def test_items_are_never_compared() -> None:
    """Jobs have no order of their own."""
    agenda: Agenda[Incomparable] = Agenda()
    items = [Incomparable() for _ in range(5)]

    for item in items:
        agenda.add(1.0, item)

    assert agenda.due(1.0) == items


def test_one_item_may_come_more_than_once() -> None:
    """An agenda does not ask what it holds."""
    agenda: Agenda[str] = Agenda()

    agenda.add(2.0, "q3")
    agenda.add(1.0, "q3")

    assert (agenda.next, agenda.due(1.0), agenda.next) == (1.0, ["q3"], 2.0)


@given(st.lists(moments | st.sampled_from([0.0, 1.0, 2.0]), max_size=20), st.data())
def test_what_was_withdrawn_does_not_come(moments: list[float], data: st.DataObject) -> None:
    """The others come as if it had never been there, and it is kept nowhere."""
    agenda: Agenda[int] = Agenda()
    entries = [agenda.add(moment, number) for number, moment in enumerate(moments)]
    gone = data.draw(st.sets(st.sampled_from(range(len(moments))))) if moments else set[int]()

    for number in gone:
        agenda.withdraw(entries[number])

    left = [number for number in in_order(moments) if number not in gone]
    assert agenda.next == min((moments[number] for number in left), default=math.inf)
    assert [agenda.pop() for _ in left] == left
    assert not agenda
    assert all(entries[number][3] is None for number in gone)

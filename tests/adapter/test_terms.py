"""A vendor's terms: what an adapter may declare, and how it reads."""

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportjobs.adapter import Budget, Limits, Operation, PollPolicy

NOTHING = timedelta(0)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)


def test_a_pace_needs_no_adapter_to_think_of_it() -> None:
    """The usual one asks no more than once a second and no less than once an hour."""
    polling = PollPolicy()

    assert NOTHING < polling.min_interval <= polling.typical_duration <= polling.max_interval
    assert polling.min_interval <= polling.unknown_status_interval <= polling.max_interval
    assert 0 < polling.latency_cost < 1


@pytest.mark.parametrize("name", ["min_interval", "max_interval", "unknown_status_interval"])
def test_a_wait_may_be_nothing_but_not_less(name: str) -> None:
    """An adapter that would ask before it has submitted is refused."""
    least: dict[str, Any] = {name: NOTHING}
    less: dict[str, Any] = {name: -TICK}

    assert PollPolicy(**least) != PollPolicy()
    with pytest.raises(ValueError, match=name):
        PollPolicy(**less)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("typical_duration", NOTHING),
        ("typical_duration", -TICK),
        ("latency_cost", 0.0),
        ("latency_cost", -0.02),
        ("latency_cost", math.nan),
    ],
)
def test_a_length_and_a_price_are_more_than_nothing(name: str, value: object) -> None:
    """A job takes some time, and a request costs something: or it would be asked for ever."""
    wrong: dict[str, Any] = {name: value}

    with pytest.raises(ValueError, match=name):
        PollPolicy(**wrong)


@pytest.mark.parametrize(
    ("requests", "per", "named"),
    [(0, DAY, "requests"), (-1, DAY, "requests"), (1, NOTHING, "per"), (1, -DAY, "per")],
)
def test_a_budget_allows_something_in_some_time(requests: int, per: timedelta, named: str) -> None:
    """One that allows nothing, or is renewed at once, is a slip of the pen."""
    with pytest.raises(ValueError, match=named):
        Budget(requests=requests, per=per)


@pytest.mark.parametrize(
    ("budget", "text"),
    [
        (Budget(requests=300, per=timedelta(minutes=1)), "300 requests a minute"),
        (Budget(requests=10_000, per=DAY), "10,000 requests a day"),
        (Budget(requests=300, per=DAY, operation=Operation.POLL), "300 poll requests a day"),
        (
            Budget(requests=60, per=timedelta(hours=24), operation=Operation.SUBMIT, calendar=True),
            "60 submit requests a day",
        ),
        (
            Budget(requests=1, per=timedelta(hours=1), operation=Operation.LIST),
            "1 list requests an hour",
        ),
        (Budget(requests=5, per=timedelta(seconds=10)), "5 requests in 10 s"),
        (Budget(requests=5, per=timedelta(seconds=0.5)), "5 requests in 0.5 s"),
    ],
    ids=str,
)
def test_a_budget_is_told_in_words(budget: Budget, text: str) -> None:
    """As it stands in an error's text."""
    assert str(budget) == text


@given(
    st.integers(1, 10**9),
    st.timedeltas(TICK, timedelta(days=400)),
    st.none() | st.sampled_from(Operation),
)
def test_any_budget_is_told_in_one_line(
    requests: int, per: timedelta, of: Operation | None
) -> None:
    """With its number, whatever it is."""
    text = str(Budget(requests=requests, per=per, operation=of))

    assert text.isprintable()
    assert text.startswith(f"{requests:,} ")


def test_limits_say_nothing_unless_the_vendor_does() -> None:
    """What a vendor leaves out is unknown, not zero."""
    limits = Limits()

    told = (limits.slots, limits.free_slots, limits.quota, limits.remaining_quota)

    assert told == (None, None, None, None)


@pytest.mark.parametrize("name", ["slots", "free_slots", "quota", "remaining_quota"])
@pytest.mark.parametrize("value", ["3", 2.5, [3]])
def test_limits_are_counts(name: str, value: object) -> None:
    """A vendor that says something else is found out where it is read, not where it is used."""
    wrong: dict[str, Any] = {name: value}

    with pytest.raises(TypeError, match=name):
        Limits(**wrong)

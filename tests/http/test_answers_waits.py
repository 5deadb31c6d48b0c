"""When a server wants to be asked again, in all the forms in which servers say so."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs._http.answers import rate_limit, retry_after, server_wait
from exportjobs._schedule.budgets import Budgets, RateLimitState
from exportjobs.adapter._terms import Operation

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = NOW.timestamp()

Hint = Callable[..., timedelta | None]
both = pytest.mark.parametrize("hint", [retry_after, server_wait], ids=["any", "refused"])


def named(**headers: str) -> Mapping[str, str]:
    """Return headers, their names written with underscores."""
    return {name.replace("_", "-"): text for name, text in headers.items()}


def wait(**headers: str) -> timedelta | None:
    """Return how long a server that refused asks to wait."""
    return server_wait(named(**headers), now=NOW)


def told(**headers: str) -> RateLimitState | None:
    """Return what a server says of its rate limit."""
    return rate_limit(named(**headers), now=NOW)


@both
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("0", 0, id="now"),
        pytest.param("120", 120, id="seconds"),
        pytest.param(" 7 ", 7, id="spaces"),
        pytest.param("1.5", 1.5, id="fraction"),
        pytest.param("-5", 0, id="negative"),
        pytest.param("Sun, 01 Mar 2026 12:01:00 GMT", 60, id="date"),
        pytest.param("Sun, 01 Mar 2026 14:01:00 +0200", 60, id="date-with-zone"),
        pytest.param("Sun, 01 Mar 2026 12:01:00 -0000", 60, id="date-without-zone"),
        pytest.param("Sun, 01 Mar 2026 11:59:00 GMT", 0, id="past"),
        pytest.param("Thu, 01 Jan 1970 00:00:00 GMT", 0, id="long-past"),
        pytest.param("1772366460", 60, id="unix-time"),
        pytest.param("1772366340", 0, id="past-unix-time"),
    ],
)
def test_retry_after(hint: Hint, text: str, seconds: float) -> None:
    """In seconds or as a date, and never negative."""
    assert hint({"retry-after": text}, now=NOW) == timedelta(seconds=seconds)


@both
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param("soon", id="word"),
        pytest.param("inf", id="infinite"),
        pytest.param("nan", id="no-number"),
        pytest.param("9" * 400, id="more-than-a-float"),
        pytest.param("9" * 5000, id="more-than-is-counted"),
        pytest.param("1e15", id="more-than-a-duration"),
        pytest.param("Sun, 32 Mar 2026 12:00:00 GMT", id="no-such-day"),
        pytest.param(f"Sun, 01 Mar {'9' * 30} 12:00:00 GMT", id="more-than-a-year"),
        pytest.param(f"Sun, 01 Mar 2026 12:00:00 +{'9' * 30}", id="more-than-a-zone"),
        pytest.param(f"Sun, 01 Mar 2026 {'9' * 30}:00:00 GMT", id="more-than-an-hour"),
    ],
)
def test_a_retry_after_that_says_nothing(hint: Hint, text: str) -> None:
    """What cannot be read is as good as absent."""
    assert hint({"retry-after": text}, now=NOW) is None


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1971, 1, 1)))  # noqa: DTZ001 - a bound
def test_a_date_is_waited_for(moment: datetime) -> None:
    """Any date that a server can write is read to the second."""
    whole = moment.replace(microsecond=0)

    asked = retry_after({"retry-after": format_datetime(whole, usegmt=True)}, now=NOW)

    assert asked == max(timedelta(0), whole - NOW)


@given(st.text() | st.from_regex(r"\w{3}, \d+ Mar \d+ \d+:\d+:\d+ [+-]?\w*", fullmatch=True))
@example("Sun, 01 Mar 2026 12:00:00 +9999")
@example("\ud800")
def test_any_retry_after_is_a_wait_or_nothing(text: str) -> None:
    """A header may hold anything."""
    asked = retry_after({"retry-after": text}, now=NOW)

    assert asked is None or asked >= timedelta(0)


@pytest.mark.parametrize("family", ["ratelimit", "x_ratelimit"])
@pytest.mark.parametrize(
    ("remaining", "reset", "seconds"),
    [
        pytest.param("0", "30", 30, id="used-up"),
        pytest.param(" 0 ", "30", 30, id="spaces"),
        pytest.param("0", "1772366460", 60, id="unix-time"),
        pytest.param("0", "1772366340", 0, id="past-unix-time"),
        pytest.param("0", "Sun, 01 Mar 2026 12:01:00 GMT", 60, id="date"),
        pytest.param("0, 290;w=60", "30", 30, id="list"),
        pytest.param("0", "soon", None, id="garbage"),
        pytest.param("0", "", None, id="no-reset"),
        pytest.param("1", "30", None, id="one-left"),
        pytest.param("99", "1772366460", None, id="many-left"),
        pytest.param("", "30", None, id="not-said"),
    ],
)
def test_a_rate_limit_holds_back_when_it_is_used_up(
    family: str, remaining: str, reset: str, seconds: float | None
) -> None:
    """Its reset is a number of seconds, or a moment where it is too large for one."""
    headers = {f"{family}_remaining": remaining, f"{family}_reset": reset}

    assert wait(**headers) == (None if seconds is None else timedelta(seconds=seconds))


def test_retry_after_comes_before_a_rate_limit() -> None:
    """What the server says outright is what it wants."""
    asked = wait(retry_after="5", ratelimit_remaining="0", ratelimit_reset="600")

    assert asked == timedelta(seconds=5)


def test_a_server_that_asks_for_nothing() -> None:
    """No header, no wait."""
    assert wait() is None
    assert wait(ratelimit_reset="30") is None
    assert retry_after({}, now=NOW) is None


def test_only_a_refusal_makes_a_used_up_limit_a_request_to_wait() -> None:
    """An answer that gave what was wanted asks for nothing by it; the budgets take it in."""
    headers = named(ratelimit_remaining="0", ratelimit_reset="30")

    assert retry_after(headers, now=NOW) is None
    assert server_wait(headers, now=NOW) == timedelta(seconds=30)
    assert rate_limit(headers, now=NOW) == RateLimitState(0, AT + 30)


@pytest.mark.parametrize("family", ["ratelimit", "x_ratelimit"])
@pytest.mark.parametrize(
    ("remaining", "reset", "limit", "expected"),
    [
        pytest.param("7", "30", "300", RateLimitState(7, AT + 30, 300), id="relative"),
        pytest.param("7", "1772366460", "300", RateLimitState(7, AT + 60, 300), id="absolute"),
        pytest.param("7", "1772366340", "300", RateLimitState(7, AT, 300), id="past"),
        pytest.param("0", "0", "0", RateLimitState(0, AT, 0), id="nothing"),
        pytest.param("7", "30", "", RateLimitState(7, AT + 30), id="no-limit"),
        pytest.param("7", "30", "many", RateLimitState(7, AT + 30), id="limit-in-words"),
        pytest.param("7", "30", "300, 300;w=60", RateLimitState(7, AT + 30, 300), id="list"),
        pytest.param(
            "7", "30", "300;w=60, 10000;w=86400", RateLimitState(7, AT + 30, 300), id="windows"
        ),
        pytest.param(" 7 ", " 30 ", " 300 ", RateLimitState(7, AT + 30, 300), id="spaces"),
        pytest.param("7", "29.5", "300", RateLimitState(7, AT + 29.5, 300), id="fraction"),
        pytest.param("-1", "30", "300", None, id="negative"),
        pytest.param("7.5", "30", "300", None, id="no-count"),
        pytest.param("\u0667", "30", "300", None, id="other-digits"),
        pytest.param("\u00b2", "30", "300", None, id="superscript"),
        pytest.param("", "30", "300", None, id="no-remaining"),
        pytest.param("7", "", "300", None, id="no-reset"),
        pytest.param("7", "soon", "300", None, id="reset-in-words"),
    ],
)
def test_what_a_server_says_of_its_rate_limit(
    family: str, remaining: str, reset: str, limit: str, expected: RateLimitState | None
) -> None:
    """How much remains until when is needed; of how many is good to know."""
    headers = {
        f"{family}_remaining": remaining,
        f"{family}_reset": reset,
        f"{family}_limit": limit,
    }

    assert told(**headers) == expected


def test_closients_two_families_say_the_same() -> None:
    """Relative in the one, absolute in the other (docs.closient.com/rate-limits)."""
    newer = {"ratelimit_limit": "300", "ratelimit_remaining": "12", "ratelimit_reset": "41"}
    older = {
        "x_ratelimit_limit": "300",
        "x_ratelimit_remaining": "12",
        "x_ratelimit_reset": str(int(AT) + 41),
    }
    policy = {"ratelimit_policy": "300;w=60, 10000;w=86400"}

    assert told(**newer) == told(**older) == told(**newer, **older, **policy)


def test_the_newer_family_counts_where_it_is_whole() -> None:
    """Else the older one does."""
    older = {"x_ratelimit_remaining": "3", "x_ratelimit_reset": "60"}

    assert told(ratelimit_remaining="7", ratelimit_reset="30", **older) == RateLimitState(
        7, AT + 30
    )
    assert told(ratelimit_remaining="7", **older) == RateLimitState(3, AT + 60)


def test_a_server_that_tells_nothing() -> None:
    """As most do."""
    assert told() is None
    assert told(ratelimit_limit="300", retry_after="5") is None


_names = st.builds(
    "{}-{}".format,
    st.sampled_from(["ratelimit", "x-ratelimit"]),
    st.sampled_from(["remaining", "reset", "limit"]),
)
_numbers = st.integers(-1, 10**20).map(str) | st.integers(1, 6000).map("9".__mul__)
_values = _numbers | st.floats().map(str) | st.text() | st.just("0")


@given(st.dictionaries(_names | st.just("retry-after"), _values))
@example({"ratelimit-remaining": "9" * 5000, "ratelimit-reset": "30"})
@example({"ratelimit-remaining": "9" * 400, "ratelimit-reset": "30", "ratelimit-limit": "1"})
def test_any_headers_are_a_hint_or_none(headers: dict[str, str]) -> None:
    """Whatever a server writes, it can be reckoned with."""
    hint = rate_limit(headers, now=NOW)
    asked = server_wait(headers, now=NOW)
    budgets = Budgets().with_reported(hint)

    assert asked is None or asked >= timedelta(0)
    for seconds in (budgets.wait(Operation.POLL, AT), budgets.spacing(Operation.POLL, AT)):
        assert timedelta(seconds=seconds) >= timedelta(0)

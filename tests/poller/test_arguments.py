"""What callers pass, checked before anything is sent."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.acme import Acme
from tests.support.errors import raises_error

from exportjobs import ExistingJob, Export, InvalidArgument
from exportjobs._poller.arguments import (
    check_lasting,
    check_named,
    checked_accounts,
    checked_hosts,
    checked_max_downloads,
    checked_observers,
    checked_works,
    duration,
    ledger_file,
)
from exportjobs.adapter import (
    JobRef,
)
from exportjobs.adapter._redact import safe_text

REF = JobRef("acme", "default", "R1", kind="report")
MADE = Acme().report("q3")
RESUMED = Acme().resume(REF)
REMEDY = "pass a list of what an adapter's constructors return, such as [clari.activity()]"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, timedelta(0)),
        (0.5, timedelta(milliseconds=500)),
        (90, timedelta(seconds=90)),
        (timedelta(hours=2), timedelta(hours=2)),
        (timedelta(0), timedelta(0)),
        (timedelta(microseconds=1), timedelta(microseconds=1)),
        (timedelta.max, timedelta.max),
    ],
    ids=["zero", "fraction", "seconds", "hours", "no-time", "shortest", "longest"],
)
def test_a_duration_is_seconds_or_a_timedelta(
    value: float | timedelta, expected: timedelta
) -> None:
    """Inside, it is a timedelta."""
    assert duration("deadline", value) == expected


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(-1, id="negative"),
        pytest.param(-0.001, id="slightly-negative"),
        pytest.param(timedelta(microseconds=-1), id="negative-timedelta"),
        pytest.param(timedelta.min, id="very-negative"),
        pytest.param(float("nan"), id="nan"),
        pytest.param(float("inf"), id="infinite"),
        pytest.param(float("-inf"), id="minus-infinite"),
        pytest.param(1e300, id="beyond-a-timedelta"),
        pytest.param(10**400, id="beyond-a-float"),
        pytest.param("soon", id="text"),
        pytest.param("", id="nothing"),
        pytest.param(None, id="none"),
        pytest.param([60], id="list"),
        pytest.param(Decimal("NaN"), id="decimal-nan"),
    ],
)
def test_what_is_no_duration(value: Any) -> None:  # noqa: ANN401 - what a caller may pass
    """It is refused by the argument's name."""
    with raises_error(
        InvalidArgument,
        reason=safe_text(f"deadline: {value!r} is not a duration"),
        remedy="pass seconds from 0 upwards, or a timedelta",
    ) as caught:
        duration("deadline", value)

    assert getattr(caught.value, "field", None) == "deadline"


@given(st.floats() | st.integers() | st.timedeltas())
def test_any_number_is_a_duration_or_refused(value: float | timedelta) -> None:
    """Nothing else is raised, and nothing negative comes out."""
    try:
        found = duration("deadline", value)
    except InvalidArgument:
        return

    assert found >= timedelta(0)


@pytest.mark.parametrize("make", [list, tuple, iter], ids=["list", "tuple", "iterator"])
def test_a_run_takes_any_number_of_exports(make: Callable[[list[object]], Any]) -> None:
    """To submit or to resume, from whatever can be gone through once."""
    assert checked_works(make([MADE, RESUMED, MADE])) == (MADE, RESUMED, MADE)
    assert checked_works(make([])) == ()


@pytest.mark.parametrize("one", [MADE, RESUMED], ids=["export", "resumption"])
def test_one_export_is_no_list_of_them(one: Any) -> None:  # noqa: ANN401 - what a caller may pass
    """Who forgets the brackets is told so."""
    reason = "exports: is one export, not a list of them"
    with raises_error(InvalidArgument, reason=reason, remedy=REMEDY):
        checked_works(one)


@pytest.mark.parametrize(
    ("exports", "named"),
    [
        pytest.param([MADE, None], "NoneType", id="none"),
        pytest.param([Acme()], "Acme", id="adapter"),
        pytest.param([Acme().report], "method", id="parentheses-forgotten"),
        pytest.param([REF], "JobRef", id="ref"),
        pytest.param([[MADE]], "list", id="list-in-list"),
        pytest.param("report", "str", id="text"),
        pytest.param({"report": MADE}, "str", id="mapping"),
    ],
)
def test_what_is_no_export(exports: Any, named: str) -> None:  # noqa: ANN401 - what a caller may pass
    """The error says what was found instead."""
    reason = f"exports: holds a {named}, which is not an export"
    with raises_error(InvalidArgument, reason=reason, remedy=REMEDY):
        checked_works(exports)


@pytest.mark.parametrize(
    "other",
    [Acme("other").report("q3"), Acme(base_url="https://eu.acme.example").resume(REF)],
    ids=["key", "base-url"],
)
def test_two_accounts_of_one_name_do_not_mix(other: Export | ExistingJob) -> None:
    """Else a job of one would be asked about with the other's credentials."""
    with raises_error(
        InvalidArgument,
        reason="name: two different accounts are both called 'default'",
        remedy="give each a name of its own",
        vendor="acme",
    ):
        checked_works([MADE, other])


@pytest.mark.parametrize(
    ("accounts", "reason"),
    [
        pytest.param(Acme(), "is one adapter, not a list of them", id="brackets-forgotten"),
        pytest.param([Acme(), MADE], "holds a Export, which is not an adapter", id="export"),
        pytest.param(
            [Acme], "holds a ABCMeta, which is not an adapter", id="parentheses-forgotten"
        ),
        pytest.param("acme", "holds a str, which is not an adapter", id="text"),
    ],
)
def test_what_is_no_account(accounts: Any, reason: str) -> None:  # noqa: ANN401 - what a caller may pass
    """The error says what was found instead."""
    remedy = "pass a list of adapters, such as [clari]"
    with raises_error(InvalidArgument, reason=f"accounts: {reason}", remedy=remedy):
        checked_accounts(accounts)


@pytest.mark.parametrize(
    ("observers", "reason"),
    [
        pytest.param(print, "is one function, not a list of them", id="brackets-forgotten"),
        pytest.param([print, None], "holds a NoneType, which cannot be called", id="none"),
        pytest.param("log", "holds a str, which cannot be called", id="text"),
    ],
)
def test_what_is_no_observer(observers: Any, reason: str) -> None:  # noqa: ANN401 - what a caller may pass
    """It is found out before there is an event to tell."""
    remedy = "pass a list of functions, such as [print]"
    with raises_error(InvalidArgument, reason=f"observers: {reason}", remedy=remedy):
        checked_observers(observers)


def test_observers_come_from_whatever_can_be_gone_through_once() -> None:
    """In their order."""
    seen: list[object] = []

    assert checked_observers(iter([print, seen.append])) == (print, seen.append)


@pytest.mark.parametrize("count", [0, -1, "4", 2.5, 4.0, True, None], ids=repr)
def test_what_is_no_number_of_downloads(count: Any) -> None:  # noqa: ANN401 - what a caller may pass
    """A flag counts nothing."""
    with raises_error(
        InvalidArgument,
        reason=f"max_downloads: {count!r} is not a number of files",
        remedy="pass a whole number from 1 upwards",
    ):
        checked_max_downloads(count)


@pytest.mark.parametrize("named", [5, b"exports.db", ["exports.db"], True], ids=repr)
def test_what_names_no_ledger(named: Any) -> None:  # noqa: ANN401 - what a caller may pass
    """The error says what was found instead."""
    with raises_error(
        InvalidArgument,
        reason=f"ledger: is a {type(named).__name__}, not a path",
        remedy='pass one such as "exports.db"',
    ):
        ledger_file(named)


def test_a_ledger_is_named_by_the_caller_or_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The caller has the last word, even that there is to be none."""
    monkeypatch.delenv("EXPORTJOBS_LEDGER", raising=False)
    assert ledger_file(None) is None

    monkeypatch.setenv("EXPORTJOBS_LEDGER", "exports.db")
    assert ledger_file(None) == Path("exports.db")
    assert ledger_file("mine.db") == ledger_file(Path("mine.db")) == Path("mine.db")
    assert ledger_file(":memory:") is None


def test_accounts_are_told_apart_by_name() -> None:
    """The same one may come twice, and counts once."""
    north, south = Acme("n", name="north"), Acme("s", name="south")

    accounts = checked_accounts([north, south, Acme("n", name="north")])

    assert accounts == (north, south)


def test_what_names_no_host() -> None:
    """A path does not belong to it, nor does a blank."""
    for name in ("files.acme.com/x", "files acme", ""):
        with raises_error(
            InvalidArgument,
            reason=f"download_hosts: {name!r} is not a host name",
            remedy='pass names such as "files.acme.com" or "*.amazonaws.com"',
        ):
            checked_hosts([name])


def test_a_run_that_others_go_on_with_needs_a_ledger_that_lasts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever asks for either without one is told how to name it."""
    monkeypatch.delenv("EXPORTJOBS_LEDGER", raising=False)
    remedy = "pass ledger=, or set EXPORTJOBS_LEDGER"

    with raises_error(InvalidArgument, reason="run_key: needs a ledger that lasts", remedy=remedy):
        check_lasting("2026-01-31", None)
    with raises_error(InvalidArgument, reason="ledger: is missing", remedy=remedy):
        check_named(None)

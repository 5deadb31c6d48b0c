"""What callers pass, checked before anything is sent."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportjobs import Export, InvalidArgument, Resumption
from exportjobs._inputs import checked_accounts, checked_works, duration
from exportjobs.adapter import (
    Adapter,
    ExportJob,
    Flow,
    JobRef,
    JobStatus,
    Reading,
    Request,
    export,
    field,
    frozen,
)


@frozen
class Acme(Adapter):
    """A made-up vendor."""

    vendor = "acme"
    key: str = field(default="k", repr=False)
    base_url: str = field(default="https://api.acme.example", kw_only=True)

    def authenticate(self, request: Request) -> Request:
        """Leave the request as it is."""
        return request

    @export
    def report(self) -> Flow[ExportJob]:
        """Export the report."""
        return (yield from self.poll(REF))

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one job's status."""
        yield Request.get(f"/reports/{ref.id}")
        return ExportJob(ref, Reading(JobStatus.DONE, "done"))


REF = JobRef("acme", "default", "R1", kind="report")
MADE = Acme().report()
RESUMED = Acme().resume(REF)


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
    with pytest.raises(InvalidArgument, match=r"^deadline: ") as caught:
        duration("deadline", value)

    assert caught.value.field == "deadline"


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
    with pytest.raises(InvalidArgument, match="is one export, not a list of them") as caught:
        checked_works(one)

    assert caught.value.field == "exports"
    assert caught.value.remedy


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
    with pytest.raises(InvalidArgument, match=f"holds a {named}, which is no export") as caught:
        checked_works(exports)

    assert caught.value.field == "exports"


@pytest.mark.parametrize(
    "other",
    [Acme("other").report(), Acme(base_url="https://eu.acme.example").resume(REF)],
    ids=["key", "base-url"],
)
def test_two_accounts_of_one_name_do_not_mix(other: Export | Resumption) -> None:
    """Else a job of one would be asked about with the other's credentials."""
    with pytest.raises(InvalidArgument, match=r"^acme: name: .*'default'") as caught:
        checked_works([MADE, other])

    assert (caught.value.vendor, caught.value.field) == ("acme", "name")


def test_accounts_are_told_apart_by_name() -> None:
    """The same one may come twice, and counts once."""
    north, south = Acme("n", name="north"), Acme("s", name="south")

    accounts = checked_accounts([north, south, Acme("n", name="north")])

    assert accounts == (north, south)

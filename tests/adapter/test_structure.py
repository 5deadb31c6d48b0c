"""Any JSON is a value, or a line for each thing that is wrong with it."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Literal

import pytest
from attrs import frozen
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs.adapter._errors import MalformedResponse
from exportjobs.adapter._structure import dump_json, parse_json, structure

NOON = datetime(2026, 8, 31, 12, tzinfo=UTC)
EPOCH = int(NOON.timestamp())


@frozen
class Part:
    """One file of a job, as a made-up vendor describes it."""

    url: str
    size: int | None = None


@frozen
class Body:
    """A job, as a made-up vendor describes it, with a field of every kind."""

    job_id: str
    count: int = 0
    done: bool = False
    created_at: datetime | None = None
    day: date | None = None
    format: Literal["CSV", "JSON"] = "CSV"
    parts: tuple[Part, ...] = ()
    first: Part | None = None
    filters: Mapping[str, object] | None = None
    raw: object = None


MEMBERS = ("jobId", "count", "done", "createdAt", "day", "format", "parts", "first", "filters")

any_text = st.text(st.characters(exclude_categories=()))
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | any_text
    | st.sampled_from(
        [10**400, -(10**400), "1e400", "nan", "-inf", "9" * 5000, "2026-08-31", EPOCH]
    )
)
json_values: st.SearchStrategy[object] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(any_text | st.sampled_from(MEMBERS), inner, max_size=4)
    ),
    max_leaves=8,
)


def structured(value: object, cls: type[Any]) -> object:
    """Return a value as an instance of a class, or what is wrong with it."""
    try:
        return structure(value, cls)
    except MalformedResponse as error:
        return error


def assert_told(found: object) -> None:
    """Check that a body was made, or that each problem has its path."""
    if isinstance(found, MalformedResponse):
        assert found.problems
        assert all("@ $" in problem for problem in found.problems)
    else:
        assert isinstance(found, Body)


@given(value=json_values)
@example(value={"jobId": 10**5000})
@example(value={"jobId": "1", "createdAt": "9999-12-31T23:59:59-14:00"})
def test_any_json_is_a_body_or_malformed(value: object) -> None:
    """Nothing that a vendor may send is another exception, and every problem has its path."""
    found = structured(value, Body)

    assert_told(found)


@given(members=st.dictionaries(st.sampled_from(MEMBERS), json_values))
def test_any_members_are_a_body_or_malformed(members: dict[str, object]) -> None:
    """A body that is right but for some members is the ordinary way of a vendor to be wrong."""
    found = structured({"jobId": "1"} | members, Body)

    assert_told(found)


def test_a_value_nested_beyond_reason_is_kept_or_malformed() -> None:
    """Depth is no exception either."""
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]

    found = [structured({"jobId": "1", name: deep}, Body) for name in ("raw", "parts", "count")]

    kept, *malformed = found
    assert isinstance(kept, Body)
    assert all(isinstance(error, MalformedResponse) for error in malformed)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        pytest.param({}, "required field missing @ $.job_id", id="missing"),
        pytest.param([], "expected an object @ $", id="list"),
        pytest.param(None, "expected an object @ $", id="null"),
        pytest.param({"jobId": None}, "expected a string @ $.job_id", id="null-for-text"),
        pytest.param({"jobId": True}, "expected a string @ $.job_id", id="true-for-text"),
        pytest.param(
            {"jobId": "1", "count": 0.5}, "expected a whole number @ $.count", id="fraction"
        ),
        pytest.param(
            {"jobId": "1", "done": "yes"}, "expected true or false @ $.done", id="word-for-bool"
        ),
        pytest.param(
            {"jobId": "1", "format": "XML"}, "expected one of CSV, JSON @ $.format", id="choice"
        ),
        pytest.param(
            {"jobId": "1", "parts": "ab"}, "expected a list @ $.parts", id="text-for-list"
        ),
        pytest.param(
            {"jobId": "1", "parts": [{"url": "/"}, {}]},
            "required field missing @ $.parts[1].url",
            id="in-a-list",
        ),
        pytest.param(
            {"jobId": "1", "first": {"url": []}},
            "expected a string @ $.first.url",
            id="in-an-object",
        ),
    ],
)
def test_a_problem_says_what_was_expected_and_where(value: object, problem: str) -> None:
    """Enough to report it to the vendor."""
    with pytest.raises(MalformedResponse) as caught:
        structure(value, Body)

    assert caught.value.problems == (problem,)


def test_every_problem_of_a_body_is_told() -> None:
    """Not only the first."""
    with pytest.raises(MalformedResponse) as caught:
        structure({"count": "x", "parts": [{}]}, Body)

    assert len(caught.value.problems) == 3


def test_a_problem_never_quotes_what_was_found() -> None:
    """It might be a signed URL or a person's name."""
    members = {name: ["SECRET"] for name in MEMBERS}

    with pytest.raises(MalformedResponse) as caught:
        structure(members, Body)

    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("name", ["job_id", "jobId", "JobID", "job-id", "JOB_ID", "job id"])
def test_a_member_is_found_whatever_its_spelling(name: str) -> None:
    """The vendor's documentation and its answers do not agree either."""
    body = structure({name: "1", "unknown": {"a": 1}}, Body)

    assert body == Body("1")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        pytest.param(7, 7, id="number"),
        pytest.param(7.0, 7, id="whole-float"),
        pytest.param("7", 7, id="text"),
        pytest.param(" 7 ", 7, id="text-with-space"),
        pytest.param("7.0", 7, id="text-of-float"),
        pytest.param(-7, -7, id="negative"),
        pytest.param("9007199254740993", 9007199254740993, id="beyond-a-float"),
    ],
)
def test_a_whole_number_is_read(value: object, number: int) -> None:
    """JSON has one kind of number, and vendors write large ones as text."""
    found = structure({"jobId": "1", "count": value}, Body).count

    assert found == number


@given(number=st.integers(-(2**63), 2**63))
def test_a_whole_number_in_text_is_read_exactly(number: int) -> None:
    """A size or a count is not rounded."""
    found = structure({"url": "/", "size": str(number)}, Part).size

    assert found == number


@pytest.mark.parametrize("value", [True, 0.5, "nan", "1e400", "", "x", [], {}], ids=repr)
def test_what_is_no_whole_number_is_malformed(value: object) -> None:
    """A number is not guessed."""
    with pytest.raises(MalformedResponse, match="whole number"):
        structure({"jobId": "1", "count": value}, Body)


@pytest.mark.parametrize(
    ("value", "truth"), [(True, True), (False, False), ("true", True), (" False ", False)]
)
def test_a_truth_is_read(value: object, *, truth: bool) -> None:
    """Also where a vendor writes it as text."""
    found = structure({"jobId": "1", "done": value}, Body).done

    assert found is truth


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("2026-08-31T12:00:00Z", id="z"),
        pytest.param("2026-08-31T12:00:00", id="no-zone"),
        pytest.param("2026-08-31 12:00:00", id="space"),
        pytest.param("2026-08-31T14:00:00+02:00", id="zone"),
        pytest.param("2026-08-31T07:00:00-0500", id="zone-without-colon"),
        pytest.param("2026-08-31T12:00:00.000Z", id="milliseconds-in-iso"),
        pytest.param("2026-08-31T12:00:00.0000000Z", id="seven-digits"),
        pytest.param(" 2026-08-31T12:00Z ", id="space-around"),
        pytest.param("20260831T120000Z", id="basic"),
        pytest.param(EPOCH, id="seconds"),
        pytest.param(EPOCH * 1000, id="milliseconds"),
        pytest.param(float(EPOCH), id="float"),
        pytest.param(str(EPOCH), id="seconds-in-text"),
        pytest.param(f" {EPOCH * 1000} ", id="milliseconds-in-text"),
        pytest.param(f"{EPOCH}.0", id="float-in-text"),
    ],
)
def test_a_time_is_read_in_every_shape(value: object) -> None:
    """It comes out aware and in UTC."""
    found = structure({"jobId": "1", "createdAt": value}, Body).created_at

    assert found == NOON
    assert found is not None
    assert found.utcoffset() == timedelta()


@given(
    moment=st.datetimes(datetime(1973, 5, 1), datetime(4999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis takes the bounds without a zone
)
def test_a_time_is_the_same_moment_however_it_is_written(moment: datetime) -> None:
    """ISO in any zone, seconds and milliseconds since 1970."""
    moment = moment.replace(microsecond=0)
    seconds = int(moment.timestamp())
    elsewhere = moment.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()
    written = [moment.isoformat(), elsewhere, seconds, str(seconds), seconds * 1000]

    found = [structure({"jobId": "1", "created_at": value}, Body).created_at for value in written]

    assert found == [moment] * 5


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("yesterday", id="words"),
        pytest.param("2026-13-01", id="month-13"),
        pytest.param("31.08.2026", id="other-order"),
        pytest.param("9999-12-31T23:59:59-14:00", id="after-the-last-year"),
        pytest.param(True, id="true"),
        pytest.param(10**400, id="huge"),
        pytest.param(1e300, id="huge-float"),
        pytest.param(float("nan"), id="nan"),
        pytest.param(float("-inf"), id="infinite"),
        pytest.param("nan", id="nan-in-text"),
        pytest.param([NOON.isoformat()], id="list"),
    ],
)
def test_what_is_no_time_is_malformed(value: object) -> None:
    """A time is not guessed."""
    with pytest.raises(MalformedResponse, match=r"expected a time.* @ \$\.created_at"):
        structure({"jobId": "1", "created_at": value}, Body)


@given(content=st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
@example(content=b"\xff\xfe\xfd")
@example(content=b'"\xed\xa0\x80"')
@example(content=b"\xef\xbb\xbf{}")
@example(content=b"[NaN, Infinity, -Infinity, 1e999]")
def test_any_bytes_are_json_or_malformed(content: bytes) -> None:
    """What is parsed can be structured or refused in turn."""
    try:
        value = parse_json(content)
    except MalformedResponse as error:
        value = error

    assert isinstance(value, MalformedResponse) or structured(value, Body)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>", id="html"),
        pytest.param(b'{"a": ', id="cut-short"),
        pytest.param(b"{} {}", id="two-documents"),
        pytest.param(b"\xff\xfe\xfd", id="bad-utf-8"),
        pytest.param(b"[" * 100_000, id="deep-list"),
        pytest.param(b'{"a":' * 100_000, id="deep-object"),
        pytest.param(b"9" * 5000, id="number-of-5000-digits"),
    ],
)
def test_bytes_that_are_no_json_are_malformed_at_the_root(content: bytes) -> None:
    """One line, without what was found."""
    with pytest.raises(MalformedResponse) as caught:
        parse_json(content)

    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith("not JSON (")
    assert caught.value.problems[0].endswith(" @ $")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param({"b": 1, "a": [None, True]}, '{"a":[null,true],"b":1}', id="sorted"),
        pytest.param({"on": date(2026, 8, 31)}, '{"on":"2026-08-31"}', id="date"),
        pytest.param(NOON, '"2026-08-31T12:00:00+00:00"', id="time"),
        pytest.param((1, "ä"), '[1,"\\u00e4"]', id="tuple"),
    ],
)
def test_a_value_is_written_canonically(value: object, text: str) -> None:
    """Two that are the same have the same digest."""
    written = dump_json(value)

    assert written == text


@pytest.mark.parametrize(
    "value", [object(), b"x", {1}, float("nan")], ids=["object", "bytes", "set", "nan"]
)
def test_a_value_without_a_form_in_json_is_a_type_error(value: object) -> None:
    """It is found before anything is sent."""
    with pytest.raises(TypeError):
        dump_json({"a": [value]})

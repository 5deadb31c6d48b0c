"""A caller's argument is what its annotation wants, or is refused in one line."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportjobs.adapter._structure import conform

DAY = date(2026, 8, 31)
NOON = datetime(2026, 8, 31, 12, tzinfo=UTC)
Format = Literal["CSV", "JSON"]
any_text = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("value", "annotation", "conformed"),
    [
        pytest.param("x", str, "x", id="text"),
        pytest.param(7, str, "7", id="number-for-text"),
        pytest.param("7", int, 7, id="text-for-number"),
        pytest.param("true", bool, True, id="text-for-truth"),
        pytest.param(None, str | None, None, id="nothing"),
        pytest.param("x", str | None, "x", id="something"),
        pytest.param("2026-08-31", date, DAY, id="date-in-text"),
        pytest.param(DAY, date, DAY, id="date"),
        pytest.param("2026-08-31", date | None, DAY, id="date-or-nothing"),
        pytest.param("2026-08-31T12:00:00Z", datetime, NOON, id="time-in-text"),
        pytest.param(NOON, datetime, NOON, id="time"),
        pytest.param(NOON.replace(tzinfo=None), datetime, NOON, id="time-without-zone"),
        pytest.param(DAY, datetime, datetime(2026, 8, 31, tzinfo=UTC), id="date-for-time"),
        pytest.param("CSV", Format, "CSV", id="choice"),
        pytest.param(None, Format | None, None, id="choice-or-nothing"),
        pytest.param(["a", "b"], Sequence[str], ("a", "b"), id="list"),
        pytest.param(("a",), Sequence[str], ("a",), id="tuple"),
        pytest.param([], Sequence[str] | None, (), id="empty-list"),
        pytest.param(["CSV"], Sequence[Format], ("CSV",), id="list-of-choices"),
        pytest.param(["1", 2], Sequence[int], (1, 2), id="list-of-numbers"),
        pytest.param({"a": [1]}, Mapping[str, object], {"a": [1]}, id="object"),
        pytest.param(
            MappingProxyType({"a": 1}), Mapping[str, object], {"a": 1}, id="read-only-object"
        ),
        pytest.param([{"a": 1}], Sequence[Mapping[str, object]], ({"a": 1},), id="list-of-objects"),
        pytest.param(
            [{"a": "b"}], Sequence[Mapping[str, str]], ({"a": "b"},), id="list-of-texts-by-name"
        ),
    ],
)
def test_an_argument_becomes_what_its_annotation_wants(
    value: object, annotation: object, conformed: object
) -> None:
    """The command line has only text, and people write dates as text."""
    found = conform(value, annotation)

    assert found == conformed
    assert type(found) is type(conformed) or isinstance(conformed, dict)


@pytest.mark.parametrize(
    ("value", "annotation", "reason"),
    [
        pytest.param("name", Sequence[str], "expected a list", id="text-for-list"),
        pytest.param("name", tuple[str, ...], "expected a list", id="text-for-tuple"),
        pytest.param("name", list[str], "expected a list", id="text-for-python-list"),
        pytest.param("name", set[str], "expected a list", id="text-for-set"),
        pytest.param("name", tuple, "expected a list", id="text-for-bare-tuple"),
        pytest.param("name", list, "expected a list", id="text-for-bare-list"),
        pytest.param(b"name", Sequence[int], "expected a list", id="bytes-for-list"),
        pytest.param({"a": 1}, Sequence[str], "expected a list", id="object-for-list"),
        pytest.param(7, Sequence[str], "expected a list", id="number-for-list"),
        pytest.param("name", Sequence[str] | None, "expected a list", id="text-for-optional-list"),
        pytest.param(["a", None], Sequence[str], "expected a string @ $[1]", id="nothing-in-list"),
        pytest.param(["CSV", "XML"], Sequence[Format], "CSV, JSON @ $[1]", id="choice-in-list"),
        pytest.param("xml", Format, "expected one of CSV, JSON", id="no-choice"),
        pytest.param("csv", Format, "expected one of CSV, JSON", id="choice-in-other-case"),
        pytest.param([], Format, "expected one of CSV, JSON", id="list-for-choice"),
        pytest.param("31.08.2026", date, "expected a date such as", id="date-in-other-order"),
        pytest.param(NOON, date, "expected a date such as", id="time-for-date"),
        pytest.param(20260831, date, "expected a date such as", id="number-for-date"),
        pytest.param("soon", datetime, "expected a time", id="words-for-time"),
        pytest.param([("a", 1)], Mapping[str, object], "expected an object", id="pairs"),
        pytest.param("a=1", Mapping[str, object], "expected an object", id="text-for-object"),
        pytest.param("many", int, "expected a whole number", id="words-for-number"),
        pytest.param(True, int, "expected a whole number", id="truth-for-number"),
        pytest.param("yes", bool, "expected true or false", id="word-for-truth"),
        pytest.param(None, str, "expected a string", id="nothing-for-text"),
    ],
)
def test_an_argument_that_cannot_be_is_refused_with_what_was_expected(
    value: object, annotation: object, reason: str
) -> None:
    """The reason stands behind the argument's name, on one line."""
    with pytest.raises(ValueError, match="expected") as caught:
        conform(value, annotation)

    assert reason in str(caught.value)
    assert not str(caught.value).endswith(" @ $")


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | any_text | st.binary(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
        max_leaves=5,
    ),
    annotation=st.sampled_from(
        [str, int, bool, date, datetime, Format, Sequence[str], Mapping[str, object], date | None]
    ),
)
def test_any_argument_conforms_or_is_refused_on_one_line(value: object, annotation: object) -> None:
    """No value that a caller may pass is another exception."""
    assert "\n" not in outcome(value, annotation)


def outcome(value: object, annotation: object) -> str:
    """Return why an argument is refused, or nothing."""
    try:
        conform(value, annotation)
    except ValueError as error:
        return str(error) or "\n"
    return ""

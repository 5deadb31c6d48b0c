"""Whatever JSON a vendor sends, an adapter reads a job in it or says what is wrong."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs.adapter import ExportJob, Flow, MalformedResponse, Response, Token

from .cases import CASES, CLARI, DEMANDBASE, DEMANDBASE_V1, Case
from .support import Body, Wire

Place = tuple[str | int, ...]

# Each of these has broken a parser of times, numbers, addresses or paths.
HOSTILE: Mapping[str, object] = {
    "empty": "",
    "parent": "..",
    "lone-surrogate": "\ud800",
    "no-address": "https://[",
    "late-lease": "https://files.example/?sig=s&se=9999-12-31T23:59:59-14:00",
    "late-time": "9999-12-31T23:59:59-14:00",
    "huge-numeral": "1e400",
    "no-numeral": "nan",
    "huge": 10**400,
    "large": 2**63,
    "negative": -1,
    "fraction": 0.5,
    "infinite": float("inf"),
    "not-a-number": float("nan"),
    "true": True,
    "list": [[]],
    "object": {"a": {}},
}
_texts = st.text(st.characters(exclude_categories=()))
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | _texts
json_values: st.SearchStrategy[object] = st.recursive(
    _scalars | st.sampled_from(list(HOSTILE.values())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)
every_adapter = pytest.mark.parametrize("case", CASES, ids=str)


def places(value: object, before: Place = ()) -> Iterator[Place]:
    """Yield the place of every member of an object, however deep."""
    members: Mapping[Any, object] = {}
    if isinstance(value, dict):
        members = value
    elif isinstance(value, list):
        members = dict(enumerate(value))
    for key, member in members.items():
        yield (*before, key)
        yield from places(member, (*before, key))


def touched(case: Case) -> list[Place]:
    """Return the places of a good body that take wrong values."""
    return list(places(case.done))


def replaced(body: Body, place: Place, value: object) -> Body:
    """Return a body with another value at a place."""
    changed = deepcopy(body)
    _holder(changed, place)[place[-1]] = value
    return changed


def without(body: Body, place: Place) -> Body:
    """Return a body that lacks the member at a place."""
    changed = deepcopy(body)
    del _holder(changed, place)[place[-1]]
    return changed


def _holder(body: Body, place: Place) -> Any:  # noqa: ANN401 - an object or a list
    holder: Any = body
    for key in place[:-1]:
        holder = holder[key]
    return holder


def outcome(case: Case, flow: Flow[Any], body: object) -> object:
    """Return what a flow makes of a body, or the one error that it may make of it."""
    wire = Wire(case.adapter, Response(200, {}, json.dumps(body).encode()))
    try:
        return wire.hear(flow)
    except MalformedResponse as error:
        return error


def assert_usable(case: Case, found: object) -> None:
    """Check that a job can be worked with, or that an error points at what is wrong."""
    if isinstance(found, MalformedResponse):
        assert found.problems
        assert all("@ $" in problem for problem in found.problems)
        return
    assert isinstance(found, ExportJob)
    assert found.ref.account_key == case.adapter.account
    assert found.expires_at is None or found.expires_at.utcoffset() is not None
    fraction = found.progress.fraction if found.progress else None
    assert fraction is None or 0 <= fraction <= 1
    assert repr(found)


@every_adapter
@given(body=json_values)
@example(body=None)
@example(body=[])
@example(body={})
@example(body={"job": None})
@example(body={"job": {"job": {}}})
def test_any_json_is_a_job_or_malformed(case: Case, body: object) -> None:
    """A poll's body may be anything at all."""
    found = outcome(case, case.adapter.poll(case.ref()), body)

    assert_usable(case, found)


@every_adapter
@given(data=st.data())
def test_a_member_of_another_type_gives_a_job_or_malformed(case: Case, data: st.DataObject) -> None:
    """One wrong value in a good body is the ordinary way of a vendor to be wrong."""
    place = data.draw(st.sampled_from(touched(case)))
    body = replaced(case.done, place, data.draw(json_values))

    found = outcome(case, case.adapter.poll(case.ref()), body)

    assert_usable(case, found)


@every_adapter
@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_value_anywhere_gives_a_job_or_malformed(case: Case, value: object) -> None:
    """Every member of a good body takes every value that is known to do harm."""
    for place in touched(case):
        body = replaced(case.done, place, value)

        found = outcome(case, case.adapter.poll(case.ref()), body)

        assert_usable(case, found)


@every_adapter
def test_a_member_nulled_gives_a_job_or_malformed(case: Case) -> None:
    """Every member of a good body is null once."""
    for place in places(case.done):
        found = outcome(case, case.adapter.poll(case.ref()), replaced(case.done, place, None))

        assert_usable(case, found)


@every_adapter
def test_a_member_dropped_gives_a_job_or_malformed(case: Case) -> None:
    """Every member of a good body goes missing once."""
    for place in places(case.done):
        found = outcome(case, case.adapter.poll(case.ref()), without(case.done, place))

        assert_usable(case, found)


@pytest.mark.parametrize("case", [CLARI, DEMANDBASE, DEMANDBASE_V1], ids=str)
@given(body=json_values)
def test_any_json_is_a_list_of_jobs_or_malformed(case: Case, body: object) -> None:
    """A list's body may be anything at all."""
    found = outcome(case, case.adapter.list_jobs(), body)

    assert isinstance(found, MalformedResponse | tuple)


@given(body=json_values, lifetime=json_values)
@example(body="t", lifetime=10**30)
@example(body="t", lifetime=-1)
def test_any_json_is_a_token_or_malformed(body: object, lifetime: object) -> None:
    """The answer to signing in may be anything at all, and so may its members."""
    for answered in (body, {"accessToken": body, "expiresIn": lifetime}):
        found = outcome(DEMANDBASE, DEMANDBASE.adapter.sign_in(), answered)

        assert isinstance(found, MalformedResponse | Token)

"""The durable name of a job: what is written is read again, and nothing else is."""

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs.adapter._errors import InvalidRef
from exportjobs.adapter._job import JobRef

REF = JobRef("clari", "default", "r-1", kind="forecast")
NOON = datetime(2026, 8, 31, 12, tzinfo=UTC)
WRITTEN: dict[str, object] = {
    "version": 1,
    "vendor": "clari",
    "account": "default",
    "kind": "forecast",
    "id": "r-1",
    "scope": {},
    "submitted_at": None,
    "digest": "",
}

any_text = st.text(st.characters(exclude_categories=()))
words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)
zones = st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone)
refs = st.builds(
    JobRef,
    vendor=words,
    account=words,
    id=words,
    kind=st.just("") | words,
    scope=st.dictionaries(words, words, max_size=3),
    submitted_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    digest=st.just("") | st.text("0123456789abcdef", min_size=64, max_size=64),
)


def written(**members: object) -> str:
    """Return a ref's JSON with some members changed."""
    return json.dumps(WRITTEN | members)


@given(ref=refs)
@example(ref=JobRef("clari", "default", "-r", kind="-", scope={"-": "-"}))
@example(ref=JobRef("clari", "default", "a/b", kind="--x"))
def test_a_ref_comes_back_from_its_json(ref: JobRef) -> None:
    """Another process finds the job again."""
    text = ref.to_json()

    assert JobRef.from_json(text) == ref
    assert "\n" not in text


@given(moment=st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=zones))  # noqa: DTZ001 - hypothesis takes the bounds without a zone
def test_a_ref_is_written_in_utc(moment: datetime) -> None:
    """A ref's time is the same text wherever it is written."""
    text = JobRef("clari", "default", "1", submitted_at=moment).to_json()

    submitted_at = json.loads(text)["submitted_at"]
    assert submitted_at.endswith("+00:00")
    assert datetime.fromisoformat(submitted_at) == moment


@given(extra=st.dictionaries(any_text, st.none() | st.integers() | st.lists(any_text)))
def test_a_ref_tolerates_members_of_a_later_version(extra: dict[str, object]) -> None:
    """What a later release adds does not keep this one from reading the ref."""
    text = json.dumps(extra | WRITTEN)

    assert JobRef.from_json(text) == REF


def test_a_ref_is_read_without_what_it_can_do_without() -> None:
    """Kind, time and digest may be absent."""
    least = {key: WRITTEN[key] for key in ("version", "vendor", "account", "id", "scope")}

    ref = JobRef.from_json(json.dumps(least))

    assert ref == JobRef("clari", "default", "r-1")


@pytest.mark.parametrize("version", [0, 2, 1.5, "1", None, True, []], ids=repr)
def test_a_ref_of_another_version_is_refused_by_its_version(version: object) -> None:
    """The error says which version was found, so that the reader knows what to upgrade."""
    with pytest.raises(InvalidRef, match="is in version") as caught:
        JobRef.from_json(written(version=version))

    assert repr(version) in str(caught.value)


def test_a_ref_of_a_later_shape_is_refused_by_its_version() -> None:
    """A later version may have other members altogether: its number is read before they are."""
    with pytest.raises(InvalidRef, match="is in version 2"):
        JobRef.from_json('{"version": 2, "urn": "job:clari:r-1"}')


def read(text: str) -> JobRef | InvalidRef:
    """Return the ref that a text is, or why it is none."""
    try:
        return JobRef.from_json(text)
    except InvalidRef as error:
        return error


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("clari/default/forecast/r-1", id="the-short-form"),
        pytest.param("null", id="null"),
        pytest.param("[]", id="list"),
        pytest.param("7", id="number"),
        pytest.param('"version"', id="text"),
        pytest.param("{}", id="empty-object"),
        pytest.param("1" * 5000, id="huge-number"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param('{"version": ' + "[" * 100_000, id="deep-version"),
        pytest.param(written(vendor=""), id="empty-vendor"),
        pytest.param(written(id=""), id="empty-id"),
        pytest.param(written(id=7), id="number-for-id"),
        pytest.param(written(id="a\nb"), id="two-line-id"),
        pytest.param(written(account=None), id="no-account"),
        pytest.param(written(kind=None), id="null-kind"),
        pytest.param(written(kind=7), id="number-for-kind"),
        pytest.param(written(kind="a\nb"), id="two-line-kind"),
        pytest.param(written(digest={}), id="object-for-digest"),
        pytest.param(written(scope=None), id="no-scope"),
        pytest.param(written(scope=["a"]), id="list-for-scope"),
        pytest.param(written(scope={"a": 7}), id="number-in-scope"),
        pytest.param(written(submitted_at="yesterday"), id="no-time"),
        pytest.param(written(submitted_at=7), id="number-for-time"),
        pytest.param(written(submitted_at="2026-08-31T12:00:00"), id="time-without-zone"),
    ],
)
def test_a_text_that_is_no_ref_is_refused(text: str) -> None:
    """A ref is typed in and kept in files: what it has become is told, not guessed."""
    with pytest.raises(InvalidRef) as caught:
        JobRef.from_json(text)

    assert str(caught.value).isprintable()


json_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)


@given(
    text=any_text
    | json_values.map(json.dumps)
    | st.dictionaries(st.sampled_from(list(WRITTEN)), json_values).map(
        lambda members: json.dumps(WRITTEN | members)
    )
)
def test_any_text_is_a_ref_or_an_invalid_ref(text: str) -> None:
    """No text raises anything but the library's own error, and a ref that is read stays one."""
    found = read(text)

    assert str(found).isprintable()
    assert isinstance(found, InvalidRef) or read(found.to_json()) == found


def test_a_ref_is_shown_on_one_line_with_its_kind_or_a_dash() -> None:
    """The short form always has four parts."""
    shown = [str(REF), str(JobRef("clari", "default", "r-1"))]

    assert shown == ["clari/default/forecast/r-1", "clari/default/-/r-1"]


def test_a_ref_cannot_be_changed_and_can_be_looked_up() -> None:
    """Its scope is a copy that nobody can write to, and it serves as a key."""
    scope = {"client": "c-1"}
    ref = JobRef("clari", "default", "r-1", scope=scope)

    scope["client"] = "c-2"

    assert ref.scope == {"client": "c-1"}
    assert not hasattr(ref.scope, "__setitem__")
    assert {ref: 1}[JobRef("clari", "default", "r-1", scope={"client": "c-1"})] == 1


def pickled(ref: JobRef) -> JobRef:
    """Return a ref as another process gets it."""
    again: JobRef = pickle.loads(pickle.dumps(ref))  # noqa: S301 - what was just written
    return again


@pytest.mark.parametrize("again", [copy.deepcopy, pickled])
def test_a_ref_is_copied_whole(again: Callable[[JobRef], JobRef]) -> None:
    """A job goes to a worker process, and its errors carry the ref with them."""
    ref = JobRef("clari", "default", "r-1", scope={"client": "c-1"}, submitted_at=NOON)

    copied = again(ref)

    assert copied == ref

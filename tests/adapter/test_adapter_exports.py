"""An export that is asked for but not yet sent: built, checked, compared and built again."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportjobs import BrokenAdapter, Export, InvalidArgument, JobStatus, Unsupported
from exportjobs.adapter import (
    Adapter,
    ExportJob,
    Flow,
    JobRef,
    Reading,
    Request,
    Response,
    export,
    field,
    frozen,
)

Arguments = dict[str, Any]


@frozen
class Acme(Adapter):
    """A made-up vendor, whose flows write down how far they came."""

    vendor: ClassVar[str] = "acme"
    base_url: str = field(default="https://api.acme.example", kw_only=True)
    diary: list[str] = field(factory=list[str], eq=False, repr=False)

    def authenticate(self, request: Request) -> Request:
        """Leave the request as it is."""
        return request

    @export
    def report(
        self,
        name: str,
        *,
        shape: Literal["csv", "json"] = "csv",
        columns: Sequence[str] = (),
        lists: Sequence[int] | None = None,
        since: date | None = None,
        until: date | None = None,
        at: datetime | None = None,
        rows: int | None = None,
        deep: bool = False,
        filters: Mapping[str, object] | None = None,
        owner: "Owner | None" = None,
    ) -> Flow[ExportJob]:
        """Export one report.

        It takes a while.
        """
        self.check_order("since", since, until)
        self.diary.append("asks")
        wanted = {"name": name, "shape": shape, "columns": columns, "lists": lists, "at": at}
        also = {"rows": rows, "deep": deep, "filters": filters, "owner": owner}
        yield Request.post("/reports", json={**wanted, **also})
        self.diary.append("hears")
        return ExportJob(self.ref("R1"), Reading(JobStatus.QUEUED, "new"))

    @export
    def audit(self, name: str) -> Flow[ExportJob]:
        """Export the audit log."""
        return (yield from self.poll(self.ref(name)))

    @export
    def payroll(self) -> Flow[ExportJob]:
        """Export what this vendor does not let go of."""
        yield from ()
        raise Unsupported("payroll stays where it is")

    @export
    def nothing(self) -> Flow[ExportJob]:
        """Export nothing, which takes no request."""
        yield from ()
        return ExportJob(self.ref("R0"), Reading(JobStatus.DONE, "done"))

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one job's status."""
        yield Request.get(f"/reports/{ref.id}")
        return ExportJob(ref, Reading(JobStatus.DONE, "done"))


Owner = Literal["me", "all"]

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
some_arguments = st.fixed_dictionaries(
    {"name": st.text()},
    optional={
        "shape": st.sampled_from(["csv", "json"]),
        "columns": st.lists(st.text()),
        "lists": st.lists(st.integers()),
        "since": st.dates(),
        "at": st.datetimes(timezones=st.just(UTC)),
        "rows": st.integers(),
        "deep": st.booleans(),
        "filters": st.dictionaries(st.text(), _json, max_size=4),
        "owner": st.sampled_from(["me", "all"]),
    },
)


def rebuilt(written: Export) -> Export:
    """Return the export that another process would build from what this one says of itself."""
    read: Arguments = json.loads(written.to_json())
    again: Export = getattr(Acme(name=read["account"]), read["kind"])(**read["arguments"])
    return again


def test_a_constructor_sends_nothing() -> None:
    """The flow is run up to its first request, which nobody answers."""
    acme = Acme()

    made = acme.report("q3")

    assert isinstance(made, Export)
    assert acme.diary == ["asks"]


def test_submitting_begins_the_flow_anew() -> None:
    """The checks at construction take nothing away from what is sent later."""
    acme = Acme()
    made = acme.report("q3", rows=5)

    flow = made.submit()
    request = next(flow)
    with pytest.raises(StopIteration) as end:
        flow.send(Response(200))

    assert (request.method, request.path) == ("POST", "/reports")
    assert request.json is not None
    assert (request.json["name"], request.json["rows"]) == ("q3", 5)
    assert end.value.value.ref.id == "R1"
    assert acme.diary == ["asks", "asks", "hears"]


def test_an_export_that_needs_no_request_can_be_made() -> None:
    """A flow may end without having asked anything."""
    made = Acme().nothing()

    assert (made.kind, dict(made.arguments)) == ("nothing", {})


@given(some_arguments)
def test_equal_requests_are_equal(arguments: Arguments) -> None:
    """Built twice from the same, two exports have one digest and one hash."""
    one, other = Acme().report(**arguments), Acme().report(**arguments)

    assert one == other
    assert one.digest == other.digest
    assert hash(one) == hash(other)


@given(some_arguments)
def test_an_export_is_rebuilt_from_its_json(arguments: Arguments) -> None:
    """Kind and arguments are all that another process needs."""
    made = Acme(name="north").report(**arguments)

    again = rebuilt(made)

    assert again == made
    assert again.to_json() == made.to_json()


def test_a_time_of_another_zone_is_rebuilt_from_its_json() -> None:
    """A time keeps its zone, which may say which day is meant, as it does to Clari."""
    noon = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    made = Acme().report("q3", at=noon)

    assert rebuilt(made) == made
    assert Acme().report("q3", at=noon.astimezone(UTC)) != made


@pytest.mark.parametrize(
    ("name", "default"),
    [("shape", "csv"), ("columns", ()), ("columns", []), ("since", None), ("deep", False)],
    ids=["choice", "tuple", "list", "no-date", "flag"],
)
def test_an_argument_at_its_default_changes_nothing(name: str, default: object) -> None:
    """Said or not, what goes without saying is the same request."""
    arguments: Arguments = {name: default}

    said = Acme().report("q3", **arguments)

    assert said == Acme().report("q3")
    assert dict(said.arguments) == {"name": "q3"}


@pytest.mark.parametrize(
    "other",
    [
        Acme().report("q4"),
        Acme().report("q3", rows=1),
        Acme(name="north").report("q3"),
        Acme().audit("q3"),
    ],
    ids=["argument", "one-more", "account", "kind"],
)
def test_different_requests_differ(other: Export) -> None:
    """Account, kind and arguments all count."""
    made = Acme().report("q3")

    assert made != other
    assert made.digest != other.digest


def test_an_export_says_nothing_of_its_address_and_credentials() -> None:
    """What is written down is vendor, account, kind and arguments, in canonical JSON."""
    made = Acme(base_url="https://eu.acme.example").report("q3", since="2026-03-01")  # type: ignore[arg-type]

    assert made.to_json() == (
        '{"account":"default","arguments":{"name":"q3","since":"2026-03-01"},'
        '"kind":"report","vendor":"acme"}'
    )
    assert "eu.acme.example" not in repr(made)
    assert made.account == ("acme", "default")


def test_a_digest_is_the_same_in_every_process() -> None:
    """No order of a hash table gets into it."""
    code = (
        "from exportjobs_csv import CsvExport\n"
        "api = CsvExport('key', 'tenant', base_url='https://csv.example')\n"
        "print(api.clients(filter={'b': [1, None], 'a': {'z': 'é', 'y': 0.1}}).digest)"
    )

    digests = {
        subprocess.check_output(  # noqa: S603 - our own code
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, text=True
        ).strip()
        for seed in ("0", "1", "4711")
    }

    assert len(digests) == 1
    assert len(digests.pop()) == 64


def test_equal_sets_make_equal_exports() -> None:
    """A set has no order, so none of its making may get into the digest."""
    one, other = {0, 8}, {8, 0}
    assert [*one] != [*other]
    arguments: list[Any] = [one, other]

    first, second = (Acme().report("q3", lists=ids) for ids in arguments)

    assert first == second


def test_an_export_does_not_change_with_what_it_was_made_from() -> None:
    """The caller may go on with her list and her dictionary."""
    columns, filters = ["name"], {"stage": ["won"]}
    made = Acme().report("q3", columns=columns, filters=filters)
    before = made.to_json()

    columns.append("owner")
    filters["owner"] = ["me"]
    filters["stage"].append("lost")

    assert made.to_json() == before


@pytest.mark.parametrize(
    ("positional", "named"),
    [((), {"nmae": "q3"}), (("q3",), {"color": "red"}), ((), {}), (("q3", "csv"), {})],
    ids=["misspelt", "unknown", "missing", "one-too-many"],
)
def test_arguments_that_do_not_fit_the_signature(
    positional: tuple[Any, ...], named: Arguments
) -> None:
    """A wrong name is what it is for any Python function; the error names vendor and kind."""
    acme = Acme()

    with pytest.raises(TypeError, match=r"^acme report: .*argument"):
        acme.report(*positional, **named)

    assert acme.diary == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("name", None, id="no-text"),
        pytest.param("name", b"q3", id="bytes"),
        pytest.param("shape", "xml", id="no-such-choice"),
        pytest.param("shape", "CSV", id="choice-in-other-case"),
        pytest.param("shape", ["csv"], id="list-for-choice"),
        pytest.param("owner", "you", id="forward-reference"),
        pytest.param("columns", "name", id="bare-string-for-list"),
        pytest.param("columns", 5, id="number-for-list"),
        pytest.param("columns", ["name", 1.5], id="wrong-item"),
        pytest.param("since", "yesterday", id="no-date"),
        pytest.param("since", 20260301, id="number-for-date"),
        pytest.param("at", "noon", id="no-time"),
        pytest.param("rows", "many", id="no-number"),
        pytest.param("rows", 1.5, id="half-a-row"),
        pytest.param("rows", True, id="flag-for-number"),
        pytest.param("rows", float("inf"), id="infinity"),
        pytest.param("deep", "yes", id="no-flag"),
        pytest.param("deep", 1, id="number-for-flag"),
        pytest.param("filters", ["stage"], id="list-for-object"),
        pytest.param("filters", {"stage": {1j}}, id="no-json"),
        pytest.param("filters", {"stage": float("nan")}, id="nan"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(name: str, value: object) -> None:
    """The error names vendor and argument, and not even the flow was begun."""
    acme = Acme()
    arguments: Arguments = {"name": "q3", name: value}

    with pytest.raises(InvalidArgument) as caught:
        acme.report(**arguments)

    assert (caught.value.vendor, caught.value.field) == ("acme", name)
    assert str(caught.value).startswith(f"acme: {name}: ")
    assert acme.diary == []


def test_the_adapters_own_checks_are_made_at_construction() -> None:
    """What a flow checks before its first request need not wait for it."""
    acme = Acme()

    with pytest.raises(InvalidArgument) as caught:
        acme.report("q3", since=date(2026, 3, 2), until=date(2026, 3, 1))

    assert (caught.value.vendor, caught.value.field) == ("acme", "since")
    assert acme.diary == []


def test_an_error_of_a_flow_is_told_whose_it_is() -> None:
    """A flow need not say which vendor it belongs to."""
    with pytest.raises(Unsupported, match=r"^acme: payroll stays where it is$"):
        Acme().payroll()


@pytest.mark.parametrize(
    ("arguments", "scope"),
    [
        ({"name": "q3", "shape": "json"}, {"name": "q3", "shape": "json"}),
        ({"name": "q3"}, {"name": "q3", "shape": "csv"}),
        ({"name": "q3", "rows": 7}, {"name": "q3", "shape": "csv", "rows": "7"}),
    ],
)
def test_a_scope_is_made_of_arguments_and_their_defaults(
    arguments: Arguments, scope: dict[str, str]
) -> None:
    """An export keeps what was given alone, and a poll may need what was not."""
    kind = Acme.kinds()["report"]

    assert kind.scope(("name", "shape", "rows", "of-another-kind"), arguments) == scope


@frozen
class Hasty(Acme):
    """Its flow makes a mistake before its first request, or has none."""

    @export
    def slip(self, name: str) -> Flow[ExportJob]:
        """Export what a slip is about."""
        return (yield from self.report(name[0]).submit())

    @export
    def stub(self) -> Flow[ExportJob]:
        """Export what was never written."""
        return None  # type: ignore[return-value]  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize(
    "asked", [lambda: Hasty().slip(""), lambda: Hasty().stub()], ids=["slip", "stub"]
)
def test_a_mistake_of_an_adapter_is_told_as_its_own(asked: Callable[[], Export]) -> None:
    """Of all that is installed, the caller is to know who made it."""
    with pytest.raises(BrokenAdapter, match="acme: the adapter failed in s") as caught:
        asked()

    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__traceback__ is not None

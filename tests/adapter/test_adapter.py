"""What every adapter has: checked credentials and addresses, kinds, capabilities and refusals."""

import inspect
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.errors import raises_error

from exportjobs import ExistingJob, ExportJobsError, InvalidArgument, InvalidRef, Unsupported
from exportjobs import adapter as contract
from exportjobs.adapter import (
    Adapter,
    ExportJob,
    Flow,
    JobRef,
    Request,
    StatusMap,
    Token,
    credential,
    export,
    field,
    frozen,
)

SECRET = "do-not-tell-4711"  # noqa: S105 - nobody's


@frozen
class Acme(Adapter):
    """A made-up vendor that can do no more than it must."""

    vendor: ClassVar[str] = "acme"
    key: str = field(default=SECRET, repr=False, validator=credential)
    base_url: str = field(default="https://api.acme.example", kw_only=True)

    def authenticate(self, request: Request) -> Request:
        """Put the key on a request."""
        return request.with_header("X-Key", self.key)

    @export
    def report(self, name: str, *, shape: Literal["csv", "json"] = "csv") -> Flow[ExportJob]:
        """Export one report.

        It takes a while.
        """
        yield Request.post("/reports", json={"name": name, "shape": shape})
        return (yield from self.poll(self.ref(name)))

    @export
    def audit(self, columns: "Sequence[Column]" = ()) -> Flow[ExportJob]:
        """Export the audit log."""
        yield Request.post("/audit", json={"columns": columns})
        return (yield from self.poll(self.ref("A1")))

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one job's status, in vain."""
        yield Request.get(f"/reports/{ref.id}")
        raise self.unsupported("telling")


Column = Literal["who", "what"]


@frozen
class NewAcme(Acme):
    """The vendor's next version: one more kind, another one changed, more that it can do."""

    vendor: ClassVar[str] = "new-acme"

    @export
    def plans(self, adapter: str = "") -> Flow[ExportJob]:  # noqa: D102 - says nothing of itself
        yield Request.post("/plans", json={"adapter": adapter})
        return (yield from self.poll(self.ref("P1")))

    @export
    def report(self, name: str, *, shape: Literal["csv", "json"] = "json") -> Flow[ExportJob]:
        """Export one report, newly."""
        yield Request.post("/new-reports", json={"name": name, "shape": shape})
        return (yield from self.poll(self.ref(name)))

    def cancel(self, ref: JobRef) -> Flow[ExportJob]:
        """Cancel a job."""
        return (yield from self.poll(ref))

    def sign_in(self) -> Flow[Token]:
        """Trade the key for a token."""
        yield Request.post("/token")
        return Token("t")


@frozen
class SignedIn(Acme):
    """The vendor, where the token office is on a host of its own."""

    sign_in_url: str = field(default="https://login.acme.example", kw_only=True)


REF = JobRef("acme", "default", "R1", kind="report")


def test_kinds_stand_in_the_order_written() -> None:
    """The command line and the documentation list them as their author did."""
    assert list(Acme.kinds()) == ["report", "audit"]
    assert list(Adapter.kinds()) == []


def test_kinds_are_inherited() -> None:
    """A subclass's own come last; one written anew takes the other's place."""
    kinds = NewAcme.kinds()

    assert list(kinds) == ["report", "audit", "plans"]
    assert kinds["audit"] is Acme.kinds()["audit"]
    assert next(NewAcme().report("q3").submit()).path == "/new-reports"


def test_a_kind_is_described_by_its_constructor() -> None:
    """Name and docstring are the single source."""
    kinds = NewAcme.kinds()

    assert [(kind.name, kind.summary) for kind in kinds.values()] == [
        ("report", "Export one report, newly."),
        ("audit", "Export the audit log."),
        ("plans", ""),
    ]
    assert Acme.kinds()["report"].summary == "Export one report."


def test_a_kinds_signature_is_the_constructors_without_self() -> None:
    """Annotations are resolved, those that look ahead as well."""
    report, audit = (kind.signature for kind in Acme.kinds().values())

    assert list(report.parameters) == ["name", "shape"]
    assert report.parameters["name"].annotation is str
    assert report.parameters["shape"].kind is inspect.Parameter.KEYWORD_ONLY
    assert report.parameters["shape"].default == "csv"
    assert audit.parameters["columns"].annotation == Sequence[Column]


def test_a_constructor_looks_like_the_flow_it_is_made_from() -> None:
    """An editor shows the author's name, docstring and parameters."""
    assert Acme.report.__name__ == "report"
    assert (Acme.report.__doc__ or "").startswith("Export one report.")
    assert list(inspect.signature(Acme.report).parameters) == ["self", "name", "shape"]


def test_an_argument_may_have_any_name() -> None:
    """What the vendor calls a thing does not clash with what the library does."""
    assert dict(NewAcme().plans(adapter="usb").arguments) == {"adapter": "usb"}


@pytest.mark.parametrize(
    ("adapter", "able"),
    [(Adapter, set[str]()), (Acme, set[str]()), (NewAcme, {"cancel", "sign_in"})],
    ids=["none", "no-more-than-it-must", "two"],
)
def test_a_capability_is_a_flow_that_was_overridden(adapter: type[Adapter], able: set[str]) -> None:
    """Nobody has to declare what the class shows."""
    assert adapter.capabilities() == able


@pytest.mark.parametrize(
    ("flow", "what"),
    [
        pytest.param(lambda acme: acme.list_jobs(), "listing jobs", id="list"),
        pytest.param(lambda acme: acme.cancel(REF), "cancelling a job", id="cancel"),
        pytest.param(lambda acme: acme.limits(), "reading limits", id="limits"),
        pytest.param(lambda acme: acme.sign_in(), "signing in", id="sign-in"),
    ],
)
def test_a_flow_that_is_not_overridden_is_unsupported(
    flow: Callable[[Adapter], object], what: str
) -> None:
    """It says so at once and names the vendor."""
    with raises_error(
        Unsupported, reason=f"the vendor's API does not support {what}", remedy="", vendor="acme"
    ):
        flow(Acme())


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.acme.example",
        "https://api.acme.example:8443/v1/",
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://127.8.9.10/x",
        "http://[::1]:9/x",
    ],
)
def test_a_base_url_that_is_one(base_url: str) -> None:
    """Encrypted, or to this machine itself."""
    assert Acme(base_url=base_url).base_url == base_url


@pytest.mark.parametrize(
    "base_url",
    [
        pytest.param("http://api.acme.example", id="unencrypted"),
        pytest.param("http://localhost.acme.example", id="not-quite-localhost"),
        pytest.param("http://10.0.0.1", id="unencrypted-inside"),
        pytest.param("http://127.0.0.1.acme.example", id="not-quite-loopback"),
        pytest.param("", id="empty"),
        pytest.param("api.acme.example", id="no-scheme"),
        pytest.param("//api.acme.example", id="no-scheme-but-slashes"),
        pytest.param("ftp://api.acme.example", id="other-scheme"),
        pytest.param("https://", id="no-host"),
        pytest.param("https:///v1", id="no-host-but-path"),
        pytest.param("https://api.acme.example/v1?key=1", id="query"),
        pytest.param("https://api.acme.example/v1#part", id="fragment"),
        pytest.param(f"https://me:{SECRET}@api.acme.example", id="credentials"),
        pytest.param("https://me@api.acme.example", id="user"),
        pytest.param(f"https://:{SECRET}@localhost", id="password"),
        pytest.param("https://[api.acme.example", id="half-a-bracket"),
        pytest.param("https://api.acme.example:https", id="port-in-letters"),
        pytest.param("https://api.acme.example:70000", id="port-out-of-range"),
        pytest.param("https://api.acme.example\n", id="newline"),
        pytest.param("https://api.acme.example/v1\r\nX-Evil: 1", id="header"),
    ],
)
def test_a_base_url_that_is_none(base_url: str) -> None:
    """The error names the argument and shows nothing of what may be a secret."""
    with pytest.raises(InvalidArgument) as caught:
        Acme(base_url=base_url)

    assert (caught.value.vendor, caught.value.field) == ("acme", "base_url")
    assert SECRET not in f"{caught.value}{caught.value!r}{caught.value.args}"


@pytest.mark.parametrize(
    ("base_url", "reason", "remedy"),
    [
        (
            "http://api.acme.example",
            "would send credentials unencrypted",
            "use https",
        ),
        (
            "api.acme.example",
            "is not a base URL",
            "pass an https URL with a host, without query or fragment",
        ),
        (
            "https://[api.acme.example",
            "is not a base URL",
            "pass an https URL with a host, without query or fragment",
        ),
        (
            f"https://me:{SECRET}@api.acme.example",
            "holds credentials",
            "pass them as their own arguments",
        ),
    ],
    ids=["unencrypted", "no-scheme", "half-a-bracket", "credentials"],
)
def test_what_is_wrong_with_a_base_url_is_said(base_url: str, reason: str, remedy: str) -> None:
    """With what to do about it."""
    with raises_error(InvalidArgument, reason=f"base_url: {reason}", remedy=remedy, vendor="acme"):
        Acme(base_url=base_url)


@pytest.mark.parametrize(
    "sign_in_url",
    [
        pytest.param("http://login.acme.example", id="unencrypted"),
        pytest.param("login.acme.example", id="no-scheme"),
        pytest.param(f"https://me:{SECRET}@login.acme.example", id="credentials"),
        pytest.param("https://login.acme.example\n", id="newline"),
    ],
)
def test_an_address_to_sign_in_at_that_is_none(sign_in_url: str) -> None:
    """The client's secret goes there: it is checked as the base URL is, under its own name."""
    with pytest.raises(InvalidArgument) as caught:
        SignedIn(sign_in_url=sign_in_url)

    assert (caught.value.vendor, caught.value.field) == ("acme", "sign_in_url")
    assert SECRET not in f"{caught.value}{caught.value!r}{caught.value.args}"


def test_where_to_sign_in_is_an_argument_only_where_an_adapter_makes_it_one() -> None:
    """Most vendors issue their tokens where their API is."""
    assert Acme().sign_in_url == ""
    assert SignedIn().sign_in_url == "https://login.acme.example"
    assert "sign_in_url" not in inspect.signature(Acme).parameters
    assert "sign_in_url" in inspect.signature(SignedIn).parameters


def test_a_token_goes_along_as_a_bearer_token_unless_the_adapter_says_otherwise() -> None:
    """What the request has besides stays."""
    request = Acme().apply_token(Request.get("/").with_header("X-Key", "k"), Token("t1"))

    assert request.headers == {"x-key": "k", "authorization": "Bearer t1"}


@pytest.mark.parametrize("name", ["default", "north-2", "Büro Süd"])
def test_a_name_that_is_one(name: str) -> None:
    """An account is called whatever can stand in a ref."""
    assert Acme(name=name).account == ("acme", name)


@pytest.mark.parametrize("name", ["", "a/b", "a\nb", "a\x00", "\u202eb"])
def test_a_name_that_is_none(name: str) -> None:
    """Refs are read back from one line parted by slashes."""
    with raises_error(
        InvalidArgument,
        reason="name: must be a printable text without slashes, and not empty",
        remedy="use a short name",
        vendor="acme",
    ):
        Acme(name=name)


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("", id="empty"),
        pytest.param("  \t", id="blank"),
        pytest.param(f"{SECRET}\n", id="newline"),
        pytest.param(f"{SECRET}\r\nX-Evil: 1", id="header"),
        pytest.param(f" {SECRET}", id="leading-space"),
        pytest.param(f"{SECRET}\x00", id="null"),
        pytest.param(f"{SECRET}é", id="no-ascii"),
        pytest.param(f"“{SECRET}”", id="pasted-quotes"),
        pytest.param(None, id="none"),
        pytest.param(SECRET.encode(), id="bytes"),
    ],
)
def test_a_credential_that_no_header_may_hold(secret: Any) -> None:  # noqa: ANN401 - anything
    """It is refused by its name, and never shown."""
    with pytest.raises(InvalidArgument) as caught:
        Acme(secret)

    assert (caught.value.vendor, caught.value.field) == ("acme", "key")
    assert SECRET not in f"{caught.value}{caught.value!r}{caught.value.args}"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        pytest.param(4711, "must be a string", id="number"),
        pytest.param(None, "must be a string", id="none"),
        pytest.param(SECRET.encode(), "must be a string", id="bytes"),
        pytest.param(" ", "is empty", id="blank"),
    ],
)
def test_a_credential_of_the_wrong_type_is_not_called_empty(
    secret: Any,  # noqa: ANN401 - anything
    reason: str,
) -> None:
    """Who passes something is not sent to look why there is nothing; nor is it shown."""
    with raises_error(
        InvalidArgument,
        reason=f"key: {reason}",
        remedy="pass the secret as the vendor issued it",
        vendor="acme",
    ):
        Acme(secret)


@given(st.text())
def test_a_credential_that_is_taken_can_stand_in_a_header(secret: str) -> None:
    """Whatever is not refused is visible ASCII from end to end."""
    try:
        adapter = Acme(secret)
    except InvalidArgument:
        return

    header = adapter.authenticate(Request.get("/")).headers["x-key"]
    assert header == header.strip() != ""
    assert all(" " <= letter <= "~" for letter in header)


def test_an_adapter_does_not_show_its_credentials() -> None:
    """Neither does what is built from it."""
    acme = Acme()

    assert SECRET not in f"{acme!r}{acme.report('q3')!r}{acme.resume(REF)!r}"


def test_a_ref_is_of_the_account() -> None:
    """What scope the vendor needs besides the id goes along."""
    ref = Acme(name="north").ref("R1", team="t1")

    assert (ref.account_key, ref.id, dict(ref.scope)) == (("acme", "north"), "R1", {"team": "t1"})


@pytest.mark.parametrize(
    ("kind", "matches"), [("", None), ("report", None), ("audit", False)], ids=repr
)
def test_by_default_a_listed_job_of_another_kind_does_not_match(
    kind: str, *, matches: bool | None
) -> None:
    """Any other may be the export's or not: the same kind proves nothing."""
    acme = Acme()
    job = ExportJob(JobRef("acme", "default", "R1", kind=kind), StatusMap().read("new"))

    assert acme.matches_export(job, acme.report("q3")) is matches


def test_a_job_is_resumed_by_its_ref() -> None:
    """A resumption is of the ref's kind and account."""
    work = Acme().resume(REF)

    assert isinstance(work, ExistingJob)
    assert (work.kind, work.account, work.ref) == ("report", ("acme", "default"), REF)
    assert work == Acme().resume(REF)


@pytest.mark.parametrize(
    ("adapter", "told"),
    [(Acme(name="north"), "acme/north"), (NewAcme(), "new-acme/default")],
    ids=["account", "vendor"],
)
def test_another_accounts_job_is_not_resumed(adapter: Adapter, told: str) -> None:
    """The error names both accounts and the job."""
    with raises_error(
        InvalidRef,
        reason=f"job ref: belongs to acme/default, not to {told}",
        remedy="resume it with the adapter of its own account",
        vendor=adapter.vendor,
        ref=REF,
    ):
        adapter.resume(REF)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (None, None),
        (date(2026, 3, 1), None),
        (None, date(2026, 3, 1)),
        (date(2026, 3, 1), date(2026, 3, 1)),
        (date(2026, 3, 1), date(2026, 3, 2)),
    ],
    ids=["neither", "from", "until", "one-day", "two-days"],
)
def test_a_range_in_order(start: date | None, end: date | None) -> None:
    """A range may be open, and of one day."""
    try:
        Acme().check_order("since", start, end)
    except ExportJobsError as error:
        pytest.fail(str(error))


def test_a_range_out_of_order() -> None:
    """A range that ends before it begins is refused by the argument's name."""
    with raises_error(
        InvalidArgument,
        reason="since: is after the end",
        remedy="pass a range that ends after it starts",
        vendor="acme",
    ):
        Acme().check_order("since", date(2026, 3, 2), date(2026, 3, 1))


def test_the_contract_is_what_it_says() -> None:
    """The public names are sorted, there, and enough to import an adapter with."""
    assert contract.__all__ == sorted(contract.__all__)
    assert all(hasattr(contract, name) for name in contract.__all__)

"""Credentials planted in every header that one might think of: where they go, and where never."""

import logging
import socket
import traceback
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import pytest
from attrs import field, frozen
from tests.support.logs import everything_in
from tests.support.wire import CERTIFICATE, encrypting, trust

from exportjobs import (
    BrokenAdapter,
    Event,
    ExportJobsError,
    Finished,
    JobRef,
    JobStatus,
    Poller,
    UntrustedAddress,
)
from exportjobs._http import connect
from exportjobs._http.network import tls
from exportjobs.adapter import (
    Adapter,
    Artifact,
    ExportJob,
    Flow,
    Reading,
    Request,
    Response,
    export,
    path,
)
from exportjobs.cli._report import as_json

from .origins import CONTENT, Head, Origin, answer, origin

PLANTED = {
    "authorization": "Bearer planted-authorization-5b1e",
    "apikey": "planted-apikey-77c0",
    "x-api-key": "planted-x-api-key-0d4f",
    "cookie": "session=planted-cookie-e2a9",
    "x-planted": "planted-custom-91b6",
}
SECRETS = tuple(value.rpartition(" ")[2].rpartition("=")[2] for value in PLANTED.values())
USER, PASSWORD = "planted-user-3c8d", "planted-password-a6f7"
BASIC = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SIGNATURE = "planted-signature-40be"
UNSPEAKABLE = (*SECRETS, USER, PASSWORD, BASIC, SIGNATURE, "sig=")
CODES = ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
LINK = "/content"
ASTRAY = ("planted.test", "localhost", "127.0.0.1.", "127.0.0.1%")


@frozen
class Planted(Adapter):
    """A vendor that wants its credentials in five headers, each another one."""

    vendor: ClassVar[str] = "planted"
    link: str = field(default=LINK, repr=False)

    def authenticate(self, request: Request) -> Request:
        """Put every credential on a request."""
        for name, value in PLANTED.items():
            request = request.with_header(name, value)
        return request

    @export
    def report(self) -> Flow[ExportJob]:
        """Export a report that is done at once."""
        return self.job((yield Request.post("/reports", json={})))

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for a report."""
        return self.job((yield Request.get(path("/reports/{}", ref.id))))

    def job(self, response: Response) -> ExportJob:
        """Return the report, whose file is behind the vendor's door or at a signed URL."""
        artifact = Artifact(self.link, authenticated=self.link.startswith("/"), name="q3.csv")
        return ExportJob(
            ref=self.ref("q3"),
            reading=Reading(JobStatus.DONE, "done"),
            artifacts=(artifact,),
            raw=response.json(),
        )


@frozen
class Told:
    """How an export ended, and all that was said about it on the way."""

    finished: Finished
    said: tuple[str, ...]

    @property
    def error(self) -> BaseException | None:
        """Why it did not end well."""
        return self.finished.error

    def check(self) -> None:
        """Check that nothing was said that must not be."""
        assert len(self.said) > 5
        assert [one for one in self.said if any(secret in one for secret in UNSPEAKABLE)] == []


Run: TypeAlias = Callable[..., Awaitable[Told]]


@pytest.fixture
async def own() -> AsyncIterator[Origin]:
    """Serve the vendor's own API."""
    async with origin() as one:
        one.answers["/v1/reports"] = one.answers["/v1/reports/q3"] = answer(body=b"{}")
        yield one


@pytest.fixture
async def other() -> AsyncIterator[Origin]:
    """Serve files at another port."""
    async with origin() as one:
        yield one


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return the addresses that connections were made to, or tried."""
    seen: list[tuple[str, int]] = []
    connected = connect._connected  # noqa: SLF001 - below everything that decides

    async def note(found: Any) -> socket.socket:  # noqa: ANN401 - what getaddrinfo gives
        seen.append(found[4][:2])
        return await connected(found)

    monkeypatch.setattr(connect, "_connected", note)
    return seen


@pytest.fixture
def run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Run:
    """Return a function that runs an export to its end and gathers all that is said."""
    caplog.set_level(logging.DEBUG)

    async def export_one(base: str, *, link: str = LINK, **options: Any) -> Told:  # noqa: ANN401
        events: list[Event] = []
        ledger, folder = tmp_path / "exports.db", tmp_path / "landing"
        adapter = Planted(base_url=f"{base}/v1", link=link)
        async with Poller(observers=[events.append], ledger=ledger, **options) as poller:
            (finished,) = [one async for one in poller.run([adapter.report()], into=folder)]
            files = tuple(_files(tmp_path))
        said = (repr(adapter), repr(finished), repr(finished.job), as_json(finished), *files)
        said += tuple(text for event in events for text in (repr(event), str(event)))
        said += tuple(map(everything_in, caplog.records))
        if finished.error is not None:
            said += (str(finished.error), *traceback.format_exception(finished.error))
        return Told(finished, said)

    return export_one


def _files(folder: Path) -> Iterable[str]:
    """Return what is in every file, and the names."""
    for path_ in folder.rglob("*"):
        yield path_.name
        if path_.is_file():
            yield path_.read_bytes().decode(errors="replace")


def planted_in(head: Head) -> set[str]:
    """Return which of the planted headers a request has, by the secrets in it wherever they are."""
    lower = head.text.lower()
    return {name for name, secret in zip(PLANTED, SECRETS, strict=True) if secret in lower}


def redirect(
    one: Origin, location: str, status: str = "302 Found", at: str = "/v1/content"
) -> None:
    """Let an origin send whoever asks for the file elsewhere."""
    one.answers[at] = answer(status, f"Location: {location}", body=b"moved")


def landed(told: Told) -> list[bytes]:
    """Return the contents of the files that landed."""
    return [file.path.read_bytes() for file in told.finished.files]


async def test_the_vendor_itself_is_sent_every_credential(run: Run, own: Origin) -> None:
    """What the adapter signs with is what its own API sees, and nothing is said of it."""
    told = await run(own.at())

    told.check()
    assert landed(told) == [CONTENT]
    assert [planted_in(head) for head in own.heads] == [set(PLANTED)] * 2


TARGETS: dict[str, Callable[[Origin, Origin], str]] = {
    "another-port": lambda _, other: other.at(path="/x"),
    "another-name": lambda own, _: own.at("localhost", "/x"),
    "another-name-in-capitals": lambda own, _: own.at("LOCALHOST", "/x"),
    "another-loopback-address": lambda own, _: own.at("127.0.0.1.", "/x"),
    "scheme-relative": lambda _, other: f"//127.0.0.1:{other.port}/x",
    "scheme-relative-name": lambda own, _: f"//localhost:{own.port}/x",
    "with-user": lambda _, other: other.at(f"{USER}:{PASSWORD}@127.0.0.1", "/x"),
    "scheme-relative-with-user": lambda _, o: f"//{USER}:{PASSWORD}@127.0.0.1:{o.port}/x",
    "vendor-as-user": lambda own, o: f"http://127.0.0.1:{own.port}@127.0.0.1:{o.port}/x",
    "vendor-in-the-path": lambda own, o: o.at(path=f"/127.0.0.1:{own.port}/v1/content"),
    "signed": lambda _, other: other.at(path=f"/x?sig={SIGNATURE}"),
}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("target", TARGETS)
async def test_a_redirect_to_another_origin_takes_no_credential(
    run: Run, own: Origin, other: Origin, target: str, code: str
) -> None:
    """Whichever redirect leads to whichever other origin, no planted header arrives there."""
    redirect(own, TARGETS[target](own, other), code)

    told = await run(own.at())

    told.check()
    elsewhere = [h for h in (*own.heads, *other.heads) if h.host != f"127.0.0.1:{own.port}"]
    assert landed(told) == [CONTENT] or isinstance(told.error, UntrustedAddress)
    assert len(elsewhere) == len(told.finished.files)
    assert [planted_in(head) for head in elsewhere] == [set()] * len(elsewhere)


@pytest.mark.parametrize("relative", [False, True], ids=["whole", "scheme-relative"])
async def test_user_and_password_of_a_redirect_go_where_it_leads_and_no_further(
    run: Run, own: Origin, other: Origin, *, relative: bool
) -> None:
    """A Location's user and password are shown to its host; a redirect from there drops them."""
    location = other.at(f"{USER}:{PASSWORD}@127.0.0.1", "/first")
    redirect(own, location.removeprefix("http:") if relative else location)
    redirect(other, other.at("localhost", "/second"), at="/first")

    told = await run(own.at())

    told.check()
    first, second = other.heads
    assert first.header("authorization") == f"Basic {BASIC}"
    assert second.header("authorization") == ""
    assert [planted_in(head) for head in (first, second)] == [set(), set()]


async def test_user_and_password_in_a_redirect_of_the_vendors_to_itself_are_used(
    run: Run, own: Origin
) -> None:
    """Within the vendor's origin, a Location's user takes the place of what was to authorize."""
    redirect(own, own.at(f"{USER}:{PASSWORD}@127.0.0.1", "/v1/elsewhere"))

    told = await run(own.at())

    told.check()
    assert own.heads[-1].header("authorization") == f"Basic {BASIC}"
    assert planted_in(own.heads[-1]) == set(PLANTED) - {"authorization"}


@pytest.mark.parametrize("code", CODES)
async def test_credentials_do_not_come_back_once_they_were_dropped(
    run: Run, own: Origin, other: Origin, code: str
) -> None:
    """A chain from the vendor to another host and back again stays without credentials."""
    redirect(own, other.at(path="/away"), code)
    redirect(other, own.at(path="/v1/back"), code, at="/away")
    redirect(own, own.at(path="/v1/further"), code, at="/v1/back")

    told = await run(own.at())

    told.check()
    assert landed(told) == [CONTENT]
    assert [head.path for head in own.heads[2:]] == ["/v1/back", "/v1/further"]
    assert [planted_in(head) for head in (*other.heads, *own.heads[2:])] == [set()] * 3


@pytest.mark.parametrize("location", ["/v2/elsewhere", "../v2/elsewhere", "http:///v2/elsewhere"])
async def test_credentials_stay_within_the_vendors_origin(
    run: Run, own: Origin, location: str
) -> None:
    """A redirect that names no other host is followed with all of them."""
    redirect(own, location)

    told = await run(own.at())

    told.check()
    assert own.heads[-1].path == "/v2/elsewhere"
    assert planted_in(own.heads[-1]) == set(PLANTED)


@pytest.mark.parametrize("hop", [False, True], ids=["straight", "by-a-redirect"])
async def test_a_signed_url_takes_no_credential(
    run: Run, own: Origin, other: Origin, *, hop: bool
) -> None:
    """A signed URL opens its file alone, and what opens it is said nowhere."""
    if hop:
        redirect(other, other.at("localhost", f"/b?sig={SIGNATURE}"), at="/a")

    told = await run(own.at(), link=other.at(path=f"/a?sig={SIGNATURE}"))

    told.check()
    assert landed(told) == [CONTENT]
    assert [SIGNATURE in head.path for head in other.heads] == [True] * (1 + hop)
    assert [planted_in(head) for head in other.heads] == [set()] * (1 + hop)


async def test_a_signed_url_on_the_vendors_own_host_takes_no_credential(
    run: Run, own: Origin
) -> None:
    """It is the artifact that says whether it wants credentials, not where it lies."""
    told = await run(own.at(), link=own.at(path=f"/a?sig={SIGNATURE}"))

    told.check()
    assert own.heads[-1].path.startswith("/a")
    assert planted_in(own.heads[-1]) == set()


@pytest.mark.parametrize("code", CODES)
async def test_a_submit_is_not_redirected(
    own: Origin, other: Origin, code: str, tmp_path: Path
) -> None:
    """An API that sends a request elsewhere is not followed there, whatever the code."""
    own.answers["/v1/reports"] = answer(code, f"Location: {other.at(path='/v1/reports')}")
    adapter = Planted(base_url=own.at(path="/v1"))

    async with Poller() as poller:
        (finished,) = [one async for one in poller.run([adapter.report()], into=tmp_path)]

    assert finished.error is not None
    assert other.connections == 0
    assert [one for one in traceback.format_exception(finished.error) if SECRETS[0] in one] == []


@pytest.mark.parametrize("code", CODES)
async def test_a_poll_is_not_redirected(
    own: Origin, other: Origin, code: str, tmp_path: Path
) -> None:
    """Nor is a question about a job."""
    own.answers["/v1/reports/q3"] = answer(code, f"Location: {other.at(path='/v1/reports/q3')}")
    adapter = Planted(base_url=own.at(path="/v1"))

    async with Poller(accounts=[adapter]) as poller:
        finished = await poller.resume(JobRef("planted", "default", "q3"), into=tmp_path)

    assert finished.error is not None
    assert other.connections == 0


async def test_a_cookie_of_the_vendors_is_kept_from_everyone(
    run: Run, own: Origin, other: Origin
) -> None:
    """What an answer sets as a cookie goes along to nobody."""
    cookies = ("Set-Cookie: given=planted-given; Domain=127.0.0.1; Path=/", "Set-Cookie: b=c")
    own.answers["/v1/reports"] = answer("200 OK", *cookies, body=b"{}")
    own.answers["/v1/content"] = answer("302 Found", *cookies, f"Location: {other.at(path='/x')}")

    told = await run(own.at())

    told.check()
    assert landed(told) == [CONTENT]
    assert [head for head in (*own.heads, *other.heads) if "planted-given" in head.text] == []
    assert other.heads[0].header("cookie") == ""


@pytest.fixture
async def sealed(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Origin]:
    """Serve the vendor's own API encrypted, under a certificate that is trusted for any name."""
    context = tls.__wrapped__()  # one of its own, as it is changed
    context.load_verify_locations(CERTIFICATE)
    context.check_hostname = False
    trust(context, monkeypatch)
    async with origin(encrypting()) as one:
        one.answers["/v1/reports"] = one.answers["/v1/reports/q3"] = answer(body=b"{}")
        yield one


@pytest.fixture
async def other_sealed() -> AsyncIterator[Origin]:
    """Serve files at another port, encrypted."""
    async with origin(encrypting()) as one:
        yield one


@pytest.fixture
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let names lead to this machine, as a rebound name may, and some that many systems know."""
    look_up = socket.getaddrinfo

    def led_astray(host: Any, *further: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it takes
        name = host.decode() if isinstance(host, bytes) else host
        astray = isinstance(name, str) and any(map(name.lower().__contains__, ASTRAY))
        return look_up("127.0.0.1" if astray else host, *further, **named)

    monkeypatch.setattr(socket, "getaddrinfo", led_astray)


@pytest.mark.parametrize("code", CODES)
async def test_a_redirect_that_gives_encryption_up_takes_no_credential(
    run: Run, sealed: Origin, other: Origin, code: str
) -> None:
    """From https to http on this machine, which needs none, nothing goes along."""
    redirect(sealed, other.at(path="/x"), code)

    told = await run(sealed.at())

    told.check()
    assert landed(told) == [CONTENT]
    assert [planted_in(head) for head in other.heads] == [set()]
    assert [planted_in(head) for head in sealed.heads] == [set(PLANTED)] * 2


async def test_a_redirect_to_the_own_port_without_encryption_takes_no_credential(
    run: Run, sealed: Origin
) -> None:
    """Another scheme at the same host and port is another origin: nothing is shown in the open."""
    redirect(sealed, f"http://127.0.0.1:{sealed.port}/x")

    told = await run(sealed.at())

    told.check()
    assert landed(told) == [CONTENT]
    assert [planted_in(head) for head in sealed.bare] == [set()]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_redirect_to_encryption_takes_no_credential(
    run: Run, own: Origin, sealed: Origin, host: str
) -> None:
    """From http to https is from one origin to another."""
    redirect(own, sealed.at(host, "/x"))

    told = await run(own.at())

    told.check()
    assert landed(told) == [CONTENT]
    assert [planted_in(head) for head in sealed.heads] == [set()]


@pytest.mark.usefixtures("_names")
async def test_a_vendor_in_a_private_network_is_spoken_to_where_the_user_names_it(
    run: Run, sealed: Origin
) -> None:
    """The base URL is the user's word: it may lead anywhere, and has its credentials."""
    told = await run(sealed.at("api.planted.test"))

    told.check()
    assert landed(told) == [CONTENT]
    assert [planted_in(head) for head in sealed.heads] == [set(PLANTED)] * 2


THIS_MACHINE = [
    "127.0.0.1",
    "localhost",
    "LocalHost",
    "localhost.",
    "127.1",
    "127.0.0.1.",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0.0.0.0",  # noqa: S104 - to be refused
    "0",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[2002:7f00:1::]",
    "files.planted.test",
    "files.planted.test.",
    "files.localhost",
    "127.0.0.1%2e",
    "\uff11\uff12\uff17.0.0.1",
    "\u24dbocalhost",
    f"{USER}:{PASSWORD}@127.0.0.1",
    f"{USER}:{PASSWORD}@localhost",
]
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "[fd00::1]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b:1::a00:1]",
    "224.0.0.1",
    "255.255.255.255",
    "[ff02::1]",
    "2852039166",
    "0xa9fea9fe",
]


@pytest.mark.usefixtures("_names")
@pytest.mark.parametrize("hop", [False, True], ids=["named", "by-a-redirect"])
@pytest.mark.parametrize("host", [*THIS_MACHINE, *PRIVATE])
async def test_a_vendor_elsewhere_leads_to_no_private_address(
    run: Run,
    sealed: Origin,
    other_sealed: Origin,
    dialled: list[tuple[str, int]],
    host: str,
    *,
    hop: bool,
) -> None:
    """A vendor that is not on this machine cannot name it, nor what is behind the user's wall."""
    target = other_sealed.at(host, f"/x?sig={SIGNATURE}")
    redirect(sealed, target)

    told = await run(sealed.at("api.planted.test"), link=LINK if hop else target)

    told.check()
    assert isinstance(told.error, UntrustedAddress)
    assert other_sealed.connections == 0
    assert {port for _, port in dialled} <= {sealed.port}


@pytest.mark.usefixtures("_names")
@pytest.mark.parametrize("hop", [False, True], ids=["named", "by-a-redirect"])
async def test_a_host_that_is_spared_the_proxy_is_looked_at_as_without_one(
    run: Run,
    sealed: Origin,
    other_sealed: Origin,
    monkeypatch: pytest.MonkeyPatch,
    *,
    hop: bool,
) -> None:
    """Where no proxy stands in between, a name that leads to a private address leads nowhere."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "planted.test")
    target = other_sealed.at("files.planted.test", f"/x?sig={SIGNATURE}")
    redirect(sealed, target)

    told = await run(sealed.at("api.planted.test"), link=LINK if hop else target)

    told.check()
    assert isinstance(told.error, UntrustedAddress)
    assert other_sealed.connections == 0


@pytest.mark.parametrize("host", PRIVATE)
async def test_a_vendor_on_this_machine_leads_to_no_other(
    run: Run, own: Origin, other: Origin, dialled: list[tuple[str, int]], host: str
) -> None:
    """A vendor on loopback may name loopback, and no other private address."""
    for scheme in ("http", "https"):
        redirect(own, f"{scheme}://{host}:{other.port}/latest/meta-data")

        told = await run(own.at())

        told.check()
        assert isinstance(told.error, UntrustedAddress)
        assert {port for _, port in dialled} <= {own.port}


@pytest.mark.parametrize("hop", [False, True], ids=["named", "by-a-redirect"])
async def test_no_host_but_those_allowed_is_connected_to(
    run: Run, own: Origin, other: Origin, *, hop: bool
) -> None:
    """With download_hosts, whatever else a vendor names is refused before it is looked up."""
    redirect(own, other.at("localhost", "/x"))
    link = LINK if hop else other.at("localhost", f"/x?sig={SIGNATURE}")

    told = await run(own.at(), link=link, download_hosts=["files.acme.test", "*.localhost"])

    told.check()
    assert isinstance(told.error, UntrustedAddress)
    assert "download_hosts" in str(told.error)
    assert other.connections == 0


async def test_an_allowed_host_gets_the_request_and_no_credential(
    run: Run, own: Origin, other: Origin
) -> None:
    """What download_hosts allows is fetched from, as barely as from anywhere else."""
    redirect(own, other.at("localhost", "/x"))

    told = await run(own.at(), download_hosts=["localhost"])

    told.check()
    assert landed(told) == [CONTENT]
    assert [planted_in(head) for head in other.heads] == [set()]


async def test_an_allowed_host_cannot_lead_to_one_that_is_not(
    run: Run, own: Origin, other: Origin
) -> None:
    """Each hop of a chain is looked at by itself."""
    redirect(own, other.at("localhost", "/x"))
    redirect(other, other.at("127.0.0.1", "/y"), at="/x")

    told = await run(own.at(), download_hosts=["localhost"])

    told.check()
    assert isinstance(told.error, UntrustedAddress)
    assert [head.path for head in other.heads] == ["/x"]


@pytest.mark.usefixtures("_names")
async def test_a_private_host_is_fetched_from_where_the_user_allows_it(
    run: Run, sealed: Origin, other_sealed: Origin
) -> None:
    """Under a name that is allowed, a private address is the user's own wish."""
    redirect(sealed, other_sealed.at("files.planted.test", "/x"))

    told = await run(sealed.at("api.planted.test"), download_hosts=["*.planted.test"])

    told.check()
    assert landed(told) == [CONTENT]
    assert [planted_in(head) for head in other_sealed.heads] == [set()]


NOWHERE = [
    "http://[::1/x",
    "http://127.0.0.1:99999/x",
    "http://127.0.0.1:x/x",
    "https:///localhost/x",
    "http://",
    "file:///etc/passwd",
    "ftp://127.0.0.1/x",
    "javascript:alert(1)",
    "data:text/csv,a",
    "gopher://127.0.0.1/x",
    "http://127.0.0.1\\@localhost/x",
    "\\\\localhost\\x",
    "/\\localhost/x",
    "http://local host/x",
    "http://127.0.0.1#@localhost/x",
    f"ftp://{USER}:{PASSWORD}@localhost/x?sig={SIGNATURE}",
    f"http://{USER}:{PASSWORD}@[::1/x?sig={SIGNATURE}",
    f"http://localhost:x{PASSWORD}/x?sig={SIGNATURE}",
    "http://localhost:1/" + "x" * 20_000,
]


@pytest.mark.parametrize("location", NOWHERE)
async def test_a_redirect_to_what_is_no_address_ends_in_an_error_that_says_so(
    run: Run, own: Origin, other: Origin, location: str
) -> None:
    """Whatever a Location holds, the export ends with an error of ours that tells nothing of it."""
    redirect(own, location)

    told = await run(own.at())

    told.check()
    assert isinstance(told.error, ExportJobsError)
    assert not isinstance(told.error, BrokenAdapter)
    elsewhere = [h for h in (*own.heads, *other.heads) if h.host != f"127.0.0.1:{own.port}"]
    assert elsewhere == []

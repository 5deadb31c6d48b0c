"""A vendor that says what it was told to say, asked by the real poller over real HTTP."""

import socket
import threading
from pathlib import Path

import httpx
import pytest
from tests.testing.broken.sound import Acme

import exportjobs
from exportjobs import Finished, JobRef, Poller
from exportjobs.testing import OffScript, Reply, ScriptedVendor

KEY = "k-7f3a91"
NEW = {"id": "7", "state": "new"}
READY = {"id": "7", "state": "ready", "files": ["{url}/7.csv"]}


async def exported(vendor: ScriptedVendor, into: Path | None) -> Finished:
    """Return what came of a report."""
    acme = Acme(KEY, base_url=vendor.url)
    async with Poller(poll_interval=0.01) as poller:
        (finished,) = [one async for one in poller.run([acme.report("q3")], into=into)]
    return finished


async def test_answers_are_given_in_the_order_written(tmp_path: Path) -> None:
    """Through a failure and a throttling to the file."""
    with ScriptedVendor(
        Reply("POST /reports", NEW, status=201),
        Reply("GET /reports/7", {"id": "7", "state": "working"}, times=2),
        Reply("GET /reports/7", "<html>", status=503),
        Reply("GET /reports/7", status=429, headers={"Retry-After": "0"}),
        Reply("GET /reports/7", READY),
        Reply("GET /7.csv", b"name,amount\n"),
    ) as vendor:
        finished = await exported(vendor, tmp_path)

    finished.raise_for_status()
    assert [Path(file).read_bytes() for file in finished.files] == [b"name,amount\n"]
    assert list(map(str, vendor.requests)) == [
        "POST /reports",
        *["GET /reports/7"] * 5,
        "GET /7.csv",
    ]


def test_the_synchronous_door_leads_there_too(tmp_path: Path) -> None:
    """It is a real server: whoever asks is served."""
    with ScriptedVendor(Reply("POST /reports", READY), Reply("GET /7.csv", "from {url}")) as vendor:
        acme = Acme(KEY, base_url=vendor.url)
        (finished,) = exportjobs.run([acme.report("q3")], into=tmp_path)

    assert Path(finished.files[0]).read_text() == f"from {vendor.url}"


async def test_what_was_asked_is_kept_but_no_credential_shown(tmp_path: Path) -> None:
    """The headers have it, and no repr does; a file's host is not told."""
    with ScriptedVendor(
        Reply("POST /reports", READY), Reply("GET /7.csv", b"x", headers={"ETag": '"{url}"'})
    ) as vendor:
        await exported(vendor, tmp_path)

    submit, download = vendor.requests
    assert submit.headers["authorization"] == f"Bearer {KEY}"
    assert submit.json()["name"] == "q3"
    assert "authorization" not in download.headers
    assert KEY not in repr(vendor.requests)


async def test_what_is_not_in_the_script_ends_the_job_and_is_told() -> None:
    """The job's error names the request, and so does the script at its end."""
    finished: list[Finished] = []

    with (
        pytest.raises(OffScript, match=r"^GET /reports/7 was requested and has no answer$"),
        ScriptedVendor(Reply("POST /reports", NEW)) as vendor,
    ):
        finished.append(await exported(vendor, None))

    assert isinstance(finished[0].error, exportjobs.Rejected)
    assert "the script has no answer to GET /reports/7" in str(finished[0].error)


async def test_what_is_left_of_the_script_is_told() -> None:
    """A script that is not played to its end is no proof of what it says."""
    done = Reply("POST /reports", {"id": "7", "state": "ready"})
    never = Reply("GET /reports/7", NEW, times=3)

    with (
        pytest.raises(OffScript, match=r"^GET /reports/7 has 3 unused answers$"),
        ScriptedVendor(done, never) as vendor,
    ):
        await exported(vendor, None)


async def test_an_error_of_the_test_itself_is_not_replaced() -> None:
    """The script's complaint is a note on it."""
    with (
        pytest.raises(ZeroDivisionError) as caught,
        ScriptedVendor(Reply("GET /reports/7", NEW)),
    ):
        _ = 1 // 0

    assert caught.value.__notes__ == ["GET /reports/7 has 1 unused answer"]


def test_an_answer_without_number_is_given_as_often_as_asked_for() -> None:
    """Twice here, and never there."""
    with ScriptedVendor(
        Reply("GET /limits", {"free": 1}, times=None), Reply("GET /never", times=None)
    ) as vendor:
        answers = [httpx.get(f"{vendor.url}/limits").json() for _ in range(2)]

    assert answers == [{"free": 1}, {"free": 1}]


def test_an_answer_to_a_query_is_for_that_query_alone() -> None:
    """In whatever order its members come; the others get what has no query."""
    with ScriptedVendor(
        Reply("GET /reports?page=2&size=10", ["second"]), Reply("GET /reports", ["first"], times=2)
    ) as vendor:
        answers = [
            httpx.get(f"{vendor.url}/reports{query}").json()
            for query in ("", "?size=10&page=2", "?page=1")
        ]

    assert answers == [["first"], ["second"], ["first"]]
    assert [dict(asked.query) for asked in vendor.requests][1] == {"size": "10", "page": "2"}


async def test_a_vendor_may_hang_up_without_a_word(tmp_path: Path) -> None:
    """What is safe to repeat is repeated by the library."""
    with ScriptedVendor(
        Reply("POST /reports", NEW),
        Reply("GET /reports/7", hangs_up=True),
        Reply("GET /reports/7", READY),
        Reply("GET /7.csv", b"x"),
    ) as vendor:
        finished = await exported(vendor, tmp_path)

    assert finished.ok


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD"])
def test_every_method_is_heard(method: str) -> None:
    """Whatever an adapter may send."""
    with ScriptedVendor(Reply(f"{method} /reports/7", NEW, status=202)) as vendor:
        answer = httpx.request(method, f"{vendor.url}/reports/7")

    assert (answer.status_code, answer.is_success) == (202, True)
    assert bool(answer.content) == (method != "HEAD")


def test_nothing_outlives_the_block() -> None:
    """Neither a thread nor the port, even if a client keeps its connection."""
    before = threading.active_count()

    with httpx.Client() as client:
        with ScriptedVendor(Reply("GET /x", times=None)) as vendor:
            client.get(f"{vendor.url}/x")

        assert threading.active_count() == before
        with pytest.raises(httpx.TransportError):
            client.get(f"{vendor.url}/x")


def test_a_vendor_has_no_address_before_it_is_entered() -> None:
    """Its port is a free one, found then."""
    with pytest.raises(RuntimeError, match="before its `with`"):
        _ = ScriptedVendor().url


@pytest.mark.parametrize("to", ["/reports", "get /reports", "GET reports", "GET"])
def test_an_answer_says_what_it_answers(to: str) -> None:
    """Method and path, or it would never be asked for."""
    with pytest.raises(ValueError, match="expected a method and a path"):
        Reply(to)


def test_an_answer_is_given_at_least_once() -> None:
    """One that never is has no place in a script."""
    with pytest.raises(ValueError, match="at least 1, not 0"):
        Reply("GET /x", times=0)


async def test_an_adapters_refs_are_the_vendors(tmp_path: Path) -> None:
    """A job can be resumed from a ref, as with any vendor."""
    ref = JobRef(vendor="acme", account="default", id="7", kind="report")

    with ScriptedVendor(Reply("GET /reports/7", READY), Reply("GET /7.csv", b"x")) as vendor:
        async with Poller(accounts=[Acme(KEY, base_url=vendor.url)], poll_interval=0.01) as poller:
            finished = await poller.resume(ref, into=tmp_path)

    assert finished.ok


def test_a_client_that_leaves_in_the_middle_is_not_told_of(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It is free to, as whoever cancels a download does."""
    with ScriptedVendor(Reply("GET /x", b"x" * 10_000_000)) as vendor:
        host, _, port = vendor.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(1)

    assert capfd.readouterr().err == ""

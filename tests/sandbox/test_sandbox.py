"""Starting, stopping, accounts and the record of what happened."""

import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import httpx
import pytest

from exportjobs.sandbox import Fault, Sandbox

from .support import LABELS, SIGNED_LABELS, Enter, Hire, ManualClock, get


def test_each_label_has_an_account(sandbox: Sandbox) -> None:
    """The labels, vendors and base URLs are what clients are configured with."""
    found = {
        account.label: (account.vendor, account.base_url.removeprefix(sandbox.api_url))
        for account in sandbox.accounts
    }

    assert found == {
        "clari": ("clari", "/clari/v4"),
        "clari-wire": ("clari", "/clari-wire/v4"),
        "clari-schema": ("clari", "/clari-schema/v4"),
        "demandbase": ("demandbase", "/demandbase"),
        "demandbase-v1": ("demandbase-v1", "/demandbase-v1"),
        "closient": ("closient", "/closient"),
        "csv": ("csv", "/sodium"),
    }


def test_an_account_does_not_show_its_credentials(sandbox: Sandbox) -> None:
    """A repr ends up in logs."""
    for account in sandbox.accounts:
        assert not [secret for secret in account.credentials.values() if secret in repr(account)]


def test_an_unknown_label_is_a_key_error(sandbox: Sandbox) -> None:
    """Nothing is made up for it."""
    with pytest.raises(KeyError):
        sandbox.account("acme")


@pytest.mark.parametrize("label", LABELS)
def test_requests_without_credentials_are_refused(label: str, enter: Enter) -> None:
    """Every API checks who asks, for submits and polls alike."""
    customer = enter(label)
    job_id = customer.start()
    for name in ("apikey", "authorization", "x-api-key"):
        customer.http.headers.pop(name, None)

    assert customer.submit().status_code == 401
    assert customer.status(job_id).status_code == 401


@pytest.mark.parametrize("label", LABELS)
def test_an_unknown_path_is_the_vendor_s_own_404(label: str, enter: Enter) -> None:
    """It comes as JSON, not as a page of the server."""
    answer = enter(label).request("GET", "/nowhere")

    assert answer.status_code == 404
    assert answer.json()


@pytest.mark.parametrize("label", LABELS)
def test_an_unknown_job_is_the_vendor_s_own_error(label: str, enter: Enter) -> None:
    """A 404, but for Clari, which declares none."""
    answer = enter(label).status("2" * 22)

    assert answer.status_code == (400 if label.startswith("clari") else 404)
    assert answer.json()


@pytest.mark.parametrize("label", LABELS)
def test_the_next_job_can_be_made_to_fail(
    label: str, sandbox: Sandbox, enter: Enter, clock: ManualClock
) -> None:
    """It fails once; the one after it succeeds."""
    customer = enter(label)
    sandbox.fail_next(label)
    words: list[str] = []
    for _ in range(2):
        job_id = customer.start()
        clock.advance(60)
        words.append(customer.word(job_id).lower())

    assert words[0] == "failed"
    assert words[1] in {"done", "finished", "completed"}


@pytest.mark.parametrize(
    ("label", "word"),
    [
        ("clari", "ABORTED"),
        ("clari-schema", "CANCELLED"),
        ("demandbase-v1", "cancelled"),
        ("csv", "Cancelled"),
    ],
)
def test_the_next_job_can_be_cancelled_by_the_vendor(
    label: str, word: str, sandbox: Sandbox, enter: Enter, clock: ManualClock
) -> None:
    """It ends in the vendor's word for it."""
    customer = enter(label)
    sandbox.cancel_next(label)
    job_id = customer.start()
    clock.advance(60)

    assert customer.word(job_id) == word


@pytest.mark.parametrize("label", ["demandbase", "closient"])
def test_a_vendor_without_a_cancelled_state_cancels_nothing(label: str, sandbox: Sandbox) -> None:
    """The sandbox invents no states."""
    with pytest.raises(ValueError, match="no cancelled state"):
        sandbox.cancel_next(label)


# The csv account is left out: some of its jobs are done when they are submitted.
@pytest.mark.parametrize("label", LABELS[:-1])
def test_files_are_served_once_their_job_is_done(
    label: str, sandbox: Sandbox, enter: Enter, clock: ManualClock
) -> None:
    """They are of a size that is worth streaming and worth no waiting."""
    customer = enter(label)
    job_id = customer.start()
    before = [file for file in sandbox.served if file.job_id == job_id]
    clock.advance(60)
    after = [file for file in sandbox.served if file.job_id == job_id]

    assert before == []
    assert [file.vendor for file in after] == [customer.account.vendor]
    assert 10_000 < after[0].size < 2_200_000


def test_the_same_seed_serves_the_same_files(hire: Hire) -> None:
    """Another seed serves other files."""
    contents: list[list[tuple[str, str]]] = []
    for seed in (1, 1, 2):
        clock = ManualClock()
        with Sandbox(seed=seed, clock=clock) as sandbox:
            for label in LABELS:
                hire(sandbox, label).start()
            clock.advance(60)
            contents.append([(file.job_id, file.sha256) for file in sandbox.served])

    assert contents[0] == contents[1]
    assert len(set(contents[0]) & set(contents[2])) == 0


def test_requests_are_recorded_in_order_with_their_answers(hire: Hire) -> None:
    """Origin, account, path, parameters, headers and status: enough to find a leak."""
    clock = ManualClock()
    with Sandbox(clock=clock) as sandbox:
        customer = hire(sandbox, "csv")
        job_id = customer.start()
        clock.advance(60)
        get(customer.links(job_id)[0])

    seen = [(r.origin, r.label, r.method, r.status) for r in sandbox.requests]
    assert seen == [
        ("api", "csv", "POST", 202),
        ("api", "csv", "GET", 200),
        ("blob", "csv", "GET", 200),
    ]
    assert "x-api-key" in sandbox.requests[0].headers
    assert "x-api-key" not in sandbox.requests[2].headers
    assert {"sig", "se"} <= sandbox.requests[2].query.keys()


def test_what_was_served_can_be_read_after_the_end(hire: Hire) -> None:
    """A test looks at it when its client has gone."""
    clock = ManualClock()
    with Sandbox(clock=clock) as sandbox:
        hire(sandbox, "clari").start()
        clock.advance(60)

    assert len(sandbox.served) == 1


def test_leaving_ends_the_thread_and_frees_the_ports() -> None:
    """Nothing listens any more, and nothing is left running."""
    before = threading.active_count()
    with Sandbox() as sandbox:
        running = threading.active_count()
        url = sandbox.api_url

    assert (running, threading.active_count()) == (before + 1, before)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_leaving_does_not_wait_for_a_client_that_reads_nothing(hire: Hire) -> None:
    """A half-read download is hung up on."""
    clock = ManualClock()
    with httpx.Client() as reader:
        with Sandbox(clock=clock) as sandbox:
            customer = hire(sandbox, "demandbase-v1")
            job_id = customer.start("/export/v1/jobs", entity_type="accounts")
            clock.advance(60)
            link = customer.links(job_id)[0]
            answer = reader.send(reader.build_request("GET", link), stream=True)
        answer.close()

    assert answer.is_success


def test_stopping_twice_is_no_error() -> None:
    """Neither is stopping what never started."""
    sandbox = Sandbox()
    sandbox.stop()
    sandbox.start()
    sandbox.stop()
    sandbox.stop()


def test_a_sandbox_has_one_life() -> None:
    """Its record would otherwise be that of several."""
    with Sandbox() as sandbox, pytest.raises(RuntimeError, match="started before"):
        sandbox.start()


def test_there_is_no_address_before_the_start() -> None:
    """The ports are not known yet."""
    with pytest.raises(RuntimeError, match="before it is started"):
        Sandbox().account("clari")


@pytest.mark.parametrize("port", ["api_port", "blob_port"])
def test_a_taken_port_is_an_os_error_that_names_it(port: str) -> None:
    """It is raised at once, and nothing stays behind."""
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]

        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{number}"):
            Sandbox(**{port: number}).start()

    assert threading.active_count() == before


def test_a_given_port_is_used() -> None:
    """A command line can print an address that stays."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]

    with Sandbox(api_port=number) as sandbox:
        assert sandbox.api_url == f"http://127.0.0.1:{number}"
        assert httpx.get(sandbox.api_url).status_code == 404


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sandbox(speed=0), "speed must be positive"),
        (lambda: Sandbox(["flood"]), "flood"),
    ],
    ids=["speed", "fault"],
)
def test_wrong_settings_are_refused(make: Callable[[], Sandbox], message: str) -> None:
    """They are named."""
    with pytest.raises(ValueError, match=message):
        make()


def test_nothing_is_logged_for_a_request(hire: Hire, caplog: pytest.LogCaptureFixture) -> None:
    """Paths and links stay out of the logs of the process that runs the sandbox."""
    with caplog.at_level(logging.DEBUG), Sandbox(Fault.all(), clock=ManualClock()) as sandbox:
        hire(sandbox, "csv").insist()

    assert [record for record in caplog.records if record.name == "uvicorn.access"] == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_a_missing_extra_is_named_in_one_line(package: str) -> None:
    """The import says what to install."""
    program = f"import sys; sys.modules[{package!r}] = None; import exportjobs.sandbox"

    ended = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert 'pip install "exportjobs[sandbox]"' in last


def test_the_system_clock_is_used_by_default(hire: Hire) -> None:
    """With enough speed a job is done before one can ask twice."""
    with Sandbox(speed=1000) as sandbox:
        customer = hire(sandbox, "closient")
        job_id = customer.start()
        for _ in range(1000):
            if customer.word(job_id) == "completed":
                break

        assert customer.word(job_id) == "completed"


def test_the_signed_accounts_are_those_with_links(sandbox: Sandbox) -> None:
    """The tests' own list is complete."""
    clari = {account.label for account in sandbox.accounts if account.vendor == "clari"}

    assert set(SIGNED_LABELS) == {account.label for account in sandbox.accounts} - clari

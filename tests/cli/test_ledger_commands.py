"""What a ledger remembers, on the command line: looked at, gone on with and decided about."""

import json
import os
import shlex
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from socket import create_server
from subprocess import Popen, TimeoutExpired
from time import monotonic, sleep
from typing import Any, cast

import anyio
import pytest

from exportjobs import Export, JobRef
from exportjobs._ledger.ledger import Ledger
from exportjobs._ledger.tables import Tables
from exportjobs._schedule.clock import SystemClock
from exportjobs.sandbox import Fault, Sandbox
from exportjobs_clari import Clari
from exportjobs_csv import CsvExport

Command = Callable[..., Any]
Program = Callable[..., Popen[str]]
Json = dict[str, Any]

_SOON = 20.0
_TIMES = 1000
_MORE_THAN_ONE = 3
_SUBMIT = "/export/activity"


class Hourglass(SystemClock):
    """The sandbox's clock: jobs end when the test says so, and so do slow answers."""

    def __init__(self) -> None:
        """Begin with the time of the machine, and with nothing held back."""
        self._flies_from: datetime | None = None
        self._held = False

    def now(self) -> datetime:
        """Return the time."""
        now, begin = super().now(), self._flies_from
        return now if begin is None else now + (now - begin) * _TIMES

    def fly(self) -> None:
        """Let time fly from now on: what takes a minute takes no time."""
        self._flies_from = super().now()

    def hold(self) -> None:
        """Let slow answers wait."""
        self._held = True

    def release(self) -> None:
        """Let them go."""
        self._held = False

    async def sleep(self, seconds: float) -> None:
        """Wait for as long as slow answers are held back."""
        del seconds
        while self._held:  # noqa: ASYNC110 - it is another thread that lets go
            await anyio.sleep(0.01)


@pytest.fixture
def hourglass() -> Hourglass:
    """Return the time of the sandbox."""
    return Hourglass()


@pytest.fixture
def sandbox(hourglass: Hourglass, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Serve the vendors; jobs take minutes, and the first answer with a file waits to go on."""
    with Sandbox([Fault.slow], speed=0.01, clock=hourglass) as running:
        for label in ("clari", "closient", "csv"):
            account = running.account(label)
            for name, value in {**account.credentials, "base_url": account.base_url}.items():
                monkeypatch.setenv(f"{label}_{name}".upper(), value)
        yield running
        hourglass.release()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the ledger is kept, which the environment tells."""
    file = tmp_path / "ledger.db"
    monkeypatch.setenv("EXPORTJOBS_LEDGER", str(file))
    return file


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """Return where files land."""
    return tmp_path / "landing"


@pytest.fixture
def run(landing: Path) -> list[str]:
    """Return the command that exports activity in a run of Monday's."""
    options = ["--into", str(landing), "--run-key", "monday", "--poll-interval", "0.05"]
    return ["run", "clari", "activity", *options]


def submits(sandbox: Sandbox) -> int:
    """Return how many exports of activity were submitted."""
    return sum(one.method == "POST" and one.path.endswith(_SUBMIT) for one in sandbox.requests)


def wait(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = monotonic() + _SOON
    while not is_so():
        assert monotonic() < until
        sleep(0.01)


def wait_for_polls(sandbox: Sandbox) -> None:
    """Wait until a job has been asked about more than once, so that nothing is slow any more."""
    wait(lambda: sum(one.method == "GET" for one in sandbox.requests) > _MORE_THAN_ONE)


def in_doubt(file: Path, export: Export, run_key: str = "monday") -> int:
    """Leave the ledger as a process does that dies over a submit, and return the number."""

    async def crash() -> int:
        async with Ledger(file, SystemClock()) as ledger:
            (entry,) = await ledger.write(Tables.enter, [(0, export, run_key)])
            return await ledger.write(Tables.intend, entry.number, export)

    return anyio.run(crash)


def clari(sandbox: Sandbox) -> Clari:
    """Return the sandbox's Clari as the command line names it."""
    account = sandbox.account("clari")
    return Clari(**account.credentials, base_url=account.base_url)


def csv(sandbox: Sandbox) -> CsvExport:
    """Return a vendor that nobody can ask what became of a submit."""
    account = sandbox.account("csv")
    return CsvExport(**account.credentials, base_url=account.base_url)


@pytest.fixture
def landed(command: Command, sandbox: Sandbox, hourglass: Hourglass, run: list[str]) -> Json:
    """Run the export to its end and return what was said of it."""
    assert sandbox.accounts
    hourglass.fly()
    outcome = command(*run, "--json")
    assert outcome.code == 0, outcome.err
    return cast("Json", json.loads(outcome.out))


def test_jobs_lists_what_landed_and_where(command: Command, file: Path, landed: Json) -> None:
    """With its run, its state and its files, for people and for programs."""
    people = command("jobs")
    (told,) = map(json.loads, command("jobs", "--json", "--ledger", str(file)).out.splitlines())

    words = people.out.split()
    assert people.code == 0
    assert {"monday", "landed", landed["files"][0]["path"]} <= set(words)
    assert told["ref"] == landed["ref"]
    assert (told["number"], told["run_key"], told["state"]) == (1, "monday", "landed")
    assert [one["sha256"] for one in told["files"]] == [one["sha256"] for one in landed["files"]]
    assert datetime.fromisoformat(told["sent_at"]) < datetime.fromisoformat(told["landed_at"])


def test_jobs_lists_only_what_is_outstanding_if_wanted(
    command: Command,
    file: Path,
    landed: Json,
) -> None:
    """What has landed is not."""
    del file, landed

    outcome = command("jobs", "--outstanding")

    assert (outcome.code, outcome.out) == (0, "nothing is outstanding\n")


def test_a_run_key_hands_over_what_has_landed(
    command: Command,
    sandbox: Sandbox,
    file: Path,
    landed: Json,
    run: list[str],
) -> None:
    """The second run submits nothing and says the same of the files."""
    del file

    again = command(*run, "--json")

    assert again.code == 0
    assert json.loads(again.out)["files"] == landed["files"]
    assert submits(sandbox) == 1


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "terminate"]
)
def test_a_run_that_is_left_says_how_to_go_on_and_is_gone_on_with(
    program: Program,
    command: Command,
    sandbox: Sandbox,
    hourglass: Hourglass,
    *,
    file: Path,
    run: list[str],
    sent: signal.Signals,
    code: int,
) -> None:
    """The job is named; typing what was said lands it, and it was submitted once."""
    process = program(*run, "--ledger", str(file))
    wait_for_polls(sandbox)
    process.send_signal(sent)
    _, err = process.communicate(timeout=_SOON)
    (outstanding,) = map(json.loads, command("jobs", "--outstanding", "--json").out.splitlines())

    hourglass.fly()
    *_, last = err.splitlines()
    typed = shlex.split(last.removeprefix("exportjobs: to resume, run: exportjobs "))
    resumed = command(*typed, "--json")

    assert process.returncode == code
    assert "Traceback" not in err
    assert f"clari/default/activity/{outstanding['ref']['id']}: still running at the vendor" in err
    assert resumed.code == 0, resumed.err
    assert json.loads(resumed.out)["ref"]["id"] == outstanding["ref"]["id"]
    assert submits(sandbox) == 1
    assert [path.name for path in file.parent.glob("ledger.db*")] == ["ledger.db"]


def test_without_a_ledger_what_is_left_is_named_by_its_ref(
    program: Program,
    command: Command,
    sandbox: Sandbox,
    hourglass: Hourglass,
    landing: Path,
) -> None:
    """What is said to be typed holds all that is needed."""
    process = program("run", "clari", "activity", "--into", str(landing), "--poll-interval", "0.05")
    wait_for_polls(sandbox)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=_SOON)

    hourglass.fly()
    typed = shlex.split(
        err.splitlines()[-1].removeprefix("exportjobs: to resume, run: exportjobs ")
    )
    resumed = command(*typed)

    assert resumed.code == 0, resumed.err
    assert submits(sandbox) == 1


def test_what_is_cancelled_on_leaving_is_not_left(
    program: Program, command: Command, sandbox: Sandbox, file: Path, run: list[str]
) -> None:
    """The vendor was told, and the ledger knows."""
    process = program(*run, "--on-exit", "cancel")
    wait_for_polls(sandbox)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=_SOON)
    (told,) = map(json.loads, command("jobs", "--json").out.splitlines())

    assert file.exists()
    assert process.returncode == 130
    assert told["state"] == "cancelled"
    assert "the job was cancelled" in out + err
    assert "to resume" not in err


def test_a_job_that_cannot_be_cancelled_on_leaving_is_left_and_it_is_said_why(
    program: Program, sandbox: Sandbox, landing: Path
) -> None:
    """Nobody is to think that it costs nothing more."""
    export = ("run", "closient", "organization", "vytxeTZskVKR7C7WgdSP3d")
    process = program(
        *export,
        "--into",
        str(landing),
        "--poll-interval",
        "0.05",
        "--on-exit",
        "cancel",
        "--unpack",
    )
    wait_for_polls(sandbox)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=_SOON)

    assert ": still running at the vendor (" in err
    assert err.endswith(" --unpack\n")


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "table"])
def test_a_submit_that_is_interrupted_is_told_of(
    program: Program, file: Path, run: list[str], *, as_json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job may have come of it, which would go on without anybody."""
    monkeypatch.setenv("CLARI_API_KEY", "clari-key")
    with create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_SOON)
        monkeypatch.setenv("CLARI_BASE_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        process = program(*run, "--account", "eu", *(["--json"] if as_json else []))
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(1)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=_SOON)

    *_, told, last = err.splitlines()
    assert process.returncode == 130
    assert told == "exportjobs: clari/eu/activity: left before the answer to its submit"
    assert last.startswith("exportjobs: to resume, run: exportjobs resume --account eu --into ")
    assert file.exists()


def test_a_job_that_is_given_up_is_named_with_how_to_go_on(
    command: Command, sandbox: Sandbox, hourglass: Hourglass, landing: Path
) -> None:
    """Its deadline is ours, not the vendor's."""
    export = ("run", "clari", "activity", "--into", str(landing), "--poll-interval", "0.05")
    given_up = command(*export, "--deadline", "0.3")
    hourglass.fly()
    typed = shlex.split(given_up.err.splitlines()[-1].removeprefix("exportjobs: to resume, run: "))
    resumed = command(*typed[1:])

    assert given_up.code == 1
    assert resumed.code == 0, resumed.err
    assert submits(sandbox) == 1


def arriving(
    program: Program, sandbox: Sandbox, hourglass: Hourglass, run: list[str]
) -> Popen[str]:
    """Start a run and return it when its file is on its way, and will stay so."""
    process = program(*run)
    wait_for_polls(sandbox)
    hourglass.hold()
    hourglass.fly()
    wait(lambda: any(one.path.endswith("/results") for one in sandbox.requests))
    return process


def test_one_ctrl_c_lets_files_land_that_are_on_their_way(
    program: Program,
    command: Command,
    sandbox: Sandbox,
    hourglass: Hourglass,
    *,
    file: Path,
    run: list[str],
) -> None:
    """What is almost there is not fetched twice."""
    process = arriving(program, sandbox, hourglass, run)
    process.send_signal(signal.SIGINT)
    with pytest.raises(TimeoutExpired):
        process.wait(0.5)
    hourglass.release()
    out, err = process.communicate(timeout=_SOON)
    (told,) = map(json.loads, command("jobs", "--json").out.splitlines())

    assert file.exists()
    assert process.returncode == 130
    assert told["state"] == "landed"
    assert "waiting up to 10 s for downloads; press Ctrl-C again to exit now" in err
    assert told["files"][0]["path"] in out


def test_a_second_ctrl_c_leaves_at_once(
    program: Program,
    command: Command,
    sandbox: Sandbox,
    hourglass: Hourglass,
    *,
    file: Path,
    landing: Path,
    run: list[str],
) -> None:
    """And the file lands another time."""
    process = arriving(program, sandbox, hourglass, run)
    process.send_signal(signal.SIGINT)
    with pytest.raises(TimeoutExpired):
        process.wait(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=3)
    hourglass.release()
    resumed = command("resume", "--into", str(landing), "--json")

    assert file.exists()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "to resume, run: exportjobs resume" in err
    assert resumed.code == 0, resumed.err
    assert json.loads(resumed.out)["files"]


def test_cancel_stops_a_job_by_its_number(
    program: Program, command: Command, sandbox: Sandbox, file: Path, run: list[str]
) -> None:
    """For people and for programs; a second time is no error."""
    process = program(*run)
    wait_for_polls(sandbox)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=_SOON)

    people = command("cancel", "1")
    told = json.loads(command("cancel", "1", "--ledger", str(file), "--json").out)

    assert people.code == 0, people.err
    assert people.out.endswith(": cancelled\n")
    assert told["status"] == "cancelled"
    assert told["ref"]["vendor"] == "clari"


def test_what_a_vendor_refuses_is_no_bad_input(command: Command, sandbox: Sandbox) -> None:
    """The exit code tells that something was sent."""
    unknown = JobRef("clari", "default", "nobody-knows", kind="activity")

    outcome = command("cancel", unknown.to_json())

    assert outcome.code == 1
    assert outcome.err.startswith("exportjobs: clari/default/activity/nobody-knows: HTTP 400")
    assert sandbox.requests


def test_an_export_in_doubt_names_three_choices(
    command: Command, sandbox: Sandbox, file: Path, landing: Path
) -> None:
    """Where nobody can be asked: the exit code says that it has not landed."""
    number = in_doubt(file, csv(sandbox).clients())

    outcome = command("run", "csv", "clients", "--into", str(landing), "--run-key", "monday")

    said = " ".join(outcome.out.split())
    assert outcome.code == 1
    for choice in ("adopt", "resubmit", "abandon"):
        assert f"exportjobs {choice} {number}" in said
    assert not any(one.method == "POST" for one in sandbox.requests)


@pytest.mark.parametrize("again", ["resume", "run"])
def test_what_is_adopted_is_gone_on_with(
    command: Command,
    sandbox: Sandbox,
    hourglass: Hourglass,
    *,
    file: Path,
    landing: Path,
    again: str,
) -> None:
    """By the command that takes up everything, and by a run of the key."""
    export = csv(sandbox).clients()
    number = in_doubt(file, export)
    elsewhere = [
        "run",
        "csv",
        "clients",
        "--into",
        str(landing),
        "--poll-interval",
        "0.05",
        "--json",
    ]
    ref = left_running(command, elsewhere)
    hourglass.fly()

    adopted = command("adopt", str(number), ref["id"])
    kinds = {"resume": ["resume", "--into", str(landing), "--json"]}
    outcome = command(*kinds.get(again, [*elsewhere, "--run-key", "monday"]))

    assert adopted.code == 0, adopted.err
    assert f"export {number} has the job csv/default" in adopted.out
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["ref"]["id"] == ref["id"]


def left_running(command: Command, run: list[str]) -> Json:
    """Let a job be made that the ledger does not know, and return its ref."""
    outcome = command(*run, "--deadline", "0.3", "--ledger", ":memory:")
    return cast("Json", json.loads(outcome.out)["ref"])


def test_what_is_to_be_resubmitted_is_submitted_by_resume(
    command: Command, sandbox: Sandbox, file: Path, landing: Path
) -> None:
    """Once."""
    number = in_doubt(file, csv(sandbox).clients())

    decided = command("resubmit", str(number))
    (told,) = map(json.loads, command("jobs", "--json").out.splitlines())
    outcome = command("resume", "--into", str(landing), "--deadline", "1", "--json")

    assert decided.code == 0, decided.err
    assert told["state"] == "to be resubmitted"
    assert json.loads(outcome.out)["ref"] is not None
    assert sum(one.method == "POST" for one in sandbox.requests) == 1


def test_what_is_abandoned_is_outstanding_no_more(
    command: Command, sandbox: Sandbox, file: Path, landing: Path
) -> None:
    """And a run of its key says so."""
    number = in_doubt(file, csv(sandbox).clients())

    decided = command("abandon", str(number))
    nothing = command("resume", "--into", str(landing))
    run = command("run", "csv", "clients", "--into", str(landing), "--run-key", "monday")

    assert (decided.code, decided.out) == (0, f"export {number} is abandoned\n")
    assert (nothing.code, nothing.out) == (0, "nothing is outstanding\n")
    assert run.code == 1
    assert "abandoned" in run.out


def test_what_is_forgotten_is_submitted_anew(
    command: Command,
    sandbox: Sandbox,
    file: Path,
    landed: Json,
    run: list[str],
) -> None:
    """Its file stays where it is."""
    forgotten = command("forget", "1")
    empty = command("jobs")
    again = command(*run, "--deadline", "1", "--json")

    assert file.exists()
    assert forgotten.code == 0
    assert forgotten.out.startswith("removed export 1 from the ledger: clari/default/activity/")
    assert empty.out == "the ledger is empty\n"
    assert json.loads(again.out)["ref"] != landed["ref"]
    assert submits(sandbox) == 2
    assert Path(landed["files"][0]["path"]).is_file()


def test_what_is_outstanding_of_another_account_is_told_of(
    command: Command, sandbox: Sandbox, file: Path, landing: Path
) -> None:
    """Whose credentials are not at hand is not passed over in silence."""
    account = sandbox.account("csv")
    other = CsvExport(**account.credentials, base_url=account.base_url, name="emea")
    in_doubt(file, other.clients())

    outcome = command("resume", "--into", str(landing))

    assert outcome.code == 0
    assert outcome.out == "nothing is outstanding\n"
    assert "--account emea" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["adopt", "7", "x"], "the ledger has no export 7"),
        (["resubmit", "1"], "export 1 is 'landed', not 'submit outcome unknown'"),
        (["abandon", "1"], "export 1 is 'landed', not 'submit outcome unknown'"),
        (["forget", "1", "7"], "the ledger has no export 7"),
        (["forget"], "numbers: are missing"),
        (["cancel", "7"], "the ledger has no export 7"),
        (["cancel", "{}"], "exportjobs: "),
        (["resume", "q1", "--into", "landing"], "exportjobs: "),
        (["adopt", "one", "x"], "Invalid value"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "said",
)
def test_what_cannot_be_done_takes_one_line(
    command: Command,
    file: Path,
    landed: Json,
    arguments: list[str],
    said: str,
) -> None:
    """And exit code 2."""
    del landed

    outcome = command(*arguments)

    assert file.exists()
    assert outcome.code == 2
    assert said in outcome.err
    assert outcome.err.startswith("exportjobs: ")
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [["jobs"], ["resume", "--into", "landing"], ["forget", "1"], ["cancel", "1"], ["abandon", "1"]],
    ids=lambda value: value[0],
)
@pytest.mark.parametrize("trouble", ["none named", "none there", "no ledger", "broken row"])
def test_a_ledger_that_is_none_takes_one_line(
    command: Command,
    sandbox: Sandbox,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    arguments: list[str],
    trouble: str,
) -> None:
    """And exit code 2, and no file is made."""
    if trouble == "none named":
        monkeypatch.delenv("EXPORTJOBS_LEDGER")
    elif trouble == "no ledger":
        file.write_bytes(b"not a database, but long enough to be read as one" * 100)
    elif trouble == "broken row":
        in_doubt(file, clari(sandbox).activity())
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.execute("UPDATE exports SET sent_at = 'lately'")
    was_there = file.exists()

    outcome = command(*arguments)

    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("exportjobs: ")
    assert outcome.err.count("\n") == 1
    assert file.exists() == was_there


def test_what_another_process_is_at_work_on_is_left_to_it(
    program: Program, command: Command, sandbox: Sandbox, file: Path, run: list[str]
) -> None:
    """It cannot be forgotten under its hands."""
    process = program(*run)
    wait_for_polls(sandbox)
    outcome = command("forget", "1")
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=_SOON)

    assert file.exists()
    assert outcome.code == 2
    assert "another process is at work on export 1" in outcome.err

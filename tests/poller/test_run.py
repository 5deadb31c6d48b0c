"""The synchronous door: the same loop for plain code, with nothing left behind."""

import gc
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from tests.support.acme import Acme, BrokenClock, busy, id_of, reports, signed, turns
from tests.support.acme_api import Vendor
from tests.support.draws import middle
from tests.support.errors import raises_error

import exportjobs
from exportjobs import (
    DestinationFailed,
    Finished,
    InvalidArgument,
    JobFailed,
    LedgerFailed,
    WrongContext,
)
from exportjobs.testing import ManualClock

LENT = ("AnyIO worker", "Trio thread")


class Hurried(ManualClock):
    """A clock on which whoever sleeps moves the time: it needs no event loop of its own."""

    async def sleep(self, seconds: float) -> None:
        """Let the time pass as soon as everybody else had their turn."""
        await turns()
        self.advance(seconds)


@pytest.fixture
def clock() -> Hurried:
    """Return a clock that works in any event loop."""
    return Hurried()


@pytest.fixture
def options(clock: Hurried, vendor: Vendor) -> dict[str, Any]:
    """Return the options that keep a run off the network and the real time."""
    return {"clock": clock, "transport": vendor.transport, "jitter": middle}


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    assert [thread.name for thread in left if not thread.name.startswith(LENT)] == []


def test_plain_code_gets_the_results_one_by_one(
    vendor: Vendor, options: dict[str, Any], tmp_path: Path
) -> None:
    """A for loop over a run gets every export's end, with its files."""
    vendor.report("q1", "done", links=(signed("q1.csv"),))
    vendor.report("q2", "failed")
    vendor.files["q1.csv"] = [b"a,b\n"]

    results = list(exportjobs.run(reports(Acme(), "q1", "q2"), into=tmp_path, **options))

    by_id = {id_of(finished): finished for finished in results}
    assert [file.path.read_bytes() for file in by_id["q1"].files] == [b"a,b\n"]
    with pytest.raises(JobFailed):
        by_id["q2"].raise_for_status()


def test_a_run_of_nothing_ends(options: dict[str, Any]) -> None:
    """An empty list of exports gives no result."""
    assert list(exportjobs.run([], into=None, **options)) == []


def test_nothing_is_sent_before_the_first_result_is_asked_for(
    vendor: Vendor, options: dict[str, Any]
) -> None:
    """A run that is never iterated sends nothing and starts no thread."""
    threads = threading.active_count()

    results = exportjobs.run(reports(Acme(), "q1"), into=None, **options)

    assert threading.active_count() == threads
    assert vendor.said == []
    del results


@pytest.mark.parametrize(
    ("exports", "options", "error"),
    [
        (Acme().report("q1"), {}, InvalidArgument),
        (["q1"], {}, InvalidArgument),
        ([], {"on_exit": "explode"}, InvalidArgument),
        ([], {"poll_interval": -1}, InvalidArgument),
        ([], {"intervall": 1}, TypeError),
        ([], {"into": Path(__file__) / "below"}, DestinationFailed),
        ([Acme("one").report("q1"), Acme("two").report("q1")], {}, InvalidArgument),
        ([], {"accounts": [Acme("one"), Acme("two")]}, InvalidArgument),
        ([], {"observers": print}, InvalidArgument),
        ([], {"run_key": "monday"}, InvalidArgument),
        ([], {"run_key": "monday", "ledger": ":memory:"}, InvalidArgument),
    ],
    ids=[
        "one-export",
        "text",
        "on_exit",
        "poll_interval",
        "misspelt",
        "folder",
        "one-name",
        "one-name-among-accounts",
        "one-observer",
        "run_key-without-a-ledger",
        "run_key-in-memory",
    ],
)
def test_bad_input_is_refused_at_the_call(
    exports: Any,  # noqa: ANN401 - wrong on purpose
    options: dict[str, Any],
    error: type[Exception],
) -> None:
    """What cannot be right is refused by the call itself, not by the first result."""
    with pytest.raises(error):
        exportjobs.run(exports, **({"into": None} | options))


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        (None, "is missing; pass ledger=, or set EXPORTJOBS_LEDGER"),
        (":memory:", "is missing"),
        ("", "is missing"),
    ],
    ids=["none", "memory", "empty"],
)
def test_what_is_outstanding_is_asked_of_a_ledger_that_lasts(
    vendor: Vendor,
    options: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    ledger: str | None,
    said: str,
) -> None:
    """Else nothing would come, as if nothing were outstanding."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InvalidArgument, match=said) as caught:
        exportjobs.resume_all([Acme()], into="landing", ledger=ledger, **options)

    assert caught.value.field == "ledger"
    assert list(tmp_path.iterdir()) == []
    assert vendor.said == []


def test_nothing_is_outstanding_on_the_first_day(options: dict[str, Any], tmp_path: Path) -> None:
    """A nightly program begins with what is outstanding, also on its first night."""
    ledger = tmp_path / "new.db"

    assert list(exportjobs.resume_all([Acme()], into=tmp_path, ledger=ledger, **options)) == []


def test_all_that_a_ledger_has_outstanding_is_taken_up(
    vendor: Vendor, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment may name the ledger as well."""
    vendor.report("q1", "running", lasts=60)
    monkeypatch.setenv("EXPORTJOBS_LEDGER", str(tmp_path / "ledger.db"))
    (first,) = exportjobs.run(reports(Acme(), "q1"), into=None, deadline=20, **options)

    (second,) = exportjobs.resume_all([Acme()], into=None, deadline=None, **options)

    assert isinstance(first.error, exportjobs.DeadlineExceeded)
    assert second.ok
    assert second.ref == first.ref


@pytest.mark.parametrize("door", [exportjobs.run, exportjobs.resume_all])
def test_an_option_that_is_misspelt_is_told_of_the_function_that_was_called(
    door: Callable[..., object],
) -> None:
    """Nobody called a poller."""
    with pytest.raises(TypeError, match=rf"^{door.__name__}\(\) got .* argument 'ledgr'$"):
        door([], into=None, ledgr="exports.db")


def test_a_ledger_that_cannot_be_opened_is_told_before_anything_is_sent(
    vendor: Vendor, options: dict[str, Any], tmp_path: Path
) -> None:
    """A ledger in no folder ends the run with the path, and no export is submitted."""
    ledger = tmp_path / "nowhere" / "ledger.db"

    with pytest.raises(LedgerFailed, match="nowhere"):
        list(exportjobs.run(reports(Acme(), "q1"), into=None, ledger=ledger, **options))

    assert vendor.said == []


def test_options_are_passed_on(vendor: Vendor, options: dict[str, Any], clock: Hurried) -> None:
    """The keyword arguments of a poller work for a run."""
    vendor.report("q1", "running")

    (finished,) = exportjobs.run(
        reports(Acme(), "q1"), into=None, poll_interval=7, deadline=20, **options
    )

    assert isinstance(finished.error, exportjobs.DeadlineExceeded)
    assert vendor.moments("GET /reports/q1") == [7, 14, 20]
    assert clock.monotonic() == 20


def test_closing_a_run_early_leaves_nothing(vendor: Vendor, options: dict[str, Any]) -> None:
    """A run that is closed after its first result stops, and leaves its jobs at the vendor."""
    vendor.report("q1", submits=["done"])
    vendor.report("q2", submits=[busy()])

    results = exportjobs.run(reports(Acme(), "q1", "q2"), into=None, **options)
    first = next(results)
    results.close()  # type: ignore[attr-defined]

    assert id_of(first) == "q1"
    assert not any(said.startswith("DELETE") for said in vendor.said)


def test_closing_a_run_early_cancels_where_that_is_wished(
    vendor: Vendor, options: dict[str, Any]
) -> None:
    """With on_exit="cancel", jobs that run when the loop is left are cancelled."""
    vendor.report("q1", "done")
    vendor.report("q2", "running", lasts=1_000_000)

    for finished in exportjobs.run(
        reports(Acme(), "q1", "q2"), into=None, on_exit="cancel", **options
    ):
        first = finished
        break

    assert id_of(first) == "q1"
    assert vendor.said[-1] == "DELETE /reports/q2"


def test_an_exception_in_the_body_ends_the_run(vendor: Vendor, options: dict[str, Any]) -> None:
    """What the body of the for loop raises comes out as itself."""
    vendor.report("q1", submits=["done"])
    vendor.report("q2", submits=[busy()])

    def application() -> None:
        for finished in exportjobs.run(reports(Acme(), "q1", "q2"), into=None, **options):
            raise ZeroDivisionError(id_of(finished))

    with pytest.raises(ZeroDivisionError, match="q1"):
        application()


def test_a_run_that_is_forgotten_ends(vendor: Vendor, options: dict[str, Any]) -> None:
    """A run that is dropped after its first result is collected with its thread."""
    vendor.report("q1", submits=["done"])
    vendor.report("q2", submits=[busy()])

    results = exportjobs.run(reports(Acme(), "q1", "q2"), into=None, **options)
    first = next(results)
    del results
    gc.collect()

    assert id_of(first) == "q1"


def test_a_crash_of_the_loop_comes_out_of_the_run(vendor: Vendor, options: dict[str, Any]) -> None:
    """What breaks the loop in its thread is raised in the caller's, and does not hang."""
    vendor.report("q1")
    broken = options | {"clock": BrokenClock()}

    with pytest.raises(ZeroDivisionError):
        list(exportjobs.run(reports(Acme(), "q1"), into=None, **broken))


async def test_inside_an_event_loop_the_other_door_is_named(
    vendor: Vendor, options: dict[str, Any]
) -> None:
    """A run inside a running loop is refused with what to use instead, and sends nothing."""
    with raises_error(
        WrongContext,
        reason="exportjobs.run was called inside a running event loop",
        remedy="there, use: async with exportjobs.Poller() as poller, "
        "then async for finished in poller.run(...)",
    ):
        exportjobs.run(reports(Acme(), "q1"), into=None, **options)

    assert vendor.said == []


async def test_in_a_worker_thread_a_run_works(vendor: Vendor, options: dict[str, Any]) -> None:
    """A thread that an event loop has lent may run exports, as it has no loop of its own."""
    vendor.report("q1", "done")

    def work() -> list[Finished]:
        return list(exportjobs.run(reports(Acme(), "q1"), into=None, **options))

    results = await anyio.to_thread.run_sync(work)

    assert [id_of(finished) for finished in results] == ["q1"]


def test_two_runs_in_two_threads_do_not_meet(vendor: Vendor, options: dict[str, Any]) -> None:
    """Threads may each have a run of their own at the same time."""
    vendor.report("q1", "running", "done")
    vendor.report("q2", "running", "done")
    ended: list[str] = []

    def work(name: str) -> None:
        ended.extend(map(id_of, exportjobs.run(reports(Acme(), name), into=None, **options)))

    threads = [threading.Thread(target=work, args=(name,)) for name in ("q1", "q2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ended) == ["q1", "q2"]


INTERRUPTED = """
import threading
from concurrent.futures import Future
import exportjobs

wait, interrupted = Future.result, []

def result(self, timeout=None):
    if threading.current_thread() is threading.main_thread() and not interrupted:
        interrupted.append(self)
        raise KeyboardInterrupt
    return wait(self, timeout)

Future.result = result
try:
    list(exportjobs.run([], into=None))
except KeyboardInterrupt:
    print("interrupted", threading.active_count())
"""


def test_an_interrupt_before_the_loop_runs_leaves_nothing_and_hangs_nowhere() -> None:
    """The thread is there by then, and its loop cannot be told to stop."""
    printed = subprocess.check_output(  # noqa: S603 - our own code
        [sys.executable, "-c", INTERRUPTED], text=True, timeout=30
    )

    assert printed == "interrupted 1\n"

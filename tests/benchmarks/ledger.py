"""What a ledger costs: for each change of an export, for taking all up, and for a whole run.

uv run --group benchmarks tests/benchmarks/ledger.py [--exports 10000]
"""

import argparse
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import httpx
from _program import machine
from _report import table

from exportjobs import ExportJob, JobRef, JobStatus, Poller, run
from exportjobs._ledger.ledger import Ledger
from exportjobs._ledger.tables import Tables
from exportjobs._schedule.clock import SystemClock
from exportjobs.adapter import Reading
from exportjobs.cli._demo import exports_of
from exportjobs.sandbox import Sandbox
from exportjobs_clari import Clari

COMMAND = "uv run --group benchmarks tests/benchmarks/ledger.py"
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "ledger.md"
SIDE_BY_SIDE = 1
ROUNDS = 5
CLARI = Clari(api_key="k")


def job(number: int, status: JobStatus) -> ExportJob:
    """Return a job as its vendor describes it."""
    ref = JobRef("clari", "default", f"j{number}", "activity", submitted_at=datetime.now(UTC))
    return ExportJob(ref, Reading(status, status.upper()))


async def changes(file: Path, exports: int) -> list[float]:
    """Return the seconds that each change of each export took, some exports side by side."""
    took: list[float] = []

    async def timed(change: Callable[[], Awaitable[object]]) -> object:
        began = time.perf_counter()
        done = await change()
        took.append(time.perf_counter() - began)
        return done

    async def one(ledger: Ledger, number: int) -> None:
        row = await timed(lambda: ledger.write(Tables.intend, 0, CLARI.activity()))
        assert isinstance(row, int)
        for status in (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.DONE):
            await timed(partial(ledger.write, Tables.record, row, job(number, status)))

    async def several(ledger: Ledger, first: int) -> None:
        for number in range(first, exports, SIDE_BY_SIDE):
            await one(ledger, number)

    async with Ledger(file, SystemClock()) as ledger, anyio.create_task_group() as tasks:
        for first in range(SIDE_BY_SIDE):
            tasks.start_soon(several, ledger, first)
    return took


async def taking_up(file: Path) -> float:
    """Return the seconds until all that a ledger has outstanding is taken up, and asked about."""
    asked = anyio.Event()

    async def answer(_: httpx.Request) -> httpx.Response:
        asked.set()
        await anyio.sleep_forever()
        raise AssertionError

    began = time.perf_counter()
    async with Poller(
        ledger=file, accounts=[CLARI], transport=httpx.MockTransport(answer)
    ) as poller:
        await poller.resume_all(into=None)
        await asked.wait()
        return time.perf_counter() - began


def demo(folder: Path, ledger: Path | None) -> float:
    """Return the seconds that the demo's exports take, from the first submit to the last file."""
    with Sandbox(speed=20) as sandbox:
        exports = exports_of(sandbox)
        began = time.perf_counter()
        for finished in run(exports, into=folder, poll_interval=0.2, ledger=ledger or ":memory:"):
            finished.raise_for_status()
        return time.perf_counter() - began


def compare(folder: Path) -> list[float]:
    """Return how many times as long the demo takes with a ledger, round by round."""
    ratios: list[float] = []
    for number in range(ROUNDS):
        without = demo(folder / f"without-{number}", None)
        ratios.append(demo(folder / f"with-{number}", folder / f"{number}.db") / without)
        print(f"demo, round {number + 1} of {ROUNDS}: {ratios[-1]:.2f}")
    return ratios


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description="What a ledger costs.")
    parser.add_argument("--exports", type=int, default=10_000)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.db"
        took = anyio.run(changes, file, asked.exports)
        print(f"{len(took)} changes recorded")
        seconds = anyio.run(taking_up, file)
        ratios = compare(Path(folder))
    median, p99 = statistics.median(took) * 1000, statistics.quantiles(took, n=100)[98] * 1000
    ratio = statistics.median(ratios)
    rows = [
        ("a change of an export, median, ms", "1", f"{median:.2f}"),
        ("the 99th percentile of that, ms", "", f"{p99:.2f}"),
        (f"taking up {asked.exports:,} outstanding exports, s", "1", f"{seconds:.2f}"),
        ("the demo with a ledger over the demo without", "1.05", f"{ratio:.2f}"),
    ]
    page = (
        "# What a ledger costs\n\n"
        f"- Run with `{COMMAND}`; machine: {machine()}.\n"
        f"- {len(took):,} changes, each on disk before the next step is taken: of every export\n"
        "  the intent, the job's ref, and two changes of status.\n"
        f"- The demo: the median of {ROUNDS} rounds.\n\n" + table(("what", "bound", "found"), rows)
    )
    print(page)
    if asked.exports == parser.get_default("exports"):
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()

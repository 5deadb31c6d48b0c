"""How a poller bears 1,000 to 100,000 outstanding jobs, under a vendor in the same process.

    uv run --group benchmarks tests/benchmarks/scale.py [--quick]

The vendor answers from memory after a moment, so that what is measured is the library: the memory
that it keeps for each job beside the job itself, the CPU time of a poll, how late polls go out, and
what it costs to wait for jobs of which none is due.
"""

import argparse
import gc
import json
import multiprocessing
import os
import random
import resource
import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar

import anyio
import httpx
from _program import machine
from _report import OURS_COLOUR, save, table
from attrs import define, field, frozen
from matplotlib.figure import Figure

from exportjobs import Event, JobRef, Poller
from exportjobs.adapter import (
    Adapter,
    ExportJob,
    Flow,
    PollPolicy,
    Request,
    StatusMap,
    path,
)
from exportjobs.events import Polled

SIZES = (1_000, 10_000, 100_000)
POLLS_A_SECOND = 300
ANSWERS_AFTER = 0.005
WATCHED = 20.0
WARMING = 100
IDLE = 5.0
SETTLING = 5.0
SPREAD_FROM = 0.3
"""Parts of the interval; what is noted is due from a fifth of it on."""
HERE = Path(__file__).parents[2] / "docs" / "benchmarks"
COMMAND = "uv run --group benchmarks tests/benchmarks/scale.py"
MANY = 10_000
MEMORY_BOUND, IDLE_BOUND = 1_536, 0.01
LATE_BOUNDS = {10_000: 0.02, 100_000: 0.05}
_STATUSES = StatusMap(queued=("queued",), running=("running",), done=("done",))
_PAGE = os.sysconf("SC_PAGE_SIZE")


@frozen
class _Body:
    id: str
    status: str


@frozen
class Simulated(Adapter):
    """A vendor whose jobs never end."""

    vendor: ClassVar[str] = "simulated"
    polling: ClassVar[PollPolicy] = PollPolicy(min_interval=timedelta(0))

    def authenticate(self, request: Request) -> Request:
        """Leave the request as it is."""
        return request

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one job."""
        reply = yield Request.get(path("/jobs/{}", ref.id))
        body = reply.body(_Body)
        return ExportJob(ref, _STATUSES.read(body.status), raw=reply.json())


@define
class Watch(httpx.AsyncBaseTransport):
    """The vendor, and the moments at which it is asked against those at which it was to be."""

    due: dict[str, float] = field(factory=dict)
    late: list[float] = field(factory=list)
    polls: int = 0
    noting: bool = False
    """Whether it is noted when jobs are to be asked about."""
    jobs: int = 0
    everyone: anyio.Event = field(factory=anyio.Event)
    """That every job has been asked about once."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer that the job runs."""
        now, name = time.monotonic(), request.url.path.rpartition("/")[2]
        self.polls += 1
        if self.polls == self.jobs:
            self.everyone.set()
        if name in self.due:
            self.late.append(now - self.due.pop(name))
        await anyio.sleep(ANSWERS_AFTER)
        body = json.dumps({"id": name, "status": "running"})
        return httpx.Response(200, content=body)

    def observe(self, event: Event) -> None:
        """Note when a job is to be asked about again."""
        if self.noting and isinstance(event, Polled) and event.next_in is not None:
            self.due[event.job.ref.id] = time.monotonic() + event.next_in


@frozen
class Outcome:
    """What came out for so many jobs."""

    jobs: int
    memory: float
    """Bytes for each outstanding job, without the job's own snapshot and ref."""
    cpu: float
    """CPU seconds of one poll, the whole process."""
    late: tuple[float, float]
    """Seconds from when a poll was due to when it went out: median and 99th percentile."""
    idle: float
    """CPU seconds in a second in which nothing is due."""


def resident() -> int:
    """Return the bytes of memory that the process holds."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as table:  # noqa: PTH123 - no file but a table
        return int(table.read().split()[1]) * _PAGE


def cpu() -> float:
    """Return the CPU seconds that the process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def refs(account: Simulated, jobs: int) -> list[JobRef]:
    """Return the names of jobs that were submitted a moment ago."""
    now = datetime.now(UTC)
    return [
        JobRef(account.vendor, account.name, str(n), kind="report", submitted_at=now)
        for n in range(jobs)
    ]


def snapshots(account: Simulated, jobs: int) -> float:
    """Return the bytes of a job's own snapshot and ref: its payload, whoever keeps it."""
    before = resident()
    kept = [
        ExportJob(ref, _STATUSES.read("running"), raw={"id": ref.id, "status": "running"})
        for ref in refs(account, jobs)
    ]
    return (resident() - before) / len(kept)


async def outstanding(jobs: int, watched: float) -> tuple[float, float, Watch]:
    """Watch a poller with jobs of which some are always due."""
    watch, account = Watch(jobs=jobs), Simulated(base_url="https://simulated.test")
    interval = jobs / POLLS_A_SECOND
    before = resident()
    async with Poller(
        poll_interval=interval, jitter=_spread, transport=watch, observers=[watch.observe]
    ) as poller:
        results = poller.run([account.resume(ref) for ref in refs(account, jobs)], into=None)
        await watch.everyone.wait()
        memory = (resident() - before) / jobs
        watch.noting = True
        # Until some of what was noted is due: the spread leaves no job in peace for less.
        await anyio.sleep(max(SETTLING, SPREAD_FROM * interval))
        watch.late.clear()
        polls, spent = watch.polls, cpu()
        await anyio.sleep(watched)
        spent, polls = cpu() - spent, watch.polls - polls
        del results
    return memory, spent / polls, watch


async def waiting(jobs: int) -> float:
    """Watch a poller with jobs of which none is due."""
    watch, account = Watch(jobs=jobs), Simulated(base_url="https://simulated.test")
    async with Poller(poll_interval=3600, transport=watch) as poller:
        results = poller.run([account.resume(ref) for ref in refs(account, jobs)], into=None)
        await watch.everyone.wait()
        await anyio.sleep(1.0)
        spent = cpu()
        await anyio.sleep(IDLE)
        del results
        return (cpu() - spent) / IDLE


def _spread(low: float, high: float) -> float:
    """Spread the polls over the whole interval, or all would be due at once for ever."""
    return random.uniform(low - 0.8, high + 0.8)


def measure(jobs: int) -> Outcome:
    """Return what came out for so many jobs; in a process of its own."""
    # What is loaded once is no memory of a job's.
    anyio.run(partial(outstanding, WARMING, 0.1))
    payload = snapshots(Simulated(base_url="https://simulated.test"), jobs)
    memory, of_a_poll, watch = anyio.run(partial(outstanding, jobs, WATCHED))
    idle = anyio.run(partial(waiting, jobs))
    cuts = statistics.quantiles(watch.late, n=100)
    return Outcome(jobs, memory - payload, of_a_poll, (cuts[49], cuts[98]), idle)


def page(found: Sequence[Outcome]) -> str:
    """Return the page that tells what came out."""
    rows = [
        [
            f"{one.jobs:,}",
            f"{one.memory:,.0f}",
            f"{one.cpu * 1e6:,.0f}",
            f"{one.late[0] * 1e3:.1f}",
            f"{one.late[1] * 1e3:.1f}",
            f"{one.idle:.3%}",
        ]
        for one in found
    ]
    head = ["jobs", "bytes a job", "CPU µs a poll", "late ms, median", "late ms, p99", "CPU idle"]
    bounds = [*_bounds(found)]
    return (
        "# Many outstanding jobs\n\n"
        f"One poller, one account, jobs that never end, about {POLLS_A_SECOND} polls a second. The"
        " vendor lives in the same process and answers from memory after"
        f" {ANSWERS_AFTER * 1e3:.0f} ms, so that the CPU time holds httpx and the vendor, too. A"
        " job's own snapshot and ref are left out of the memory. Idle: an interval of an hour, so"
        " that nothing is due.\n\n"
        f"Run with `{COMMAND}`; machine: {machine()}.\n\n"
        f"{table(head, rows)}\n"
        f"{table(['bound', 'measured', 'holds'], bounds)}\n"
        "![lateness and memory](scale.svg)\n"
    )


def _bounds(found: Sequence[Outcome]) -> Iterator[list[str]]:
    """Yield what has to hold, what was measured, and whether it holds."""
    # With few jobs, what does not grow with their number shows.
    worst = max(one.memory for one in found if one.jobs >= MANY)
    what = f"at most {MEMORY_BOUND:,} bytes a job from {MANY:,} jobs on"
    yield _held(what, f"{worst:,.0f}", worst <= MEMORY_BOUND)
    for one in found:
        if bound := LATE_BOUNDS.get(one.jobs):
            what = f"p99 late by at most {bound * 1e3:.0f} ms at {one.jobs:,} jobs"
            yield _held(what, f"{one.late[1] * 1e3:.1f} ms", one.late[1] <= bound)
    idle = max(one.idle for one in found)
    yield _held(f"less than {IDLE_BOUND:.0%} CPU when idle", f"{idle:.3%}", idle < IDLE_BOUND)


def _held(what: str, measured: str, holds: bool) -> list[str]:  # noqa: FBT001 - a cell of a table
    return [what, measured, "yes" if holds else "no"]


def chart(found: Sequence[Outcome]) -> Figure:
    """Return lateness and memory against the number of jobs."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    late, memory = figure.subplots(1, 2)
    jobs = [one.jobs for one in found]
    late.loglog(jobs, [one.late[1] * 1e3 for one in found], "o-", color=OURS_COLOUR, label="p99")
    late.loglog(
        jobs, [one.late[0] * 1e3 for one in found], "o--", color=OURS_COLOUR, label="median"
    )
    late.set(xlabel="outstanding jobs", ylabel="polls late by, ms", title="Lateness")
    late.legend(frameon=False)
    memory.semilogx(jobs, [one.memory for one in found], "o-", color=OURS_COLOUR)
    memory.axhline(MEMORY_BOUND, color="grey", linestyle=":")
    memory.set(xlabel="outstanding jobs", ylabel="bytes a job", title="Memory", ylim=(0, None))
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every size and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out the 100,000 jobs")
    quick = parser.parse_args(arguments).quick
    found: list[Outcome] = []
    for jobs in SIZES[:-1] if quick else SIZES:
        print(f"{jobs:,} jobs ...", flush=True)
        with multiprocessing.get_context("spawn").Pool(1) as process:
            found.append(process.apply(measure, (jobs,)))
        print(found[-1], flush=True)
    HERE.mkdir(parents=True, exist_ok=True)
    (HERE / "scale.md").write_text(page(found), encoding="utf-8")
    save(chart(found), HERE / "scale.svg")


if __name__ == "__main__":
    main()

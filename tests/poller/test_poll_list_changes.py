"""While some jobs are listed others join them, are cancelled, or run out of time."""

from itertools import pairwise

import anyio
import httpx
import pytest
from tests.support.acme import (
    Listing,
    MakePoller,
    finish,
    ref_of,
    reports,
    status,
)
from tests.support.acme_api import Vendor

from exportjobs import (
    DeadlineExceeded,
    Event,
    JobCancelled,
    Poller,
)
from exportjobs.events import StatusUnknown
from exportjobs.testing import ManualClock

LIST = "GET /reports"
NAMES = ("q1", "q2", "q3", "q4", "q5")


async def test_a_job_submitted_between_two_lists_is_looked_after_in_time(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A job that joins the others is in the next list, at its own first moment at the latest."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=95)
    vendor.report("q3", lasts=5)

    async with make_poller() as poller:
        others = poller.run(reports(Listing(), "q1", "q2"), into=None)
        await clock.sleep(14)
        job = await poller.submit(Listing().report("q3"))
        await poller.resume(job.ref)
        ended = clock.monotonic()
        async for _ in others:
            pass

    assert ended <= 24
    assert vendor.singles == []


async def test_a_job_that_is_due_before_the_others_brings_the_list_forward(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """Where the vendor says on submit to come back soon, the list is asked for that soon."""
    soon = httpx.Response(200, headers={"Retry-After": "2"}, json={"id": "q3", "status": "running"})
    vendor.report("q1", lasts=95)
    vendor.report("q2", lasts=95)
    vendor.report("q3", lasts=1, submits=[soon])

    async with make_poller() as poller:
        await poller.submit(Listing().report("q1"))
        await poller.submit(Listing().report("q2"))
        await clock.sleep(4)
        (finished,) = await finish(poller, reports(Listing(), "q3"))

    assert finished.ok
    assert vendor.moments(LIST) == [pytest.approx(6, abs=0.2)]


async def test_jobs_of_an_earlier_process_are_listed_with_the_new_ones(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """Jobs that are resumed are asked about at once, and from then on together with the others."""
    for name in ("old1", "old2", "old3"):
        vendor.report(name, lasts=25, since=0.0)
    vendor.report("q1", lasts=25)
    account = Listing()
    old = [account.resume(ref_of(name, clock)) for name in ("old1", "old2", "old3")]

    async with make_poller() as poller:
        results = await finish(poller, [*old, *reports(account, "q1")])

    later = [seen for seen in vendor.seen if seen.moment > 0]
    assert all(finished.ok for finished in results)
    assert len(vendor.singles) <= 1
    assert [(seen.moment, seen.said) for seen in later] == [(10, LIST), (20, LIST), (30, LIST)]


async def given_up(poller: Poller, clock: ManualClock, **begun: float) -> dict[str, float]:
    """Return when each of some exports is given up that begin one after the other."""
    ends: dict[str, float] = {}

    async def see_to(name: str, at: float) -> None:
        await clock.sleep(at)
        (finished,) = await finish(poller, reports(Listing(), name))
        assert isinstance(finished.error, DeadlineExceeded)
        ends[name] = clock.monotonic()

    async with anyio.create_task_group() as tasks:
        for name, at in begun.items():
            tasks.start_soon(see_to, name, at)
    return ends


async def test_a_deadline_is_met_on_time_by_each_job_of_a_list(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """Jobs that are listed together are given up one by one, each when its own time is over."""
    for name in ("q1", "q2", "q3"):
        vendor.report(name, "running")

    async with make_poller(deadline=65) as poller:
        ends = await given_up(poller, clock, q1=0, q2=3, q3=33)

    assert ends == pytest.approx({"q1": 65, "q2": 68, "q3": 98})


async def test_a_deadline_is_met_on_time_though_the_account_is_paused(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A pause of two hours does not keep the jobs of a list beyond their ten minutes."""
    vendor.report("q1", "running")
    vendor.report("q2", "running")
    vendor.lists.append(status(429, Retry_After="7200"))

    async with make_poller(deadline=600) as poller:
        ends = await given_up(poller, clock, q1=0, q2=5)

    assert ends == pytest.approx({"q1": 600, "q2": 605})
    assert vendor.moments(LIST) == [10]
    assert vendor.singles == []


async def test_unknown_statuses_are_listed_slowly_and_end_at_the_deadline(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock, events: list[Event]
) -> None:
    """Where nobody knows what any of the jobs is doing, a list asks every ten intervals or so."""
    for name in NAMES:
        vendor.report(name, "PONDERING")

    async with make_poller(deadline=550) as poller:
        results = await finish(poller, reports(Listing(), *NAMES))

    assert all(isinstance(finished.error, DeadlineExceeded) for finished in results)
    assert clock.monotonic() == pytest.approx(550)
    first, *_, before, last = vendor.moments(LIST)
    waits = [later - sooner for sooner, later in pairwise(vendor.moments(LIST)[:-1])]
    assert first == 10
    assert last == pytest.approx(550)
    assert all(100 <= wait <= 110 for wait in waits)
    assert last - before <= 110
    assert vendor.singles == []
    assert sum(isinstance(event, StatusUnknown) for event in events) == len(NAMES)


async def test_an_unknown_status_does_not_slow_the_others_down(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """As long as a list is of use to one job, it comes at the usual pace."""
    vendor.report("q1", "PONDERING", "PONDERING", "PONDERING", "done")
    vendor.report("q2", lasts=45)

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2"))

    assert all(finished.ok for finished in results)
    assert vendor.moments(LIST) == [10, 20, 30, 40]
    assert vendor.moments("GET /reports/q2") == [50]


async def test_a_listed_job_that_is_cancelled_ends_at_once(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """Whoever cancels a job does not wait for the next list, and the others are listed on."""
    for name in ("q1", "q2", "q3"):
        vendor.report(name, lasts=45)

    async with make_poller() as poller:
        job = await poller.submit(Listing().report("q1"))
        results = poller.run(reports(Listing(), "q2", "q3"), into=None)
        await clock.sleep(14)
        await poller.cancel(job.ref)
        finished = await poller.resume(job.ref)
        cancelled_at = clock.monotonic()
        others = [other async for other in results]

    assert isinstance(finished.error, JobCancelled)
    assert cancelled_at == pytest.approx(14)
    assert all(other.ok for other in others)
    assert vendor.moments(LIST) == [10, 20, 30, 40, 50]
    assert vendor.singles == []


async def test_a_job_that_is_cancelled_while_it_is_listed_stays_cancelled(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A list that was under way when the job was cancelled does not bring it to life again."""
    vendor.report("q1", "running")
    vendor.report("q2", lasts=45)
    vendor.takes = lambda seen: 5 if seen.said == LIST else 0

    async with make_poller() as poller:
        job = await poller.submit(Listing().report("q1"))
        results = poller.run(reports(Listing(), "q2"), into=None)
        await clock.sleep(12)
        await poller.cancel(job.ref)
        finished = await poller.resume(job.ref)
        ended = clock.monotonic()
        await anext(results)

    assert isinstance(finished.error, JobCancelled)
    assert ended <= 15
    assert vendor.moments("GET /reports/q1") == []


async def test_leaving_cancels_what_was_listed(vendor: Vendor, make_poller: MakePoller) -> None:
    """With on_exit="cancel" every job of the list is cancelled at the vendor, one by one."""
    for name in NAMES:
        vendor.report(name, lasts=1000)

    async with make_poller(on_exit="cancel") as poller:
        for export in reports(Listing(), *NAMES):
            await poller.submit(export)

    assert sorted(vendor.said[len(NAMES) :]) == [f"DELETE /reports/{name}" for name in NAMES]


async def test_leaving_breaks_off_a_list_under_way(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A list that is not answered keeps nobody in the poller, and leaves no task."""
    vendor.report("q1", lasts=1000)
    vendor.report("q2", lasts=1000)
    vendor.takes = lambda seen: 3600 if seen.said == LIST else 0
    before = {task.id for task in anyio.get_running_tasks()}

    async with make_poller() as poller:
        await poller.submit(Listing().report("q1"))
        await poller.submit(Listing().report("q2"))
        await clock.sleep(20)

    assert vendor.moments(LIST) == [10]
    assert {task.id for task in anyio.get_running_tasks()} == before

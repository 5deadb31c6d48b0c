"""An account spreads what its vendor allows it, and believes what it is told is left."""

from datetime import timedelta
from itertools import pairwise

import httpx
import pytest
from tests.support.acme import (
    Acme,
    MakePoller,
    finish,
    id_of,
    reports,
    variant,
)
from tests.support.acme_api import Vendor

from exportjobs import DeadlineExceeded, Event
from exportjobs.adapter import Budget, Operation
from exportjobs.events import PollingSlowed
from exportjobs.testing import ManualClock

DAY = 86400.0


BY_THE_DAY = Budget(requests=300, per=timedelta(days=1), operation=Operation.POLL, calendar=True)
FewReads = variant(Acme, budgets=(BY_THE_DAY,))


def known(name: str, **headers: str) -> httpx.Response:
    """Return a good answer about a running report, with headers."""
    named = {header.replace("_", "-"): value for header, value in headers.items()}
    return httpx.Response(200, headers=named, json={"id": name, "status": "running"})


async def test_thrift_is_told_once(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """That the budget is being spread out is one event, not one for every question."""
    vendor.report("q1", lasts=3 * DAY)

    async with make_poller(deadline=DAY) as poller:
        await finish(poller, reports(FewReads(), "q1"))

    told = [event for event in events if isinstance(event, PollingSlowed)]
    assert len(told) == 1
    assert told[0].seconds > 5


async def test_thrift_is_told_once_whatever_becomes_of_single_jobs(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """Jobs that end, or whose status nobody knows, are no reason to tell it again."""
    for number in range(6):
        vendor.report(f"q{number}", lasts=DAY / 8 * (number + 1))
    vendor.report("odd", "PONDERING")

    async with make_poller(deadline=0.9 * DAY) as poller:
        names = [*(f"q{number}" for number in range(6)), "odd"]
        await finish(poller, reports(FewReads(), *names))

    told = [event for event in events if isinstance(event, PollingSlowed)]
    assert len(told) == 1


async def test_thrift_is_not_told_where_there_is_plenty(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """A job that is done long before the budget is gives no reason to speak of it."""
    vendor.report("q1", lasts=100)

    async with make_poller() as poller:
        await finish(poller, reports(FewReads(), "q1"))

    assert not any(isinstance(event, PollingSlowed) for event in events)


@pytest.mark.parametrize("interval", [None, 10], ids=["learned", "fixed"])
async def test_a_days_questions_last_the_whole_day(
    vendor: Vendor, make_poller: MakePoller, interval: int | None
) -> None:
    """Three hundred questions a day serve a job of thirty hours: to midnight, and on after it."""
    vendor.report("q1", lasts=30 * 3600)

    async with make_poller(poll_interval=interval, deadline=timedelta(days=2)) as poller:
        (finished,) = await finish(poller, reports(FewReads(), "q1"))

    asked = vendor.moments("GET /reports/q1")
    today = [moment for moment in asked if moment < DAY]
    tomorrow = [moment for moment in asked if moment >= DAY]
    hours = {int(moment // 3600) for moment in today}
    assert finished.ok
    assert len(today) <= 300
    assert len(tomorrow) <= 300
    assert hours >= set(range(23))
    assert tomorrow[0] < DAY + 2 * 3600
    assert tomorrow[-1] < 31 * 3600


async def test_an_answer_that_says_nothing_is_left_holds_the_whole_account(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """RateLimit-Remaining: 0 on a good answer: no question and no submit before the reset."""
    vendor.report("q1", known("q1", RateLimit_Remaining="0", RateLimit_Reset="500"), "done")
    vendor.report("q2", lasts=15)
    vendor.report("q3", submits=["done"])
    account = Acme()

    async with make_poller() as poller:
        results = poller.run(reports(account, "q1", "q2"), into=None)
        await clock.sleep(12)
        late = await finish(poller, reports(account, "q3"))
        rest = [finished async for finished in results]

    first = vendor.moments("GET /reports/q1")[0]
    held = [seen.moment for seen in vendor.seen if seen.moment > first]
    assert all(finished.ok for finished in [*late, *rest])
    assert min(held) >= first + 500


async def test_other_accounts_go_on_at_their_pace(vendor: Vendor, make_poller: MakePoller) -> None:
    """What one account has left is nothing to another."""
    vendor.report("q1", known("q1", RateLimit_Remaining="0", RateLimit_Reset="500"), "done")
    vendor.report("q2", lasts=95)

    async with make_poller() as poller:
        held, free = Acme(name="held"), Acme(name="free")
        results = await finish(poller, [*reports(held, "q1"), *reports(free, "q2")])

    assert [id_of(finished) for finished in results] == ["q2", "q1"]
    assert vendor.moments("GET /reports/q2") == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]


async def test_a_window_that_slides_is_not_taken_for_used_up(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A vendor that says five are left, time and again, is asked on at the usual pace."""
    answer = known("q1", RateLimit_Remaining="5", RateLimit_Reset="60")
    vendor.report("q1", *[answer] * 20, "done")

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"))

    waits = [after - before for before, after in pairwise(vendor.moments("GET /reports/q1"))]
    assert waits == pytest.approx([10] * 20)


async def test_a_job_whose_account_has_nothing_left_meets_its_deadline(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A budget that is used up until tomorrow does not keep anyone beyond the deadline."""
    vendor.report("q1", known("q1", X_RateLimit_Remaining="0", X_RateLimit_Reset="80000"))
    vendor.report("q2", "running")

    async with make_poller(deadline=3600) as poller:
        results = await finish(poller, reports(Acme(), "q1", "q2"))

    assert all(isinstance(finished.error, DeadlineExceeded) for finished in results)
    assert clock.monotonic() == pytest.approx(3600)

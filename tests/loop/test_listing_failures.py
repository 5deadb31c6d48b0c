"""A list that fails costs nobody an answer: the jobs are asked about one by one."""

from datetime import timedelta
from itertools import pairwise

import httpx
import pytest

from exportjobs import AuthenticationFailed, BrokenAdapter, DeadlineExceeded, Event
from exportjobs._events import ListFailed, PollFailed, Throttled
from exportjobs.adapter import ExportJob, Flow, Request, frozen
from exportjobs.testing import ManualClock

from .support import Acme, Listing, MakePoller, finish, id_of, reports, status
from .vendor import Seen, Vendor

LIST = "GET /reports"
EPSILON = 1e-6


def lowest(low: float, _: float) -> float:
    """Draw the lower bound: the soonest that jitter may allow."""
    return low


def failing(vendor: Vendor, answer: httpx.Response | Exception, *moments: float) -> None:
    """Let every list fail, or those of some moments."""

    def instead(seen: Seen) -> httpx.Response | Exception | None:
        return answer if seen.said == LIST and seen.moment in (moments or {seen.moment}) else None

    vendor.instead = instead


@pytest.mark.parametrize(
    "answer",
    [
        status(500),
        status(404),
        status(400),
        status(403),
        httpx.Response(200, content=b"{"),
        httpx.Response(200, json={"reports": None}),
        httpx.Response(200, json={"reports": [{"id": 5}]}),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
    ],
    ids=["500", "404", "400", "403", "no-json", "no-list", "no-row", "refused", "slow"],
)
async def test_jobs_are_asked_about_alone_in_the_moment_their_list_fails(
    vendor: Vendor,
    make_poller: MakePoller,
    events: list[Event],
    answer: httpx.Response | Exception,
) -> None:
    """Whatever is wrong with a list, each job gets a question instead, and the next list comes."""
    names = ("q1", "q2", "q3")
    for name in names:
        vendor.report(name, lasts=25)
    failing(vendor, answer, 10)

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), *names))

    assert all(finished.ok for finished in results)
    assert sorted(seen.said for seen in vendor.singles) == [f"GET /reports/{n}" for n in names]
    assert {seen.moment for seen in vendor.singles} == {10}
    assert [moment for moment in vendor.moments(LIST) if moment > 10] == [20, 30]
    assert sum(isinstance(event, ListFailed) for event in events) == 1
    assert not any(isinstance(event, PollFailed) for event in events)


async def test_a_list_that_fails_three_times_in_a_row_is_left_alone(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """From the fourth round on the jobs are asked about one by one, without trying the list."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=65)
    failing(vendor, status(404))

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2"))

    assert all(finished.ok for finished in results)
    assert all(finished.story.polls == 7 for finished in results)
    assert all(finished.story.failed_polls == 0 for finished in results)
    assert vendor.moments(LIST) == [10, 20, 30]
    assert vendor.moments("GET /reports/q1") == [10, 20, 30, 40, 50, 60, 70]
    assert sum(isinstance(event, ListFailed) for event in events) == 3


async def test_failures_with_a_good_list_in_between_are_forgiven(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """It takes three failures in a row to give the list up."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=75)
    failing(vendor, status(404), 10, 20, 40, 50)

    async with make_poller() as poller:
        await finish(poller, reports(Listing(), "q1", "q2"))

    assert vendor.moments(LIST) == [10, 20, 30, 40, 50, 60, 70, 80]
    assert vendor.moments("GET /reports/q1") == [10, 20, 40, 50]


async def test_an_account_whose_list_fails_does_not_spoil_anothers(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """One account's list is given up, the other account's goes on."""
    for name in ("a1", "a2", "b1", "b2"):
        vendor.report(name, lasts=55)
    a, b = Listing("key-of-a", name="a"), Listing("key-of-b", name="b")

    def instead(seen: Seen) -> httpx.Response | None:
        bad = seen.said == LIST and seen.header["X-Acme-Key"] == "key-of-a"
        return status(404) if bad else None

    vendor.instead = instead

    async with make_poller() as poller:
        await finish(poller, [*reports(a, "a1", "a2"), *reports(b, "b1", "b2")])

    asked = [seen.header["X-Acme-Key"] for seen in vendor.seen if seen.said == LIST]
    assert asked.count("key-of-a") == 3
    assert asked.count("key-of-b") == 6


async def test_a_throttled_list_pauses_the_account_once(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """After a 429 with Retry-After on the list nothing is asked before, and it is told once."""
    names = ("q1", "q2", "q3", "q4", "q5")
    for name in names:
        vendor.report(name, lasts=95)
    vendor.lists.append(status(429, Retry_After="90"))

    async with make_poller(jitter=lowest) as poller:
        results = await finish(poller, reports(Listing(), *names))

    first, second, *_ = vendor.moments(LIST)
    assert all(finished.ok for finished in results)
    assert 90 - EPSILON <= second - first <= 99
    assert vendor.singles == []
    assert sum(isinstance(event, Throttled) for event in events) == 1
    assert not any(isinstance(event, ListFailed) for event in events)


async def test_a_list_that_is_throttled_time_and_again_is_asked_for_less_and_less_often(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Without a Retry-After the waits grow; no job suffers, and the list is not given up."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=5)
    vendor.lists.extend(status(429) for _ in range(5))

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2"))

    moments = vendor.moments(LIST)
    waits = [after - before for before, after in pairwise(moments)]
    assert all(finished.ok for finished in results)
    assert waits == sorted(waits)
    assert waits[-1] >= 8 * waits[0] >= 80
    assert len(moments) == 6
    assert vendor.singles == []


async def test_a_throttled_list_does_not_hold_another_account_back(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Another account at the same vendor goes on meanwhile."""
    for name in ("a1", "a2", "b1", "b2"):
        vendor.report(name, lasts=25)
    a, b = Listing("key-of-a", name="a"), Listing("key-of-b", name="b")

    def instead(seen: Seen) -> httpx.Response | None:
        bad = seen.moment == 10 and seen.header["X-Acme-Key"] == "key-of-a"
        return status(429, Retry_After="3600") if bad else None

    vendor.instead = instead

    async with make_poller() as poller:
        results = await finish(poller, [*reports(a, "a1", "a2"), *reports(b, "b1", "b2")])

    of_b = [seen.moment for seen in vendor.seen if seen.header["X-Acme-Key"] == "key-of-b"]
    assert sorted(map(id_of, results[:2])) == ["b1", "b2"]
    assert of_b == [0, 0, 10, 20, 30]


async def test_a_key_that_the_list_does_not_accept_ends_every_job_after_one_request(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A 401 on the list stops the account: each job ends under its own name, unasked."""
    names = tuple(f"q{number}" for number in range(7))
    for name in names:
        vendor.report(name, lasts=100)
    failing(vendor, status(401))

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), *names))
        (late,) = await finish(poller, reports(Listing(), "q0"))

    errors = [finished.error for finished in results]
    assert all(isinstance(error, AuthenticationFailed) for error in errors)
    assert [error.ref for error in errors if error] == [finished.ref for finished in results]
    assert isinstance(late.error, AuthenticationFailed)
    assert vendor.said[7:] == [LIST]


async def test_a_list_that_says_when_to_come_back_is_obeyed(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Retry-After on a good list takes the place of the usual interval."""
    rows = [{"id": name, "status": "running"} for name in ("q1", "q2")]
    for name in ("q1", "q2"):
        vendor.report(name, lasts=5)
    vendor.lists.append(httpx.Response(200, headers={"Retry-After": "45"}, json={"reports": rows}))

    async with make_poller(jitter=lowest) as poller:
        await finish(poller, reports(Listing(), "q1", "q2"))

    first, second = vendor.moments(LIST)
    assert 45 - EPSILON <= second - first <= 50


async def test_a_new_job_does_not_bring_a_list_forward_that_is_to_come_later(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """What the vendor asked for on one list holds for the next, whoever has joined meanwhile."""
    rows = [{"id": name, "status": "running"} for name in ("q1", "q2")]
    for name in ("q1", "q2", "q3", "q4"):
        vendor.report(name, lasts=5)
    vendor.lists.append(httpx.Response(200, headers={"Retry-After": "60"}, json={"reports": rows}))

    async with make_poller(jitter=lowest) as poller:
        others = poller.run(reports(Listing(), "q1", "q2"), into=None)
        await clock.sleep(12)
        await finish(poller, reports(Listing(), "q3", "q4"))
        results = [finished async for finished in others]

    first, second, *_ = vendor.moments(LIST)
    assert all(finished.ok for finished in results)
    assert second - first >= 60 - EPSILON


async def test_a_vendor_that_is_down_for_a_known_time_is_left_alone(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A 503 with Retry-After on the list: the list is not asked for before its time."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=95)
    vendor.lists.append(status(503, Retry_After="300"))

    async with make_poller(jitter=lowest) as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2"))

    first, second, *_ = [seen.moment for seen in vendor.seen if seen.said.startswith("GET")]
    assert all(finished.ok for finished in results)
    assert second - first >= 300 - EPSILON


async def test_a_list_of_something_else_than_jobs_costs_nobody_an_answer(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """A mistake in an adapter's list is its own: the jobs are asked about one by one."""

    @frozen
    class Confused(Acme):
        """Acme, where the list is made of the wrong things."""

        def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Flow[tuple[ExportJob, ...]]:
            """Return what nobody wants."""
            yield Request.get("/reports", params={"page": len(wanted)})
            return (None,)  # type: ignore[return-value]

    for name in ("q1", "q2"):
        vendor.report(name, lasts=5)

    async with make_poller() as poller:
        results = await finish(poller, reports(Confused(), "q1", "q2"))

    (failed,) = [event for event in events if isinstance(event, ListFailed)]
    assert all(finished.ok for finished in results)
    assert isinstance(failed.error, BrokenAdapter)


async def test_a_list_that_is_not_answered_does_not_keep_its_jobs_for_ever(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A list that hangs is given up: its jobs are asked about alone, long before their deadline."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=5)
    vendor.takes = lambda seen: 7 * 86400 if seen.said == LIST else 0

    async with make_poller(deadline=timedelta(hours=1)) as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2"))

    assert all(finished.ok for finished in results)
    assert clock.monotonic() < 3600


async def test_a_list_that_is_not_answered_keeps_no_job_beyond_its_deadline(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """Jobs whose list hangs are given up when their time is over, or a few seconds later."""
    for name in ("q1", "q2"):
        vendor.report(name, "running")
    vendor.takes = lambda seen: 7 * 86400 if seen.said == LIST else 0

    async with make_poller(deadline=100) as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2"))

    assert all(isinstance(finished.error, DeadlineExceeded) for finished in results)
    assert clock.monotonic() <= 110


async def test_a_list_waits_for_the_pause_that_another_request_was_told(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """After a 429 on a submit the account's jobs are not listed before the pause is over."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=5)
    vendor.report("q3", submits=[status(429, Retry_After="90"), "done"])

    async with make_poller(jitter=lowest) as poller:
        others = poller.run(reports(Listing(), "q1", "q2"), into=None)
        await clock.sleep(5)
        (finished,) = await finish(poller, reports(Listing(), "q3"))
        results = [finished async for finished in others]

    assert finished.ok
    assert all(finished.ok for finished in results)
    assert vendor.moments("POST /reports/q3")[0] == 5
    assert vendor.moments(LIST)[0] >= 95 - EPSILON

"""A vendor that asks for patience where jobs are listed gets it."""

from itertools import pairwise

import httpx
import pytest
from tests.support.acme import Listing, MakePoller, finish, id_of, reports, status
from tests.support.acme_api import Seen, Vendor
from tests.support.draws import lowest

from exportjobs import Event
from exportjobs.events import ListFailed, Throttled
from exportjobs.testing import ManualClock

LIST = "GET /reports"
EPSILON = 1e-6


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


async def test_a_new_job_does_not_bring_a_list_forward_of_a_vendor_that_is_down(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """Until the time that the vendor gave is over there is no list, whoever has joined since."""
    for name in ("q1", "q2", "q3", "q4"):
        vendor.report(name, lasts=95)
    vendor.lists.append(status(503, Retry_After="300"))

    async with make_poller(jitter=lowest) as poller:
        others = poller.run(reports(Listing(), "q1", "q2"), into=None)
        await clock.sleep(12)
        late = await finish(poller, reports(Listing(), "q3", "q4"))
        results = [finished async for finished in others]

    first, second, *_ = vendor.moments(LIST)
    assert all(finished.ok for finished in [*late, *results])
    assert second - first >= 300 - EPSILON


def page(*names: str, **headers: str) -> httpx.Response:
    """Return a page of a list of running reports."""
    rows = [{"id": name, "status": "running"} for name in names]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, headers=named, json={"reports": rows})


async def test_what_one_page_of_a_list_asks_for_outlasts_the_next_page(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A first page that says when to come back is obeyed although the second says nothing."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=5)
    vendor.lists.extend([page("q1", Retry_After="45"), page("q2", Retry_After="7")])

    async with make_poller(jitter=lowest) as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2"))

    first, second, third = vendor.moments(LIST)
    assert all(finished.ok for finished in results)
    assert first == second
    assert 45 - EPSILON <= third - first <= 50


async def test_what_one_page_asks_for_holds_where_the_next_page_fails(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """The jobs are asked about one by one; the list is left alone for as long as it said."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=95)
    vendor.lists.extend([page("q1", Retry_After="45"), status(400)])

    async with make_poller(jitter=lowest) as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2"))

    first, second, third, *_ = vendor.moments(LIST)
    assert all(finished.ok for finished in results)
    assert vendor.singles
    assert first == second
    assert third - first >= 45 - EPSILON


async def test_a_list_that_settles_a_doubt_keeps_to_what_the_last_list_asked_for(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A submit in doubt is looked for in a list, but not before the vendor agrees to list."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=95)
    vendor.report("q3", submits=[httpx.ReadError("reset"), "queued"], lasts=5)
    vendor.lists.append(page("q1", "q2", Retry_After="60"))

    async with make_poller(jitter=lowest) as poller:
        others = poller.run(reports(Listing(), "q1", "q2"), into=None)
        await clock.sleep(5)
        (finished,) = await finish(poller, reports(Listing(), "q3"))
        results = [finished async for finished in others]

    first, second, *_ = vendor.moments(LIST)
    assert finished.ok
    assert all(finished.ok for finished in results)
    assert second - first >= 60 - EPSILON


@pytest.mark.parametrize(
    "answer",
    [page("q1", "q2", Retry_After="60"), status(503, Retry_After="60")],
    ids=["200", "503"],
)
async def test_what_a_list_that_settles_a_doubt_asks_for_holds_for_the_next_list(
    vendor: Vendor, make_poller: MakePoller, answer: httpx.Response
) -> None:
    """Whoever asked for a list, the next one comes no sooner than the vendor agreed to."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=95)
    vendor.report("q3", submits=[httpx.ReadError("reset"), "queued"], lasts=5)
    vendor.lists.extend([page("q1", "q2"), answer])

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2", "q3"))

    first, second, third, *_ = vendor.moments(LIST)
    assert all(finished.ok for finished in results)
    assert (first, second) == (10, 15)
    assert third - second >= 60 - EPSILON

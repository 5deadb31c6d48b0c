"""A list that fails costs nobody an answer: the jobs are asked about one by one."""

from datetime import timedelta

import httpx
import pytest
from tests.support.acme import Acme, Listing, MakePoller, finish, reports, status
from tests.support.acme_api import Seen, Vendor

from exportjobs import AuthenticationFailed, BrokenAdapter, DeadlineExceeded, Event
from exportjobs.adapter import ExportJob, Flow, Request, frozen
from exportjobs.events import ListFailed, PollFailed
from exportjobs.testing import ManualClock

LIST = "GET /reports"


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
    assert all(finished.stats.polls == 7 for finished in results)
    assert all(finished.stats.failed_polls == 0 for finished in results)
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

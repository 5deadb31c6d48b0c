"""What a vendor allows an account is never exceeded."""

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from tests.support.acme import (
    Acme,
    Counted,
    Listing,
    MakePoller,
    SignedIn,
    finish,
    reports,
    signed,
    status,
    variant,
)
from tests.support.acme_api import Vendor

from exportjobs import Event, QuotaExceeded
from exportjobs.adapter import Budget, Operation
from exportjobs.events import PollFailed
from exportjobs.testing import ManualClock

LIST = "GET /reports"
DAY = 86400.0


MINUTE = timedelta(minutes=1)
FivePolls = variant(Acme, budgets=(Budget(requests=5, per=MINUTE, operation=Operation.POLL),))
ThreeLists = variant(
    Listing,
    budgets=(
        Budget(requests=1000, per=MINUTE, operation=Operation.POLL),
        Budget(requests=3, per=MINUTE, operation=Operation.LIST),
    ),
)
OneToken = variant(
    SignedIn,
    budgets=(Budget(requests=1, per=timedelta(hours=1), operation=Operation.OTHER),),
)
TenRequests = variant(Acme, budgets=(Budget(requests=10, per=MINUTE),))


def most_within(seconds: float, moments: Sequence[float]) -> int:
    """Return the most moments that fall into any window of a length."""
    return max((sum(m <= one < m + seconds for one in moments) for m in moments), default=0)


@pytest.mark.parametrize("interval", [1, 10, 45])
async def test_questions_and_lists_keep_within_their_budgets(
    vendor: Vendor, make_poller: MakePoller, interval: int
) -> None:
    """In no minute are there more than five questions or three lists, and every job ends."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=500)
    for number in range(20):
        vendor.report(f"old{number}", lasts=40 * number, since=0.0)
    account = Counted()
    old = [account.resume(account.ref(f"old{number}")) for number in range(20)]

    async with make_poller(poll_interval=interval) as poller:
        results = await finish(poller, [*reports(account, "q1", "q2"), *old])

    assert all(finished.ok for finished in results)
    assert most_within(60, [seen.moment for seen in vendor.singles]) <= 5
    assert most_within(60, vendor.moments(LIST)) <= 3


@pytest.mark.parametrize("answer", [status(503), httpx.ReadError("reset")], ids=["503", "reset"])
async def test_requests_that_fail_are_counted_and_so_are_their_repetitions(
    vendor: Vendor, make_poller: MakePoller, answer: httpx.Response | Exception
) -> None:
    """A vendor that fails counts all the same: what is repeated stays within the budget."""
    names = ("q1", "q2", "q3", "q4")
    for name in names:
        vendor.report(name, *[answer] * 7, "done")

    async with make_poller() as poller:
        results = await finish(poller, reports(FivePolls(), *names))

    assert all(finished.ok for finished in results)
    assert most_within(60, [seen.moment for seen in vendor.singles]) <= 5


async def test_a_budget_for_everything_is_shared_by_submits_and_questions(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Exports beyond a minute's budget wait for the next; nothing is refused."""
    names = tuple(f"q{number}" for number in range(25))
    for name in names:
        vendor.report(name, lasts=20)

    async with make_poller() as poller:
        results = await finish(poller, reports(TenRequests(), *names))

    assert all(finished.ok for finished in results)
    assert most_within(60, [seen.moment for seen in vendor.seen]) <= 10


async def test_a_story_tells_of_the_questions_that_were_asked(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """A question that the budget did not allow was not asked: it neither counts nor fails."""
    names = tuple(f"q{number}" for number in range(8))
    for name in names:
        vendor.report(name, lasts=400)

    async with make_poller() as poller:
        results = await finish(poller, reports(FivePolls(), *names))

    assert sum(finished.stats.polls for finished in results) == len(vendor.singles)
    assert not any(isinstance(event, PollFailed) for event in events)


async def test_while_no_list_is_left_jobs_are_asked_about_alone(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """When the lists of a minute are used up, questions serve those whose moment has come."""
    first = tuple(f"first{number:02}" for number in range(25))
    for name in first:
        vendor.report(name, lasts=150)
    for name in ("late1", "late2"):
        vendor.report(name, lasts=15)

    async with make_poller() as poller:
        early = poller.run(reports(ThreeLists(), *first), into=None)
        await clock.sleep(14)
        late = await finish(poller, reports(ThreeLists(), "late1", "late2"))
        results = [finished async for finished in early]

    lists = vendor.moments(LIST)
    assert all(finished.ok for finished in [*late, *results])
    assert lists[:3] == [10, 10, 10]
    assert lists[3] >= 60
    assert [seen.moment for seen in vendor.singles if seen.moment < lists[3]] == [24, 24, 34, 34]
    assert vendor.moments("GET /reports/late1") == [24, 34]


async def test_a_job_that_is_to_be_left_alone_is_not_asked_about_for_want_of_lists(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """Where questions take the place of lists, a job's own Retry-After is kept to all the same."""
    for name in ("q1", "q2", "q3", "q4", *(f"more{number:02}" for number in range(20))):
        vendor.report(name, lasts=200)
    alone = httpx.Response(
        200, headers={"Retry-After": "60"}, json={"id": "q3", "status": "running"}
    )
    vendor.report("q3", lasts=200, submits=[alone])

    async with make_poller() as poller:
        more = [f"more{number:02}" for number in range(20)]
        early = poller.run(reports(ThreeLists(), "q1", "q2", *more), into=None)
        await clock.sleep(12)
        late = await finish(poller, reports(ThreeLists(), "q3", "q4"))
        results = [finished async for finished in early]

    assert all(finished.ok for finished in [*late, *results])
    assert vendor.moments("GET /reports/q4")[0] == 22
    assert min([*vendor.moments("GET /reports/q3"), 72]) >= 72


async def test_the_submit_that_is_one_too_many_says_when_the_next_is_allowed(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """With two submits a day the third fails unsent, told until when; the first two go on."""
    for name in ("q1", "q2", "q3", "q4"):
        vendor.report(name, lasts=25)

    async with make_poller() as poller:
        results = await finish(poller, reports(Counted(), "q1", "q2", "q3", "q4"))

    refused, good = results[:2], results[2:]
    assert len(good) == 2
    assert all(finished.ok for finished in good)
    assert all(isinstance(finished.error, QuotaExceeded) for finished in refused)
    assert "2 submit requests a day" in str(refused[0].error)
    assert "2026-01-02 00:00:00 UTC" in str(refused[0].error)
    assert sum(said.startswith("POST") for said in vendor.said) == 2
    assert clock.monotonic() < 60


async def test_after_midnight_there_are_submits_again(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A budget by the calendar begins anew at midnight UTC, not a day after the last request."""
    for name in ("q1", "q2", "q3", "q4", "q5"):
        vendor.report(name, submits=["done"])

    async with make_poller() as poller:
        await clock.sleep(DAY - 7200)
        before = await finish(poller, reports(Counted(), "q1", "q2"))
        with pytest.raises(QuotaExceeded):
            await poller.submit(Counted().report("q3"))
        await clock.sleep(7200)
        after = await finish(poller, reports(Counted(), "q4", "q5"))

    assert all(finished.ok for finished in [*before, *after])


async def test_a_fresh_address_waits_for_a_token_if_need_be(
    vendor: Vendor,
    make_poller: MakePoller,
    clock: ManualClock,
    tmp_path: Path,
    tokens: deque[httpx.Response],
) -> None:
    """Where no new token may be had yet, a file whose address was refused waits for one."""
    looks = iter(range(10_000))

    def impatient() -> float:
        assert next(looks, None) is not None, "somebody goes round and round"
        return ManualClock.monotonic(clock)

    clock.monotonic = impatient  # type: ignore[method-assign]
    tokens[0] = httpx.Response(200, json={"token": "t1", "lifetime": 100})
    vendor.report("q1", "done", submits=["done"], links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [status(403), b"a,b\n"]
    vendor.takes = lambda seen: 200 if seen.said == "GET /q1.csv" else 0

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(OneToken(), "q1"), tmp_path)

    assert finished.ok
    assert vendor.said.count("POST /token") == 2
    assert 3600 <= clock.monotonic() <= 2 * 3600

"""Where a vendor tells how many jobs it takes, nothing is submitted just to be refused."""

import httpx
import pytest
from tests.support.acme import (
    Acme,
    Frank,
    MakePoller,
    busy,
    finish,
    id_of,
    reports,
    status,
    variant,
)
from tests.support.acme_api import Seen, Vendor

from exportjobs import AuthenticationFailed, DeadlineExceeded, Event
from exportjobs.adapter import PollPolicy
from exportjobs.events import Waiting
from exportjobs.testing import ManualClock

LIMITS = "GET /limits"
NAMES = tuple(f"q{number}" for number in range(7))
SLOW = PollPolicy().unknown_status_interval.total_seconds()


def limits(**told: int) -> httpx.Response:
    """Return what the vendor says of an account's limits."""
    return httpx.Response(200, json=told)


async def test_limits_are_asked_for_once_before_the_first_submit(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Several exports wait for one answer, and no later ones ask again."""
    vendor.limits = limits(slots=5)
    for name in NAMES:
        vendor.report(name, lasts=15)

    async with make_poller() as poller:
        results = await finish(poller, reports(Frank(), *NAMES[:4]))
        results += await finish(poller, reports(Frank(), *NAMES[4:]))

    assert all(finished.ok for finished in results)
    assert vendor.said[0] == LIMITS
    assert vendor.said.count(LIMITS) == 1


async def test_slots_that_were_told_are_kept_to(
    vendor: Vendor, make_poller: MakePoller, most: list[int]
) -> None:
    """With two slots told there are never more than two jobs, and no submit is refused."""
    vendor.limits = limits(slots=2)
    for name in NAMES:
        vendor.report(name, lasts=15)

    def instead(seen: Seen) -> httpx.Response | None:
        return busy() if seen.said.startswith("POST") and vendor.running() >= 2 else None

    vendor.instead = instead

    async with make_poller() as poller:
        results = await finish(poller, reports(Frank(), *NAMES))

    assert sorted(map(id_of, results)) == list(NAMES)
    assert max(most) == 2
    assert sum(said.startswith("POST") for said in vendor.said) == len(NAMES)


async def test_slots_that_are_published_bound_those_that_are_told(
    vendor: Vendor, make_poller: MakePoller, most: list[int]
) -> None:
    """Of two limits the lower counts."""
    vendor.limits = limits(slots=5)
    for name in NAMES:
        vendor.report(name, lasts=15)

    async with make_poller() as poller:
        await finish(poller, reports(variant(Frank, slots=2)(), *NAMES))

    assert max(most) == 2


async def test_a_vendor_that_tells_nothing_of_slots_bounds_nothing(
    vendor: Vendor, make_poller: MakePoller, most: list[int]
) -> None:
    """An answer about the quota alone is no limit on jobs at once."""
    vendor.limits = limits(quota=100, remaining_quota=99)
    for name in NAMES:
        vendor.report(name, lasts=15)

    async with make_poller() as poller:
        results = await finish(poller, reports(Frank(), *NAMES))

    assert all(finished.ok for finished in results)
    assert max(most) == len(NAMES)


@pytest.mark.parametrize(
    "answer",
    [
        status(500),
        status(404),
        status(403),
        httpx.Response(200, content=b"{"),
        httpx.Response(200, json={"slots": "many"}),
        httpx.ConnectError("refused"),
    ],
    ids=["500", "404", "403", "no-json", "no-number", "refused"],
)
async def test_without_an_answer_refusals_tell(
    vendor: Vendor, make_poller: MakePoller, answer: httpx.Response | Exception
) -> None:
    """Limits that cannot be had hold nobody up: what is refused is submitted again later."""
    vendor.limits = answer
    vendor.report("q1", lasts=15)
    vendor.report("q2", submits=[busy(), "queued"], lasts=15)
    vendor.report("q3", lasts=15)

    async with make_poller() as poller:
        results = await finish(poller, reports(Frank(), "q1", "q2", "q3"))

    asked = {seen.moment for seen in vendor.seen if seen.said == LIMITS}
    assert all(finished.ok for finished in results)
    assert asked == {0}
    assert vendor.moments("POST /reports/q1") == [0]


async def test_a_vendor_that_asks_for_patience_there_gets_it(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """After a 429 with Retry-After on the limits nothing is submitted before."""
    vendor.limits = limits(slots=5)
    throttled = status(429, Retry_After="60")
    vendor.instead = lambda seen: throttled if seen.said == LIMITS and seen.moment == 0 else None
    for name in NAMES:
        vendor.report(name, lasts=15)

    async with make_poller() as poller:
        results = await finish(poller, reports(Frank(), *NAMES))

    assert all(finished.ok for finished in results)
    assert min(seen.moment for seen in vendor.seen if seen.said.startswith("POST")) >= 60


async def test_a_key_that_is_not_accepted_there_stops_the_account(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A 401 on the limits ends all exports of the account after that one request."""
    vendor.limits = status(401)
    exports = reports(Frank(), *NAMES)

    async with make_poller() as poller:
        results = await finish(poller, exports)
        (late,) = await finish(poller, reports(Frank(), "q0"))

    assert vendor.said == [LIMITS]
    assert {finished.export for finished in results} == set(exports)
    assert all(isinstance(finished.error, AuthenticationFailed) for finished in [*results, late])


async def test_another_account_goes_on_after_that(vendor: Vendor, make_poller: MakePoller) -> None:
    """One account's refused key is nothing to another."""
    vendor.limits = status(401)
    for name in ("q1", "q2", "q3", "q4"):
        vendor.report(name, lasts=15)

    async with make_poller() as poller:
        bad, good = Frank(name="bad"), Acme(name="good")
        results = await finish(poller, [*reports(bad, "q1", "q2"), *reports(good, "q3", "q4")])

    ends = {finished.export.account[1]: finished.ok for finished in results}
    assert ends == {"bad": False, "good": True}


async def test_slots_of_others_are_tried_again_after_a_while(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Of three slots others hold two: one export goes out, the next when it may have changed."""
    vendor.limits = limits(slots=3, free_slots=1)
    for name in ("q1", "q2", "q3"):
        vendor.report(name, lasts=400)

    async with make_poller() as poller:
        results = await finish(poller, reports(Frank(), "q1", "q2", "q3"))

    first, *later = sorted(seen.moment for seen in vendor.seen if seen.said.startswith("POST"))
    slow = 10 * 10
    assert all(finished.ok for finished in results)
    assert first == 0
    assert later == pytest.approx([slow, slow])


async def test_slots_of_others_are_tried_again_after_the_vendors_slow_interval(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Without an interval of the user's own, the vendor's pace says how long a while is."""
    vendor.limits = limits(free_slots=0)
    for name in ("q1", "q2"):
        vendor.report(name, submits=["done"])

    async with make_poller(poll_interval=None) as poller:
        results = await finish(poller, reports(Frank(), "q1", "q2"))

    assert all(finished.ok for finished in results)
    assert vendor.moments("POST /reports/q1") == [pytest.approx(SLOW)]


async def test_a_slot_of_ones_own_is_refilled_at_once(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """The end of a job of ours makes room long before those of others are tried again."""
    vendor.limits = limits(slots=3, free_slots=1)
    vendor.report("q1", lasts=15)
    vendor.report("q2", lasts=15)
    vendor.report("q3", lasts=15)

    async with make_poller() as poller:
        results = await finish(poller, reports(Frank(), "q1", "q2", "q3"))

    submits = [seen.moment for seen in vendor.seen if seen.said.startswith("POST")]
    assert all(finished.ok for finished in results)
    assert submits == [0, 20, 40]
    assert not any(isinstance(event, Waiting) and event.seconds for event in events)


async def test_a_slot_that_others_took_meanwhile_is_waited_for(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """What was told may have changed: a submit that is refused all the same is repeated."""
    vendor.limits = limits(slots=3, free_slots=3)
    vendor.report("q1", lasts=15)
    vendor.report("q2", submits=[busy(), "queued"], lasts=15)

    async with make_poller() as poller:
        results = await finish(poller, reports(Frank(), "q1", "q2"))

    assert all(finished.ok for finished in results)
    assert len(vendor.moments("POST /reports/q2")) == 2


async def test_one_export_alone_asks_for_no_limits(vendor: Vendor, make_poller: MakePoller) -> None:
    """For one export there is room or there is not: that is found out by submitting it."""
    vendor.limits = limits(slots=5)
    vendor.report("q1", lasts=15)

    async with make_poller() as poller:
        await finish(poller, reports(Frank(), "q1"))

    assert LIMITS not in vendor.said


async def test_exports_that_wait_for_limits_meet_their_deadline(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A vendor that is silent about its limits keeps nobody beyond the deadline."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=15)
    vendor.takes = lambda seen: 7 * 86400 if seen.said == LIMITS else 0

    async with make_poller(deadline=3600) as poller:
        results = await finish(poller, reports(Frank(), "q1", "q2"))

    assert all(isinstance(finished.error, DeadlineExceeded) for finished in results)
    assert clock.monotonic() == 3600


async def test_exports_that_wait_for_a_slot_of_others_meet_their_deadline(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """Whatever an account waits for, an export is given up when its time is over."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=15)
    vendor.limits = limits(slots=1, free_slots=0)

    async with make_poller(deadline=60) as poller:
        results = await finish(poller, reports(Frank(), "q1", "q2"))

    assert all(isinstance(finished.error, DeadlineExceeded) for finished in results)
    assert vendor.said == [LIMITS]
    assert clock.monotonic() == 60

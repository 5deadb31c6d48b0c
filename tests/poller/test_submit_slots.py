"""How many jobs an account has outstanding: never more than it may, and never fewer for long."""

from itertools import pairwise

import pytest
from tests.support.acme import (
    Acme,
    MakePoller,
    OneAtATime,
    TwoAtATime,
    busy,
    finish,
    id_of,
    reports,
    status,
    variant,
)
from tests.support.acme_api import Vendor

from exportjobs import Event, QuotaExceeded
from exportjobs.adapter import JobRef, evolve
from exportjobs.events import Waiting
from exportjobs.testing import ManualClock

NAMES = ("q1", "q2", "q3", "q4", "q5", "q6", "q7")


async def test_declared_slots_are_never_exceeded(
    vendor: Vendor, make_poller: MakePoller, most: list[int]
) -> None:
    """With two slots there are never more than two jobs, and all seven are done in the end."""
    for name in NAMES:
        vendor.report(name, lasts=15)

    async with make_poller() as poller:
        results = await finish(poller, reports(TwoAtATime(), *NAMES))

    assert sorted(map(id_of, results)) == list(NAMES)
    assert max(most) == 2


async def test_a_slot_is_refilled_the_moment_a_job_ends(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """The next submit comes with the answer that ends a job, not with the next round."""
    vendor.report("q1", lasts=30)
    vendor.report("q2", submits=["done"])

    async with make_poller() as poller:
        await finish(poller, reports(OneAtATime(), "q1", "q2"))

    assert vendor.moments("POST /reports/q2") == vendor.moments("GET /reports/q1")[-1:]


@pytest.mark.parametrize("end", ["failed", "cancelled", "done"])
async def test_however_a_job_ends_its_slot_is_free(
    vendor: Vendor, make_poller: MakePoller, end: str
) -> None:
    """A slot is free again after a job that failed, was cancelled or is done."""
    vendor.report("q1", end)
    vendor.report("q2", submits=["done"])

    async with make_poller() as poller:
        results = await finish(poller, reports(OneAtATime(), "q1", "q2"))

    assert [id_of(finished) for finished in results] == ["q1", "q2"]


async def test_a_refused_submit_gives_its_slot_back(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """An export that the vendor refuses does not hold a slot."""
    vendor.report("bad", submits=[status(400)])
    vendor.report("q2", submits=["done"])

    async with make_poller() as poller:
        results = await finish(poller, reports(OneAtATime(), "bad", "q2"))

    assert [finished.ok for finished in results] == [False, True]


async def test_no_slot_is_lost_to_a_job_that_waits_to_be_claimed(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A job that has ended and nobody has resumed yet does not hold a slot."""
    vendor.report("q1", submits=["done"])
    vendor.report("q2", submits=["done"])

    async with make_poller() as poller:
        await poller.submit(OneAtATime().report("q1"))
        job = await poller.submit(OneAtATime().report("q2"))

    assert job.ref.id == "q2"


async def test_too_many_jobs_is_no_error_but_a_wait(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """An export refused for want of a slot is submitted again once a job has ended."""
    vendor.report("q1", lasts=30)
    vendor.report("q2", submits=[busy(), "done"])

    async with make_poller() as poller:
        await poller.submit(Acme().report("q1"))
        results = await finish(poller, reports(Acme(), "q2"))

    waits = [event for event in events if isinstance(event, Waiting) and event.seconds]
    assert results[0].ok
    assert len(vendor.moments("POST /reports/q2")) == 2
    assert "BUSY" in waits[0].reason


async def test_a_limit_that_was_learned_is_kept_to(vendor: Vendor, make_poller: MakePoller) -> None:
    """After one refusal the account submits when a job ends, and is not refused again."""
    vendor.report("q1", lasts=30)
    vendor.report("q2", lasts=30)
    vendor.report("q3", submits=[busy(), "queued"], lasts=1)
    vendor.report("q4", lasts=1)
    account = Acme()

    async with make_poller(poll_interval=1) as poller:
        for export in reports(account, "q1", "q2"):
            await poller.submit(export)
        await finish(poller, reports(account, "q3", "q4"))

    ends = vendor.moments("GET /reports/q1")[-1]
    assert vendor.moments("POST /reports/q3")[1:] == [pytest.approx(ends, abs=3)]
    assert all(moment >= ends - 3 for moment in vendor.moments("POST /reports/q4"))


async def test_a_slot_that_was_refused_is_taken_the_moment_a_job_ends(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """However long the waits have grown by then, the end of a job cuts the last one short."""
    vendor.report("q1", lasts=95)
    vendor.report("q2", submits=[busy(), busy(), busy(), busy(), "done"])

    async with make_poller() as poller:
        await poller.submit(Acme().report("q1"))
        await finish(poller, reports(Acme(), "q2"))

    *_, refused, accepted = vendor.moments("POST /reports/q2")
    assert accepted == vendor.moments("GET /reports/q1")[-1]
    assert accepted - refused < 80


async def test_a_limit_that_others_have_used_up_is_tried_again_less_and_less_often(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """With every slot taken by somebody else, the submit is repeated at growing intervals."""
    vendor.report("q1", submits=[busy(), busy(), busy(), busy(), "done"])

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    moments = vendor.moments("POST /reports/q1")
    waits = [after - before for before, after in pairwise(moments)]
    assert finished.ok
    assert waits == sorted(waits)
    assert waits[0] >= 10
    assert waits[-1] >= 4 * waits[0]


async def test_one_accounts_slots_do_not_hold_another_up(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """An account whose slots are taken leaves the others alone."""
    vendor.report("q1", lasts=1000)
    vendor.report("q2", lasts=1)
    vendor.report("q3", submits=["done"])
    full, free = OneAtATime(name="full"), OneAtATime(name="free")

    async with make_poller() as poller:
        results = await finish(poller, [*reports(full, "q1", "q2"), *reports(free, "q3")])

    assert [id_of(finished) for finished in results] == ["q3", "q1", "q2"]


async def test_a_used_up_quota_is_an_error_and_no_wait(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """An allowance that no end of a job renews ends the export, with what to do."""
    account = variant(Acme, error_codes={"BUSY": QuotaExceeded})()
    vendor.report("q1", submits=[busy()])

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(account, "q1"))

    assert isinstance(finished.error, QuotaExceeded)
    assert "quota" in str(finished.error)
    assert vendor.said == ["POST /reports/q1"]


async def test_a_job_that_runs_already_does_not_queue_for_a_slot(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Resuming a job needs no slot, so it is not held up by exports that wait for one."""
    vendor.report("q1", lasts=1000)
    vendor.report("q2", submits=["done"])
    vendor.report("old", "done")
    account = OneAtATime()
    old = account.resume(evolve(JobRef("acme", "default", "old"), kind="report"))

    async with make_poller() as poller:
        results = await finish(poller, [*reports(account, "q1", "q2"), old])

    assert [id_of(finished) for finished in results] == ["old", "q1", "q2"]


async def test_a_slot_that_falls_free_is_noticed_though_nobody_polls(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A job that is cancelled by hand makes room for the next at once."""
    vendor.report("q1", lasts=100_000)
    vendor.report("q2", submits=["done"])

    async with make_poller() as poller:
        job = await poller.submit(OneAtATime().report("q1"))
        results = poller.run(reports(OneAtATime(), "q2"), into=None)
        await poller.cancel(job.ref)
        before = clock.monotonic()
        finished = await anext(results)

    assert id_of(finished) == "q2"
    assert clock.monotonic() == before

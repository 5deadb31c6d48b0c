"""The wait ends: with statuses that nobody knows, and with jobs that never end."""

from datetime import timedelta
from itertools import pairwise

import anyio
import httpx
import pytest
from tests.support.acme import Acme, MakePoller, busy, finish, reports, status
from tests.support.acme_api import Vendor
from tests.support.errors import assert_error

from exportjobs import DeadlineExceeded, Event, ExportJobsError, JobStatus
from exportjobs.adapter import JobRef
from exportjobs.events import StatusUnknown
from exportjobs.testing import ManualClock


async def test_an_unknown_status_is_told_once_and_waited_out(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """A status word that nobody knows is one event, and no obstacle to the end."""
    vendor.report("q1", "running", *["PONDERING"] * 3, "done")

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    told = [event.raw_status for event in events if isinstance(event, StatusUnknown)]
    assert finished.ok
    assert told == ["PONDERING"]


async def test_a_status_that_is_unknown_from_the_start_is_told_once(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """A word that nobody knows is told of although the submit was answered with it already."""
    vendor.report("q1", *["PONDERING"] * 3, "done", submits=["PONDERING"])

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"))

    told = [event.raw_status for event in events if isinstance(event, StatusUnknown)]
    assert told == ["PONDERING"]


async def test_an_unknown_status_says_nothing_new(vendor: Vendor, make_poller: MakePoller) -> None:
    """The job keeps the status that was last understood, with the vendor's own word beside it."""
    vendor.report("q1", "queued", "PONDERING")

    async with make_poller(deadline=60) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert finished.job.status is JobStatus.QUEUED
    assert finished.job.raw_status == "PONDERING"


async def test_an_unknown_status_is_asked_about_slowly_and_ends_at_the_deadline(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A status that stays unknown takes a request every five minutes, and an end.

    (Elsewhere: 16,162 requests in 22 seconds and no end.)
    """
    vendor.report("q1", "PONDERING")

    async with make_poller(deadline=timedelta(hours=2), poll_interval=None) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    moments = vendor.moments("GET /reports/q1")
    *waits, last = [after - before for before, after in pairwise(moments)]
    assert isinstance(finished.error, DeadlineExceeded)
    assert finished.error.ref == finished.ref
    assert clock.monotonic() == pytest.approx(7200)
    assert all(300 <= wait <= 330 for wait in waits)
    assert last <= 330


async def test_a_status_understood_again_restores_the_pace(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """After a word that is known the job is asked about at the vendor's usual pace."""
    vendor.report("q1", *["PONDERING"] * 4, "running", "running", "done")

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"))

    moments = vendor.moments("GET /reports/q1")
    assert moments[-1] - moments[-2] == pytest.approx(10)


async def test_a_job_that_never_ends_meets_its_deadline(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """The wait ends on time, not an interval later, and the error names the job and the remedy."""
    vendor.report("q1", "running")

    async with make_poller(deadline=65) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert isinstance(finished.error, DeadlineExceeded)
    assert finished.error.ref == finished.ref
    assert finished.job.status is JobStatus.RUNNING
    assert "resume" in str(finished.error)
    assert clock.monotonic() == pytest.approx(65)


@pytest.mark.parametrize("answer", [status(500), httpx.Response(200, json=[])])
async def test_what_kept_a_job_from_being_seen_is_told_when_it_is_given_up(
    vendor: Vendor, make_poller: MakePoller, answer: httpx.Response
) -> None:
    """A deadline is only when it ended; why is what the last polls said."""
    vendor.report("q1", "running", answer)

    async with make_poller(deadline=60) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert isinstance(finished.error, DeadlineExceeded)
    assert isinstance(finished.error.__cause__, ExportJobsError)
    assert finished.error.__cause__.reason in finished.error.reason
    assert f"({finished.stats.failed_polls} polls failed; at last: " in finished.error.reason


async def test_what_kept_an_export_from_being_taken_is_told_when_it_is_given_up(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A vendor that has no room for it for so long says so."""
    vendor.report("q1", submits=[busy()])

    async with make_poller(deadline=60) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert_error(
        finished.error,
        DeadlineExceeded,
        reason="not submitted by the deadline (HTTP 400 (BUSY: too many reports))",
        remedy="run it again with a later deadline",
        vendor="acme",
        account="default",
    )


async def test_an_error_that_passed_is_not_told_when_a_job_is_given_up(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """What was answered since is what counts."""
    vendor.report("q1", status(500), "running")

    async with make_poller(deadline=60) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert_error(
        finished.error,
        DeadlineExceeded,
        reason="not ended by the deadline",
        remedy=DeadlineExceeded.default_remedy,
        vendor="acme",
        account="default",
        ref=finished.ref,
    )


async def test_a_job_that_ended_right_before_its_deadline_is_done(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """The job is asked about one last time when the deadline comes."""
    vendor.report("q1", lasts=64)

    async with make_poller(deadline=65) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert finished.ok


async def test_without_a_deadline_a_job_may_take_weeks(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """With `deadline=None` nothing but the vendor ends the wait."""
    vendor.report("q1", lasts=14 * 86400)

    async with make_poller(deadline=None, poll_interval=3600) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert finished.ok
    assert clock.monotonic() >= 14 * 86400


async def test_a_deadline_does_not_hurt_other_jobs(vendor: Vendor, make_poller: MakePoller) -> None:
    """Each job has the deadline from its own submit on."""
    vendor.report("q1", "running")
    vendor.report("q2", lasts=50)

    async with make_poller(deadline=60) as poller:
        results = await finish(poller, reports(Acme(), "q1", "q2"))

    assert [finished.ok for finished in results] == [True, False]


async def test_a_resumed_job_keeps_the_deadline_of_its_submit(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A job that was submitted an hour ago is given up when its two hours are over, not later."""
    vendor.report("q1", "running")
    since = clock.now() - timedelta(hours=1)
    ref = JobRef("acme", "default", "q1", kind="report", submitted_at=since)

    async with make_poller(accounts=[Acme()], deadline=7200) as poller:
        finished = await poller.resume(ref)

    assert isinstance(finished.error, DeadlineExceeded)
    assert clock.monotonic() == pytest.approx(3600)


async def test_a_job_past_its_deadline_can_be_fetched_with_a_later_one(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A job of three days ago is given up under the usual deadline, and lands without one."""
    vendor.report("q1", "done")
    since = clock.now() - timedelta(days=3)
    ref = JobRef("acme", "default", "q1", kind="report", submitted_at=since)

    async with make_poller(accounts=[Acme()]) as poller:
        late = await poller.resume(ref)
    async with make_poller(accounts=[Acme()], deadline=None) as poller:
        fetched = await poller.resume(ref)

    assert isinstance(late.error, DeadlineExceeded)
    assert "later deadline" in str(late.error)
    assert fetched.ok


async def test_a_throttled_wait_does_not_pass_the_deadline(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A vendor that asks for a day of patience does not make the user wait beyond the deadline."""
    vendor.report("q1", status(429, Retry_After="86400"))

    async with make_poller(deadline=600) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert isinstance(finished.error, DeadlineExceeded)
    assert clock.monotonic() == pytest.approx(600)


async def test_an_export_that_was_refused_meets_its_deadline_whoever_was_refused_later(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """Of two exports that wait for a slot each is given up when its own time is over."""
    takes = {"POST /reports/older": 60, "POST /reports/newer": 30}
    vendor.takes = lambda seen: takes.pop(seen.said, 0)
    for name in ("q1", "q2", "q3"):
        vendor.report(name, lasts=1)
    for name in ("older", "newer"):
        vendor.report(name, submits=[busy()])
    ends: dict[str, float] = {}

    async with make_poller(deadline=1000) as poller:
        await finish(poller, reports(Acme(), "q1", "q2", "q3"))
        begin = clock.monotonic()

        async def see_to(name: str, at: float) -> None:
            await clock.sleep(at)
            (finished,) = await finish(poller, reports(Acme(), name))
            assert isinstance(finished.error, DeadlineExceeded)
            ends[name] = clock.monotonic() - begin

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(see_to, "older", 0)
            tasks.start_soon(see_to, "newer", 50)

    assert ends == pytest.approx({"older": 1000, "newer": 1050})

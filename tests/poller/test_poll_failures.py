"""Polls that fail: what is repeated, for how long, and what is final at once."""

from datetime import timedelta

import httpx
import pytest
from tests.support.acme import Acme, Answer, MakePoller, finish, id_of, reports, status
from tests.support.acme_api import Vendor

from exportjobs import Event, ExportJobsError, JobNotFound, NetworkError, VendorUnavailable
from exportjobs._schedule.schedule import FAILURES_ALLOWED
from exportjobs.adapter import JobRef
from exportjobs.events import PollFailed
from exportjobs.testing import ManualClock


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (status(503), VendorUnavailable),
        (status(500), VendorUnavailable),
        (httpx.ReadTimeout("slow"), NetworkError),
        (httpx.ConnectError("refused"), NetworkError),
        (httpx.ReadError("reset"), NetworkError),
    ],
    ids=["503", "500", "timeout", "refused", "reset"],
)
async def test_a_job_that_can_never_be_asked_ends_with_its_budget(
    vendor: Vendor, make_poller: MakePoller, answer: Answer, error: type[ExportJobsError]
) -> None:
    """A job whose polls always fail ends with the last failure, its ref and a bounded count."""
    vendor.report("q1", answer)

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert isinstance(finished.error, error)
    assert finished.error.ref == finished.ref
    assert finished.stats.failed_polls == FAILURES_ALLOWED


async def test_a_job_that_can_never_be_asked_delays_nobody(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """While one job's polls fail, another of the same account is polled at its own pace."""
    vendor.report("q1", status(503, Retry_After="1"))
    vendor.report("q2", lasts=100)

    async with make_poller() as poller:
        first, _ = await finish(poller, reports(Acme(), "q1", "q2"))

    assert id_of(first) == "q2"
    assert vendor.moments("GET /reports/q2") == [10.0 * n for n in range(1, 11)]


async def test_an_answer_refills_the_budget(vendor: Vendor, make_poller: MakePoller) -> None:
    """Failures count in a row: more of them than the budget, but with answers between, are fine."""
    failures = [status(503, Retry_After="1")] * (FAILURES_ALLOWED - 1)
    vendor.report("q1", *failures, "running", *failures, "running", *failures, "done")

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert finished.ok
    assert finished.stats.failed_polls == 3 * (FAILURES_ALLOWED - 1)


async def test_failing_polls_come_less_and_less_often(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """Each failure in a row doubles the wait, up to the vendor's ceiling, and is told of."""
    vendor.report("q1", httpx.ReadError("reset"))

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"))

    waits = [event.next_in for event in events if isinstance(event, PollFailed)]
    assert waits == [10, 20, 40, 80, 160, 300, 300, 300, 300]


async def test_a_vendor_that_says_time_and_again_that_it_is_down_is_asked_less_often(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """A Retry-After is believed at first, and less and less when it turns out to be wrong."""
    vendor.report("q1", status(503, Retry_After="1"))

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"))

    waits = [event.next_in for event in events if isinstance(event, PollFailed)]
    assert 1 <= waits[0] < 2
    assert waits == sorted(waits)
    assert waits[-1] > 60


async def test_a_job_that_is_not_found_yet_is_asked_about_again(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A 404 within seconds of submitting is a vendor that is not yet consistent."""
    vendor.report("q1", status(404), "running", "done")

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert finished.ok


async def test_a_job_that_is_still_not_found_later_is_lost(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A 404 that lasts beyond the grace is final, under the job's name."""
    vendor.report("q1", status(404))

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert isinstance(finished.error, JobNotFound)
    assert finished.error.ref == finished.ref
    assert 30 < clock.monotonic() < 120


async def test_a_job_that_disappears_is_lost_at_once(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A 404 long after submitting is final at the first time."""
    vendor.report("q1", *["running"] * 10, status(404))

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert isinstance(finished.error, JobNotFound)
    assert vendor.said.count("GET /reports/q1") == 11


@pytest.mark.parametrize("age", [None, timedelta(hours=1)], ids=["unknown", "old"])
async def test_an_old_job_that_is_not_found_is_lost_at_once(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock, age: timedelta | None
) -> None:
    """A job resumed by its ref has no grace, unless the ref says that it is new."""
    vendor.report("q1", status(404))
    since = clock.now() - age if age else None
    ref = JobRef("acme", "default", "q1", kind="report", submitted_at=since)

    async with make_poller(accounts=[Acme()]) as poller:
        finished = await poller.resume(ref)

    assert isinstance(finished.error, JobNotFound)
    assert vendor.said == ["GET /reports/q1"]


async def test_a_gone_job_is_lost(vendor: Vendor, make_poller: MakePoller) -> None:
    """A 410 is a 404 by another number."""
    vendor.report("q1", *["running"] * 5, status(410))

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert isinstance(finished.error, JobNotFound)


async def test_a_redirected_poll_is_not_followed(vendor: Vendor, make_poller: MakePoller) -> None:
    """A vendor's API that redirects is refused: the key goes to the base URL and nowhere else."""
    vendor.report("q1", httpx.Response(302, headers={"Location": "https://evil.test/"}))

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert isinstance(finished.error, ExportJobsError)
    assert {seen.request.url.host for seen in vendor.seen} == {"api.acme.test"}

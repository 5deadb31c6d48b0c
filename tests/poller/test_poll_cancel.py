"""Cancelling jobs: tracked or not, running or ended."""

from pathlib import Path

import pytest
from tests.support.acme import (
    Acme,
    MakePoller,
    Uncancellable,
    finish,
    outstanding,
    reports,
    signed,
    status,
)
from tests.support.acme_api import Vendor

from exportjobs import (
    JobCancelled,
    JobNotFound,
    JobRef,
    JobStatus,
    PermissionDenied,
    Unsupported,
)
from exportjobs._ledger.ledger import Ledger
from exportjobs.testing import ManualClock

ELSEWHERE = JobRef("acme", "default", "q3", kind="report")


async def test_cancelling_a_running_job_ends_it(vendor: Vendor, make_poller: MakePoller) -> None:
    """The vendor is told once, and whoever waits for the job gets its end."""
    vendor.report("q3", lasts=1000)

    async with make_poller() as poller:
        job = await poller.submit(Acme().report("q3"))
        cancelled = await poller.cancel(job.ref)
        finished = await poller.resume(job.ref)

    assert cancelled.status is JobStatus.CANCELLED
    assert cancelled.ref == job.ref
    assert isinstance(finished.error, JobCancelled)
    assert vendor.said.count("DELETE /reports/q3") == 1


async def test_cancelling_a_job_of_a_run_ends_its_result(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A run does not wait for the next poll to see that its job was cancelled."""
    vendor.report("q3", lasts=100_000)
    vendor.report("q4", submits=["done"])

    async with make_poller() as poller:
        results = poller.run(reports(Acme(), "q3", "q4"), into=None)
        await anext(results)
        polls = vendor.said.count("GET /reports/q3")
        await poller.cancel(poller.outstanding[0])
        finished = await anext(results)

    assert isinstance(finished.error, JobCancelled)
    assert vendor.said.count("GET /reports/q3") <= polls + 1


async def test_a_job_that_the_vendor_will_cancel_later_is_polled_on(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A cancellation that is only accepted leaves the job to the polls."""
    vendor.report("q3", "running", "cancelled", cancels=["running"])

    async with make_poller() as poller:
        job = await poller.submit(Acme().report("q3"))
        said = await poller.cancel(job.ref)
        finished = await poller.resume(job.ref)

    assert said.status is JobStatus.RUNNING
    assert isinstance(finished.error, JobCancelled)


async def test_cancelling_a_job_of_another_process(vendor: Vendor, make_poller: MakePoller) -> None:
    """A job is cancelled by its ref alone, and not polled for it."""
    vendor.report("q3")

    async with make_poller(accounts=[Acme()]) as poller:
        cancelled = await poller.cancel(ELSEWHERE)

    assert cancelled.status is JobStatus.CANCELLED
    assert cancelled.ref == ELSEWHERE
    assert vendor.said == ["DELETE /reports/q3"]


async def test_cancelling_a_job_that_has_ended_returns_its_end(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """A job that is done stays done, and its files still land."""
    vendor.report("q3", submits=["done"], cancels=["done"], links=(signed("q3.csv"),))
    vendor.files["q3.csv"] = [b"a,b\n"]

    async with make_poller() as poller:
        job = await poller.submit(Acme().report("q3"))
        said = await poller.cancel(job.ref)
        finished = await poller.resume(job.ref, into=tmp_path)

    assert said.status is JobStatus.DONE
    assert finished.ok
    assert len(finished.files) == 1


async def test_an_end_is_not_undone_by_a_late_cancellation(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A vendor that calls a done job cancelled afterwards does not change its end."""
    vendor.report("q3", submits=["done"], cancels=["cancelled"])

    async with make_poller() as poller:
        job = await poller.submit(Acme().report("q3"))
        said = await poller.cancel(job.ref)

    assert said.status is JobStatus.DONE


async def test_a_vendor_that_cannot_cancel_says_so(vendor: Vendor, make_poller: MakePoller) -> None:
    """Cancelling where the vendor's API has no such thing is refused without a request."""
    vendor.report("q3", "done")

    async with make_poller() as poller:
        job = await poller.submit(Uncancellable().report("q3"))
        with pytest.raises(Unsupported, match="cancelling") as caught:
            await poller.cancel(job.ref)
        finished = await poller.resume(job.ref)

    assert caught.value.vendor == "acme"
    assert finished.ok
    assert not any(said.startswith("DELETE") for said in vendor.said)


@pytest.mark.parametrize(
    ("code", "error"), [(404, JobNotFound), (403, PermissionDenied)], ids=["unknown", "forbidden"]
)
async def test_a_refused_cancellation_is_raised(
    vendor: Vendor, make_poller: MakePoller, code: int, error: type[Exception]
) -> None:
    """What the vendor says against it reaches the caller with the job's ref; the job goes on."""
    vendor.report("q3", "done", cancels=[status(code)])

    async with make_poller() as poller:
        job = await poller.submit(Acme().report("q3"))
        with pytest.raises(error) as caught:
            await poller.cancel(job.ref)
        finished = await poller.resume(job.ref)

    assert job.ref.id in str(caught.value)
    assert finished.ok


async def test_a_job_that_was_cancelled_by_its_ref_is_not_outstanding_any_more(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path, clock: ManualClock
) -> None:
    """A job of the ledger that a later process cancels is not offered for resumption again."""
    vendor.report("q3", lasts=1000)
    ledger = tmp_path / "ledger.db"

    async with make_poller(ledger=ledger) as poller:
        job = await poller.submit(Acme().report("q3"))
    async with make_poller(ledger=ledger, accounts=[Acme()]) as poller:
        await poller.cancel(job.ref)
    async with Ledger(ledger, clock) as record:
        left = await outstanding(record)

    assert left == ()


async def test_a_cancelled_job_does_not_hurt_its_account(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """After a cancellation the account's other jobs go on."""
    vendor.report("q3", lasts=1000)
    vendor.report("q4", lasts=20)

    async with make_poller() as poller:
        job = await poller.submit(Acme().report("q3"))
        await poller.cancel(job.ref)
        (finished,) = await finish(poller, reports(Acme(), "q4"))

    assert finished.ok

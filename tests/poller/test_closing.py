"""Leaving a poller: by its exit policy, with nothing left behind and nothing swallowed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from tests.support.acme import (
    Acme,
    BrokenClock,
    Listing,
    MakePoller,
    OneAtATime,
    Uncancellable,
    finish,
    id_of,
    reports,
    signed,
    status,
    turns,
)
from tests.support.acme_api import Vendor
from tests.support.errors import assert_error
from tests.support.hosts import never_answering
from tests.support.standing import clock

from exportjobs import (
    Event,
    ExportJobsError,
    Finished,
    JobCancelled,
    JobStatus,
    Poller,
    PollerClosed,
    SubmitOutcomeUnknown,
)
from exportjobs.events import Detached, Ended, ShuttingDown
from exportjobs.testing import ManualClock

__all__ = ["clock"]


@pytest.fixture(autouse=True)
async def _nothing_hangs() -> AsyncIterator[None]:
    with anyio.fail_after(5):
        yield


def tasks() -> set[int]:
    """Return the tasks that the event loop has."""
    return {task.id for task in anyio.get_running_tasks()}


async def test_detach_leaves_the_jobs_running(vendor: Vendor, make_poller: MakePoller) -> None:
    """Without another wish, leaving cancels nothing at the vendor."""
    vendor.report("q3")

    async with make_poller() as poller:
        await poller.submit(Acme().report("q3"))

    assert vendor.said == ["POST /reports/q3"]


async def test_cancel_cancels_what_has_not_ended(vendor: Vendor, make_poller: MakePoller) -> None:
    """With on_exit="cancel", every job that was accepted and runs is cancelled at its vendor."""
    vendor.report("q3")
    vendor.report("q4")

    async with make_poller(on_exit="cancel") as poller:
        for export in reports(Acme(), "q3", "q4"):
            await poller.submit(export)

    assert sorted(vendor.said[2:]) == ["DELETE /reports/q3", "DELETE /reports/q4"]


async def test_cancel_lets_a_job_be_that_has_ended(vendor: Vendor, make_poller: MakePoller) -> None:
    """A job that is done at its vendor is not cancelled, though nobody has claimed it."""
    vendor.report("q3", submits=["done"])

    async with make_poller(on_exit="cancel") as poller:
        job = await poller.submit(Acme().report("q3"))

    assert job.status is JobStatus.DONE
    assert vendor.said == ["POST /reports/q3"]


async def test_a_cancellation_that_fails_does_not_keep_the_others(
    vendor: Vendor, make_poller: MakePoller, caplog: pytest.LogCaptureFixture
) -> None:
    """A vendor that refuses to cancel is told of in the log; the other jobs are cancelled."""
    vendor.report("q3", cancels=[status(403)])
    vendor.report("q4")

    async with make_poller(on_exit="cancel") as poller:
        for export in reports(Acme(), "q3", "q4"):
            await poller.submit(export)

    assert "DELETE /reports/q4" in vendor.said
    assert "job not cancelled" in caplog.messages


async def test_a_vendor_that_cannot_cancel_does_not_keep_anyone_in(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """With on_exit="cancel" and a vendor that has no such request, leaving works all the same."""
    vendor.report("q3")

    async with make_poller(on_exit="cancel") as poller:
        await poller.submit(Uncancellable().report("q3"))

    assert vendor.said == ["POST /reports/q3"]


async def test_cancelling_goes_on_though_the_body_was_cancelled(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """The cancellation at the vendor is shielded from the one that ended the body."""
    vendor.report("q3")

    with anyio.CancelScope() as scope:
        async with make_poller(on_exit="cancel") as poller:
            await poller.submit(Acme().report("q3"))
            scope.cancel()
            await anyio.sleep_forever()

    assert scope.cancelled_caught
    assert vendor.said == ["POST /reports/q3", "DELETE /reports/q3"]


async def test_breaking_out_of_the_results_leaves_no_task(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """After the first result the rest is left alone, and no task outlives the poller."""
    vendor.report("q3", submits=["done"])
    vendor.report("q4")
    before = tasks()

    async with make_poller() as poller:
        async for finished in poller.run(reports(Acme(), "q3", "q4"), into=None):
            first = finished
            break

    assert id_of(first) == "q3"
    assert tasks() == before


async def test_jobs_go_on_after_breaking_out_of_the_results(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Leaving the results is not leaving the poller: its jobs can still be waited for."""
    vendor.report("q3", submits=["done"])
    vendor.report("q4", *["running"] * 50, "done")

    async with ManualClock() as clock, make_poller(clock=clock) as poller:
        async for _ in poller.run(reports(Acme(), "q3", "q4"), into=None):
            break
        await turns()
        (ref,) = poller.outstanding
        finished = await poller.resume(ref)

    assert finished.ok
    assert id_of(finished) == "q4"


async def test_an_exception_in_the_body_comes_out_as_itself(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """What the body raises is neither wrapped in a group nor replaced."""
    vendor.report("q3")
    before = tasks()

    async def application() -> None:
        async with make_poller() as poller:
            await poller.submit(Acme().report("q3"))
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        await application()

    assert tasks() == before


async def test_a_group_raised_in_the_body_comes_out_whole(make_poller: MakePoller) -> None:
    """A group that the body raises is the body's own, and keeps its members."""
    group = ExceptionGroup("mine", [ZeroDivisionError()])

    with pytest.raises(ExceptionGroup) as caught:
        async with make_poller():
            raise group

    assert caught.value is group


async def test_a_cancelled_body_stays_cancelled(vendor: Vendor, make_poller: MakePoller) -> None:
    """A cancellation from outside is not swallowed: what stands behind the block is not reached."""
    vendor.report("q3")
    reached = False

    with anyio.CancelScope() as scope:
        async with make_poller() as poller:
            results = poller.run(reports(Acme(), "q3"), into=None)
            scope.cancel()
            await anext(results)
        reached = True

    assert scope.cancelled_caught
    assert not reached


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_task_cancelled_the_way_of_asyncio_ends_cancelled(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A plain `task.cancel()` while results are waited for ends the task as cancelled."""
    vendor.report("q3")
    started = anyio.Event()

    async def application() -> None:
        async with make_poller() as poller:
            results = poller.run(reports(Acme(), "q3"), into=None)
            started.set()
            await anext(results)

    task = asyncio.create_task(application())
    await started.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_a_crash_of_the_loop_comes_out_as_itself(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """What breaks the loop ends the body's waiting, and is raised without a group around it."""
    vendor.report("q3")
    before = tasks()

    with pytest.raises(ZeroDivisionError):
        async with make_poller(clock=BrokenClock()) as poller:
            await finish(poller, reports(Acme(), "q3"))

    assert tasks() == before


async def test_whoever_waits_for_results_is_told_that_the_poller_was_left(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A task that waits for results does not wait forever once another has left the poller."""
    vendor.report("q3")
    told: list[Finished] = []

    async def wait(poller: Poller) -> None:
        told.extend(await finish(poller, reports(Acme(), "q3")))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as application, make_poller() as poller:
            application.start_soon(wait, poller)
            await anyio.wait_all_tasks_blocked()

    assert [type(finished.error) for finished in told] == [PollerClosed]
    assert told[0].job.ref.id == "q3"


async def test_whoever_waits_for_a_job_is_told_that_the_poller_was_left(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A task that has resumed a job does not wait forever once another has left the poller."""
    vendor.report("q3")
    told: list[Finished] = []

    async def wait(poller: Poller) -> None:
        job = await poller.submit(Acme().report("q3"))
        told.append(await poller.resume(job.ref))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as application, make_poller() as poller:
            application.start_soon(wait, poller)
            await anyio.wait_all_tasks_blocked()

    with pytest.raises(PollerClosed) as caught:
        told[0].raise_for_status()
    assert caught.value.ref == told[0].ref


async def test_whoever_waits_for_a_submit_is_told_that_the_poller_was_left(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A task whose submit waits for a slot does not wait forever either."""
    vendor.report("q3")
    told: list[ExportJobsError] = []

    async def wait(poller: Poller) -> None:
        try:
            await poller.submit(OneAtATime().report("q4"))
        except PollerClosed as error:
            told.append(error)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as application, make_poller() as poller:
            await poller.submit(OneAtATime().report("q3"))
            application.start_soon(wait, poller)
            await anyio.wait_all_tasks_blocked()

    assert len(told) == 1
    assert vendor.said == ["POST /reports/q3"]


async def test_two_tasks_may_take_from_the_same_results(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Two workers that share one run's results get each result once, and both come to the end."""
    for name in ("q1", "q2", "q3"):
        vendor.report(name, "done")
    taken: list[Finished] = []

    with anyio.fail_after(5):
        async with ManualClock() as clock, make_poller(clock=clock) as poller:
            results = poller.run(reports(Acme(), "q1", "q2", "q3"), into=None)

            async def work() -> None:
                async for finished in results:
                    taken.append(finished)  # noqa: PERF401 - two tasks fill one list

            async with anyio.create_task_group() as workers:
                workers.start_soon(work)
                workers.start_soon(work)

    assert sorted(map(id_of, taken)) == ["q1", "q2", "q3"]


async def test_a_poller_can_be_entered_again(vendor: Vendor, make_poller: MakePoller) -> None:
    """A poller that was left starts afresh when it is entered once more."""
    vendor.report("q3", submits=["done"])
    vendor.report("q4", submits=["done"])
    poller = make_poller()

    async with poller:
        first = await finish(poller, reports(Acme(), "q3"))
    async with poller:
        second = await finish(poller, reports(Acme(), "q4"))

    assert [id_of(finished) for finished in (*first, *second)] == ["q3", "q4"]


async def test_leaving_breaks_off_a_request_under_way(make_poller: MakePoller) -> None:
    """A vendor that does not answer does not keep anyone in the poller."""
    before = tasks()
    asked = anyio.Event()

    async with make_poller(transport=never_answering(asked)) as poller:
        poller.run(reports(Acme(), "q3"), into=None)
        await asked.wait()

    assert tasks() == before


def left(events: list[Event]) -> dict[str, ExportJobsError]:
    """Return how exports were left, by their reports or, where there is none, their kind."""
    told = [event for event in events if isinstance(event, Detached)]
    return {one.subject.ref.id if one.subject.ref else "none": one.error for one in told}


async def test_what_is_left_is_told_of_export_by_export(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """A job that runs on, and an export that still waits for room."""
    vendor.report("q3")

    async with make_poller() as poller:
        poller.run(reports(OneAtATime(), "q3", "q4"), into=None)
        await turns()

    told = left(events)
    assert set(told) == {"q3", "none"}
    assert_error(
        told["q3"],
        PollerClosed,
        reason="still running at the vendor",
        remedy="resume the job by its ref",
        vendor="acme",
        account="default",
        ref=told["q3"].ref,
    )
    assert_error(
        told["none"],
        PollerClosed,
        reason="left before it was submitted",
        remedy="run it again",
        vendor="acme",
        account="default",
    )


@pytest.mark.parametrize(
    ("account", "remedy"),
    [
        (Acme(name="north"), "look for the job at the vendor before you submit it again"),
        (Listing(name="north"), "exportjobs.resume_all looks for its job"),
    ],
    ids=["without-a-list", "with-a-list"],
)
async def test_a_submit_that_is_left_before_its_answer_is_told_of(
    vendor: Vendor,
    make_poller: MakePoller,
    events: list[Event],
    *,
    tmp_path: Path,
    account: Acme,
    remedy: str,
) -> None:
    """A job may have come of it, which the vendor's list may tell."""
    asked = anyio.Event()
    vendor.report("q3")
    vendor.takes = lambda _: 60.0
    vendor.on_request = lambda _: asked.set()

    async with make_poller(ledger=tmp_path / "ledger.db") as poller:
        poller.run(reports(account, "q3"), into=None)
        await asked.wait()

    assert vendor.said == ["POST /reports/q3"]
    assert_error(
        left(events)["none"],
        SubmitOutcomeUnknown,
        reason="left before the answer to its submit",
        remedy=remedy,
        vendor="acme",
        account="north",
    )


@pytest.mark.parametrize("account", [Acme(), Uncancellable()], ids=["can-cancel", "cannot"])
async def test_a_job_that_is_cancelled_on_leaving_is_not_left(
    vendor: Vendor, make_poller: MakePoller, events: list[Event], account: Acme
) -> None:
    """And one that cannot be cancelled is left, for a reason."""
    vendor.report("q3")

    async with make_poller(on_exit="cancel") as poller:
        poller.run(reports(account, "q3"), into=None)
        await turns()

    ended = [event.finished.error for event in events if isinstance(event, Ended)]
    told = [*ended, *left(events).values()]
    assert len(told) == 1
    assert isinstance(told[0], PollerClosed if isinstance(account, Uncancellable) else JobCancelled)
    assert "does not support cancelling" in told[0].reason or "was cancelled" in told[0].reason


@pytest.mark.parametrize("grace", [0.0, 5.0])
async def test_files_that_may_still_land_are_told_of(
    vendor: Vendor,
    make_poller: MakePoller,
    clock: ManualClock,
    *,
    tmp_path: Path,
    grace: float,
) -> None:
    """With how long they have; not if they have no time at all."""
    vendor.report("q3", "done", submits=["done"], links=(signed("q3.csv"),))
    vendor.files["q3.csv"] = [b"a,b"]
    vendor.takes = lambda seen: 60.0 if "q3.csv" in seen.said else 0.0
    told: list[Event] = []

    def observe(event: Event) -> None:
        told.append(event)
        if isinstance(event, ShuttingDown):
            clock.advance(60)

    async with make_poller(grace=grace, observers=[observe]) as poller:
        poller.run(reports(Acme(), "q3"), into=tmp_path)
        while "GET /q3.csv" not in vendor.said:
            await turns()

    assert [one.seconds for one in told if isinstance(one, ShuttingDown)] == [grace] * bool(grace)
    if grace:
        assert [one.finished.ok for one in told if isinstance(one, Ended)] == [True]
        assert not left(told)
    else:
        assert left(told)["q3"].reason == "left before its files landed"

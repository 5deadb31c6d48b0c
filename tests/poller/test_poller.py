"""Submitting without waiting, and seeing a job to its end later, here or in another process."""

import gc
import threading
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from tests.support.acme import (
    Acme,
    Answer,
    MakePoller,
    busy,
    finish,
    id_of,
    outstanding,
    reports,
    signed,
    status,
    turns,
    turns_until,
)
from tests.support.acme_api import Vendor
from tests.support.errors import raises_error

from exportjobs import (
    Event,
    ExportJobsError,
    InvalidArgument,
    JobFailed,
    JobRef,
    JobStatus,
    Rejected,
    SubmitOutcomeUnknown,
)
from exportjobs._landing.into.folder import Folder
from exportjobs._ledger.ledger import Ledger
from exportjobs._poller.loop.tracked import Tracked
from exportjobs.adapter import evolve
from exportjobs.events import Polled
from exportjobs.testing import ManualClock

ELSEWHERE = JobRef(
    "acme", "default", "q3", kind="report", submitted_at=datetime(2026, 1, 1, tzinfo=UTC)
)


async def test_submit_returns_the_job_and_does_not_wait(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A submit comes back with the vendor's answer, while the job has only begun."""
    vendor.report("q3", lasts=100)

    async with make_poller() as poller:
        job = await poller.submit(Acme().report("q3"))
        moment = clock.monotonic()

    assert job.status is JobStatus.QUEUED
    assert job.ref.id == "q3"
    assert moment == 0


async def test_a_submitted_job_is_waited_for_by_its_ref(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """Resuming a job that runs waits for its end and lands its files, without a second loop."""
    vendor.report("q3", "running", "running", "done", links=(signed("q3.csv"),))
    vendor.files["q3.csv"] = [b"a,b\n"]

    async with make_poller() as poller:
        job = await poller.submit(Acme().report("q3"))
        finished = await poller.resume(job.ref, into=tmp_path)

    assert finished.ok
    assert [file.path.read_bytes() for file in finished.files] == [b"a,b\n"]
    assert vendor.said.count("GET /reports/q3") == 3


async def test_a_job_that_has_ended_meanwhile_is_still_landed(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path, events: list[Event]
) -> None:
    """A job whose end came before anyone asked for it is kept until it is resumed."""
    vendor.report("q3", "done", links=(signed("q3.csv"),))
    vendor.files["q3.csv"] = [b"a,b\n"]
    vendor.report("later", lasts=1000)

    async with make_poller() as poller:
        job = await poller.submit(Acme().report("q3"))
        await finish(poller, reports(Acme(), "later"))
        before = list(vendor.said)
        finished = await poller.resume(job.ref, into=tmp_path)

    assert "GET /q3.csv" not in before
    assert [file.path.read_bytes() for file in finished.files] == [b"a,b\n"]
    assert vendor.said.count("GET /reports/q3") == 1
    assert any(isinstance(event, Polled) for event in events)


async def test_a_failure_that_came_meanwhile_is_still_told(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A job that failed before anyone asked for it is a result once somebody does."""
    vendor.report("q3", "failed")
    vendor.report("later", lasts=1000)

    async with make_poller() as poller:
        job = await poller.submit(Acme().report("q3"))
        await finish(poller, reports(Acme(), "later"))
        finished = await poller.resume(job.ref)

    assert isinstance(finished.error, JobFailed)


async def test_several_may_wait_for_one_job(vendor: Vendor, make_poller: MakePoller) -> None:
    """Two tasks that resume the same job both get its end, from one series of polls."""
    vendor.report("q3", "running", "done")
    ends: list[str] = []

    async with make_poller() as poller:
        job = await poller.submit(Acme().report("q3"))

        async def wait() -> None:
            ends.append(id_of(await poller.resume(job.ref)))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            tasks.start_soon(wait)

    assert ends == ["q3", "q3"]
    assert vendor.said.count("GET /reports/q3") == 2


async def test_a_job_that_was_submitted_and_has_ended_can_be_resumed_again(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A job that was seen to its end once is asked about afresh the second time."""
    vendor.report("q3", "done")

    async with make_poller() as poller:
        (first,) = await finish(poller, reports(Acme(), "q3"))
        second = await poller.resume(first.job.ref)

    assert second.ok
    assert vendor.said.count("GET /reports/q3") == 2


async def test_a_ref_from_another_process_is_enough(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """A ref that went through JSON is resumed with nothing but its account's adapter."""
    vendor.report("q3", "running", "done", links=(signed("q3.csv"),))
    vendor.files["q3.csv"] = [b"a,b\n"]
    ref = JobRef.from_json(ELSEWHERE.to_json())

    async with make_poller(accounts=[Acme()]) as poller:
        finished = await poller.resume(ref, into=tmp_path)

    assert finished.ok
    assert finished.ref == ELSEWHERE
    assert [file.path for file in finished.files] == list(tmp_path.iterdir())
    assert vendor.said == ["GET /reports/q3", "GET /reports/q3", "GET /q3.csv"]


async def test_a_resumption_goes_through_run_like_an_export(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A run takes exports to submit and jobs to resume, mixed."""
    vendor.report("q3", "done")
    vendor.report("q4", submits=["done"])
    resumption = Acme().resume(ELSEWHERE)

    async with make_poller() as poller:
        results = await finish(poller, [resumption, *reports(Acme(), "q4")])

    assert {id_of(finished): finished.ok for finished in results} == {"q3": True, "q4": True}
    assert "POST /reports/q3" not in vendor.said


async def test_the_digest_of_what_was_asked_survives_a_resumption(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """What the vendor says of a resumed job does not replace the name it was submitted under."""
    vendor.report("q3", "done")
    ref = evolve(ELSEWHERE, digest="d" * 64, scope={"tenant": "7"})

    async with make_poller(accounts=[Acme()]) as poller:
        finished = await poller.resume(ref)

    assert finished.ref == ref


async def test_jobs_of_one_id_in_two_scopes_are_told_apart(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Two refs that share an id but not a scope are two jobs, each with its own end."""
    vendor.report("q3", "running", "running", "done")
    one, other = (evolve(ELSEWHERE, scope={"tenant": tenant}) for tenant in "12")
    refs: list[JobRef | None] = []

    async with make_poller(accounts=[Acme()]) as poller:

        async def wait(ref: JobRef) -> None:
            refs.append((await poller.resume(ref)).ref)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait, one)
            tasks.start_soon(wait, other)

    assert sorted(ref.scope["tenant"] for ref in refs if ref) == ["1", "2"]


async def test_submit_waits_for_a_slot(vendor: Vendor, make_poller: MakePoller) -> None:
    """A submit that finds the account full returns when there was room."""
    vendor.report("q3", submits=[busy(), busy(), "queued"])

    async with make_poller() as poller:
        job = await poller.submit(Acme().report("q3"))

    assert job.ref.id == "q3"
    assert vendor.said[:3] == ["POST /reports/q3"] * 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (status(400), Rejected),
        (status(500), SubmitOutcomeUnknown),
    ],
    ids=["refused", "unclear"],
)
async def test_submit_raises_what_went_wrong(
    vendor: Vendor,
    make_poller: MakePoller,
    answer: Answer,
    error: type[ExportJobsError],
) -> None:
    """A submit that is refused raises, and leaves nothing outstanding."""
    vendor.report("q3", submits=[answer])

    async with make_poller() as poller:
        with pytest.raises(error) as caught:
            await poller.submit(Acme().report("q3"))
        outstanding = poller.outstanding

    assert caught.value.vendor == "acme"
    assert outstanding == ()


async def test_outstanding_names_the_jobs_in_the_order_taken_up(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Jobs that were accepted and have not been seen to their end are listed, others are not."""
    vendor.report("q1", lasts=10)
    vendor.report("q2", lasts=10)
    vendor.report("q3", submits=["done"])

    async with make_poller() as poller:
        for export in reports(Acme(), "q1", "q2"):
            await poller.submit(export)
        await finish(poller, reports(Acme(), "q3"))
        outstanding = poller.outstanding

    assert [ref.id for ref in outstanding] == ["q1", "q2"]


async def test_a_submit_that_is_given_up_still_becomes_a_job(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A task that stops waiting for its submit does not take the job with it."""
    vendor.report("q3", submits=[busy(), "queued"])

    async with make_poller() as poller:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(poller.submit, Acme().report("q3"))
            while not vendor.seen:
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        while not poller.outstanding:
            await anyio.lowlevel.checkpoint()
        finished = await poller.resume(poller.outstanding[0])

    assert finished.ok


async def test_what_one_process_left_another_finishes(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path, clock: ManualClock
) -> None:
    """A ledger gives the next process the jobs to resume, and forgets them once they landed."""
    vendor.report("q3", lasts=100, links=(signed("q3.csv"),))
    vendor.files["q3.csv"] = [b"a,b\n"]
    ledger = tmp_path / "ledger.db"

    async with make_poller(ledger=ledger) as poller:
        job = await poller.submit(Acme().report("q3"))
    async with Ledger(ledger, clock) as record:
        left = await outstanding(record)
    async with make_poller(ledger=ledger, accounts=[Acme()]) as poller:
        finished = await poller.resume(left[0], into=tmp_path)
    async with Ledger(ledger, clock) as record:
        after = await outstanding(record)

    assert left == (job.ref,)
    assert finished.ok
    assert after == ()


async def test_a_job_cannot_land_in_two_places(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """Whoever asks for another place is told the first, and the first gets the files."""
    vendor.report("q3", "working", "done", links=(signed("q3.csv"),))
    vendor.files["q3.csv"] = [b"a,b"]
    first, second = tmp_path / "a", tmp_path / "b"

    async with make_poller() as poller:
        results = poller.run(reports(Acme(), "q3"), into=first)
        await turns_until(lambda: bool(poller.outstanding))
        (ref,) = poller.outstanding
        with raises_error(
            InvalidArgument,
            reason=f"into: the files of {ref} are already on their way to {first}",
            remedy="pass the same place, or None to wait for them",
        ):
            await poller.resume(ref, into=second)
        same, landed = await poller.resume(ref, into=first), await anext(results)

    assert [file.path.parent for file in (*same.files, *landed.files)] == [first] * 2
    assert not second.exists()


async def test_two_runs_of_one_key_do_not_land_in_two_places(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """One of them says so; the export lands where the other wants it."""
    vendor.report("q3", "working", "done", links=(signed("q3.csv"),))
    vendor.files["q3.csv"] = [b"a,b"]
    first, second = tmp_path / "a", tmp_path / "b"

    async with make_poller() as poller:
        runs = [
            poller.run(reports(Acme(), "q3"), into=folder, run_key="monday")
            for folder in (first, second)
        ]
        ends = [await anext(run) for run in runs]

    refused, landed = sorted(ends, key=lambda finished: finished.ok)
    (file,) = landed.files
    assert isinstance(refused.error, InvalidArgument)
    assert str(file.path.parent) in refused.error.reason
    assert file.path.exists()
    assert vendor.said.count("POST /reports/q3") == 1


async def test_a_poller_does_not_grow_with_jobs_that_ended_unclaimed(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A cancelled job is forgotten at once; of others, so many are kept for whoever asks.

    The next poll of those that were cancelled would have been due much later.
    """
    for number in range(250):
        vendor.report(f"cancelled-{number}", lasts=1000)
        vendor.report(f"done-{number}", submits=["done"])

    before = kept()
    async with make_poller(poll_interval=900) as poller:
        for number in range(250):
            job = await poller.submit(Acme().report(f"cancelled-{number}"))
            await poller.cancel(job.ref)
        await turns()
        assert kept() <= before
        for number in range(250):
            job = await poller.submit(Acme().report(f"done-{number}"))
        await turns()
        assert kept() <= before + 100
        assert poller.outstanding == ()
        finished = await poller.resume(job.ref)

    assert finished.ok


def kept() -> int:
    """Return how many exports a poller keeps in memory."""
    gc.collect()
    return sum(isinstance(one, Tracked) for one in gc.get_objects())


async def test_a_folder_is_looked_at_in_a_thread(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that hangs does not hold up the loop."""
    vendor.report("q3", submits=["done"])
    threads: list[int] = []

    def prepare(folder: Folder) -> None:
        del folder
        threads.append(threading.get_ident())

    monkeypatch.setattr(Folder, "prepare", prepare)
    async with make_poller() as poller:
        (finished,) = [one async for one in poller.run(reports(Acme(), "q3"), into=tmp_path)]

    assert finished.ok
    assert threads
    assert threading.get_ident() not in threads

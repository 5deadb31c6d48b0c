"""What comes out of a run: every export's end as a result, in the order of completion."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from tests.support.acme import Acme, MakePoller, finish, id_of, reports, signed, status, turns
from tests.support.acme_api import Vendor

from exportjobs import (
    Event,
    JobCancelled,
    JobFailed,
    JobStatus,
    PermissionDenied,
    Rejected,
    SubmitOutcomeUnknown,
)
from exportjobs.events import Ended, Polled, Submitted


async def test_results_come_in_the_order_of_completion(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A quick job's result does not wait for a slow one that was submitted before."""
    vendor.report("slow", lasts=500)
    vendor.report("quick", lasts=5)
    vendor.report("usual", lasts=50)

    async with make_poller() as poller:
        results = await finish(poller, reports(Acme(), "slow", "quick", "usual"))

    assert [id_of(finished) for finished in results] == ["quick", "usual", "slow"]


async def test_a_failed_job_is_a_result(vendor: Vendor, make_poller: MakePoller) -> None:
    """A job that its vendor failed is handed over with the vendor's reason, and raises on wish."""
    vendor.report("q3", "failed")
    vendor.report("q4", "running", "done")

    async with make_poller() as poller:
        failed, landed = await finish(poller, reports(Acme(), "q3", "q4"))

    assert landed.ok
    assert failed.job.status is JobStatus.FAILED
    assert isinstance(failed.error, JobFailed)
    assert "out of paper" in str(failed.error)
    assert failed.error.ref == failed.ref
    with pytest.raises(JobFailed):
        failed.raise_for_status()


async def test_a_cancelled_job_is_a_result_and_not_an_empty_one(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A job that someone cancelled at the vendor is not mistaken for one without rows."""
    vendor.report("q3", "cancelled")

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q3"))

    assert not finished.ok
    assert isinstance(finished.error, JobCancelled)


async def test_a_refused_export_is_a_result_without_a_job(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """An export that the vendor refuses is a result whose job raises why; the others land."""
    vendor.report("bad", submits=[httpx.Response(400, json={"message": "no such report"})])
    vendor.report("good")

    async with make_poller() as poller:
        refused, landed = await finish(poller, reports(Acme(), "bad", "good"))

    assert landed.ok
    assert refused.ref is None
    assert refused.export == Acme().report("bad")
    with pytest.raises(Rejected, match="no such report") as caught:
        _ = refused.job
    assert caught.value.http_status == 400
    assert caught.value.vendor == "acme"


async def test_a_submit_that_is_forbidden_ends_that_export_only(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A 403 on a submit is final for the export, and does not stop the account."""
    vendor.report("secret", submits=[status(403)])
    vendor.report("open")

    async with make_poller() as poller:
        refused, landed = await finish(poller, reports(Acme(), "secret", "open"))

    assert isinstance(refused.error, PermissionDenied)
    assert landed.ok


async def test_a_submit_without_an_answer_is_not_repeated(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A submit that timed out is sent once, and told of as an outcome nobody knows."""
    vendor.report("q3", submits=[httpx.ReadTimeout("too slow")])

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q3"))

    assert isinstance(finished.error, SubmitOutcomeUnknown)
    assert vendor.said == ["POST /reports/q3"]


async def test_a_job_without_files_is_done_and_empty(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """Zero artifacts are no failure and no file."""
    vendor.report("q3", "done", links=())

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q3"), tmp_path)

    assert finished.ok
    assert finished.files == ()
    assert list(tmp_path.iterdir()) == []


async def test_a_job_that_is_done_on_submit_is_not_polled(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """An answer that is final at once leads straight to the download."""
    vendor.report("q3", submits=["done"], links=(signed("q3.csv"),))
    vendor.files["q3.csv"] = [b"a,b\n"]

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q3"), tmp_path)

    assert [file.path.read_bytes() for file in finished.files] == [b"a,b\n"]
    assert vendor.said == ["POST /reports/q3", "GET /q3.csv"]


async def test_without_a_folder_nothing_is_downloaded(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """With `into=None` the files stay at the vendor, and the job tells where."""
    vendor.report("q3", "done", links=(signed("q3.csv"),))

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q3"))

    assert finished.ok
    assert finished.files == ()
    assert [artifact.url for artifact in finished.job.artifacts] == [signed("q3.csv")]


async def test_a_result_names_the_job_for_another_process(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """The ref has the vendor's id, the kind, the digest of what was asked, and when."""
    vendor.report("q3")
    export = Acme(name="sales").report("q3")

    async with make_poller() as poller:
        (finished,) = await finish(poller, [export])

    ref = finished.job.ref
    assert (ref.vendor, ref.account, ref.kind, ref.id) == ("acme", "sales", "report", "q3")
    assert ref.digest == export.digest
    assert ref.submitted_at is not None
    assert ref.submitted_at.utcoffset() == timedelta(0)


async def test_a_result_tells_its_story(vendor: Vendor, make_poller: MakePoller) -> None:
    """Polls, failed polls and how late the end can have been seen are counted."""
    vendor.report("q3", "running", status(503, Retry_After="20"), "done")

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q3"))

    assert finished.stats.polls == 3
    assert finished.stats.failed_polls == 1
    assert finished.stats.latency == timedelta(seconds=31)


async def test_the_same_export_twice_is_two_jobs(vendor: Vendor, make_poller: MakePoller) -> None:
    """Exports that ask for the same are submitted as often as they are passed."""
    vendor.report("q3", submits=["done"])

    async with make_poller() as poller:
        results = await finish(poller, reports(Acme(), "q3", "q3"))

    assert [finished.ok for finished in results] == [True, True]
    assert vendor.said == ["POST /reports/q3"] * 2


async def test_everything_starts_at_once_and_results_keep_until_asked_for(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A run starts when it is called; its results are counted down as they are taken."""
    vendor.report("q3", submits=["done"])
    vendor.report("q4", submits=["done"])

    async with make_poller() as poller:
        results = poller.run(reports(Acme(), "q3", "q4"), into=None)
        expected = len(results)
        first = await anext(results)
        await turns()
        said = list(vendor.said)
        left = len(results)
        rest = [finished async for finished in results]

    assert (expected, left) == (2, 1)
    assert sorted(said) == ["POST /reports/q3", "POST /reports/q4"]
    assert sorted([id_of(first), *map(id_of, rest)]) == ["q3", "q4"]


async def test_a_job_never_goes_back_from_its_end(vendor: Vendor, make_poller: MakePoller) -> None:
    """A job goes from running to queued and on to its end, and the end is told once."""
    vendor.report("q3", "running", "queued", "running", "done")
    events: list[Event] = []

    async with make_poller(observers=[events.append]) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q3"))

    statuses = [event.job.status.value for event in events if isinstance(event, Polled)]
    assert statuses == ["running", "queued", "running", "done"]
    assert [event.finished for event in events if isinstance(event, Ended)] == [finished]
    assert sum(isinstance(event, Submitted) for event in events) == 1

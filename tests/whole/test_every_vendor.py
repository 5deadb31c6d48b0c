"""Every kind of export of every vendor, over real HTTP on loopback, on both event loops."""

from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import exportjobs
from exportjobs import Export, Finished, JobRef, JobStatus
from exportjobs.adapter import Adapter
from exportjobs.sandbox import Sandbox
from exportjobs_clari import Clari
from exportjobs_csv import CsvExport

Everything = Callable[[Sandbox], list[Export]]
Adapters = Callable[[Sandbox], dict[str, Adapter]]
INTERVAL = 0.02


async def land(exports: list[Export], folder: Path) -> list[Finished]:
    """Run exports to their end, in a poller of their own."""
    async with exportjobs.Poller(poll_interval=INTERVAL) as poller:
        return [finished async for finished in poller.run(exports, into=folder)]


async def test_every_kind_of_every_vendor_lands(
    sandbox: Sandbox, everything: Everything, tmp_path: Path
) -> None:
    """Every export lands with the digest of what the vendor served, under a name of its own."""
    exports = everything(sandbox)

    finished = await land(exports, tmp_path)

    assert len(finished) == len(exports) >= 18
    assert [str(one.error) for one in finished if one.error] == []
    files = [file for one in finished for file in one.files]
    served = {file.sha256 for file in sandbox.served}
    assert {file.sha256 for file in files} <= served
    assert {sha256(file.path.read_bytes()).hexdigest() for file in files} <= served
    left = {path for path in tmp_path.iterdir() if not path.name.endswith(".manifest.json")}
    assert left == {file.path for file in files}


async def test_everything_lands_when_everything_goes_wrong(
    troubled_sandbox: Sandbox, everything: Everything, tmp_path: Path
) -> None:
    """Throttling, errors, resets, cuts, expired links and odd statuses delay exports, no more."""
    exports = everything(troubled_sandbox)

    finished = await land(exports, tmp_path)

    assert [str(one.error) for one in finished if one.error] == []
    digests = {file.sha256 for one in finished for file in one.files}
    assert digests <= {file.sha256 for file in troubled_sandbox.served}
    faults = {received.fault for received in troubled_sandbox.requests} - {None}
    assert len(faults) >= 9


async def test_no_job_is_submitted_twice_when_everything_goes_wrong(
    troubled_sandbox: Sandbox, everything: Everything, tmp_path: Path
) -> None:
    """There is one job for each export, however often requests were repeated."""
    exports = everything(troubled_sandbox)

    finished = await land(exports, tmp_path)

    jobs = Counter(one.job.ref.id for one in finished)
    accepted = [
        received
        for received in troubled_sandbox.requests
        if received.method == "POST" and "auth" not in received.path and 0 < received.status < 300
    ]
    assert set(jobs.values()) == {1}
    assert len(accepted) == len(exports)


async def test_no_credential_reaches_the_hosts_of_signed_urls(
    troubled_sandbox: Sandbox, everything: Everything, tmp_path: Path
) -> None:
    """The blob store sees requests, and no credential header on any of them."""
    await land(everything(troubled_sandbox), tmp_path)

    seen = [r for r in troubled_sandbox.requests if r.origin == "blob"]
    headers = {name.lower() for received in seen for name in received.headers}
    assert seen
    assert headers.isdisjoint({"authorization", "apikey", "x-api-key", "cookie"})


async def test_a_job_that_failed_is_a_result_and_the_others_land(
    sandbox: Sandbox, adapters: Adapters, tmp_path: Path
) -> None:
    """A vendor's failure is told with vendor and job, and stops nothing."""
    clari = adapters(sandbox)["clari"]
    sandbox.fail_next("clari")
    exports = [getattr(clari, kind)() for kind in ("activity", "audit_events")]

    finished = await land(exports, tmp_path)

    outcomes = Counter(one.job.status for one in finished)
    assert outcomes == {JobStatus.FAILED: 1, JobStatus.DONE: 1}
    (failed,) = (one for one in finished if not one.ok)
    assert isinstance(failed.error, exportjobs.JobFailed)
    assert str(failed.job.ref) in str(failed.error)
    assert failed.files == ()


async def test_a_job_is_resumed_by_its_ref_from_another_poller(
    sandbox: Sandbox, adapters: Adapters, tmp_path: Path
) -> None:
    """A ref's JSON is enough for another process to land the files."""
    closient = adapters(sandbox)["closient"]
    async with exportjobs.Poller(poll_interval=INTERVAL) as poller:
        (kind,) = closient.kinds()
        job = await poller.submit(getattr(closient, kind)("vytxeTZskVKR7C7WgdSP3d"))
    written = job.ref.to_json()

    ref = JobRef.from_json(written)
    async with exportjobs.Poller(poll_interval=INTERVAL, accounts=[closient]) as poller:
        finished = await poller.resume(ref, into=tmp_path)

    assert finished.ok
    assert finished.job.ref == ref
    assert [file.path.exists() for file in finished.files] == [True]


async def test_a_job_is_cancelled_at_vendors_that_can(adapters: Adapters) -> None:
    """Cancelling gives the final state, and cancelling again gives it again."""
    with Sandbox(speed=0.05) as slow:
        accounts = adapters(slow)
        for label, kind in (("clari", "activity"), ("demandbase-v1", "people")):
            async with exportjobs.Poller() as poller:
                job = await poller.submit(getattr(accounts[label], kind)())

                first = await poller.cancel(job.ref)
                again = await poller.cancel(job.ref)

            assert first.status is again.status is JobStatus.CANCELLED


async def test_an_account_with_the_wrong_key_stops_alone(sandbox: Sandbox, tmp_path: Path) -> None:
    """A refused key is told once for each export, asks little, and the other accounts land."""
    wrong = Clari("not-the-key", base_url=sandbox.account("clari").base_url, name="wrong")
    csv = CsvExport(**sandbox.account("csv").credentials, base_url=sandbox.account("csv").base_url)
    exports = [wrong.activity(), wrong.audit_events(), csv.clients()]

    finished = await land(exports, tmp_path)

    errors = [one.error for one in finished if one.error]
    assert [type(error) for error in errors] == [exportjobs.AuthenticationFailed] * 2
    assert [one.export.kind for one in finished if one.ok] == ["clients"]
    assert sum(received.status == 401 for received in sandbox.requests) <= 2

"""A list tells each job what concerns it, whoever else is on it."""

import httpx
from tests.support.acme import (
    FewQuestions,
    Listing,
    MakePoller,
    finish,
    id_of,
    ref_of,
    reports,
)
from tests.support.acme_api import Vendor

from exportjobs import (
    JobStatus,
)
from exportjobs.adapter import (
    ExportJob,
    evolve,
    frozen,
)
from exportjobs.testing import ManualClock

LIST = "GET /reports"


async def test_two_accounts_are_listed_each_for_itself(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A list asks about its own account's jobs, under its own key."""
    for name in ("a1", "a2"):
        vendor.report(name, lasts=15)
    for name in ("b1", "b2"):
        vendor.report(name, lasts=25)
    a, b = Listing("key-of-a", name="a"), Listing("key-of-b", name="b")

    async with make_poller() as poller:
        results = await finish(poller, [*reports(a, "a1", "a2"), *reports(b, "b1", "b2")])

    lists = [seen for seen in vendor.seen if seen.said == LIST]
    of_a = [seen.moment for seen in lists if seen.header["X-Acme-Key"] == "key-of-a"]
    of_b = [seen.moment for seen in lists if seen.header["X-Acme-Key"] == "key-of-b"]
    assert all(finished.ok for finished in results)
    assert (of_a, of_b) == ([10, 20], [10, 20, 30])
    assert vendor.singles == []


async def test_two_pollers_do_not_mix_their_jobs_up(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Each poller asks about its own jobs, though both see everything in the list."""
    for name in ("q1", "q2", "q3", "q4"):
        vendor.report(name, lasts=25)

    async with make_poller() as one, make_poller() as other:
        ours = one.run(reports(Listing(), "q1", "q2"), into=None)
        theirs = await finish(other, reports(Listing(), "q3", "q4"))
        results = [finished async for finished in ours]

    assert sorted(map(id_of, results)) == ["q1", "q2"]
    assert sorted(map(id_of, theirs)) == ["q3", "q4"]
    assert vendor.moments(LIST) == [10, 10, 20, 20, 30, 30]


async def test_jobs_of_the_same_id_are_told_apart_by_their_scope(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """Two jobs may bear one id in different places; each is told only what concerns it."""

    @frozen
    class InFolders(FewQuestions):
        """Acme, where a report's id is its own in its folder only."""

        def listed(self, raw: object) -> ExportJob:
            """Return the job of a row, named with its folder."""
            assert isinstance(raw, dict)
            return evolve(self.described(raw), ref=self.ref(raw["id"], folder=raw["folder"]))

    rows = [
        {"id": "q1", "status": "done", "folder": "a"},
        {"id": "q1", "status": "failed", "folder": "b"},
    ]
    vendor.report("q1")
    vendor.instead = lambda _: httpx.Response(200, json={"reports": rows})
    account = InFolders()
    refs = [evolve(ref_of("q1", clock), scope={"folder": name}) for name in ("a", "b")]

    async with make_poller() as poller:
        results = await finish(poller, [account.resume(ref) for ref in refs])

    ends = {finished.job.ref.scope["folder"]: finished.job.status for finished in results}
    assert ends == {"a": JobStatus.DONE, "b": JobStatus.FAILED}
    assert vendor.singles == []


async def test_jobs_of_the_same_id_are_told_apart_by_their_kind(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A row that names another kind of export is about another job."""

    @frozen
    class OfKinds(FewQuestions):
        """Acme, where its list tells of what kind each report is."""

        def listed(self, raw: object) -> ExportJob:
            """Return the job of a row, named with its kind."""
            assert isinstance(raw, dict)
            job = self.described(raw)
            return evolve(job, ref=evolve(job.ref, kind=raw["kind"]))

    rows = [
        {"id": "q1", "status": "failed", "kind": "invoice"},
        {"id": "q1", "status": "done", "kind": "report"},
    ]
    vendor.report("q1")
    vendor.instead = lambda _: httpx.Response(200, json={"reports": rows})
    account = OfKinds()
    refs = [evolve(ref_of("q1", clock), kind=kind) for kind in ("report", "invoice")]

    async with make_poller() as poller:
        results = await finish(poller, [account.resume(ref) for ref in refs])

    ends = {finished.job.ref.kind: finished.job.status for finished in results}
    assert ends == {"report": JobStatus.DONE, "invoice": JobStatus.FAILED}
    assert vendor.singles == []

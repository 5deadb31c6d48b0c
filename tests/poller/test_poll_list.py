"""One request asks about all the jobs of an account, where the vendor can list them."""

from datetime import timedelta

import httpx
from tests.support.acme import (
    BrieflyListing,
    FewQuestions,
    Listing,
    MakePoller,
    finish,
    id_of,
    reports,
    signed,
    status,
)
from tests.support.acme_api import Vendor

from exportjobs import (
    Event,
    JobCancelled,
    JobFailed,
    JobNotFound,
)
from exportjobs.adapter import (
    ExportJob,
    Flow,
    Request,
    frozen,
)
from exportjobs.events import Polled

LIST = "GET /reports"
MANY = tuple(f"q{number:02}" for number in range(25))


async def test_one_list_tells_of_all_jobs(vendor: Vendor, make_poller: MakePoller) -> None:
    """Eight jobs take one request each round, and none is asked about alone."""
    names = MANY[:8]
    for name in names:
        vendor.report(name, lasts=25)

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), *names))

    assert sorted(map(id_of, results)) == list(names)
    assert all(finished.ok for finished in results)
    assert vendor.moments(LIST) == [10, 20, 30]
    assert vendor.singles == []


async def test_each_job_ends_when_the_list_says_so(vendor: Vendor, make_poller: MakePoller) -> None:
    """One list may end some jobs, well or not, and leave the others running."""
    vendor.report("q1", "failed")
    vendor.report("q2", lasts=15)
    vendor.report("q3", "running", "cancelled")
    vendor.report("q4", lasts=35)
    vendor.report("q5", lasts=35)

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2", "q3", "q4", "q5"))

    ends = {id_of(finished): finished for finished in results}
    assert list(ends)[:1] == ["q1"]
    assert sorted(list(ends)[1:3]) == ["q2", "q3"]
    assert isinstance(ends["q1"].error, JobFailed)
    assert isinstance(ends["q3"].error, JobCancelled)
    assert ends["q2"].ok
    assert ends["q4"].ok
    assert vendor.singles == []


async def test_files_of_a_listed_job_land(vendor: Vendor, make_poller: MakePoller) -> None:
    """What the list tells of a job's files is enough to fetch them."""
    for name in ("q1", "q2"):
        vendor.report(name, lasts=5, links=(signed(f"{name}.csv"),))

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2"))

    assert all(len(finished.job.artifacts) == 1 for finished in results)
    assert vendor.singles == []


async def test_paging_stops_when_every_running_job_was_seen(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Of three pages the last two are not asked for once all that still runs is on the first."""
    for number, name in enumerate(MANY):
        vendor.report(name, lasts=25 if number < 5 else 5)

    async with make_poller() as poller:
        await finish(poller, reports(Listing(), *MANY))

    assert vendor.moments(LIST) == [10, 10, 10, 20, 30]


async def test_one_job_is_asked_about_alone(vendor: Vendor, make_poller: MakePoller) -> None:
    """For a single job a list is not worth it, not even for the last of several."""
    vendor.report("q1", lasts=15)
    vendor.report("q2", lasts=35)

    async with make_poller() as poller:
        await finish(poller, reports(Listing(), "q1", "q2"))

    assert vendor.moments(LIST) == [10, 20]
    assert [seen.moment for seen in vendor.singles] == [30, 40]


async def test_one_job_is_listed_where_lists_are_the_cheaper(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Where a vendor allows more lists than questions, a list asks about one job, too."""
    vendor.report("q1", lasts=25)

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(FewQuestions(), "q1"))

    assert finished.ok
    assert vendor.moments(LIST) == [10, 20, 30]
    assert vendor.singles == []


async def test_a_job_that_a_brief_list_calls_done_is_asked_about_once(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A list without files is followed by one question for each job that is done, then it lands."""
    vendor.report("q1", lasts=15, links=(signed("q1.csv"),))
    vendor.report("q2", lasts=15, links=(signed("q2.csv"),))
    vendor.report("q3", lasts=25, links=(signed("q3.csv"),))

    async with make_poller() as poller:
        results = await finish(poller, reports(BrieflyListing(), "q1", "q2", "q3"))

    assert all(len(finished.job.artifacts) == 1 for finished in results)
    assert vendor.moments(LIST) == [10, 20]
    assert vendor.moments("GET /reports/q1") == [20]
    assert vendor.moments("GET /reports/q2") == [20]
    assert vendor.moments("GET /reports/q3") == [30]


async def test_a_job_that_failed_is_asked_why_after_a_brief_list(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """The list does not tell the reason; of one that was cancelled there is none to tell."""
    vendor.report("q1", "failed")
    vendor.report("q2", "cancelled")

    async with make_poller() as poller:
        results = await finish(poller, reports(BrieflyListing(), "q1", "q2"))

    errors = {id_of(finished): type(finished.error) for finished in results}
    assert errors == {"q1": JobFailed, "q2": JobCancelled}
    assert [seen.said for seen in vendor.singles] == ["GET /reports/q1"]


async def test_a_list_ahead_of_the_single_answer_does_not_hurt(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A job that the brief list calls done and its own answer running is listed again later."""
    vendor.report("q1", "done", "running", "done", "done")
    vendor.report("q2", lasts=100)

    async with make_poller() as poller:
        results = await finish(poller, reports(BrieflyListing(), "q1", "q2"))

    assert all(finished.ok for finished in results)
    assert vendor.moments("GET /reports/q1") == [10, 20]


async def test_a_job_that_the_list_lacks_at_first_is_no_worry(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """For half a minute a list may not have a new job yet; it is looked for further on."""
    lacking = httpx.Response(200, json={"reports": [{"id": "q1", "status": "running"}]})
    empty = httpx.Response(200, json={"reports": []})
    vendor.lists.extend([lacking, empty] * 2)
    vendor.report("q1", lasts=45)
    vendor.report("q2", lasts=45)

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2"))

    assert all(finished.ok for finished in results)
    assert vendor.singles == []
    assert vendor.moments(LIST) == [10, 10, 20, 20, 30, 40, 50]


async def test_a_job_that_the_list_lacks_for_good_is_asked_about_alone(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """After half a minute it gets questions of its own, and the list is not searched for it."""
    vendor.report("q1", lasts=75)
    vendor.report("q2", lasts=75)
    vendor.report("q3", lasts=75, listed=False)

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2", "q3"))

    to_the_end = [10, 10, 20, 20, 30, 30, 40, 40]
    assert all(finished.ok for finished in results)
    assert vendor.moments(LIST) == [*to_the_end, 50, 60, 70, 80]
    assert vendor.moments("GET /reports/q3") == [40, 50, 60, 70, 80]
    assert len(vendor.singles) == 5


async def test_a_job_that_neither_the_list_nor_the_vendor_knows_is_not_found(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A job that was lost ends with that error, and does not take the others along."""
    vendor.report("q1", lasts=75)
    vendor.report("q2", lasts=75)
    vendor.report("lost", status(404), listed=False)

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), "lost", "q1", "q2"))

    assert [finished.ok for finished in results] == [False, True, True]
    assert isinstance(results[0].error, JobNotFound)
    assert len(vendor.singles) == 1


async def test_the_story_counts_the_lists_that_told_of_a_job(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """A list is one poll of each job on it; a question alone is one of that job."""
    vendor.report("q1", lasts=15)
    vendor.report("q2", lasts=25)
    vendor.report("q3", lasts=45)

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), "q1", "q2", "q3"))

    stats = {id_of(finished): finished.stats for finished in results}
    assert {name: stats.polls for name, stats in stats.items()} == {"q1": 2, "q2": 3, "q3": 5}
    assert all(stats.failed_polls == 0 for stats in stats.values())
    assert stats["q2"].latency == timedelta(seconds=10)
    assert sum(isinstance(event, Polled) for event in events) == 2 + 3 + 5


async def test_a_list_asks_for_what_still_runs(vendor: Vendor, make_poller: MakePoller) -> None:
    """The adapter is told which ids are wanted: those that have not ended."""
    wishes: list[frozenset[str]] = []

    @frozen
    class Wishful(Listing):
        """Acme, where it is written down what the library wants."""

        def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Flow[tuple[ExportJob, ...]]:
            """Note the wish and ask for the first page."""
            wishes.append(wanted)
            response = yield Request.get("/reports", params={"page": 1})
            return tuple(self.listed(body) for body in response.json()["reports"])

    vendor.report("q1", lasts=15)
    vendor.report("q2", lasts=25)
    vendor.report("q3", lasts=25)

    async with make_poller() as poller:
        await finish(poller, reports(Wishful(), "q1", "q2", "q3"))

    assert wishes == [{"q1", "q2", "q3"}] * 2 + [{"q2", "q3"}]

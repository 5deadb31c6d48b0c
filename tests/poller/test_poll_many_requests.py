"""Questions about one job that take many requests, as where its files are found page by page."""

from datetime import timedelta

from attrs import field, frozen
from tests.support.acme import Acme, MakePoller, finish, reports
from tests.support.acme_api import FOREVER, Vendor

from exportjobs import DeadlineExceeded, NetworkError
from exportjobs.adapter import ExportJob, Flow, JobRef, Request, path
from exportjobs.testing import ManualClock

QUESTION = "GET /reports/q1"


@frozen
class Paging(Acme):
    """Acme, where a report is asked about in several requests."""

    pages: int = field(default=20, kw_only=True)

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report, page by page."""
        for _ in range(self.pages):
            response = yield Request.get(path("/reports/{}", ref.id))
        return self.job(response)


async def test_a_question_may_take_long_as_long_as_it_is_answered(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """Twenty answers that come after half a minute each are one question's, which did not fail."""
    vendor.report("q1", "done")
    vendor.takes = lambda seen: 25 if seen.said == QUESTION else 0

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Paging(), "q1"))

    assert finished.ok
    assert (finished.stats.polls, finished.stats.failed_polls) == (1, 0)
    assert clock.monotonic() >= 20 * 25


async def test_a_question_that_stalls_half_way_is_let_go_of(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """What was answered before does not count: a minute without an answer is too long."""
    vendor.report("q1", "done")
    vendor.takes = lambda _: FOREVER if vendor.said.count(QUESTION) == 10 else 0

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Paging(), "q1"))

    assert finished.ok
    assert (finished.stats.polls, finished.stats.failed_polls) == (2, 1)
    assert 60 <= clock.monotonic() <= 120


async def test_a_question_without_an_end_ends_with_the_jobs_time(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A vendor that leads on and on keeps nobody beyond the deadline."""
    vendor.report("q1", "done")
    vendor.takes = lambda seen: 1 if seen.said == QUESTION else 0

    async with make_poller(deadline=timedelta(minutes=10)) as poller:
        (finished,) = await finish(poller, reports(Paging(pages=1_000_000), "q1"))

    assert isinstance(finished.error, DeadlineExceeded | NetworkError)
    assert 600 <= clock.monotonic() <= 610

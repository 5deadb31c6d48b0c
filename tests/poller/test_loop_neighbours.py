"""A job that goes wrong, or a vendor that hangs, delays nobody else."""

from collections.abc import Callable

import httpx
import pytest
from tests.support.acme import Acme, Answer, Listing, MakePoller, finish, id_of, reports, status
from tests.support.acme_api import FOREVER, Seen, Vendor
from tests.support.draws import middle

from exportjobs import DeadlineExceeded, JobFailed, NetworkError, Poller
from exportjobs.testing import ManualClock

GOOD = tuple(f"good{number:02}" for number in range(20))
HANGING = tuple(f"hanging{number:02}" for number in range(20))


def asks(*names: str) -> Callable[[Seen], bool]:
    """Return whether a request is a question about one of some reports."""
    return lambda seen: seen.said in {f"GET /reports/{name}" for name in names}


async def moments_beside(bad: dict[str, Answer]) -> dict[str, list[float]]:
    """Return when each of the good reports is asked about, with some bad ones beside them."""
    async with ManualClock() as clock:
        vendor = Vendor(clock)
        for number, name in enumerate(GOOD):
            vendor.report(name, lasts=15 * number)
        for name, answer in bad.items():
            vendor.report(name, answer)
        poller = Poller(
            clock=clock, transport=vendor.transport, jitter=middle, poll_interval=10, deadline=600
        )
        async with poller:
            results = await finish(poller, reports(Acme(), *GOOD, *bad))
        assert {id_of(finished) for finished in results if finished.ok} == set(GOOD)
        return {name: vendor.moments(f"GET /reports/{name}") for name in GOOD}


@pytest.mark.parametrize(
    "answer",
    [
        status(503),
        status(404),
        status(400),
        status(503, Retry_After="7"),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.Response(200, content=b"{"),
        "PONDERING",
        "failed",
    ],
    ids=["503", "404", "400", "503-later", "refused", "slow", "no-json", "unknown", "failed"],
)
async def test_jobs_that_go_wrong_change_nothing_for_the_others(answer: Answer) -> None:
    """The others are asked about in exactly the moments in which they would be without them."""
    beside = await moments_beside({"bad1": answer, "bad2": answer, "bad3": answer})
    alone = await moments_beside({})

    assert beside == alone


@pytest.mark.parametrize("account", [Acme(), Listing()], ids=["singly", "listing"])
@pytest.mark.parametrize(("number", "seconds"), [(1, 1), (3, 1), (6, 2)])
async def test_questions_that_are_not_answered_hardly_delay_the_others(
    vendor: Vendor, make_poller: MakePoller, account: Acme, number: int, seconds: int
) -> None:
    """Some jobs of an account hang in every question; twenty others are asked a second later."""
    hanging = HANGING[:number]
    for name in hanging:
        vendor.report(name, lasts=1000, listed=False)
    for name in GOOD:
        vendor.report(name, lasts=95, listed=False)
    hangs = asks(*hanging)
    vendor.takes = lambda seen: FOREVER if hangs(seen) else 0

    async with make_poller() as poller:
        results = poller.run(reports(account, *hanging, *GOOD), into=None)
        for _ in GOOD:
            finished = await anext(results)
            assert finished.ok

    late = [moment % 10 for name in GOOD for moment in vendor.moments(f"GET /reports/{name}")]
    assert late
    assert max(late) <= seconds


async def test_a_vendor_that_hangs_does_not_delay_another_account(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Where not one question of an account is answered, another account does not notice."""
    for name in HANGING:
        vendor.report(name, lasts=1000)
    vendor.report("good", lasts=95)
    hangs = asks(*HANGING)
    vendor.takes = lambda seen: FOREVER if hangs(seen) else 0

    async with make_poller() as poller:
        silent, sound = Acme(name="silent"), Acme(name="sound")
        results = poller.run([*reports(silent, *HANGING), *reports(sound, "good")], into=None)
        finished = await anext(results)

    assert id_of(finished) == "good"
    assert vendor.moments("GET /reports/good") == [10 * n for n in range(1, 11)]


async def test_submits_that_are_not_answered_delay_the_others_by_a_second_at_most(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Three exports hang in their submit, and twenty others go out and are asked about."""
    hanging = {f"POST /reports/{name}" for name in HANGING[:3]}
    for name in (*HANGING[:3], *GOOD):
        vendor.report(name, lasts=5)
    vendor.takes = lambda seen: FOREVER if seen.said in hanging else 0

    async with make_poller() as poller:
        results = poller.run(reports(Acme(), *HANGING[:3], *GOOD), into=None)
        for _ in GOOD:
            finished = await anext(results)
            assert finished.ok

    assert max(seen.moment for seen in vendor.seen if seen.said.startswith("POST")) <= 1
    assert max(seen.moment for seen in vendor.singles) <= 11


async def test_jobs_whose_vendor_is_silent_meet_their_deadline(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """Where no question of an account is ever answered, all its jobs are given up in time."""
    for name in (*HANGING, *GOOD):
        vendor.report(name, lasts=1000)
    hangs = asks(*HANGING, *GOOD)
    vendor.takes = lambda seen: FOREVER if hangs(seen) else 0

    async with make_poller(deadline=300) as poller:
        results = await finish(poller, reports(Acme(), *HANGING, *GOOD))

    assert len(results) == 40
    assert all(isinstance(f.error, DeadlineExceeded | NetworkError) for f in results)
    assert clock.monotonic() <= 330


async def test_a_question_that_is_not_answered_is_asked_again(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """An answer that got lost costs a job some minutes and not the whole wait."""
    vendor.report("q1", lasts=15)
    first = asks("q1")
    vendor.takes = lambda seen: FOREVER if first(seen) and seen.moment == 10 else 0

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert finished.ok
    assert finished.stats.failed_polls == 1
    assert clock.monotonic() <= 300


async def test_a_job_that_failed_does_not_stop_the_others_of_its_list(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Of listed jobs the bad one ends, and the others are listed on."""
    vendor.report("bad", "failed")
    vendor.report("q1", lasts=25)
    vendor.report("q2", lasts=25)

    async with make_poller() as poller:
        results = await finish(poller, reports(Listing(), "bad", "q1", "q2"))

    assert isinstance(results[0].error, JobFailed)
    assert [finished.ok for finished in results[1:]] == [True, True]
    assert vendor.moments("GET /reports") == [10, 20, 30]

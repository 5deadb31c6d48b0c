"""A vendor that asks for patience gets it: nothing is asked before its time."""

from datetime import timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import anyio
import httpx
import pytest
from tests.support.acme import Acme, MakePoller, finish, id_of, reports, signed, status
from tests.support.acme_api import Vendor
from tests.support.draws import lowest

from exportjobs import Event
from exportjobs.events import PollFailed, Throttled
from exportjobs.testing import ManualClock

EPSILON = 1e-6


def answer(state: str, **headers: str) -> httpx.Response:
    """Return an answer about q1 with headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, headers=named, json={"id": "q1", "status": state})


async def test_a_throttled_poll_is_repeated_when_the_vendor_says_so(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """After a 429 with Retry-After in seconds, nothing is asked before they are over."""
    vendor.report("q1", status(429, Retry_After="90"), "done")

    async with make_poller(jitter=lowest) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    first, second = vendor.moments("GET /reports/q1")
    assert finished.ok
    assert 90 <= second - first <= 99


@pytest.mark.parametrize("seconds", [9.5, 10, 10.5], ids=["less", "equal", "more"])
async def test_a_wait_near_the_usual_one_is_not_undercut(
    vendor: Vendor, make_poller: MakePoller, seconds: float
) -> None:
    """A Retry-After that happens to be about the vendor's usual pace is kept to all the same."""
    vendor.report("q1", status(429, Retry_After=str(seconds)), "done")

    async with make_poller(jitter=lowest) as poller:
        await finish(poller, reports(Acme(), "q1"))

    first, second = vendor.moments("GET /reports/q1")
    assert second - first >= seconds - EPSILON


async def test_a_date_to_come_back_is_kept(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """A Retry-After that is a date means the same as its distance in seconds."""
    until = format_datetime(clock.now() + timedelta(seconds=120), usegmt=True)
    vendor.report("q1", status(429, Retry_After=until), "done")

    async with make_poller(jitter=lowest) as poller:
        await finish(poller, reports(Acme(), "q1"))

    _, second = vendor.moments("GET /reports/q1")
    assert 120 <= second <= 133


async def test_a_throttled_account_waits_as_a_whole(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A 429 on one job's poll holds back the account's other polls and submits."""
    vendor.report("q1", status(429, Retry_After="90"), "done")
    vendor.report("q2", lasts=200)
    vendor.report("q3", submits=["done"])
    account = Acme()
    throttled = anyio.Event()

    def notice(event: Event) -> None:
        if isinstance(event, Throttled):
            throttled.set()

    async with make_poller(poll_interval=1, observers=[notice]) as poller:
        results = poller.run(reports(account, "q1", "q2"), into=None)
        await throttled.wait()
        await poller.submit(account.report("q3"))
        await anext(results)

    since = vendor.moments("GET /reports/q1")[0]
    asked = [seen.moment for seen in vendor.seen if seen.moment > since]
    assert min(asked) >= since + 90


async def test_a_throttled_account_does_not_hold_others_back(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Another account at the same vendor goes on meanwhile."""
    vendor.report("q1", status(429, Retry_After="3600"), "done")
    vendor.report("q2", lasts=100)

    async with make_poller() as poller:
        results = await finish(
            poller, [*reports(Acme(name="a"), "q1"), *reports(Acme(name="b"), "q2")]
        )

    assert [id_of(finished) for finished in results] == ["q2", "q1"]
    assert vendor.moments("GET /reports/q2")[-1] < 120


async def test_being_throttled_is_no_failure(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """However often a poll is throttled, the job's budget is untouched and it lands."""
    vendor.report("q1", *[status(429)] * 25, "done")

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert finished.ok
    assert finished.stats.failed_polls == 0
    assert finished.stats.polls == 26
    assert sum(isinstance(event, Throttled) for event in events) == 25


async def test_being_throttled_never_submits_again(vendor: Vendor, make_poller: MakePoller) -> None:
    """A job whose polls are throttled is not taken for lost."""
    vendor.report("q1", *[status(429, Retry_After="600")] * 5, "done")

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"))

    assert vendor.said.count("POST /reports/q1") == 1


async def test_a_throttled_submit_waits_and_is_sent_again(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A 429 on a submit did not create a job, so the export is submitted again in time."""
    vendor.report("q1", submits=[status(429, Retry_After="75"), "done"])

    async with make_poller(jitter=lowest) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    first, second = vendor.moments("POST /reports/q1")
    assert finished.ok
    assert 75 <= second - first <= 83


async def test_a_submit_to_a_vendor_that_is_down_for_a_known_time_waits(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A 503 with Retry-After on a submit says that nothing was created and when to come back."""
    vendor.report("q1", submits=[status(503, Retry_After="300"), "done"])

    async with make_poller(jitter=lowest) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    first, second = vendor.moments("POST /reports/q1")
    assert finished.ok
    assert second - first >= 300


async def test_a_poll_of_a_vendor_that_is_down_for_a_known_time_waits(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """A 503 with Retry-After on a poll is not repeated at once but when the vendor says."""
    vendor.report("q1", status(503, Retry_After="200"), "done")

    async with make_poller(jitter=lowest) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    first, second = vendor.moments("GET /reports/q1")
    (failed,) = [event for event in events if isinstance(event, PollFailed)]
    assert finished.ok
    assert second - first >= 200
    assert failed.next_in == second - first


async def test_a_vendor_that_says_when_to_ask_next_is_obeyed(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Retry-After on a good answer takes the place of the usual interval."""
    vendor.report("q1", answer("running", Retry_After="45"), "done")

    async with make_poller(jitter=lowest) as poller:
        await finish(poller, reports(Acme(), "q1"))

    first, second = vendor.moments("GET /reports/q1")
    assert 45 <= second - first <= 50


async def test_a_vendor_that_asks_for_less_than_the_usual_wait_is_asked_sooner(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Retry-After works both ways: a vendor that invites to ask again soon is asked soon."""
    vendor.report("q1", answer("running", Retry_After="1"), "done")

    async with make_poller(jitter=lowest) as poller:
        await finish(poller, reports(Acme(), "q1"))

    first, second = vendor.moments("GET /reports/q1")
    assert 1 - EPSILON <= second - first <= 2


async def test_a_vendor_that_says_on_submit_when_to_ask_first_is_obeyed(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Retry-After on the answer to a submit takes the place of the usual first wait."""
    vendor.report("q1", "done", submits=[answer("queued", Retry_After="60")])

    async with make_poller(jitter=lowest) as poller:
        await finish(poller, reports(Acme(), "q1"))

    assert vendor.moments("GET /reports/q1")[0] >= 60


@pytest.mark.parametrize(
    "headers",
    [
        {"RateLimit_Remaining": "0", "RateLimit_Reset": "50"},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "50"},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "1767225659"},
    ],
    ids=["draft", "seconds", "unix-time"],
)
async def test_a_used_up_rate_limit_is_waited_for(
    vendor: Vendor, make_poller: MakePoller, headers: dict[str, str]
) -> None:
    """An answer that says no request is left is followed by none until the limit is renewed."""
    vendor.report("q1", answer("running", **headers), "done")

    async with make_poller(jitter=lowest) as poller:
        await finish(poller, reports(Acme(), "q1"))

    first, second = vendor.moments("GET /reports/q1")
    assert second - first >= 50 - 2


async def test_jitter_is_drawn_for_every_wait(vendor: Vendor, make_poller: MakePoller) -> None:
    """The waits are the usual ones, stretched and shrunk by what was drawn between the bounds."""
    vendor.report("q1", "running", "running", "done")
    draws = iter([0.9, 1.1, 1.0])
    bounds: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        bounds.append((low, high))
        return next(draws, 1.0)

    async with make_poller(jitter=draw) as poller:
        await finish(poller, reports(Acme(), "q1"))

    assert vendor.moments("GET /reports/q1") == pytest.approx([9, 20, 30])
    assert bounds[0] == (0.9, 1.1)


async def test_the_users_interval_takes_the_place_of_the_vendors_pace(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """With an interval of one's own, the first question and the later ones keep to it."""
    vendor.report("q1", "running", "running", "done")

    async with make_poller(poll_interval=3) as poller:
        await finish(poller, reports(Acme(), "q1"))

    assert vendor.moments("GET /reports/q1") == [3, 6, 9]


async def test_a_vendor_that_does_not_say_how_long_is_given_its_usual_pace(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A 429 without Retry-After is no reason to ask sooner than without it."""
    vendor.report("q1", *[status(429)] * 3, "done")

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"))

    moments = vendor.moments("GET /reports/q1")
    waits = [after - before for before, after in pairwise(moments)]
    assert min(waits) >= 10


async def test_a_fresh_address_is_not_asked_for_while_the_account_waits(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """A file whose address is refused waits like everything else for the pause to be over."""
    vendor.report("q1", "done", submits=["done"], links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [status(403), b"a,b\n"]
    vendor.takes = lambda seen: 30 if seen.said == "GET /q1.csv" else 0
    vendor.report("q2", status(429, Retry_After="600"), "done")

    async with make_poller(jitter=lowest) as poller:
        results = await finish(poller, reports(Acme(), "q1", "q2"), tmp_path)

    throttled = vendor.moments("GET /reports/q2")[0]
    assert all(finished.ok for finished in results)
    assert vendor.moments("GET /q1.csv")[0] == 0
    assert vendor.moments("GET /reports/q1")[0] >= throttled + 600 - EPSILON


async def test_a_fresh_address_that_is_throttled_holds_the_account_back(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """A 429 on the question for a fresh address is one on the account, like any other."""
    vendor.report(
        "q1",
        status(429, Retry_After="600"),
        "done",
        submits=["done"],
        links=(signed("q1.csv"),),
    )
    vendor.files["q1.csv"] = [status(403), b"a,b\n"]
    vendor.report("q2", lasts=100)

    async with make_poller(jitter=lowest) as poller:
        results = await finish(poller, reports(Acme(), "q1", "q2"), tmp_path)

    throttled = vendor.moments("GET /reports/q1")[0]
    assert all(finished.ok for finished in results)
    assert vendor.moments("GET /reports/q2")[0] >= throttled + 600 - EPSILON

"""What is wrong with an account is found out by a request or two, however many jobs it has."""

from collections import deque
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from tests.support.acme import Acme, MakePoller, SignedIn, finish, reports, status, turns
from tests.support.acme_api import Vendor
from tests.support.draws import lowest, middle

from exportjobs import AuthenticationFailed, DeadlineExceeded, Event
from exportjobs._schedule.schedule import Jitter
from exportjobs.events import Ended, StatusUnknown, Throttled
from exportjobs.testing import ManualClock

FIFTY = tuple(f"q{number:02}" for number in range(50))
TWENTY = FIFTY[:20]
SIGN_IN = "POST /token"
SLOW = 10 * 10
"""Seconds between two questions where nobody knows the status, at the pollers' usual interval."""


@pytest.mark.parametrize("seconds", [0, 0.2], ids=["at-once", "in-a-while"])
async def test_a_revoked_key_is_found_out_by_two_requests_at_most(
    vendor: Vendor, make_poller: MakePoller, seconds: float
) -> None:
    """Fifty running jobs are due in one moment, and no answer is good any more."""
    for name in FIFTY:
        vendor.report(name, lasts=100)
    vendor.takes = lambda seen: seconds if seen.moment >= 20 else 0
    vendor.instead = lambda seen: status(401) if seen.moment >= 20 else None

    async with make_poller() as poller:
        results = await finish(poller, reports(Acme(), *FIFTY))

    asked = [seen for seen in vendor.seen if seen.moment >= 20]
    assert len(results) == 50
    assert all(isinstance(finished.error, AuthenticationFailed) for finished in results)
    assert len(asked) <= 2


@pytest.mark.parametrize("seconds", [0, 0.2], ids=["at-once", "in-a-while"])
async def test_a_wrong_key_is_found_out_by_two_submits_at_most(
    vendor: Vendor, make_poller: MakePoller, seconds: float
) -> None:
    """Of fifty exports with a wrong key one or two are sent."""
    vendor.takes = lambda _: seconds
    vendor.instead = lambda _: status(401)

    async with make_poller() as poller:
        results = await finish(poller, reports(Acme(), *FIFTY))

    assert len(results) == 50
    assert all(isinstance(finished.error, AuthenticationFailed) for finished in results)
    assert len(vendor.seen) <= 2


async def test_a_wrong_key_is_found_out_by_as_few_with_jobs_of_an_earlier_process(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Jobs that are resumed are no sign that all is well with the key."""
    account = Acme()
    old = [account.resume(account.ref(name)) for name in TWENTY]
    vendor.instead = lambda _: status(401)

    async with make_poller() as poller:
        results = await finish(poller, [*old, *reports(account, *FIFTY)])

    assert len(results) == 70
    assert all(isinstance(finished.error, AuthenticationFailed) for finished in results)
    assert len(vendor.seen) <= 2


async def test_resumed_jobs_of_a_refused_key_end_once(
    vendor: Vendor, make_poller: MakePoller, events: list[Event], tmp_path: Path
) -> None:
    """A key that is found out while jobs are still being taken up is no reason to end any twice."""
    account = Acme()
    old = [account.resume(account.ref(name)) for name in FIFTY]
    vendor.instead = lambda _: status(401)

    async with make_poller(ledger=tmp_path / "ledger.db") as poller:
        results = await finish(poller, old)
        await turns()

    ended = [event.subject.number for event in events if isinstance(event, Ended)]
    assert {id(finished.export) for finished in results} == {id(work) for work in old}
    assert sorted(ended) == list(range(1, 51))


async def test_resumed_jobs_do_not_vouch_for_the_submits(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A key that may read but not submit is found out by two submits at most."""
    account = Acme()
    for name in TWENTY:
        vendor.report(name, lasts=1000, since=0.0)
    old = [account.resume(account.ref(name)) for name in TWENTY]
    vendor.instead = lambda seen: status(401) if seen.said.startswith("POST") else None

    async with make_poller() as poller:
        await finish(poller, [*old, *reports(account, *FIFTY)])

    assert sum(said.startswith("POST") for said in vendor.said) <= 2


async def test_a_revoked_token_is_renewed_once_for_all(
    vendor: Vendor, make_poller: MakePoller, tokens: deque[httpx.Response]
) -> None:
    """Where nothing helps any more, fifty due jobs take two requests and one new token."""
    for name in FIFTY:
        vendor.report(name, lasts=100)
    tokens.append(httpx.Response(200, json={"token": "t2"}))
    vendor.instead = lambda seen: (
        status(401) if seen.moment >= 20 and seen.said != SIGN_IN else None
    )

    async with make_poller() as poller:
        results = await finish(poller, reports(SignedIn(), *FIFTY))

    asked = [seen.said for seen in vendor.seen if seen.moment >= 20]
    assert len(results) == 50
    assert all(isinstance(finished.error, AuthenticationFailed) for finished in results)
    assert asked.count(SIGN_IN) <= 1
    assert len(asked) - asked.count(SIGN_IN) <= 2


async def test_a_token_that_has_run_out_is_renewed_once_for_all(
    vendor: Vendor, make_poller: MakePoller, tokens: deque[httpx.Response]
) -> None:
    """Where a new token helps, fifty due jobs share it, and not one of them suffers."""
    for name in FIFTY:
        vendor.report(name, lasts=25)
    tokens.append(httpx.Response(200, json={"token": "t2"}))
    vendor.instead = lambda seen: (
        status(401)
        if seen.moment >= 20 and seen.header.get("Authorization") == "Bearer t1"
        else None
    )

    async with make_poller() as poller:
        results = await finish(poller, reports(SignedIn(), *FIFTY))

    refused = [
        seen
        for seen in vendor.singles
        if seen.moment >= 20 and seen.header["Authorization"] == "Bearer t1"
    ]
    assert all(finished.ok for finished in results)
    assert vendor.said.count(SIGN_IN) == 2
    assert len(refused) <= 2


async def test_a_vendor_that_throttles_everything_is_asked_less_and_less_often(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock
) -> None:
    """Fifty jobs, every answer a 429 without Retry-After: one asks for all, ever more rarely."""
    for name in FIFTY:
        vendor.report(name, lasts=15)
    vendor.instead = lambda seen: status(429) if 10 <= seen.moment < 3600 else None

    async with make_poller() as poller:
        results = await finish(poller, reports(Acme(), *FIFTY))

    refused = [seen.moment for seen in vendor.singles if seen.moment < 3600]
    waits = [after - before for before, after in pairwise(refused)]
    assert all(finished.ok for finished in results)
    assert all(finished.stats.failed_polls == 0 for finished in results)
    assert waits[:5] == sorted(waits[:5])
    assert waits[0] >= 10
    assert waits[-1] >= 300
    assert len(refused) <= 20
    assert clock.monotonic() <= 3600 + 400


async def test_a_throttled_storm_is_nothing_to_other_accounts(
    vendor: Vendor, make_poller: MakePoller, events: list[Event]
) -> None:
    """While one account is refused every answer, another's jobs are asked about on time."""
    for name in FIFTY:
        vendor.report(name, lasts=15)
    vendor.report("other", lasts=95)
    vendor.instead = lambda seen: (
        status(429)
        if 10 <= seen.moment < 200 and seen.header["X-Acme-Key"] == "key-of-storm"
        else None
    )
    storm, calm = Acme("key-of-storm", name="storm"), Acme("key-of-calm", name="calm")

    async with make_poller() as poller:
        results = await finish(poller, [*reports(storm, *FIFTY), *reports(calm, "other")])

    throttled = {event.subject.account for event in events if isinstance(event, Throttled)}
    assert all(finished.ok for finished in results)
    assert vendor.moments("GET /reports/other") == [10 * n for n in range(1, 11)]
    assert throttled == {"storm"}


async def test_one_slow_question_serves_all_jobs_of_unknown_status(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock, events: list[Event]
) -> None:
    """A word that nobody knows on twenty jobs takes one request a slow interval, and has an end."""
    for name in TWENTY:
        vendor.report(name, "PONDERING", submits=["PONDERING"])

    async with make_poller(deadline=1555) as poller:
        results = await finish(poller, reports(Acme(), *TWENTY))

    asked = [seen.moment for seen in vendor.singles]
    assert all(isinstance(finished.error, DeadlineExceeded) for finished in results)
    assert all(after - before >= SLOW - 1e-6 for before, after in pairwise(asked))
    assert 10 <= len(asked) <= 16
    assert clock.monotonic() == pytest.approx(1555)
    assert sum(isinstance(event, StatusUnknown) for event in events) == 20


@pytest.mark.parametrize("jitter", [lowest, middle])
async def test_jobs_of_unknown_status_take_turns(
    vendor: Vendor, make_poller: MakePoller, jitter: Jitter
) -> None:
    """Each of the jobs is asked about once before any is asked about again."""
    for name in TWENTY:
        vendor.report(name, "PONDERING", submits=["PONDERING"])

    async with make_poller(deadline=1900, jitter=jitter) as poller:
        await finish(poller, reports(Acme(), *TWENTY))

    asked = [seen.said for seen in vendor.singles]
    assert len(asked) >= 10
    assert len(set(asked)) == len(asked)


async def test_a_status_that_becomes_unknown_slows_only_its_own_account(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Once twenty jobs have said what nobody knows, there is one request for them at a time."""
    for name in TWENTY:
        vendor.report(name, "running", "PONDERING")
    vendor.report("known", lasts=495)
    vendor.report("other", lasts=495)
    account = Acme()

    async with make_poller(deadline=600) as poller:
        work = [*reports(account, *TWENTY, "known"), *reports(Acme(name="other"), "other")]
        results = await finish(poller, work)

    polling = [10 * n for n in range(1, 51)]
    asked = [seen.moment for seen in vendor.singles if seen.said.startswith("GET /reports/q")]
    later = [moment for moment in asked if moment > 20]
    assert sum(finished.ok for finished in results) == 2
    assert vendor.moments("GET /reports/known") == polling
    assert vendor.moments("GET /reports/other") == polling
    assert all(after - before >= SLOW - 1e-6 for before, after in pairwise(later))
    assert len(later) <= 6

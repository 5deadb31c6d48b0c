"""Credentials that are not accepted stop their account, and nothing else."""

from collections import deque

import anyio
import httpx
import pytest
from tests.support.acme import (
    Acme,
    Answer,
    MakePoller,
    OneAtATime,
    SignedIn,
    finish,
    id_of,
    reports,
    status,
)
from tests.support.acme_api import Vendor

from exportjobs import AuthenticationFailed, PermissionDenied
from exportjobs.adapter import JobRef


async def test_a_refused_key_stops_the_account_after_one_request(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A 401 on the first submit ends all the account's exports, without asking again."""
    vendor.report("q1", submits=[status(401)])
    exports = reports(OneAtATime(), "q1", "q2", "q3", "q4")

    async with make_poller() as poller:
        results = await finish(poller, exports)

    assert vendor.said == ["POST /reports/q1"]
    assert [finished.export for finished in results] == exports
    assert all(isinstance(finished.error, AuthenticationFailed) for finished in results)


async def test_a_key_that_is_revoked_ends_every_job_under_its_own_name(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A 401 on one poll ends all the account's jobs, each error with its own job's ref."""
    vendor.report("q1", "running", status(401))
    vendor.report("q2", lasts=1000)
    vendor.report("q3", lasts=1000)
    account = Acme()

    async with make_poller() as poller:
        jobs = [await poller.submit(account.report(name)) for name in ("q2", "q3")]
        finished = await finish(poller, reports(account, "q1"))
        finished += [await poller.resume(job.ref) for job in jobs]

    errors = [one.error for one in finished]
    assert all(isinstance(error, AuthenticationFailed) for error in errors)
    assert [error.ref for error in errors if error] == [one.ref for one in finished]
    assert [id_of(one) for one in finished] == ["q1", "q2", "q3"]


async def test_nothing_more_is_sent_once_the_account_is_stopped(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """After a 401 the account's later exports end at once, without a request."""
    vendor.report("q1", submits=[status(401)])

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"))
        (finished,) = await finish(poller, reports(Acme(), "q2"))
        with pytest.raises(AuthenticationFailed):
            await poller.submit(Acme().report("q3"))

    assert isinstance(finished.error, AuthenticationFailed)
    assert vendor.said == ["POST /reports/q1"]


async def test_an_unclaimed_job_stops_its_account_too(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A 401 on the poll of a job that nobody waits for yet stops the account all the same."""
    vendor.report("q1", status(401))
    vendor.report("q2", lasts=15)
    vendor.report("q3")

    async with make_poller() as poller:
        q1 = await poller.submit(Acme().report("q1"))
        await finish(poller, reports(Acme(name="other"), "q2"))
        with pytest.raises(AuthenticationFailed):
            await poller.submit(Acme().report("q3"))
        finished = await poller.resume(q1.ref)

    assert isinstance(finished.error, AuthenticationFailed)
    assert "POST /reports/q3" not in vendor.said


async def test_other_accounts_go_on(vendor: Vendor, make_poller: MakePoller) -> None:
    """One account's 401 is nothing to another, even at the same vendor."""
    vendor.report("q1", submits=[status(401)])
    vendor.report("q2", lasts=60)
    bad, good = Acme(name="bad"), Acme(name="good")

    async with make_poller() as poller:
        results = await finish(poller, [*reports(bad, "q1"), *reports(good, "q2")])

    assert [finished.ok for finished in results] == [False, True]


async def test_a_forbidden_poll_ends_one_job_only(vendor: Vendor, make_poller: MakePoller) -> None:
    """A 403 is final for its job and does not stop the account."""
    vendor.report("q1", status(403))
    vendor.report("q2", lasts=60)

    async with make_poller() as poller:
        refused, landed = await finish(poller, reports(Acme(), "q1", "q2"))

    assert isinstance(refused.error, PermissionDenied)
    assert refused.error.ref == refused.ref
    assert vendor.said.count("GET /reports/q1") == 1
    assert landed.ok


async def test_a_dead_token_is_renewed_and_the_poll_repeated(
    vendor: Vendor, make_poller: MakePoller, tokens: deque[httpx.Response]
) -> None:
    """A 401 on a poll costs one sign-in, and the job lands as if nothing had been."""
    tokens.append(httpx.Response(200, json={"token": "t2"}))
    vendor.report("q1", status(401), "done")

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(SignedIn(), "q1"))

    assert finished.ok
    assert finished.stats.failed_polls == 0
    assert [seen.header.get("authorization") for seen in vendor.seen] == [
        None,
        "Bearer t1",
        "Bearer t1",
        None,
        "Bearer t2",
    ]


async def test_a_token_that_is_always_refused_is_tried_twice(
    vendor: Vendor, make_poller: MakePoller, tokens: deque[httpx.Response]
) -> None:
    """A poll that is refused under a fresh token too ends the account's jobs, and no request more.

    (Elsewhere: 1,204 requests in three seconds.)
    """
    tokens.extend(httpx.Response(200, json={"token": f"t{number}"}) for number in range(2, 9))
    vendor.report("q1", "running", status(401))
    vendor.report("q2", lasts=1000)
    account = SignedIn()

    async with make_poller() as poller:
        await poller.submit(account.report("q2"))
        (finished,) = await finish(poller, reports(account, "q1"))
        sent = len(vendor.seen)
        with pytest.raises(AuthenticationFailed):
            await poller.submit(account.report("q3"))

    assert isinstance(finished.error, AuthenticationFailed)
    assert vendor.said.count("GET /reports/q1") == 3
    assert vendor.said.count("POST /token") == 2
    assert len(vendor.seen) == sent


async def test_a_refused_sign_in_ends_every_export_of_the_account(
    vendor: Vendor, make_poller: MakePoller, tokens: deque[httpx.Response]
) -> None:
    """A client secret that is wrong is told of by every export, and no export is submitted."""
    tokens[0] = status(401)
    names = ("q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8")

    async with make_poller() as poller:
        results = await finish(poller, reports(SignedIn(), *names))

    assert len(results) == 8
    assert all(isinstance(finished.error, AuthenticationFailed) for finished in results)
    assert set(vendor.said) == {"POST /token"}
    assert len(vendor.said) <= 4


async def test_a_stopped_account_takes_no_resumption_either(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A job of another process is not asked about under a key that was refused."""
    vendor.report("q1", submits=[status(401)])
    ref = JobRef("acme", "default", "old", kind="report")

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q1"))
        finished = await poller.resume(ref)

    assert isinstance(finished.error, AuthenticationFailed)
    assert vendor.said == ["POST /reports/q1"]


@pytest.mark.parametrize("answer", ["queued", status(429)], ids=["accepted", "throttled"])
async def test_what_was_under_way_when_the_account_stopped_ends_with_it(
    vendor: Vendor, make_poller: MakePoller, answer: Answer
) -> None:
    """A submit that is answered only after the 401 is neither polled nor sent again."""
    vendor.report("q1", submits=[status(401)])
    vendor.report("q2", submits=[answer])
    go_on = anyio.Event()

    async def slowly(request: httpx.Request) -> httpx.Response:
        if b"q2" in request.content:
            await go_on.wait()
        return await vendor.transport.handle_async_request(request)

    async with make_poller(transport=httpx.MockTransport(slowly)) as poller:
        late = poller.run(reports(Acme(), "q2"), into=None)
        await finish(poller, reports(Acme(), "q1"))
        go_on.set()
        finished = await anext(late)

    assert isinstance(finished.error, AuthenticationFailed)
    assert finished.error.ref == finished.ref
    assert sorted(vendor.said) == ["POST /reports/q1", "POST /reports/q2"]

"""Slots, questions and files have each their turn: none waits for the others to be through."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from tests.support.acme import (
    Acme,
    Listing,
    MakePoller,
    OneAtATime,
    Work,
    finish,
    reports,
    signed,
    variant,
)
from tests.support.acme_api import Vendor

from exportjobs.testing import ManualClock

IN_FLIGHT = 4
"""Questions of an account that may be under way when an answer ends a job."""


async def test_a_free_slot_is_filled_before_another_job_is_asked_about(
    vendor: Vendor, make_poller: MakePoller, anyio_backend: str
) -> None:
    """With forty jobs due at once, an end is followed by a submit, not by the other questions.

    Of tasks that start together trio does not say which runs first.
    """
    lasting = tuple(f"lasting{number:02}" for number in range(39))
    vendor.report("ending", lasts=5)
    for name in (*lasting, "late"):
        vendor.report(name, lasts=25)

    async with make_poller() as poller:
        results = await finish(
            poller, reports(variant(Acme, slots=40)(), "ending", *lasting, "late")
        )

    said = [seen.said for seen in vendor.seen if seen.moment == 10]
    waited = said.index("POST /reports/late") - said.index("GET /reports/ending")
    assert all(finished.ok for finished in results)
    assert len(said) == 41
    assert 1 <= waited <= (1 if anyio_backend == "asyncio" else IN_FLIGHT)


async def test_free_slots_are_filled_while_other_jobs_are_asked_about(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Of five ends among forty questions none leaves its slot empty until all are answered."""
    ending = tuple(f"ending{number}" for number in range(5))
    lasting = tuple(f"lasting{number:02}" for number in range(35))
    late = tuple(f"late{number}" for number in range(5))
    for name in ending:
        vendor.report(name, lasts=5)
    for name in (*lasting, *late):
        vendor.report(name, lasts=25)

    async with make_poller() as poller:
        results = await finish(poller, reports(variant(Acme, slots=40)(), *ending, *lasting, *late))

    said = [seen.said for seen in vendor.seen if seen.moment == 10]
    submits = [at for at, what in enumerate(said) if what.startswith("POST")]
    ends = [at for at, what in enumerate(said) if what.startswith("GET /reports/ending")]
    assert all(finished.ok for finished in results)
    assert len(said) == 45
    assert len(submits) == 5
    assert max(submits) <= max(ends) + 3 * IN_FLIGHT


async def test_all_slots_that_a_list_frees_are_filled_at_once(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """Where one list ends several jobs, as many exports go out in that moment."""
    ending = tuple(f"ending{number}" for number in range(20))
    lasting = tuple(f"lasting{number:02}" for number in range(20))
    late = tuple(f"late{number:02}" for number in range(30))
    for name in ending:
        vendor.report(name, lasts=5)
    for name in (*lasting, *late):
        vendor.report(name, lasts=25)

    async with make_poller() as poller:
        results = await finish(
            poller, reports(variant(Listing, slots=40)(), *ending, *lasting, *late)
        )

    submits = [seen.moment for seen in vendor.seen if seen.said.startswith("POST")]
    assert all(finished.ok for finished in results)
    assert submits == [0] * 40 + [10] * 20 + [30] * 10


async def test_files_that_are_slow_to_come_hold_no_slot(
    vendor: Vendor, make_poller: MakePoller, tmp_path: Path
) -> None:
    """A job that is done has given its slot back before its files are there."""
    names = tuple(f"q{number}" for number in range(8))
    for name in names:
        vendor.report(name, submits=["done"], links=(signed(f"{name}.csv"),))
        vendor.files[f"{name}.csv"] = [b"a,b\n"]
    vendor.takes = lambda seen: 600 if seen.said.endswith(".csv") else 0

    async with make_poller() as poller:
        results = await finish(poller, reports(OneAtATime(), *names), tmp_path)

    submits = [seen.moment for seen in vendor.seen if seen.said.startswith("POST")]
    assert all(finished.ok for finished in results)
    assert submits == [0] * 8


async def test_submits_questions_and_files_do_not_starve_one_another(
    vendor: Vendor, make_poller: MakePoller, clock: ManualClock, tmp_path: Path
) -> None:
    """A hundred exports, a thousand due questions and eight slow files all get on together."""
    account = Acme()
    old = [f"old{number}" for number in range(1000)]
    new = [f"new{number}" for number in range(100)]
    done = [f"done{number}" for number in range(8)]
    for name in old:
        vendor.report(name, lasts=5, since=0.0)
    for name in new:
        vendor.report(name, lasts=1000)
    for name in done:
        vendor.report(name, submits=["done"], links=(signed(f"{name}.csv"),))
        vendor.files[f"{name}.csv"] = [_slow(clock)]
    vendor.takes = lambda seen: 0.05 if "/reports" in seen.said else 0
    work: list[Work] = [
        *(account.resume(account.ref(name)) for name in old),
        *reports(account, *done, *new),
    ]

    async with make_poller(poll_interval=100) as poller:
        results = await finish(poller, work, tmp_path)

    submits = [seen.moment for seen in vendor.seen if seen.said.startswith("POST")]
    first = {seen.said: seen.moment for seen in reversed(vendor.singles)}
    asked = [first[f"GET /reports/{name}"] for name in old]
    files = [seen.moment for seen in vendor.seen if seen.said.endswith(".csv")]
    assert len(submits) == 108
    assert max(submits) <= 5
    assert max(asked) <= 30
    assert all(finished.ok for finished in results)
    assert sum(len(finished.files) for finished in results) == 8
    assert sorted(files)[3] <= 5


def _slow(clock: ManualClock) -> httpx.Response:
    """Return a file that comes in pieces, one every five seconds."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(4):
            await clock.sleep(5)
            yield b"a,b\n"

    return httpx.Response(200, content=pieces())

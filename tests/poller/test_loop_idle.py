"""A poller with nothing to do does nothing: no wake-ups, no task for a job that waits."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from tests.support.acme import Acme, Listing, MakePoller, OneAtATime, reports, signed, status
from tests.support.acme_api import FOREVER, Vendor

from exportjobs import Poller
from exportjobs.testing import ManualClock

HOUR = 3600.0
NAMES = tuple(f"q{number:03}" for number in range(200))


class CountingClock(ManualClock):
    """A clock that counts how often it is looked at and slept by."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        super().__init__()
        self.looks = 0
        self.sleeps = 0

    def monotonic(self) -> float:
        """Return the moment, and count."""
        self.looks += 1
        return super().monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep, and count."""
        self.sleeps += 1
        await super().sleep(seconds)


@pytest.fixture
async def clock() -> AsyncIterator[CountingClock]:
    """Return a clock that counts and jumps by itself."""
    async with CountingClock() as clock:
        yield clock


async def quiet_for(clock: CountingClock, seconds: float) -> bool:
    """Let some time pass and return whether nobody else noticed."""
    before = clock.looks, clock.sleeps + 1
    await clock.sleep(seconds)
    return (clock.looks, clock.sleeps) == before


@pytest.mark.parametrize("account", [Acme(), Listing()], ids=["singly", "listing"])
async def test_between_two_polls_nobody_wakes(
    vendor: Vendor, make_poller: MakePoller, clock: CountingClock, account: Acme
) -> None:
    """With two hundred jobs polled every hour, the loop sleeps through all of it."""
    for name in NAMES:
        vendor.report(name, lasts=10 * HOUR)

    async with make_poller(poll_interval=HOUR) as poller:
        poller.run(reports(account, *NAMES), into=None)
        await clock.sleep(HOUR + 1)
        assert await quiet_for(clock, HOUR - 2)
        asked = len(vendor.seen)
        await clock.sleep(2)

    assert len(vendor.seen) > asked


async def test_a_round_of_polls_takes_a_few_sleeps(
    vendor: Vendor, make_poller: MakePoller, clock: CountingClock
) -> None:
    """However many jobs are due in a moment, the clock is asked to wake the loop a few times."""
    for name in NAMES:
        vendor.report(name, lasts=10 * HOUR)

    async with make_poller(poll_interval=HOUR) as poller:
        poller.run(reports(Acme(), *NAMES), into=None)
        await clock.sleep(HOUR + 1)
        before = clock.sleeps
        for _ in range(5):
            await clock.sleep(HOUR)
        sleeps = clock.sleeps - before

    assert len(vendor.singles) == 6 * len(NAMES)
    assert sleeps <= 5 * 10


async def test_while_an_account_is_paused_nobody_wakes(
    vendor: Vendor, make_poller: MakePoller, clock: CountingClock
) -> None:
    """Two hundred due jobs and two hundred exports wait out a pause without stirring."""
    for name in NAMES:
        vendor.report(name, lasts=10 * HOUR)
    vendor.report("q", status(429, Retry_After=str(8 * HOUR)), "done")

    async with make_poller() as poller:
        poller.run(reports(Acme(), "q", *NAMES[:100]), into=None)
        await clock.sleep(11)
        poller.run(reports(Acme(), *NAMES[100:]), into=None)
        await clock.sleep(30)
        assert await quiet_for(clock, 7 * HOUR)


async def test_while_exports_wait_for_a_slot_nobody_wakes(
    vendor: Vendor, make_poller: MakePoller, clock: CountingClock
) -> None:
    """Exports that only the end of a job can help are not looked at before."""
    for name in NAMES:
        vendor.report(name, lasts=10 * HOUR)

    async with make_poller(poll_interval=4 * HOUR) as poller:
        poller.run(reports(OneAtATime(), *NAMES), into=None)
        await clock.sleep(1)
        assert await quiet_for(clock, 3 * HOUR)


async def test_while_a_list_or_an_answer_is_waited_for_nobody_wakes(
    vendor: Vendor, make_poller: MakePoller, clock: CountingClock
) -> None:
    """A poller without a job, or whose submit is not answered, does not stir."""
    vendor.report("q")
    vendor.takes = lambda _: FOREVER

    async with make_poller(deadline=None) as poller:
        await clock.sleep(1)
        assert await quiet_for(clock, HOUR)
        poller.run(reports(Acme(), "q"), into=None)
        await clock.sleep(1)
        assert await quiet_for(clock, HOUR)


async def test_a_job_that_waits_has_no_task(
    vendor: Vendor, make_poller: MakePoller, clock: CountingClock
) -> None:
    """Two hundred sleeping jobs take as many tasks as one."""
    for name in NAMES:
        vendor.report(name, lasts=10 * HOUR)

    async def tasks_with(poller: Poller, *names: str) -> int:
        poller.run(reports(Acme(), *names), into=None)
        await clock.sleep(HOUR + 1)
        return len(anyio.get_running_tasks())

    before = len(anyio.get_running_tasks())
    async with make_poller(poll_interval=HOUR) as poller:
        with_one = await tasks_with(poller, NAMES[0])
        with_all = await tasks_with(poller, *NAMES[1:])

    assert with_all == with_one <= before + 3


async def test_an_export_that_waits_has_no_task(
    vendor: Vendor, make_poller: MakePoller, clock: CountingClock
) -> None:
    """Two hundred exports that wait for a slot take as many tasks as one."""
    for name in NAMES:
        vendor.report(name, lasts=10 * HOUR)

    before = len(anyio.get_running_tasks())
    async with make_poller(poll_interval=HOUR) as poller:
        poller.run(reports(OneAtATime(), *NAMES), into=None)
        await clock.sleep(1)
        assert len(anyio.get_running_tasks()) <= before + 3


async def test_a_job_whose_files_wait_for_their_turn_has_no_task(
    vendor: Vendor, make_poller: MakePoller, clock: CountingClock, tmp_path: Path
) -> None:
    """Of two hundred jobs that are done, those have a task that are being fetched."""
    for name in NAMES:
        vendor.report(name, submits=["done"], links=(signed(f"{name}.csv"),))
        vendor.files[f"{name}.csv"] = [b"a,b\n"]
    vendor.takes = lambda seen: HOUR if seen.said.endswith(".csv") else 0

    before = len(anyio.get_running_tasks())
    async with make_poller(max_downloads=4) as poller:
        poller.run(reports(Acme(), *NAMES), into=tmp_path)
        await clock.sleep(60)
        assert len(anyio.get_running_tasks()) <= before + 3 + 4

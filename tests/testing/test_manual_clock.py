"""The clock that tests move: it stands still, moves on demand, and jumps when entered."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from exportjobs._schedule.clock import SystemClock
from exportjobs.testing import ManualClock


async def slept(clock: ManualClock, seconds: float, woken: list[float]) -> None:
    """Sleep, and note when that was over."""
    await clock.sleep(seconds)
    woken.append(clock.monotonic())


def test_it_stands_still_until_it_is_moved() -> None:
    """Both of its times move by the same, and only when told to."""
    clock = ManualClock()
    before = clock.now()

    clock.advance(90)

    assert clock.now() - before == timedelta(seconds=90)
    assert clock.monotonic() == 90
    assert before.utcoffset() == timedelta(0)


def test_it_starts_where_a_test_wants() -> None:
    """The first moment may be chosen."""
    start = datetime(2030, 2, 28, 23, 59, tzinfo=UTC)

    assert ManualClock(start).now() == start


async def test_sleepers_wake_when_their_moment_has_come() -> None:
    """A move wakes those whose time is over, and lets the others sleep."""
    clock = ManualClock()
    woken: list[float] = []

    async with anyio.create_task_group() as tasks:
        for seconds in (10, 20, 30):
            tasks.start_soon(slept, clock, seconds, woken)
        await anyio.wait_all_tasks_blocked()
        clock.advance(20)
        await anyio.wait_all_tasks_blocked()
        early = list(woken)
        clock.advance(10)

    assert early == [20, 20]
    assert woken == [20, 20, 30]


@pytest.mark.parametrize("seconds", [0, -5])
async def test_no_time_is_no_wait(seconds: float) -> None:
    """Sleeping for nothing, or less, comes back without a move."""
    clock = ManualClock()

    with anyio.fail_after(5):
        await clock.sleep(seconds)

    assert clock.monotonic() == 0


async def test_no_time_lets_the_others_have_a_turn() -> None:
    """Sleeping for nothing is still a checkpoint: it can be cancelled."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        await ManualClock().sleep(0)

    assert scope.cancelled_caught


async def test_entered_it_jumps_from_moment_to_moment() -> None:
    """A day passes in no time, and in the right order."""
    woken: list[float] = []

    async with ManualClock() as clock, anyio.create_task_group() as tasks:
        for seconds in (86_400, 60, 3600):
            tasks.start_soon(slept, clock, seconds, woken)

    assert woken == [60, 3600, 86_400]


async def test_entered_it_waits_for_the_first_sleeper() -> None:
    """Nothing moves while nobody sleeps."""
    async with ManualClock() as clock:
        for _ in range(200):
            await anyio.lowlevel.checkpoint()
        before = clock.monotonic()
        await clock.sleep(5)

    assert before == 0
    assert clock.monotonic() == 5


async def test_who_stops_sleeping_is_forgotten() -> None:
    """A sleeper that was cancelled does not make the clock jump."""
    async with ManualClock() as clock:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await clock.sleep(1000)
        await clock.sleep(5)

    assert clock.monotonic() == 5


async def test_left_it_stands_still_again() -> None:
    """After the block the clock is a clock that is moved by hand."""
    async with ManualClock() as clock:
        await clock.sleep(5)
    woken: list[float] = []

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(slept, clock, 10, woken)
        await anyio.wait_all_tasks_blocked()
        before = list(woken)
        clock.advance(10)

    assert before == []
    assert woken == [15]


async def test_an_error_in_its_block_comes_out_as_itself() -> None:
    """A test that fails inside the block fails with its own error, not with a group."""
    with pytest.raises(ZeroDivisionError):
        async with ManualClock():
            raise ZeroDivisionError


async def test_the_machines_clock_is_aware_and_only_grows() -> None:
    """Outside of tests, now is in UTC and the monotonic seconds do not go back."""
    clock = SystemClock()
    before = clock.monotonic()

    await clock.sleep(-1)

    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() >= before
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)

"""The one place that reads a clock or sleeps: its alarm rings when it was set to, and only then."""

import math
from datetime import UTC

import anyio
import pytest
from tests.support.acme import turns

from exportjobs._schedule.clock import Alarm, SystemClock
from exportjobs.testing import ManualClock


async def test_an_alarm_rings_at_its_moment_and_not_before() -> None:
    """And once: whoever wants it to ring again sets it again."""
    clock, rung = ManualClock(), list[float]()

    async with anyio.create_task_group() as tasks:
        alarm = Alarm(clock, tasks, lambda: rung.append(clock.monotonic()))
        start = clock.monotonic()
        alarm.set(start + 10)
        await turns()
        clock.advance(9)
        await turns()
        assert rung == []
        clock.advance(1)
        await turns()
        clock.advance(100)
        await turns()

    assert rung == [start + 10]


@pytest.mark.parametrize(("moved", "rings"), [(5, [5]), (20, [20]), (math.inf, [])])
async def test_an_alarm_that_is_moved_rings_at_its_last_moment_alone(
    moved: float, rings: list[float]
) -> None:
    """Sooner, later, or never."""
    clock, rung = ManualClock(), list[float]()

    async with anyio.create_task_group() as tasks:
        alarm = Alarm(clock, tasks, lambda: rung.append(clock.monotonic()))
        start = clock.monotonic()
        alarm.set(start + 10)
        await turns()
        alarm.set(start + moved)
        for _ in range(30):
            clock.advance(1)
            await turns()
        tasks.cancel_scope.cancel()

    assert [moment - start for moment in rung] == rings


async def test_an_alarm_that_is_set_to_the_same_moment_again_rings_once() -> None:
    """The loop sets it on every round."""
    clock, rung = ManualClock(), list[float]()

    async with anyio.create_task_group() as tasks:
        alarm = Alarm(clock, tasks, lambda: rung.append(clock.monotonic()))
        for _ in range(3):
            alarm.set(clock.monotonic() + 1)
            await turns()
        clock.advance(1)
        await turns()

    assert len(rung) == 1


async def test_the_machines_clock_is_aware_and_never_goes_back() -> None:
    """Wall time in UTC, and seconds that only grow; a wait of nothing is a turn of the loop."""
    clock = SystemClock()

    before = clock.monotonic()
    await clock.sleep(-1.0)

    assert clock.monotonic() >= before
    assert clock.now().tzinfo is UTC

"""Tests that never end, each in another way, and one that does.

They are run by `test_hanging.py` alone: no file of another name is collected.
"""

from contextlib import suppress

import anyio
import pytest
from tests.support import hanging
from tests.support.acme import Acme, MakePoller, finish, reports
from tests.support.acme_api import FOREVER, Vendor
from tests.support.pollers import clock, make_poller, vendor
from tests.support.standing import events

from exportjobs.testing import ManualClock

__all__ = ["clock", "events", "make_poller", "vendor"]

pytestmark = pytest.mark.timeout(1)
hanging.AGAIN = 2


async def test_idle(make_poller: MakePoller, vendor: Vendor) -> None:
    """The loop waits for an answer that never comes."""
    vendor.report("q3")
    vendor.takes = lambda _: FOREVER

    async with make_poller() as poller:
        await finish(poller, reports(Acme(), "q3"))


async def test_busy(make_poller: MakePoller, vendor: Vendor) -> None:
    """The loop goes round and lets nobody else have a turn."""
    vendor.report("q3")

    def spin(_: object) -> None:
        while True:
            pass

    async with make_poller(observers=[spin]) as poller:
        await finish(poller, reports(Acme(), "q3"))


async def test_round(clock: ManualClock) -> None:
    """Time goes on without an end, and nothing comes of it."""
    while True:
        await clock.sleep(1)


async def test_shielded() -> None:
    """What cannot be cancelled waits."""
    with anyio.CancelScope(shield=True):
        await anyio.Event().wait()


async def test_stubborn(clock: ManualClock) -> None:
    """A cancelled task goes on as if nothing had happened."""
    while True:
        with suppress(BaseException):
            await clock.sleep(1)


@pytest.mark.timeout(20)
async def test_sound(make_poller: MakePoller, vendor: Vendor) -> None:
    """A loop that comes to its end, after one that did not."""
    vendor.report("q3")

    async with make_poller() as poller:
        (finished,) = await finish(poller, reports(Acme(), "q3"))

    assert finished.ok

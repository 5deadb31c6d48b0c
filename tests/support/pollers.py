"""A clock that jumps by itself, Acme's API on it, and pollers that talk to nobody else."""

from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.support.acme import MakePoller
from tests.support.acme_api import Vendor
from tests.support.draws import middle

from exportjobs import Event, Poller
from exportjobs.testing import ManualClock


@pytest.fixture
async def clock() -> AsyncIterator[ManualClock]:
    """Return a clock that jumps to the next moment as soon as everybody waits for it."""
    async with ManualClock() as clock:
        yield clock


@pytest.fixture
def vendor(clock: ManualClock) -> Vendor:
    """Return Acme, without a report yet."""
    return Vendor(clock)


@pytest.fixture
def make_poller(clock: ManualClock, vendor: Vendor, events: list[Event]) -> MakePoller:
    """Return a function that makes pollers on the clock and Acme, every 10 s, with no jitter."""

    def make(**options: Any) -> Poller:  # noqa: ANN401 - PollerOptions, for any test to add to
        usual: dict[str, Any] = {
            "clock": clock,
            "transport": vendor.transport,
            "jitter": middle,
            "poll_interval": 10,
            "observers": [events.append],
        }
        return Poller(**(usual | options))

    return make


@pytest.fixture
def tokens(vendor: Vendor) -> deque[httpx.Response]:
    """Return the answers to signing in, in order; the last is repeated."""
    answers = deque([httpx.Response(200, json={"token": "t1"})])

    def give(_: httpx.Request) -> httpx.Response:
        return answers.popleft() if len(answers) > 1 else answers[0]

    vendor.router.post(path="/v1/token").mock(side_effect=give)
    return answers


@pytest.fixture
def most(vendor: Vendor) -> list[int]:
    """Return how many jobs were under way after each request."""
    counts: list[int] = []
    vendor.on_request = lambda _: counts.append(vendor.running())
    return counts

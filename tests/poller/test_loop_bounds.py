"""Bounds that go by the event loop's own time, on event loops whose time jumps."""

import asyncio
import selectors
from typing import Any

import anyio
import httpx
import pytest
import trio.testing
from tests.support.acme import Acme, MakePoller
from tests.support.acme_api import Vendor
from tests.support.standing import clock

__all__ = ["clock"]


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop that does not wait for the time to pass, but lets it."""

    def __init__(self) -> None:
        """Begin with no time passed by."""
        super().__init__(_Impatient(self))
        self.passed = 0.0

    def time(self) -> float:
        """Return the time, with what was jumped over."""
        return super().time() + self.passed


class _Impatient(selectors.DefaultSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - as the base class
        if timeout:
            self._loop.passed += timeout
        return super().select(0)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    """Run on both event loops, with time that jumps when nothing else happens."""
    if request.param == "asyncio":
        return ("asyncio", {"loop_factory": JumpingLoop})
    return ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})


async def test_a_cancellation_that_is_not_answered_does_not_keep_anyone_in(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """With on_exit="cancel" and a vendor that is silent, leaving takes seconds and no more."""
    vendor.report("q1")
    asked: list[httpx.Request] = []

    async def never(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        await anyio.sleep_forever()
        raise AssertionError

    async def answer(request: httpx.Request) -> httpx.Response:
        deletes = request.method == "DELETE"
        return await (never(request) if deletes else vendor.transport.handle_async_request(request))

    begin = anyio.current_time()
    async with make_poller(on_exit="cancel", transport=httpx.MockTransport(answer)) as poller:
        await poller.submit(Acme().report("q1"))
    took = anyio.current_time() - begin

    assert len(asked) == 1
    assert 1 <= took <= 30


async def test_a_cancellation_from_outside_waits_for_it_too(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A body that was cancelled gives the jobs' cancellation its few seconds, and then ends."""
    vendor.report("q1")

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            await anyio.sleep_forever()
        return await vendor.transport.handle_async_request(request)

    begin = anyio.current_time()
    with anyio.move_on_after(1) as scope:
        async with make_poller(on_exit="cancel", transport=httpx.MockTransport(answer)) as poller:
            await poller.submit(Acme().report("q1"))
            await anyio.sleep_forever()
    took = anyio.current_time() - begin

    assert scope.cancelled_caught
    assert 2 <= took <= 31

"""What the tasks of all stages leave for the loop: in order, and without waking it in vain."""

from typing import Any

import anyio
import anyio.lowlevel
import pytest
from tests.support.acme import Acme, turns

from exportjobs import BrokenAdapter, InternalError
from exportjobs._poller.loop.inbox import Inbox, guarded
from exportjobs._poller.loop.tracked import Tracked
from exportjobs._schedule.decide import End, Land, Poll, Step, Submit


def tracked(number: int = 1) -> Tracked:
    """Return an export of which the inbox looks at nothing."""
    account: Any = None
    return Tracked(number, Acme().report("q3"), account)


def test_posts_are_read_in_the_order_in_which_they_were_posted() -> None:
    """What is decided first is done first, whoever decided it."""
    inbox, one, other = Inbox(), tracked(1), tracked(2)

    for post in ((one, Submit()), (other, Land()), (one, Poll(1.0))):
        inbox.post(*post)

    assert [inbox.take() for _ in range(4)] == [
        (one, Submit()),
        (other, Land()),
        (one, Poll(1.0)),
        None,
    ]


@pytest.mark.parametrize("what", ["post", "wake"])
async def test_the_loop_waits_until_something_changes(what: str) -> None:
    """Also what changed before it began to wait; and once for all that changed by then."""
    inbox = Inbox()
    woken: list[bool] = []

    async def loop() -> None:
        while True:
            await inbox.wait()
            woken.append(True)

    def change() -> None:
        if what == "post":
            inbox.post(tracked(), Submit())
        else:
            inbox.wake()

    change()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(loop)
        await turns()
        assert len(woken) == 1
        change()
        change()
        await turns()
        assert len(woken) == 2
        tasks.cancel_scope.cancel()


async def test_a_mistake_of_ours_ends_the_export_that_it_was_made_about() -> None:
    """It is told as what it is, with the error that it was."""

    async def work(_: Tracked) -> Step:
        await anyio.lowlevel.checkpoint()
        raise KeyError("q3")

    step = await guarded(work, tracked())

    assert isinstance(step, End)
    assert isinstance(step.error, InternalError)
    assert step.error.reason == "the library made a mistake (KeyError)"
    assert str(step.error.__cause__) == "KeyError: 'q3'"


async def test_what_was_decided_is_passed_on() -> None:
    """An error that is part of the decision is none of ours."""
    end = End(BrokenAdapter("the adapter returned no ExportJob"))

    async def work(_: Tracked) -> Step:
        await anyio.lowlevel.checkpoint()
        return end

    assert await guarded(work, tracked()) is end

"""Submitting: exports that wait for room on their account, and go out as soon as there is some."""

from collections.abc import Callable

import anyio.abc

from exportjobs._poller.loop.account import Account
from exportjobs._poller.loop.answered import Steps, guarded, too_late
from exportjobs._poller.loop.tracked import Phase, Tracked
from exportjobs._schedule.decide import End, Step, SubmitAgain
from exportjobs.events import Waiting


class Submitting:
    """Every export that is not submitted yet. Whoever has waited the longest stands in front."""

    def __init__(
        self,
        steps: Steps,
        tasks: anyio.abc.TaskGroup,
        apply: Callable[[Tracked, Step], None],
        *,
        rouse: Callable[[], None],
    ) -> None:
        """Take what does the I/O, and whom to tell what came of it."""
        self._steps = steps
        self._tasks = tasks
        self._apply = apply
        self._rouse = rouse

    def add(self, tracked: Tracked) -> None:
        """Let an export wait for room."""
        tracked.phase = Phase.WAITING
        tracked.account.wait(tracked)
        self._steps.report(Waiting(tracked.subject, "room on the account"))

    def go_round(self, account: Account, now: float) -> None:
        """Submit what there is room for, and give up what has waited too long."""
        while account.waiting and account.waiting[0].give_up_at <= now:
            late = account.waiting.popleft()
            self._apply(late, End(too_late(late, "not submitted by the deadline")))
        if account.wants_room(now):
            account.asking_room = True
            self._tasks.start_soon(self._learn_room, account.waiting[0])
        while account.may_submit(now):
            account.submits = account.submits.started(now)
            tracked = account.waiting.popleft()
            tracked.phase = Phase.BUSY
            tracked.take_slot()
            self._tasks.start_soon(self._submit, tracked, now)

    def send_back(self, tracked: Tracked, step: SubmitAgain) -> None:
        """Let an export that was refused wait again."""
        account = tracked.account
        if step.pauses_account:
            self._steps.pause(tracked, step.seconds)
        else:
            until = self._steps.clock.monotonic() + step.seconds
            account.allowance = account.allowance.full(until)
        tracked.phase = Phase.WAITING
        account.wait(tracked)
        self._steps.report(Waiting(tracked.subject, step.reason, step.seconds))

    async def _submit(self, tracked: Tracked, started_at: float) -> None:
        step = await guarded(self._steps.submit, tracked)
        account = tracked.account
        account.submits = account.submits.answered(started_at, ok=step.ok)
        if tracked.job is not None:
            tracked.count_from(tracked.began_at)
            if tracked.on_accepted is not None:
                tracked.on_accepted()
        self._apply(tracked, step)

    async def _learn_room(self, tracked: Tracked) -> None:
        """Ask how many jobs the account may have, before it is found out by refusals."""
        account = tracked.account
        error = await self._steps.learn_room(tracked)
        account.asking_room = False
        if error is not None and account.waiting:
            self._apply(account.waiting.popleft(), End(error, stops_account=True))
        self._rouse()

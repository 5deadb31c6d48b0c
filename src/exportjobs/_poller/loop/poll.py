"""Asking: running jobs that wait for the moment of their next question, alone or together."""

from collections.abc import Callable
from functools import partial

import anyio.abc
from anyio.lowlevel import checkpoint

from exportjobs._http.session import Heard
from exportjobs._poller.loop.account import Account, Flight, Roster
from exportjobs._poller.loop.answered import Steps, guarded, internal, too_late
from exportjobs._poller.loop.poll_list import call_roll, unheard
from exportjobs._poller.loop.recover import settle
from exportjobs._poller.loop.tracked import Phase, Tracked
from exportjobs._schedule.clock import Agenda
from exportjobs._schedule.decide import End, Poll, Step
from exportjobs.adapter._errors import NetworkError

_AT_A_STRETCH = 100
"""Jobs that one answer may end before everybody else gets a turn."""
_HANGS = 60.0
"""Seconds without an answer after which a question is let go of: each piece may take half."""
_LIST_HANGS = 300.0
_LAST_WORD = 5.0
"""Seconds that a question may take that was asked when the job's time was over."""


class Asking:
    """Every running job, in one heap: alone, or on the roster of its account."""

    def __init__(
        self,
        steps: Steps,
        tasks: anyio.abc.TaskGroup,
        apply: Callable[[Tracked, Step], None],
    ) -> None:
        """Take what does the I/O, and whom to tell what came of it."""
        self._steps = steps
        self._tasks = tasks
        self._apply = apply
        self._clock = steps.clock
        self._agenda: Agenda[Tracked | Roster] = Agenda()

    @property
    def next(self) -> float:
        """When the next job is due; infinity if none ever is."""
        return self._agenda.next

    def schedule(self, tracked: Tracked, step: Poll) -> None:
        """Let a job wait for its next question, unless its time is over."""
        now = self._clock.monotonic()
        tracked.leave_alone(now + step.least)
        self._wait(tracked, now + step.seconds, now)

    def gather(self, now: float) -> None:
        """Note whose moment has come."""
        for one in self._agenda.due(now):
            if one.due > now:
                continue
            if isinstance(one, Roster):
                one.ready = True
            elif one.phase is Phase.RUNNING:
                one.account.due.append(one)

    def go_round(self, account: Account, now: float) -> None:
        """Ask about what is due, as far as requests may start; let go of those that hang."""
        for flight in account.flights:
            if flight.until <= now:
                flight.scope.cancel()
        roster = account.roster
        if roster.ready and account.questions.next_start() <= now:
            self._call(roster.take(), account, now)
        while account.due and account.questions.next_start() <= now:
            tracked = account.due.popleft()
            if tracked.phase is Phase.RUNNING:
                self._ask_if_free(tracked, now)

    def _wait(self, tracked: Tracked, until: float, now: float) -> None:
        if now >= tracked.give_up_at:
            tracked.account.outlived(tracked, now - tracked.began_at)
            self._apply(tracked, End(too_late(tracked, "not ended by the deadline")))
            return
        tracked.phase, tracked.due = Phase.RUNNING, min(until, tracked.give_up_at)
        roster = tracked.account.roster
        if tracked.account.asks_singly(tracked):
            # Whoever was asked about the longest ago comes first.
            self._agenda.add(tracked.due, tracked, rank=tracked.answered_at or 0.0)
        elif roster.add(tracked):
            self._agenda.add(roster.due, roster)

    def _ask_if_free(self, tracked: Tracked, now: float) -> None:
        account = tracked.account
        hold = account.hold(tracked, now, self._clock.now().timestamp())
        if hold > now:
            self._wait(tracked, hold, now)
            return
        if not tracked.recognised:
            account.slow_until = now + account.policy.schedule.slow
        tracked.phase = Phase.BUSY
        until = _patience(now, _HANGS, [tracked], began=now)
        self._tasks.start_soon(self._ask, tracked, account.take_off(now, until))

    async def _ask(self, tracked: Tracked, flight: Flight) -> None:
        def heard(ask_from: float) -> None:
            tracked.leave_alone(ask_from)
            # Each answer is worth a minute more, but not beyond the time of the job.
            now, began = self._clock.monotonic(), flight.started_at
            flight.until = _patience(now, _HANGS, [tracked], began=began)

        step: Step | None = None
        with flight.scope:
            step = await guarded(partial(self._question, heard=heard), tracked)
        if step is None:
            step = self._steps.unanswered(tracked, _hangs(tracked.account))
        tracked.account.land(flight, ok=step.ok)
        self._apply(tracked, step)

    async def _question(self, tracked: Tracked, heard: Heard) -> Step:
        if tracked.doubt is not None:
            return await settle(self._steps, tracked, tracked.doubt)
        return await self._steps.ask(tracked, heard)

    def _call(self, members: list[Tracked], account: Account, now: float) -> None:
        """Ask about several jobs at once, if that is the thing to do."""
        wall = self._clock.now().timestamp()
        hold = account.hold_roll(now, wall)
        asked = [one for one in members if one.ask_from <= now]
        if account.better_singly(members, wall):
            self._part(members, account, now)
            return
        for one in members:
            if hold > now or one.ask_from > now:
                self._wait(one, max(hold, one.ask_from), now)
        if asked and hold <= now:
            for one in asked:
                one.phase = Phase.BUSY
            flight = account.take_off(now, _patience(now, _LIST_HANGS, asked, began=now))
            self._tasks.start_soon(self._roll, account, asked, flight)

    def _part(self, members: list[Tracked], account: Account, now: float) -> None:
        """Ask one by one about those whose moment has come."""
        for one in members:
            if one.due <= now:
                account.due.append(one)
            else:
                self._wait(one, one.due, now)

    async def _roll(self, account: Account, members: list[Tracked], flight: Flight) -> None:
        steps: list[Step] = []
        with flight.scope:
            try:
                steps = await call_roll(self._steps, account, members)
            except Exception as error:  # noqa: BLE001 - it is not to end all the other accounts
                steps = [End(internal(error)) for _ in members]
        if not steps:
            steps = unheard(self._steps, account, members, _hangs(account))
        account.land(flight, ok=all(step.ok for step in steps))
        for number, (tracked, step) in enumerate(zip(members, steps, strict=True), start=1):
            self._apply(tracked, step)
            if number % _AT_A_STRETCH == 0:
                await checkpoint()


def _patience(now: float, hangs: float, asked: list[Tracked], *, began: float) -> float:
    """Return when to let go of a question: when it hangs, or the time of a job is over."""
    over = min(tracked.give_up_at for tracked in asked)
    return min(now + hangs, max(over, began + _LAST_WORD))


def _hangs(account: Account) -> NetworkError:
    vendor = account.session.adapter.vendor
    return NetworkError("the answer did not come to an end", vendor=vendor)

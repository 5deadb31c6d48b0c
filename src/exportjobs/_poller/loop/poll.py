"""Stage 3: a job is polled alone, at the moment that the schedule chose."""

from functools import partial

import anyio.abc
from attrs import evolve

from exportjobs._ledger.tables import Tables
from exportjobs._poller.loop.account import Account, InFlight, let_go_at
from exportjobs._poller.loop.answered import Answers, seconds_until
from exportjobs._poller.loop.inbox import Inbox, guarded
from exportjobs._poller.loop.tracked import Tracked, ref_of
from exportjobs._schedule.agenda import Agenda
from exportjobs._schedule.decide import Poll, Step
from exportjobs.adapter._errors import ExportJobsError
from exportjobs.adapter._job import ExportJob
from exportjobs.adapter._terms import Operation
from exportjobs.events import Polled

_NEVER = float("inf")
_TIMEOUT = 60.0
"""Seconds without an answer after which a poll is let go of: each piece may take half."""


class PollStage:
    """Every job that is polled alone, in one heap."""

    def __init__(self, answers: Answers, inbox: Inbox, tasks: anyio.abc.TaskGroup) -> None:
        """Begin with none."""
        self._answers = answers
        self._inbox = inbox
        self._tasks = tasks
        self._agenda: Agenda[Tracked] = Agenda()
        self._ready: dict[Account, dict[Tracked, None]] = {}
        """Those that are polled as soon as another request may start, in order."""

    @property
    def next_moment(self) -> float:
        """When something may be done here, if nothing happens before; infinity if nothing may."""
        ready = (account.next_request for account, those in self._ready.items() if those)
        return min(self._agenda.next, *ready, _NEVER)

    def add(self, tracked: Tracked, due: float, *, alone: bool) -> None:
        """Let a job be polled at a moment. Of those of one moment, the longest not polled first.

        Args:
            tracked: Whose job it is.
            due: When to poll it, in monotonic seconds.
            alone: Whether it is to be polled alone until one poll of it is answered.
        """
        tracked.stays_alone = alone
        tracked.poll_entry = self._agenda.add(due, tracked, rank=tracked.answered_at or 0.0)

    def withdraw(self, tracked: Tracked) -> bool:
        """Take off a job, and return whether it was waiting here."""
        entry, tracked.poll_entry = tracked.poll_entry, None
        if entry is None:
            return False
        self._agenda.withdraw(entry)
        self._ready.get(tracked.account, {}).pop(tracked, None)
        return True

    def start(self, now: float) -> None:
        """Poll what is due, as far as requests may start."""
        for tracked in self._agenda.due(now):
            self._ready.setdefault(tracked.account, {})[tracked] = None
        for account, ready in self._ready.items():
            while ready and account.next_request <= now:
                tracked = next(iter(ready))
                self.withdraw(tracked)
                self._start_one(tracked, now)

    def _start_one(self, tracked: Tracked, now: float) -> None:
        account = tracked.account
        first = account.may_poll_from(tracked, now, self._answers.clock.now().timestamp())
        if first > now:
            self._inbox.post(tracked, Poll(first - now, alone=tracked.stays_alone))
            return
        if not tracked.recognised:
            account.unknown_not_before = now + account.policy.schedule.slow
        until = let_go_at(now, _TIMEOUT, [tracked], began=now)
        self._tasks.start_soon(self._poll, tracked, account.begin_request(now, until))

    async def _poll(self, tracked: Tracked, request: InFlight) -> None:
        step: Step | None = None
        with request.scope:
            step = await guarded(partial(self._answered, request), tracked)
        if step is None:
            step = self._failed(tracked, tracked.account.no_answer())
        tracked.account.end_request(request, ok=step.ok)
        self._inbox.post(tracked, step)

    async def _answered(self, request: InFlight, tracked: Tracked) -> Step:
        account, answers = tracked.account, self._answers
        ref = ref_of(tracked)

        def on_answer(moment: float) -> None:
            answers.not_before(tracked, moment)
            # Each answer is worth a minute more, but not beyond the time of the job.
            now = answers.clock.monotonic()
            request.until = let_go_at(now, _TIMEOUT, [tracked], began=request.started_at)

        try:
            answer = await account.session.converse(
                partial(account.session.adapter.poll, ref),
                ExportJob,
                ref,
                operation=Operation.POLL,
                on_answer=on_answer,
            )
        except ExportJobsError as error:
            return self._failed(tracked, error)
        answers.polled(tracked)
        job = await answers.described(tracked, answer.value)
        step = answers.next_poll(tracked, job, answer)
        answers.observers.report(Polled(tracked.subject, job, seconds_until(step)))
        return step

    def _failed(self, tracked: Tracked, error: ExportJobsError) -> Step:
        step = self._answers.poll_failed(tracked, error)
        return evolve(step, alone=tracked.stays_alone) if isinstance(step, Poll) else step

    async def cancel(self, tracked: Tracked) -> ExportJob:
        """Cancel a job and return what is then known of it.

        Raises:
            ExportJobsError: If its vendor cannot cancel it.
        """
        answers, session, ref = self._answers, tracked.account.session, ref_of(tracked)
        if not tracked.row:
            (entry,) = await answers.ledger.write(Tables.enter, [(0, tracked.export, None)])
            answers.numbered(tracked, entry.number)
        try:
            answer = await session.converse(partial(session.adapter.cancel, ref), ExportJob, ref)
        except ExportJobsError as error:
            answers.failed(tracked, error)
            raise
        return await answers.described(tracked, answer.value)

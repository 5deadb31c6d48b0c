"""Stage 2: an export waits for a concurrency slot of its account, and is then submitted."""

from collections import deque
from datetime import datetime

import anyio.abc
from attrs import define, field

from exportjobs._ledger.tables import Tables
from exportjobs._poller.loop.account import Account
from exportjobs._poller.loop.answered import Answers, seconds_until, too_late
from exportjobs._poller.loop.inbox import Inbox, guarded
from exportjobs._poller.loop.tracked import Tracked, export_of
from exportjobs._schedule.decide import Doubt, End, Step, SubmitAgain
from exportjobs._schedule.limits import ConcurrencyWindow
from exportjobs.adapter._errors import (
    AuthenticationFailed,
    BrokenAdapter,
    ExportJobsError,
    RateLimited,
    SubmitOutcomeUnknown,
)
from exportjobs.adapter._job import ExportJob
from exportjobs.adapter._terms import Limits, Operation
from exportjobs.events import Submitted, Waiting

_NEVER = float("inf")
_LIMITS_TRIES = 3
"""Times in a row that a vendor may be too busy to tell how many jobs it takes."""


@define(eq=False)
class _Queue:
    """The exports of one account that wait; whoever has waited the longest stands in front."""

    account: Account
    waiting: deque[Tracked] = field(factory=deque[Tracked])
    window: ConcurrencyWindow = field(factory=ConcurrencyWindow)
    """The submits that are under way."""
    refusals: int = 0
    """Submits refused in a row."""
    wants_limits: bool = True
    """Whether the vendor may yet be asked how many jobs it takes."""
    is_asking_limits: bool = False

    def add(self, tracked: Tracked) -> None:
        """Let an export wait where it stood before, if it did: by its number."""
        behind = (n for n, other in enumerate(self.waiting) if other.number > tracked.number)
        is_last = not self.waiting or self.waiting[-1].number < tracked.number
        self.waiting.insert(len(self.waiting) if is_last else next(behind), tracked)
        self.account.queued = len(self.waiting)

    def pop(self) -> Tracked:
        """Take off and return the export in front."""
        tracked = self.waiting.popleft()
        self.account.queued = len(self.waiting)
        return tracked

    def asks_limits(self, now: float) -> bool:
        """Return whether to ask for the account's limits now, before a refusal tells them."""
        able = self.wants_limits and not self.is_asking_limits and self.account.can("limits")
        return able and len(self.waiting) > 1 and now >= self.account.allowance.paused_until

    @property
    def is_held(self) -> bool:
        """Whether a submit has to wait for what became of another.

        With two submits of unknown outcome, the list could not tell which job became of which.
        """
        return self.is_asking_limits or (
            self.account.submits_alone and bool(self.window.in_flight or self.account.doubtful)
        )

    def may_submit(self, now: float) -> bool:
        """Return whether the export in front may be submitted."""
        ready = bool(self.waiting) and not self.is_held
        return ready and self.window.next_start() <= now and self.account.allowance.may_submit(now)

    def next_moment(self, now: float) -> float:
        """Return when something may be done here, if nothing happens before."""
        if not self.waiting:
            return _NEVER
        gives_up = self.waiting[0].give_up_at
        chance = self.account.allowance.next_chance(now)
        if chance is None or self.is_held:
            return gives_up
        return min(gives_up, max(chance, self.window.next_start()))


class SubmitStage:
    """Every export that is not submitted yet."""

    def __init__(self, answers: Answers, inbox: Inbox, tasks: anyio.abc.TaskGroup) -> None:
        """Begin with none."""
        self._answers = answers
        self._inbox = inbox
        self._tasks = tasks
        self._queues: dict[Account, _Queue] = {}

    def add(self, tracked: Tracked) -> None:
        """Let an export wait for a slot."""
        self._queue(tracked.account).add(tracked)
        self._answers.observers.report(Waiting(tracked.subject, "a concurrency slot"))

    def add_again(self, tracked: Tracked, step: SubmitAgain) -> None:
        """Let an export that was refused wait again."""
        account = tracked.account
        if step.pauses_account:
            self._answers.pause(tracked, step.seconds)
        else:
            until = self._answers.clock.monotonic() + step.seconds
            account.allowance = account.allowance.full(until)
        self._queue(account).add(tracked)
        self._answers.observers.report(Waiting(tracked.subject, step.reason, step.seconds))

    def withdraw(self, account: Account) -> tuple[Tracked, ...]:
        """Take off and return what waits on an account."""
        queue = self._queue(account)
        return tuple(queue.pop() for _ in range(len(queue.waiting)))

    def start(self, account: Account, now: float) -> None:
        """Submit what there is a slot for, and give up what has waited too long."""
        queue = self._queue(account)
        while queue.waiting and queue.waiting[0].give_up_at <= now:
            late = queue.pop()
            self._inbox.post(late, End(too_late(late, "not submitted by the deadline")))
        if queue.asks_limits(now):
            queue.is_asking_limits = True
            self._tasks.start_soon(self._ask_limits, queue, queue.waiting[0])
        while queue.may_submit(now):
            queue.window = queue.window.started(now)
            tracked = queue.pop()
            account.take_slot(tracked)
            self._tasks.start_soon(self._submit, queue, tracked, now)

    def next_moment(self, account: Account, now: float) -> float:
        """Return when something may be done on an account, if nothing happens before."""
        return self._queue(account).next_moment(now)

    def _queue(self, account: Account) -> _Queue:
        queue = self._queues.get(account)
        if queue is None:
            queue = self._queues[account] = _Queue(account)
        return queue

    async def _submit(self, queue: _Queue, tracked: Tracked, started_at: float) -> None:
        step = await guarded(self._send, tracked)
        queue.window = queue.window.answered(started_at, ok=step.ok)
        self._inbox.post(tracked, step)

    async def _send(self, tracked: Tracked) -> Step:
        answers, account, export = self._answers, tracked.account, export_of(tracked)
        sent_at = answers.clock.now()
        try:
            await answers.intended(tracked, export)
            tracked.is_being_submitted = True
            answer = await account.session.converse(
                export.submit, ExportJob, operation=Operation.SUBMIT
            )
        except ExportJobsError as error:
            return await self._refused(tracked, error, sent_at)
        self._queue(account).refusals = 0
        job = await answers.accepted(tracked, export, answer.value)
        tracked.is_being_submitted = False
        step = answers.next_poll(tracked, job, answer)
        answers.observers.report(Submitted(tracked.subject, job, seconds_until(step)))
        return step

    async def _refused(self, tracked: Tracked, error: ExportJobsError, sent_at: datetime) -> Step:
        answers, queue = self._answers, self._queue(tracked.account)
        queue.refusals += 1
        tracked.is_being_submitted = False
        answers.failed(tracked, error)
        step = tracked.account.policy.after_submit_error(error, queue.refusals)
        if isinstance(step, End) and isinstance(step.error, SubmitOutcomeUnknown):
            return answers.doubted(tracked, Doubt(step.error, sent_at))
        if tracked.row and not isinstance(error, BrokenAdapter):
            await answers.note(tracked, answers.ledger.write(Tables.take_back, tracked.row))
        return step

    async def _ask_limits(self, queue: _Queue, tracked: Tracked) -> None:
        """Ask for the account's limits, for the sake of an export that waits."""
        error = await self._learn_limits(queue, tracked)
        queue.is_asking_limits = False
        if error is not None and queue.waiting:
            self._inbox.post(queue.pop(), End(error, stops_account=True))
        self._inbox.wake()

    async def _learn_limits(self, queue: _Queue, tracked: Tracked) -> AuthenticationFailed | None:
        """Return the error that stops the account, if one does."""
        account = queue.account
        try:
            answer = await account.session.converse(account.session.adapter.limits, Limits)
        except AuthenticationFailed as error:
            return error
        except RateLimited as error:
            self._answers.throttled(tracked, error)
            queue.wants_limits = account.throttled < _LIMITS_TRIES
        except ExportJobsError:
            # A refusal will tell what could not be asked.
            queue.wants_limits = False
        else:
            queue.wants_limits = False
            until = self._answers.clock.monotonic() + account.policy.schedule.slow
            account.allowance = account.allowance.with_reported(answer.value, until)
        return None

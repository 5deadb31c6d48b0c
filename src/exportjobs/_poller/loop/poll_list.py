"""Stage 3 for accounts with a list: one request polls all the running jobs of the account."""

from collections.abc import Mapping, Sequence

import anyio.abc
from anyio.lowlevel import checkpoint
from attrs import define, field

from exportjobs._http.session import Answer
from exportjobs._poller.loop.account import Account, InFlight, let_go_at
from exportjobs._poller.loop.answered import Answers, seconds_until
from exportjobs._poller.loop.inbox import Inbox, internal
from exportjobs._poller.loop.tracked import Tracked, ref_of
from exportjobs._schedule.agenda import Agenda
from exportjobs._schedule.decide import End, Poll, Step
from exportjobs._schedule.schedule import NOT_FOUND_GRACE
from exportjobs.adapter._errors import (
    AuthenticationFailed,
    BudgetExhausted,
    ConcurrencyLimitReached,
    ExportJobsError,
    RateLimited,
    VendorUnavailable,
)
from exportjobs.adapter._job import ExportJob, JobStatus
from exportjobs.adapter._terms import Operation
from exportjobs.events import ListFailed, Polled

_NEVER = float("inf")
_TIMEOUT = 300.0
"""Seconds without an answer after which a list request is let go of."""
_AT_A_STRETCH = 100
"""Jobs of one answer that are looked at, or ended, before everybody else gets a turn."""

_Listed = Mapping[str, Sequence[ExportJob]]


@define(eq=False)
class PollBatch:
    """The running jobs of an account that the next list polls."""

    account: Account
    members: dict[Tracked, float] = field(factory=dict[Tracked, float])
    """With the moment at which each is due."""
    due: float = _NEVER
    """When the first of them is."""
    is_ready: bool = False
    """Whether they are polled as soon as another request may start."""

    def take(self) -> Mapping[Tracked, float]:
        """Take off and return all of them."""
        members, self.members = self.members, {}
        self.due, self.is_ready = _NEVER, False
        return members


class PollListStage:
    """Every job that is polled with the others of its account."""

    def __init__(self, answers: Answers, inbox: Inbox, tasks: anyio.abc.TaskGroup) -> None:
        """Begin with none."""
        self._answers = answers
        self._inbox = inbox
        self._tasks = tasks
        self._agenda: Agenda[PollBatch] = Agenda()
        self._batches: dict[Account, PollBatch] = {}

    @property
    def next_moment(self) -> float:
        """When something may be done here, if nothing happens before; infinity if nothing may."""
        ready = (one.account.next_request for one in self._batches.values() if one.is_ready)
        return min(self._agenda.next, *ready, _NEVER)

    def add(self, tracked: Tracked, due: float) -> None:
        """Let a job be polled with the others, at a moment or when one of them is due before."""
        batch = self._batches.get(tracked.account)
        if batch is None:
            batch = self._batches[tracked.account] = PollBatch(tracked.account)
        batch.members[tracked] = due
        if due < batch.due:
            batch.due = due
            self._agenda.add(due, batch)

    def withdraw(self, tracked: Tracked) -> bool:
        """Take off a job, and return whether it was waiting here."""
        batch = self._batches.get(tracked.account)
        return batch is not None and batch.members.pop(tracked, None) is not None

    def start(self, now: float) -> None:
        """Send the lists that are due, as far as requests may start."""
        for batch in self._agenda.due(now):
            batch.is_ready = batch.is_ready or batch.due <= now
        for batch in self._batches.values():
            if batch.is_ready and batch.account.next_request <= now:
                self._start_one(batch.account, batch.take(), now)

    def _start_one(self, account: Account, members: Mapping[Tracked, float], now: float) -> None:
        """Poll several jobs by one list, unless they had better be polled one by one."""
        wall = self._answers.clock.now().timestamp()
        if _better_alone(account, len(members), wall):
            self._part(members, now)
            return
        first = account.may_list_from(now, wall)
        polled: list[Tracked] = []
        for tracked in members:
            if max(first, tracked.not_before) <= now:
                polled.append(tracked)
            else:
                self._inbox.post(tracked, Poll(max(first, tracked.not_before) - now))
        if polled:
            until = let_go_at(now, _TIMEOUT, polled, began=now)
            request = account.begin_request(now, until)
            self._tasks.start_soon(self._poll, account, polled, request)

    def _part(self, members: Mapping[Tracked, float], now: float) -> None:
        """Have those that are due polled alone; the others wait on."""
        for tracked, due in members.items():
            if due <= now:
                self._inbox.post(tracked, Poll(0.0, alone=True))
            else:
                self.add(tracked, due)

    async def _poll(self, account: Account, members: Sequence[Tracked], request: InFlight) -> None:
        steps: Sequence[Step] = ()
        with request.scope:
            try:
                steps = await self._answered(account, members)
            except Exception as error:  # noqa: BLE001 - it is not to end all the other accounts
                steps = [End(internal(error)) for _ in members]
        if not steps:
            steps = self._failed(account, members, account.no_answer())
        account.end_request(request, ok=all(step.ok for step in steps))
        for number, (tracked, step) in enumerate(zip(members, steps, strict=True), start=1):
            self._inbox.post(tracked, step)
            if number % _AT_A_STRETCH == 0:
                await checkpoint()

    async def _answered(self, account: Account, members: Sequence[Tracked]) -> Sequence[Step]:
        """Ask for the list and return what comes next for each job.

        Where the list fails, or lacks a job, or what is needed of it, the job is polled alone.
        """
        try:
            answer = await account.listed(frozenset(ref_of(one).id for one in members))
        except ExportJobsError as error:
            return self._failed(account, members, error)
        account.list_failures = account.throttled = 0
        found = _by_id(answer.value)
        steps: list[Step | None] = []
        for turn, tracked in enumerate(members):
            if turn % _AT_A_STRETCH == 0:
                await checkpoint()
            steps.append(await self._found(tracked, found))
        together = self._next_list(account, members, steps, answer)
        decided = [step or together for step in steps]
        for tracked, step in zip(members, decided, strict=True):
            if tracked.job is not None:
                polled = Polled(tracked.subject, tracked.job, seconds_until(step))
                self._answers.observers.report(polled)
        return decided

    async def _found(self, tracked: Tracked, found: _Listed) -> Step | None:
        """Take in what the list says of a job; None if it goes on running."""
        ref = ref_of(tracked)
        named = (job for job in found.get(ref.id, ()) if job.ref.names_same_job_as(ref))
        snapshot = next(named, None)
        if snapshot is None:
            age = self._answers.clock.monotonic() - tracked.began_at
            tracked.is_listed = age <= NOT_FOUND_GRACE.total_seconds()
            return None if tracked.is_listed else Poll(0.0)
        self._answers.polled(tracked)
        if snapshot.brief and snapshot.status in {JobStatus.DONE, JobStatus.FAILED}:
            return Poll(0.0, alone=True)
        job = await self._answers.described(tracked, snapshot)
        return tracked.account.policy.after_end(job) if job.status.is_terminal else None

    def _next_list(
        self,
        account: Account,
        members: Sequence[Tracked],
        steps: Sequence[Step | None],
        answer: Answer[tuple[ExportJob, ...]],
    ) -> Poll:
        """Decide when to list again all the jobs that go on running."""
        now = self._answers.clock.monotonic()
        running = [one for one, step in zip(members, steps, strict=True) if step is None]
        bounds = self._answers.bounds(account, Operation.LIST, answer.server_wait)
        step = account.policy.after_list([one.context(now) for one in running], bounds)
        if running:
            self._answers.report_spacing(running[0], step, bounds)
        return step

    def _failed(
        self, account: Account, members: Sequence[Tracked], error: ExportJobsError
    ) -> Sequence[Step]:
        """Decide for each job after a list that failed."""
        for one in members:
            self._answers.failed(one, error)
        match error:
            case AuthenticationFailed():
                return [End(error.copy_for(one.ref), stops_account=True) for one in members]
            case BudgetExhausted():
                return [Poll(0.0, alone=True)] * len(members)
            case RateLimited() | ConcurrencyLimitReached():
                return [self._answers.throttled(members[0], error)] * len(members)
            case _:
                account.list_failures += 1
                self._answers.observers.report(ListFailed(members[0].subject, error))
        if isinstance(error, VendorUnavailable) and error.retry_after is not None:
            wait = account.policy.after_throttle(error, account.list_failures)
            return [wait] * len(members)
        return [Poll(0.0, alone=True)] * len(members)


def _better_alone(account: Account, count: int, wall: float) -> bool:
    """Return whether jobs had better be polled one by one, as the budgets stand."""
    budgets = account.session.budgets
    if count == 1:
        one, all_ = (budgets.remaining(of, wall) for of in (Operation.POLL, Operation.LIST))
        return one >= all_
    alone, together = (budgets.wait(of, wall) for of in (Operation.POLL, Operation.LIST))
    return alone == 0 < together


def _by_id(jobs: Sequence[ExportJob]) -> _Listed:
    found: dict[str, list[ExportJob]] = {}
    for job in jobs:
        found.setdefault(job.ref.id, []).append(job)
    return found

"""Stage 1: what became of an export before, in this process, in another one, or at its vendor."""

from collections import deque
from collections.abc import Sequence

import anyio.abc
from anyio.lowlevel import checkpoint

from exportjobs._ledger.entry import LedgerEntry
from exportjobs._ledger.matching import candidates
from exportjobs._ledger.tables import Adoption, Tables
from exportjobs._poller.loop.account import Account, InFlight, let_go_at
from exportjobs._poller.loop.answered import Answers, too_late
from exportjobs._poller.loop.inbox import Inbox, guarded, internal
from exportjobs._poller.loop.tracked import Tracked, doubt_of, export_of
from exportjobs._schedule.agenda import Agenda
from exportjobs._schedule.decide import Doubt, End, Follow, Poll, Step, Submit
from exportjobs.adapter._adapter import Export
from exportjobs.adapter._errors import ExportJobsError, JobCancelled, SubmitOutcomeUnknown
from exportjobs.adapter._job import verdict
from exportjobs.events import Submitted

_BEGIN_ANEW = "run it under another run key, or let the ledger forget it first"
_AT_A_STRETCH = 500
"""Exports that are looked up in one go, before everybody else gets a turn."""
_LOOK_AGAIN = 1.0
"""Seconds after which is looked again what another process has made of an export."""
_LIST_TIMEOUT = 60.0
"""Seconds without an answer after which a list request is let go of."""


class RecoverStage:
    """Every export of a run with a key and every resumed job, until it is known how it stands.

    So is every export of which nobody knows whether it was submitted: its vendor's list may tell.
    """

    def __init__(self, answers: Answers, inbox: Inbox, tasks: anyio.abc.TaskGroup) -> None:
        """Begin with none."""
        self._answers = answers
        self._inbox = inbox
        self._tasks = tasks
        self._arrived: dict[Tracked, None] = {}
        self._followed: Agenda[Tracked] = Agenda()
        self._doubtful: Agenda[Tracked] = Agenda()
        self._waiting: set[Tracked] = set()
        """Those that are on one of the agendas, or whose list may be asked for."""
        self._ready: dict[Account, deque[Tracked]] = {}
        """Those whose list is asked for as soon as another request may start."""

    @property
    def next_moment(self) -> float:
        """When something may be done here, if nothing happens before; infinity if nothing may."""
        ready = (account.next_request for account, those in self._ready.items() if those)
        return min(self._followed.next, self._doubtful.next, *ready)

    def add(self, tracked: Tracked) -> None:
        """Let it be found out how an export stands."""
        self._arrived[tracked] = None

    def follow(self, tracked: Tracked, step: Follow) -> None:
        """Look again later what another process has made of it, but not beyond its time."""
        moment = self._answers.clock.monotonic() + step.seconds
        self._waiting.add(tracked)
        self._followed.add(min(moment, tracked.give_up_at), tracked)

    def reconcile(self, tracked: Tracked, due: float) -> None:
        """Let its vendor's list be asked at a moment what became of its submit."""
        self._waiting.add(tracked)
        self._doubtful.add(due, tracked)

    def withdraw(self, account: Account) -> tuple[Tracked, ...]:
        """Take off and return what waits on an account."""
        everyone = (*self._arrived, *self._waiting)
        found = tuple(one for one in everyone if one.account is account)
        for tracked in found:
            self._arrived.pop(tracked, None)
            self._waiting.discard(tracked)
        return found

    def start(self, now: float) -> None:
        """Find out about all that have come, in one go; ask for the lists that are due."""
        followed = [one for one in self._followed.due(now) if one in self._waiting]
        self._waiting.difference_update(followed)
        batch, self._arrived = [*self._arrived, *followed], {}
        if batch:
            self._tasks.start_soon(self._look_up_all, batch, now)
        for tracked in self._doubtful.due(now):
            self._ready.setdefault(tracked.account, deque()).append(tracked)
        for account, ready in self._ready.items():
            while ready and account.next_request <= now:
                self._start_reconciling(ready.popleft(), now)

    # What the ledger knows.

    async def _look_up_all(self, everyone: Sequence[Tracked], now: float) -> None:
        for first in range(0, len(everyone), _AT_A_STRETCH):
            await self._look_up(everyone[first : first + _AT_A_STRETCH], now)
            await checkpoint()

    async def _look_up(self, batch: Sequence[Tracked], now: float) -> None:
        found = await self._entries(batch)
        steps = [
            one if isinstance(one, End) else await self._step(tracked, one)
            for tracked, one in zip(batch, found, strict=True)
        ]
        for tracked, step in zip(batch, steps, strict=True):
            is_late = isinstance(step, Follow) and tracked.give_up_at <= now
            late = too_late(tracked, "not ended by the deadline") if is_late else None
            self._inbox.post(tracked, End(late) if late else step)

    async def _entries(self, batch: Sequence[Tracked]) -> Sequence[LedgerEntry | End]:
        wanted = [(one.row, one.export, one.run_key) for one in batch]
        try:
            return await self._answers.ledger.write(Tables.enter, wanted)
        except ExportJobsError as error:
            return [End(error.copy_for(one.ref)) for one in batch]
        except Exception as error:  # noqa: BLE001 - it is not to end all the others
            return [End(internal(error)) for _ in batch]

    async def _step(self, tracked: Tracked, entry: LedgerEntry) -> Step:
        """Decide what comes next for an export that the ledger knows."""
        self._answers.entered(tracked, entry)
        if entry.is_taken:
            return Follow(_LOOK_AGAIN)
        if entry.ref is None:
            return self._without_job(tracked, entry)
        if isinstance(tracked.export, Export) and tracked.job and (error := verdict(tracked.job)):
            error.remedy = _BEGIN_ANEW
            return End(error)
        if entry.landed_at and tracked.destination:
            files = await tracked.destination.standing(entry.files)
            if files is not None:
                self._answers.stands(tracked, files)
                return End()
        return Poll(0.0)

    def _without_job(self, tracked: Tracked, entry: LedgerEntry) -> Step:
        if entry.abandoned_at is not None:
            reason = "it was abandoned: nobody knows whether it was submitted"
            return End(JobCancelled(reason, vendor=entry.vendor, remedy=_BEGIN_ANEW))
        if entry.sent_at is None:
            return Submit()
        reason = "submitted before, and no answer was recorded"
        doubt = Doubt(SubmitOutcomeUnknown(reason, vendor=entry.vendor), entry.sent_at)
        step = self._answers.doubted(tracked, doubt)
        self._answers.count_from(tracked, entry.sent_at)
        return step

    # What the vendor's list knows.

    def _start_reconciling(self, tracked: Tracked, now: float) -> None:
        if tracked not in self._waiting:
            return
        self._waiting.remove(tracked)
        account, wall = tracked.account, self._answers.clock.now().timestamp()
        first = max(tracked.not_before, account.may_list_from(now, wall))
        if first > now:
            self._inbox.post(tracked, Poll(first - now))
            return
        until = let_go_at(now, _LIST_TIMEOUT, [tracked], began=now)
        self._tasks.start_soon(self._reconcile, tracked, account.begin_request(now, until))

    async def _reconcile(self, tracked: Tracked, request: InFlight) -> None:
        step: Step | None = None
        with request.scope:
            step = await guarded(self._found_in_list, tracked)
        if step is None:
            step = self._answers.poll_failed(tracked, tracked.account.no_answer())
        tracked.account.end_request(request, ok=step.ok)
        self._inbox.post(tracked, step)

    async def _found_in_list(self, tracked: Tracked) -> Step:
        """Find out what became of a submit, and poll its job, or submit it again.

        A vendor that lists no job that it could have become has made none. Where it lists several,
        or the same one could belong to two exports, it stays unknown: a wrong job is worse than
        none.
        """
        doubt, ledger = doubt_of(tracked), self._answers.ledger
        try:
            answer = await tracked.account.listed(frozenset())
            found = candidates(answer.value, export_of(tracked), doubt.sent_at)
            adoption = await ledger.write(Tables.adopt, tracked.row, found)
            if not adoption.candidates:
                await ledger.write(Tables.take_back, tracked.row)
        except ExportJobsError as error:
            return self._still_unknown(tracked, doubt, error)
        self._answers.cleared(tracked, adoption.job)
        if adoption.job is not None:
            self._answers.observers.report(Submitted(tracked.subject, adoption.job, 0.0))
            return Poll(0.0, alone=True)
        if not adoption.candidates:
            tracked.was_cleared = True
            return Submit()
        return End(_ambiguous(doubt, adoption))

    def _still_unknown(self, tracked: Tracked, doubt: Doubt, error: ExportJobsError) -> Step:
        step = self._answers.poll_failed(tracked, error)
        if not isinstance(step, End):
            return step
        self._answers.cleared(tracked)
        if not step.stops_account:
            return End(doubt.error)
        error.remedy = f"{error.remedy}; {doubt.error.reason}: {doubt.error.remedy}"
        return step


def _ambiguous(doubt: Doubt, adoption: Adoption) -> SubmitOutcomeUnknown:
    unknown, ids = doubt.error, ", ".join(job.ref.id for job in adoption.candidates)
    reason = f"{unknown.reason}; at the vendor it may be any of: {ids}"
    error = SubmitOutcomeUnknown(reason, vendor=unknown.vendor)
    if unknown.number is not None and unknown.ledger is not None:
        error.recorded(unknown.number, unknown.ledger)
    return error

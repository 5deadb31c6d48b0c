"""Attaching: exports and jobs that may have been taken up before, here or in another process."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import anyio.abc
from anyio.lowlevel import checkpoint

from exportjobs._ledger.entry import LedgerEntry
from exportjobs._ledger.matching import candidates
from exportjobs._ledger.tables import Adoption
from exportjobs._poller.loop.answered import Steps, export_of, internal, too_late
from exportjobs._poller.loop.poll_list import listed
from exportjobs._poller.loop.tracked import Phase, Tracked
from exportjobs._schedule.clock import Agenda
from exportjobs._schedule.decide import Doubt, End, Follow, Poll, Step, Submit
from exportjobs.adapter._adapter import Export
from exportjobs.adapter._errors import ExportJobsError, JobCancelled, SubmitOutcomeUnknown
from exportjobs.adapter._job import ExportJob, verdict
from exportjobs.events import Submitted


async def settle(steps: Steps, tracked: Tracked, doubt: Doubt) -> Step:
    """Find out what became of a submit, and go on with the job, or submit it again.

    A vendor that lists no job that it could have become has made none. Where it lists several, or
    the same one could belong to two exports, it stays unknown: a wrong job is worse than none.
    """
    try:
        answer = await listed(tracked.account, frozenset())
        found = candidates(answer.value, export_of(tracked), doubt.sent_at)
        adoption = await steps.ledger.adopt(tracked.row, found)
        if not adoption.candidates:
            await steps.ledger.take_back(tracked.row)
    except ExportJobsError as error:
        return _still_in_doubt(steps, tracked, doubt, error)
    steps.dispel(tracked)
    if adoption.job is not None:
        return _adopted(steps, tracked, adoption.job)
    if not adoption.candidates:
        tracked.was_cleared = True
        return Submit()
    return End(_ambiguous(doubt, adoption))


def _adopted(steps: Steps, tracked: Tracked, job: ExportJob) -> Step:
    tracked.job = job
    tracked.singly = True
    steps.report(Submitted(tracked.subject, job, 0.0))
    if tracked.on_accepted is not None:
        tracked.on_accepted()
    return Poll(0.0)


def _still_in_doubt(steps: Steps, tracked: Tracked, doubt: Doubt, error: ExportJobsError) -> Step:
    step = steps.unanswered(tracked, error)
    if not isinstance(step, End):
        return step
    steps.dispel(tracked)
    if not step.stops_account:
        return End(doubt.error)
    error.remedy = f"{error.remedy}; {doubt.error.reason}: {doubt.error.remedy}"
    return step


def _ambiguous(doubt: Doubt, adoption: Adoption) -> SubmitOutcomeUnknown:
    ids = ", ".join(job.ref.id for job in adoption.candidates)
    reason = f"{doubt.error.reason}; at the vendor it may be any of: {ids}"
    error = SubmitOutcomeUnknown(reason, vendor=doubt.error.vendor, remedy=doubt.error.remedy)
    error.number = doubt.error.number
    return error


_BEGIN_ANEW = "run it under another run key, or let the ledger forget it first"
_AT_A_STRETCH = 500
"""Exports that are looked up in one go, before everybody else gets a turn."""
_LOOK_AGAIN = 1.0
"""Seconds after which is looked again what another process has made of an export."""


class Attaching:
    """Every export of a run with a key and every resumed job, until it is known how it stands.

    Two that are one in the ledger are one from then on.
    """

    def __init__(
        self,
        steps: Steps,
        tasks: anyio.abc.TaskGroup,
        apply: Callable[[Tracked, Step], None],
        join: Callable[[Tracked, Tracked], None],
    ) -> None:
        """Take what does the I/O, whom to tell what came of it, and who makes two exports one."""
        self._steps = steps
        self._tasks = tasks
        self._apply = apply
        self._join = join
        self._clock = steps.clock
        self._arrived: list[Tracked] = []
        self._followed: Agenda[Tracked] = Agenda()

    @property
    def next(self) -> float:
        """When to look again at what another process is at work on; infinity if there is none."""
        return self._followed.next

    def add(self, tracked: Tracked) -> None:
        """Let it be found out how an export stands."""
        self._arrived.append(tracked)

    def follow(self, tracked: Tracked, step: Follow) -> None:
        """Look again later; but not beyond its time."""
        tracked.phase = Phase.WAITING
        moment = self._clock.monotonic() + step.seconds
        self._followed.add(min(moment, tracked.give_up_at), tracked)

    def go_round(self, now: float) -> None:
        """Find out about all that have come, in one go."""
        came, self._arrived = self._arrived + self._followed.due(now), []
        batch = [one for one in came if one.phase is Phase.WAITING]
        for tracked in batch:
            tracked.phase = Phase.BUSY
        if batch:
            self._tasks.start_soon(self._attach_all, batch, now)

    async def _attach_all(self, everyone: Sequence[Tracked], now: float) -> None:
        for first in range(0, len(everyone), _AT_A_STRETCH):
            await self._attach(everyone[first : first + _AT_A_STRETCH], now)
            await checkpoint()

    async def _attach(self, batch: Sequence[Tracked], now: float) -> None:
        found = await _entries(self._steps, batch)
        steps = [
            one if isinstance(one, End) else await _step(self._steps, tracked, one)
            for tracked, one in zip(batch, found, strict=True)
        ]
        again = any(_was_taken_up_before(one) for one in found)
        firsts = _firsts(batch) if again else dict[int, Tracked]()
        for tracked, step in zip(batch, steps, strict=True):
            if isinstance(step, Follow) and tracked.give_up_at <= now:
                self._apply(tracked, End(too_late(tracked, "not ended by the deadline")))
                continue
            first = firsts.get(tracked.row, tracked)
            if first is tracked or first.phase is Phase.ENDED:
                self._apply(tracked, step)
            else:
                self._join(tracked, first)


def _was_taken_up_before(found: LedgerEntry | End) -> bool:
    return isinstance(found, LedgerEntry) and found.is_mine


def _firsts(batch: Sequence[Tracked]) -> Mapping[int, Tracked]:
    """Return, by number in the ledger, who was the first to take up an export of some accounts."""
    accounts = {one.account.session.adapter.account: one.account for one in batch}
    everyone = (one for account in accounts.values() for one in reversed(account.in_order))
    return {one.row: one for one in everyone if one.row}


async def _entries(steps: Steps, batch: Sequence[Tracked]) -> Sequence[LedgerEntry | End]:
    asked = [(one.row, one.work, one.run_key) for one in batch]
    try:
        return await steps.ledger.enter(asked)
    except ExportJobsError as error:
        return [End(error.copy_for(one.ref)) for one in batch]
    except Exception as error:  # noqa: BLE001 - it is not to end all the others
        return [End(internal(error)) for _ in batch]


async def _step(steps: Steps, tracked: Tracked, entry: LedgerEntry) -> Step:
    """Decide what comes next for an export that the ledger knows."""
    tracked.row, tracked.is_followed = entry.number, entry.is_taken
    if entry.is_taken:
        return Follow(_LOOK_AGAIN)
    if entry.ref is None:
        return _without_job(steps, tracked, entry)
    tracked.job = tracked.job or entry.job
    _count_again(steps, tracked, entry.ref.submitted_at)
    if isinstance(tracked.work, Export) and tracked.job and (error := verdict(tracked.job)):
        error.remedy = _BEGIN_ANEW
        return End(error)
    if entry.landed_at and tracked.destination:
        files = await tracked.destination.standing(entry.files)
        if files is not None:
            tracked.files = files
            return End()
    tracked.take_slot()
    return Poll(0.0)


def _without_job(steps: Steps, tracked: Tracked, entry: LedgerEntry) -> Step:
    if entry.abandoned_at is not None:
        reason = "it was abandoned: nobody knows whether it was submitted"
        return End(JobCancelled(reason, vendor=entry.vendor, remedy=_BEGIN_ANEW))
    if entry.sent_at is None:
        return Submit()
    reason = "submitted before, and no answer was recorded"
    doubt = Doubt(SubmitOutcomeUnknown(reason, vendor=entry.vendor), entry.sent_at)
    step = steps.doubt(tracked, doubt)
    _count_again(steps, tracked, entry.sent_at)
    tracked.take_slot()
    return step


def _count_again(steps: Steps, tracked: Tracked, submitted_at: datetime | None) -> None:
    if submitted_at is not None:
        age = steps.clock.now() - submitted_at
        tracked.count_from(steps.clock.monotonic() - age.total_seconds())

"""The one loop: asks the pure rooms what is due, starts the I/O, and applies what comes back."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import anyio
import anyio.abc

from exportjobs._agenda import Agenda
from exportjobs._decide import Ask, End, Land, Step, SubmitAgain
from exportjobs._errors import (
    DeadlineExceeded,
    ExportJobsError,
    InternalError,
    PollerLeft,
    retold,
)
from exportjobs._events import Ended, Throttled, Waiting
from exportjobs._export import Resumption
from exportjobs._finished import Finished
from exportjobs._steps import Steps
from exportjobs._tracked import Account, Phase, Tracked

_SUBMITS_AT_ONCE = 4
_NEVER = float("inf")


class Loop:
    """Every export of a poller, from being taken up to its end.

    It owns a heap of the jobs to ask about and one of those whose files are to be fetched. Nothing
    has a task of its own but an answer that is being waited for.
    """

    def __init__(
        self,
        steps: Steps,
        tasks: anyio.abc.TaskGroup,
        *,
        deadline: timedelta | None,
        downloads: int,
    ) -> None:
        """Begin with nothing to do; every exchange will have a task of the group."""
        self.accounts: dict[tuple[str, str], Account] = {}
        self._steps = steps
        self._tasks = tasks
        self._report = steps.report
        self._clock = steps.clock
        self._deadline = deadline
        self._free_downloads = downloads
        self._agenda: Agenda[Tracked] = Agenda()
        self._to_land: Agenda[Tracked] = Agenda()
        self._wake = anyio.Event()

    async def run(self) -> None:
        """Go round until cancelled."""
        while True:
            self._wake = anyio.Event()
            now = self._clock.monotonic()
            self._ask_about_due(now)
            for account in self.accounts.values():
                self._submit_waiting(account, now)
            self._land_waiting()
            await self._rest(now)

    def take_up(self, tracked: Tracked) -> None:
        """Take up an export to submit, or a job that runs already to see to its end."""
        account = tracked.account
        account.outstanding.add(tracked)
        if account.stopped_by is not None:
            self.apply(tracked, End(account.stopped_by.copy_for(tracked.ref)))
        elif isinstance(tracked.work, Resumption):
            self._begin(tracked)
        else:
            account.waiting.append(tracked)
            self._report(Waiting(tracked.subject, "room on the account"))
            patience = self._deadline.total_seconds() if self._deadline is not None else _NEVER
            tracked.due = self._clock.monotonic() + patience
            self._wake.set()

    def abandon(self) -> None:
        """Tell everyone who still waits that the poller was left."""
        for account in self.accounts.values():
            for tracked in account.in_order:
                vendor, _ = tracked.work.account
                reason = "the poller was left before the end"
                error = PollerLeft(reason, vendor=vendor, ref=tracked.ref)
                tracked.tell(Finished(tracked.work, tracked.job, (), error, tracked.story))

    def claim(self, tracked: Tracked) -> None:
        """Go on with an export that had ended before anyone asked for it."""
        if tracked.parked_step is not None:
            step, tracked.parked_step = tracked.parked_step, None
            self.apply(tracked, step)

    def review(self, tracked: Tracked) -> None:
        """Go on with a job of which something new was learned in between two questions."""
        job = tracked.job
        if tracked.phase is Phase.RUNNING and job is not None and job.status.is_terminal:
            self.apply(tracked, tracked.account.counsel.after_poll(job))

    def apply(self, tracked: Tracked, step: Step) -> None:
        """Do what was decided for an export, and go round again."""
        stopped_by = tracked.account.stopped_by
        if stopped_by is not None and isinstance(step, SubmitAgain | Ask):
            step = End(stopped_by.copy_for(tracked.ref))
        match step:
            case SubmitAgain():
                self._send_back(tracked, step)
            case Ask():
                if step.pauses_account:
                    self._pause(tracked, step.seconds)
                self._schedule(tracked, step.seconds)
            case Land() | End():
                self._release_slot(tracked)
                self._conclude(tracked, step)
        if isinstance(step, End) and step.stops_account and step.error:
            self._stop(tracked.account, step.error)
        self._wake.set()

    def _conclude(self, tracked: Tracked, step: Land | End) -> None:
        if not tracked.listeners:
            tracked.phase, tracked.parked_step = Phase.PARKED, step
        elif isinstance(step, Land):
            self._queue_download(tracked)
        else:
            self._end(tracked, step)

    def _ask_about_due(self, now: float) -> None:
        for tracked in self._agenda.due(now):
            allowance = tracked.account.allowance
            if tracked.phase is not Phase.RUNNING or tracked.due > now:
                continue
            if allowance.may_ask(now):
                self._start(self._steps.ask, tracked)
            else:
                self._schedule(tracked, allowance.paused_until - now)

    def _submit_waiting(self, account: Account, now: float) -> None:
        # Whoever has waited the longest stands in front.
        while account.waiting and account.waiting[0].due <= now:
            late = account.waiting.popleft()
            self.apply(late, End(_too_late(late, "not submitted by the deadline")))
        while (
            account.waiting
            and account.submitting < _SUBMITS_AT_ONCE
            and account.allowance.may_submit(now)
        ):
            self._begin(account.waiting.popleft())

    def _begin(self, tracked: Tracked) -> None:
        account = tracked.account
        account.allowance = account.allowance.taken()
        account.submitting += 1
        tracked.holds_slot = True
        self._start(self._submit, tracked)

    async def _submit(self, tracked: Tracked) -> Step:
        try:
            return await self._steps.submit(tracked)
        finally:
            tracked.account.submitting -= 1

    def _land_waiting(self) -> None:
        while self._to_land and self._free_downloads:
            self._free_downloads -= 1
            self._start(self._land, self._to_land.pop())

    async def _land(self, tracked: Tracked) -> Step:
        try:
            return await self._steps.land(tracked)
        finally:
            self._free_downloads += 1

    def _start(self, step: Callable[[Tracked], Awaitable[Step]], tracked: Tracked) -> None:
        tracked.phase = Phase.BUSY
        self._tasks.start_soon(self._do, step, tracked)

    async def _do(self, step: Callable[[Tracked], Awaitable[Step]], tracked: Tracked) -> None:
        before = tracked.job
        try:
            decided = await step(tracked)
        except Exception as error:  # noqa: BLE001 - a mistake about one export is not to end them all
            decided = End(_internal(error, tracked))
        if before is None and tracked.job is not None and tracked.on_accepted is not None:
            tracked.on_accepted()
        self.apply(tracked, decided)

    def _send_back(self, tracked: Tracked, step: SubmitAgain) -> None:
        account, until = tracked.account, self._clock.monotonic() + step.seconds
        self._release_slot(tracked)
        if step.pauses_account:
            self._pause(tracked, step.seconds)
        else:
            account.allowance = account.allowance.full(until)
        tracked.phase = Phase.WAITING
        account.waiting.appendleft(tracked)
        self._report(Waiting(tracked.subject, step.reason, step.seconds))

    def _pause(self, tracked: Tracked, seconds: float) -> None:
        account = tracked.account
        account.allowance = account.allowance.paused(self._clock.monotonic() + seconds)
        self._report(Throttled(tracked.subject, seconds))

    def _schedule(self, tracked: Tracked, seconds: float) -> None:
        now = self._clock.monotonic()
        deadline = self._deadline_of(tracked, now)
        if now >= deadline:
            self.apply(tracked, End(_too_late(tracked, "not ended by the deadline")))
            return
        tracked.phase, tracked.due = Phase.RUNNING, min(now + seconds, deadline)
        self._agenda.add(tracked.due, tracked)

    def _deadline_of(self, tracked: Tracked, now: float) -> float:
        submitted_at = tracked.ref.submitted_at if tracked.ref else None
        if self._deadline is None or submitted_at is None:
            return _NEVER
        return now + (submitted_at + self._deadline - self._clock.now()).total_seconds()

    def _queue_download(self, tracked: Tracked) -> None:
        """Queue a download where it is soonest that its address stops working."""
        tracked.phase = Phase.BUSY
        ends_at = tracked.job.expires_at if tracked.job else None
        self._to_land.add(ends_at.timestamp() if ends_at else _NEVER, tracked)

    def _release_slot(self, tracked: Tracked) -> None:
        if tracked.holds_slot:
            tracked.holds_slot = False
            tracked.account.allowance = tracked.account.allowance.freed()

    def _end(self, tracked: Tracked, step: End) -> None:
        tracked.phase = Phase.ENDED
        tracked.account.outstanding.discard(tracked)
        files = () if step.error else tracked.files
        finished = Finished(tracked.work, tracked.job, files, step.error, tracked.story)
        self._report(Ended(tracked.subject, finished))
        tracked.tell(finished)

    def _stop(self, account: Account, error: ExportJobsError) -> None:
        """End all that an account is waiting for: its credentials are not accepted."""
        account.stopped_by = account.stopped_by or error
        account.waiting.clear()
        for tracked in account.in_order:
            if tracked.phase in {Phase.WAITING, Phase.RUNNING}:
                self.apply(tracked, End(error.copy_for(tracked.ref)))

    async def _rest(self, now: float) -> None:
        """Wait until something is due or something happened."""
        moments = [self._agenda.next]
        for account in self.accounts.values():
            if account.waiting:
                moments.append(account.waiting[0].due)
                chance = account.allowance.next_chance(now)
                if chance is not None and account.submitting < _SUBMITS_AT_ONCE:
                    moments.append(chance)
        moment = min(moments)
        if moment == _NEVER:
            await self._wake.wait()
            return
        async with anyio.create_task_group() as waiting:
            waiting.start_soon(self._rouse, moment - now, self._wake)
            await self._wake.wait()
            waiting.cancel_scope.cancel()

    async def _rouse(self, seconds: float, wake: anyio.Event) -> None:
        await self._clock.sleep(seconds)
        wake.set()


def _too_late(tracked: Tracked, reason: str) -> DeadlineExceeded:
    vendor, _ = tracked.work.account
    remedy = None if tracked.ref else "run it again with a later deadline"
    return DeadlineExceeded(reason, vendor=vendor, ref=tracked.ref, remedy=remedy)


def _internal(error: Exception, tracked: Tracked) -> InternalError:
    vendor, _ = tracked.work.account
    reason = f"the library made a mistake ({type(error).__name__})"
    internal = InternalError(reason, vendor=vendor, ref=tracked.ref)
    internal.__cause__ = retold(error)
    return internal

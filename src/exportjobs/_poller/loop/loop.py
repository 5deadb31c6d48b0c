"""The one loop: three desks take their turns, and what comes back to one is passed to the next."""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Generic, Self, TypeVar

import anyio
import anyio.abc
from attrs import define, field

from exportjobs._poller.loop.account import Account, Accounts
from exportjobs._poller.loop.answered import Steps
from exportjobs._poller.loop.land import Landing
from exportjobs._poller.loop.poll import Asking
from exportjobs._poller.loop.recover import Attaching
from exportjobs._poller.loop.submit import Submitting
from exportjobs._poller.loop.tracked import Phase, Tracked
from exportjobs._schedule.clock import Alarm
from exportjobs._schedule.decide import End, Follow, Land, Poll, Step, Submit, SubmitAgain
from exportjobs.adapter._adapter import Export
from exportjobs.adapter._errors import ExportJobsError
from exportjobs.adapter._job import ExportJob, JobRef
from exportjobs.events import Detached, Ended, Finished, ShuttingDown

T = TypeVar("T")


class Results:
    """What a run finished, in the order of completion, as an async iterator.

    It holds no task and no scope: leaving it before its end leaves the jobs to the poller.
    """

    def __init__(self, expected: int) -> None:
        """Take the number of results there will be."""
        self._expected = expected
        self._ready: deque[Finished] = deque()
        self._changed = anyio.Event()

    def add(self, finished: Finished) -> None:
        """Hand over a result."""
        self._ready.append(finished)
        self._wake()

    def __len__(self) -> int:
        """Return how many results are still to be taken."""
        return self._expected

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> Finished:
        """Return the next result, waiting for it if need be. Several tasks may share the work.

        Raises:
            StopAsyncIteration: After the last.
        """
        while self._expected:
            if self._ready:
                self._expected -= 1
                self._wake()
                return self._ready.popleft()
            await self._changed.wait()
        raise StopAsyncIteration

    def _wake(self) -> None:
        """Let everyone who waits look again."""
        self._changed.set()
        self._changed = anyio.Event()


class Promise(Generic[T]):
    """One value that is to come."""

    def __init__(self) -> None:
        """Begin without the value."""
        self._kept = anyio.Event()

    def keep(self, value: T) -> None:
        """Hand over the value."""
        self._value = value
        self._kept.set()

    async def wait(self) -> T:
        """Return the value when it has come."""
        await self._kept.wait()
        return self._value


_CANCELLING = 5.0
"""Seconds that vendors may take to cancel what is outstanding."""
_logger = logging.getLogger("exportjobs")


@define(eq=False)
class WindingDown:
    """Lets files that are on their way land, and cancels jobs; neither takes for ever."""

    cancel: Callable[[JobRef], Awaitable[ExportJob]] | None
    """Cancels a job; None where jobs are left running."""
    grace: float
    """Seconds that files may take."""
    _scope: anyio.CancelScope | None = field(default=None, init=False)

    async def run(self, outstanding: Iterable[JobRef], landing: Landing) -> None:
        """Do so, whoever is in a hurry; but `close_now` ends it."""
        with anyio.CancelScope(shield=True) as self._scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._finish_files, landing)
                for ref in outstanding if self.cancel else ():
                    tasks.start_soon(self._try_to_cancel, ref)

    def hurry(self) -> None:
        """Leave at once: files go on from where they stand another time."""
        if self._scope is not None:
            self._scope.cancel()

    async def _finish_files(self, landing: Landing) -> None:
        with anyio.move_on_after(self.grace):
            await landing.drained()

    async def _try_to_cancel(self, ref: JobRef) -> None:
        if self.cancel is None:
            return
        try:
            with anyio.move_on_after(_CANCELLING):
                await self.cancel(ref)
        except ExportJobsError as error:
            _logger.warning("job not cancelled", extra={"exportjobs": {"error": str(error)}})


_NEVER = float("inf")


class Loop:
    """Every export of a poller, from being taken up to its end.

    It wakes when something is due or something happened, and for nothing else. Nothing has a task
    of its own but an answer that is being waited for.
    """

    def __init__(
        self,
        steps: Steps,
        accounts: Accounts,
        tasks: anyio.abc.TaskGroup,
        *,
        deadline: timedelta | None,
        max_downloads: int,
    ) -> None:
        """Begin with nothing to do; every exchange will have a task of the group."""
        self.accounts = accounts
        self._steps = steps
        self._report = steps.report
        self._clock = steps.clock
        self._patience = _NEVER if deadline is None else deadline.total_seconds()
        self._attaching = Attaching(steps, tasks, self.apply, self._join)
        self._submitting = Submitting(steps, tasks, self.apply, rouse=self._rouse)
        self._asking = Asking(steps, tasks, self.apply)
        self.landing = Landing(steps, tasks, self.apply, at_once=max_downloads)
        self._going = anyio.CancelScope()
        self._wake = anyio.Event()
        self._alarm = Alarm(steps.clock, tasks, self._rouse)

    async def run(self) -> None:
        """Go round until stopped."""
        with self._going:
            while True:
                self._wake = anyio.Event()
                self._go_round(self._clock.monotonic())
                await self._wake.wait()

    def stop(self, grace: float) -> None:
        """Begin nothing new; what is under way comes to its end, files within some seconds."""
        self._going.cancel()
        for tracked in self._outstanding if grace else ():
            if tracked.is_landing:
                self._report(ShuttingDown(tracked.subject, grace))

    def _go_round(self, now: float) -> None:
        self._attaching.go_round(now)
        self._asking.gather(now)
        for account in self.accounts:
            # A slot that fell free is filled before anything else is asked.
            self._submitting.go_round(account, now)
            self._asking.go_round(account, now)
        self.landing.go_round()
        self._alarm.set(self._next_moment(now))

    def take_up(self, tracked: Tracked) -> None:
        """Take up an export to submit, or a job that runs already to see to its end."""
        account = tracked.account
        account.outstanding.add(tracked)
        self._start_patience(tracked)
        if account.stopped_by is not None:
            self.apply(tracked, End(account.stopped_by.copy_for(tracked.ref)))
        elif tracked.may_be_known:
            self._attaching.add(tracked)
        else:
            self._submitting.add(tracked)
        self._rouse()

    def abandon(self) -> None:
        """Tell everyone who still waits that the poller was left."""
        for tracked in self._outstanding:
            error = tracked.named(self._steps.left(tracked))
            self._report(Detached(tracked.subject, error))
            tracked.tell(Finished(tracked.work, tracked.job, (), error, tracked.stats))

    def claim(self, tracked: Tracked) -> None:
        """Go on with an export that had ended before anyone asked for it."""
        if tracked.parked_step is not None:
            step, tracked.parked_step = tracked.parked_step, None
            self.apply(tracked, step)

    def review(self, tracked: Tracked) -> None:
        """Go on with a job of which something new was learned in between two questions."""
        job = tracked.job
        if tracked.phase is Phase.RUNNING and job is not None and job.status.is_terminal:
            self.apply(tracked, tracked.account.policy.after_end(job))

    def apply(self, tracked: Tracked, step: Step) -> None:
        """Do what was decided for an export, and go round again."""
        stopped_by = tracked.account.stopped_by
        if stopped_by is not None and not isinstance(step, Land | End):
            step = End(stopped_by.copy_for(tracked.ref))
        if not isinstance(step, Poll | Follow):
            tracked.release_slot()
        self._pass_on(tracked, step)
        if isinstance(step, End) and step.stops_account and step.error:
            self._stop(tracked.account, step.error)
        self._rouse()

    def _pass_on(self, tracked: Tracked, step: Step) -> None:
        """Hand an export to the desk whose turn it is."""
        match step:
            case Submit():
                self._submitting.add(tracked)
            case SubmitAgain():
                self._submitting.send_back(tracked, step)
            case Follow():
                self._attaching.follow(tracked, step)
            case Poll():
                self._asking.schedule(tracked, step)
            case Land() | End():
                self._conclude(tracked, step)

    @property
    def _outstanding(self) -> list[Tracked]:
        """What has not come to its end, account by account."""
        return [tracked for account in self.accounts for tracked in account.in_order]

    def _rouse(self) -> None:
        self._wake.set()

    def _start_patience(self, tracked: Tracked) -> None:
        """Count from now, or from when a job was submitted that is taken up again."""
        is_new = isinstance(tracked.work, Export)
        submitted_at = tracked.ref.submitted_at if tracked.ref else None
        tracked.patience = self._patience if is_new or submitted_at else _NEVER
        age = self._clock.now() - submitted_at if submitted_at else timedelta()
        tracked.count_from(self._clock.monotonic() - age.total_seconds())
        if not is_new:
            # It may be running, and then takes the room of another.
            tracked.take_slot()

    def _join(self, tracked: Tracked, first: Tracked) -> None:
        """Let an export that was taken up before stand for another one as well."""
        tracked.release_slot()
        tracked.phase = Phase.ENDED
        tracked.account.outstanding.discard(tracked)
        first.listeners += tracked.listeners
        first.destination = first.destination or tracked.destination
        self.claim(first)

    def _conclude(self, tracked: Tracked, step: Land | End) -> None:
        if not tracked.listeners:
            tracked.phase, tracked.parked_step = Phase.PARKED, step
        elif isinstance(step, Land):
            self.landing.add(tracked)
        else:
            self._end(tracked, step)

    def _end(self, tracked: Tracked, step: End) -> None:
        tracked.phase = Phase.ENDED
        tracked.account.outstanding.discard(tracked)
        tracked.account.doubtful.discard(tracked)
        error = step.error and tracked.named(step.error)
        finished = Finished(tracked.work, tracked.job, tracked.files, error, tracked.stats)
        self._report(Ended(tracked.subject, finished))
        tracked.tell(finished)

    def _stop(self, account: Account, error: ExportJobsError) -> None:
        """End all that an account is waiting for: its credentials are not accepted."""
        account.stopped_by = account.stopped_by or error
        account.waiting.clear()
        for tracked in account.in_order:
            if tracked.phase in {Phase.WAITING, Phase.RUNNING}:
                self.apply(tracked, End(error.copy_for(tracked.ref)))

    def _next_moment(self, now: float) -> float:
        """Return when something is due if nothing happens before."""
        own = (self._asking.next, self._attaching.next)
        return min((*own, *(account.next_moment(now) for account in self.accounts)))

"""The one loop: what is left in the inbox is handed to the stage whose turn it is."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import anyio
import anyio.abc

from exportjobs._landing.destination import Destination
from exportjobs._landing.source import Connections
from exportjobs._poller.loop.account import Account, Accounts
from exportjobs._poller.loop.answered import Answers, last_error, too_late
from exportjobs._poller.loop.inbox import Inbox
from exportjobs._poller.loop.land import LandStage
from exportjobs._poller.loop.poll import PollStage
from exportjobs._poller.loop.poll_list import PollListStage
from exportjobs._poller.loop.recover import RecoverStage
from exportjobs._poller.loop.submit import SubmitStage
from exportjobs._poller.loop.tracked import Tracked, Waiter
from exportjobs._schedule.clock import Alarm
from exportjobs._schedule.decide import End, Follow, Land, Poll, Step, Submit, SubmitAgain
from exportjobs.adapter._adapter import Export, Work
from exportjobs.adapter._errors import (
    ExportJobsError,
    InvalidArgument,
    PollerClosed,
    SubmitOutcomeUnknown,
)
from exportjobs.adapter._job import ExportJob, JobRef, JobStatus, verdict
from exportjobs.events import Detached, Ended, Finished, ShuttingDown

_NEVER = float("inf")
_UNCLAIMED = 100
"""Ended jobs that are kept for whoever may yet ask for them; of more, the oldest is forgotten."""


class Loop:
    """Every export of a poller, from being taken up to its end.

    It wakes when something is due or something happened, and for nothing else. Nothing has a task
    of its own but an answer that is being waited for. A stage's task ends by leaving in the inbox
    what comes next; from there the loop hands the export to the next stage. So the state of an
    export changes hands in one place, and no stage knows another.
    """

    def __init__(
        self,
        answers: Answers,
        accounts: Accounts,
        connections: Connections,
        tasks: anyio.abc.TaskGroup,
        *,
        deadline: timedelta | None,
        max_downloads: int,
    ) -> None:
        """Begin with nothing to do; every exchange will have a task of the group."""
        self.accounts = accounts
        self._answers = answers
        self._clock = answers.clock
        self._observers = answers.observers
        self._deadline = _NEVER if deadline is None else deadline.total_seconds()
        self._inbox = inbox = Inbox()
        self._recover = RecoverStage(answers, inbox, tasks)
        self._submit = SubmitStage(answers, inbox, tasks)
        self._poll = PollStage(answers, inbox, tasks)
        self._poll_list = PollListStage(answers, inbox, tasks)
        self._land = LandStage(
            answers, inbox, tasks, connections=connections, max_downloads=max_downloads
        )
        self._alarm = Alarm(answers.clock, tasks, inbox.wake)
        self._numbers = count(1)
        self._unclaimed: dict[Tracked, Land | End] = {}
        self._is_closing = False

    async def run(self) -> None:
        """Go round for as long as the task lives."""
        while True:
            self._hand_on()
            if not self._is_closing:
                self._start(self._clock.monotonic())
            await self._inbox.wait()

    def _start(self, now: float) -> None:
        """Have every stage begin what may begin now, and wake up when more may."""
        self._recover.start(now)
        for account in self.accounts:
            account.end_overdue_requests(now)
            # A slot that fell free is filled before anything is polled.
            self._submit.start(account, now)
        self._poll_list.start(now)
        self._poll.start(now)
        self._land.start()
        stages = (self._recover, self._poll_list, self._poll)
        overdue = (account.next_overdue for account in self.accounts)
        submits = (self._submit.next_moment(account, now) for account in self.accounts)
        self._alarm.set(min((_NEVER, *(one.next_moment for one in stages), *overdue, *submits)))

    # What callers want.

    def track(
        self,
        export: Work,
        *,
        destination: Destination | None = None,
        waiters: tuple[Waiter, ...] = (),
        run_key: str | None = None,
        row: int = 0,
    ) -> Tracked:
        """Return what the loop keeps of an export; it is not taken up yet.

        An export's time counts from now, a job's from when it was submitted, where that is known.
        """
        account = self.accounts.of(export.adapter)
        has_start = isinstance(export, Export) or export.ref.submitted_at is not None
        return Tracked(
            next(self._numbers),
            export,
            account,
            run_key,
            timeout=self._deadline if has_start else _NEVER,
            destination=destination,
            waiters=waiters,
            row=row,
            began_at=self._clock.monotonic(),
        )

    def take_up(self, tracked: Tracked) -> None:
        """Take up an export to submit, or a job that runs already to wait for its end.

        It counts from now on, and `begin` lets it go its way.
        """
        account = tracked.account
        account.outstanding[tracked] = False
        if tracked.ref is not None:
            account.register(tracked)
            self._answers.count_from(tracked, tracked.ref.submitted_at)
            # It may be running, and then takes the slot of another.
            account.take_slot(tracked)

    def begin(self, tracked: Tracked) -> None:
        """Let an export that was taken up go its way."""
        account = tracked.account
        if account.stopped_by is not None:
            self._inbox.post(tracked, End(account.stopped_by.copy_for(tracked.ref)))
        elif tracked.may_be_known:
            self._recover.add(tracked)
        else:
            self._inbox.post(tracked, Submit())
        self._inbox.wake()

    def drop(self, tracked: Tracked) -> None:
        """Forget an export that was taken up and has not begun."""
        tracked.account.remove(tracked)

    def wait_for(self, tracked: Tracked, destination: Destination | None, waiter: Waiter) -> None:
        """Have somebody else wait for an export, too.

        Raises:
            InvalidArgument: If its files are to land elsewhere.
        """
        self._add_waiters(tracked, destination, (waiter,))

    def _add_waiters(
        self, tracked: Tracked, destination: Destination | None, waiters: tuple[Waiter, ...]
    ) -> None:
        check_destination(tracked, destination)
        tracked.destination = tracked.destination or destination
        tracked.waiters += waiters
        step = self._unclaimed.pop(tracked, None)
        if step is not None:
            self._inbox.post(tracked, step)

    async def cancel(self, ref: JobRef) -> ExportJob:
        """Cancel a job and return what its vendor then says of it.

        Raises:
            ExportJobsError: If its vendor cannot, or refuses.
        """
        account = self.accounts.of_ref(ref)
        tracked = account.find(ref)
        if tracked is None:
            return await self._poll.cancel(self.track(account.session.adapter.resume(ref)))
        job = await self._poll.cancel(tracked)
        if job.status.is_terminal and self._withdraw(tracked):
            self._inbox.post(tracked, account.policy.after_end(job))
        return job

    # From the inbox to the stages.

    def _hand_on(self) -> None:
        """Hand each export in the inbox to the stage whose turn it is."""
        while (post := self._inbox.take()) is not None:
            tracked, step = post
            if tracked not in tracked.account.outstanding:
                continue
            first = tracked.account.first_of(tracked)
            if first is tracked:
                self._hand(tracked, self._unless_stopped(tracked, step))
            else:
                self._join(tracked, first)

    def _hand(self, tracked: Tracked, step: Step) -> None:
        self._tell_accepted(tracked)
        self._count_slot(tracked, step)
        match step:
            case Submit():
                self._submit.add(tracked)
            case SubmitAgain():
                self._submit.add_again(tracked, step)
            case Follow():
                self._recover.follow(tracked, step)
            case Poll():
                self._hand_to_poll(tracked, step)
            case Land() | End():
                self._conclude(tracked, step)

    def _count_slot(self, tracked: Tracked, step: Step) -> None:
        """Count what may be running at the vendor among the account's jobs, and nothing else."""
        if isinstance(step, Poll):
            tracked.account.take_slot(tracked)
        elif not isinstance(step, Follow):
            tracked.account.free_slot(tracked)

    def _tell_accepted(self, tracked: Tracked) -> None:
        if tracked.job is None:
            return
        left = [one for one in tracked.waiters if one.accept()]
        if len(left) < len(tracked.waiters):
            tracked.waiters = tuple(left)

    def _hand_to_poll(self, tracked: Tracked, step: Poll) -> None:
        """Let a job wait for its next poll, unless its time is over."""
        now = self._clock.monotonic()
        if step.server_wait:
            self._answers.not_before(tracked, now + step.server_wait)
        if now >= tracked.give_up_at:
            if tracked.doubt is None:
                tracked.account.outlived(tracked, now - tracked.began_at)
            self._conclude(tracked, End(too_late(tracked, "not ended by the deadline")))
            return
        due = min(now + step.seconds, tracked.give_up_at)
        if tracked.doubt is not None:
            self._recover.reconcile(tracked, due)
        elif step.alone or not tracked.account.polls_together(tracked):
            self._poll.add(tracked, due, alone=step.alone)
        else:
            self._poll_list.add(tracked, due)

    def _unless_stopped(self, tracked: Tracked, step: Step) -> Step:
        """Return what comes next for an export, which is its end where its account was stopped."""
        stopped_by = tracked.account.stopped_by
        if stopped_by is None or isinstance(step, Land | End):
            return step
        return End(stopped_by.copy_for(tracked.ref))

    def _withdraw(self, tracked: Tracked) -> bool:
        """Take a job off the stage where it waits to be polled, and return whether it did."""
        return self._poll.withdraw(tracked) or self._poll_list.withdraw(tracked)

    def _join(self, tracked: Tracked, first: Tracked) -> None:
        """Let an export that was taken up before stand for another one that is the same job."""
        try:
            self._add_waiters(first, tracked.destination, tracked.waiters)
        except InvalidArgument as error:
            self._end(tracked, End(error))
        else:
            tracked.account.remove(tracked)

    # The end.

    def _conclude(self, tracked: Tracked, step: Land | End) -> None:
        if isinstance(step, End) and step.stops_account and step.error:
            self._stop_account(tracked.account, step.error)
        if not tracked.waiters:
            self._keep_unclaimed(tracked, step)
        elif isinstance(step, Land):
            self._land.add(tracked)
        else:
            self._end(tracked, step)

    def _keep_unclaimed(self, tracked: Tracked, step: Land | End) -> None:
        """Keep an ended job for whoever asks for it, but not for ever: a poller may live long."""
        tracked.account.free_slot(tracked)
        if tracked.job is not None and tracked.job.status is JobStatus.CANCELLED:
            tracked.account.remove(tracked)
            return
        self._unclaimed[tracked] = step
        if len(self._unclaimed) > _UNCLAIMED:
            oldest = next(iter(self._unclaimed))
            del self._unclaimed[oldest]
            oldest.account.remove(oldest)

    def _end(self, tracked: Tracked, step: End) -> None:
        tracked.account.remove(tracked)
        error = step.error and tracked.named(step.error)
        finished = Finished(tracked.export, tracked.job, tracked.files, error, tracked.stats)
        self._observers.report(Ended(tracked.subject, finished))
        for waiter in tracked.waiters:
            waiter.add(finished)

    def _stop_account(self, account: Account, error: ExportJobsError) -> None:
        """End all that an account is waiting for: its credentials are not accepted."""
        if account.stopped_by is not None:
            return
        account.stopped_by = error
        waiting = {*self._submit.withdraw(account), *self._recover.withdraw(account)}
        waiting.update(one for one in account.outstanding if self._withdraw(one))
        for tracked in sorted(waiting, key=lambda one: one.number):
            self._inbox.post(tracked, End(error.copy_for(tracked.ref)))

    # Being closed.

    def stop(self, grace: float) -> None:
        """Begin nothing new; what is under way comes to its end, files within some seconds."""
        self._is_closing = True
        for tracked in self._outstanding if grace else ():
            if tracked in self._land:
                self._observers.report(ShuttingDown(tracked.subject, grace))

    async def drained(self) -> None:
        """Wait for the files that are on their way."""
        await self._land.drained()

    def abort(self) -> None:
        """Give up the files that are on their way; they may be resumed another time."""
        self._land.abort()

    def abandon(self) -> None:
        """Tell everyone who still waits that the poller was closed."""
        self._hand_on()
        for tracked in self._outstanding:
            error = tracked.named(self._detached(tracked))
            self._observers.report(Detached(tracked.subject, error))
            finished = Finished(tracked.export, tracked.job, (), error, tracked.stats)
            for waiter in tracked.waiters:
                waiter.add(finished)

    @property
    def _outstanding(self) -> Iterator[Tracked]:
        """What has not come to its end, account by account."""
        return (one for account in self.accounts for one in tuple(account.outstanding))

    def _detached(self, tracked: Tracked) -> ExportJobsError:
        """Return the error of an export that is left before its end."""
        if tracked.doubt is not None:
            return tracked.doubt.error
        if tracked.is_being_submitted:
            will_look = self._answers.ledger.is_durable and tracked.account.can("list_jobs")
            remedy = "exportjobs.resume_all looks for its job" if will_look else None
            return SubmitOutcomeUnknown("left before the answer to its submit", remedy=remedy)
        return _left(tracked)


def check_destination(tracked: Tracked, destination: Destination | None) -> None:
    """Check that an export's files can land where somebody wants them.

    Raises:
        InvalidArgument: If they land elsewhere already.
    """
    known = tracked.destination
    if known and destination and known.identity != destination.identity:
        reason = f"the files of {tracked.subject} are already on their way to {known}"
        raise InvalidArgument(
            "into", reason, remedy="pass the same place, or None to wait for them"
        )


def _left(tracked: Tracked) -> ExportJobsError:
    """Return the error of an export that is left while it is known how it stands."""
    if tracked.is_followed:
        reason = "left to another process, which is at work on it"
        return PollerClosed(reason, remedy="run it again to see what came of it")
    if tracked.ref is None:
        return PollerClosed("left before it was submitted", remedy="run it again")
    if not tracked.has_ended:
        return PollerClosed(f"still running at the vendor{last_error(tracked)}")
    awaited = "its files landed" if tracked.waiters else "anyone asked for its files"
    ended_badly = verdict(tracked.job) if tracked.job else None
    return ended_badly or PollerClosed(f"left before {awaited}")

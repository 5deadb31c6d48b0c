"""The entry point for event loops: one poller for all vendors and all jobs of a process."""

import random
from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Self

import anyio
from anyio import to_thread

from exportjobs._http.network import Backend
from exportjobs._http.origins import Hosts, is_public
from exportjobs._http.transport import Transport
from exportjobs._landing.destination import Destination
from exportjobs._landing.into import Into, Place, destination
from exportjobs._landing.pipeline import leave
from exportjobs._landing.source import Connections
from exportjobs._ledger.ledger import Ledger
from exportjobs._ledger.records import Records, work_of
from exportjobs._ledger.tables import Tables
from exportjobs._poller.arguments import (
    OnExit,
    Seconds,
    checked_accounts,
    checked_hosts,
    checked_max_downloads,
    checked_observers,
    checked_run_key,
    checked_works,
    duration,
    ledger_file,
)
from exportjobs._poller.closing import Closing
from exportjobs._poller.loop.account import Accounts
from exportjobs._poller.loop.answered import Answers
from exportjobs._poller.loop.loop import Loop, check_destination
from exportjobs._poller.loop.tracked import Tracked, job_of
from exportjobs._poller.results import Acceptance, Ending, Results
from exportjobs._schedule.clock import Clock, SystemClock
from exportjobs._schedule.schedule import Jitter
from exportjobs.adapter import Adapter
from exportjobs.adapter._adapter import Export, Work
from exportjobs.adapter._errors import ExportJobsError, InvalidArgument, WrongContext
from exportjobs.adapter._job import ExportJob, JobRef
from exportjobs.events import Finished, Observer, Observers, log

_DAY = timedelta(hours=24)


class Poller:
    """Submits exports, polls their jobs and lands their files, for any number of vendors at once.

    Enter it with `async with`; it may then be shared by all the tasks of an application. It owns
    every task that it starts, and nothing outlives it.
    """

    def __init__(
        self,
        *,
        accounts: Iterable[Adapter] = (),
        poll_interval: Seconds | None = None,
        deadline: Seconds | None = _DAY,
        on_exit: OnExit = "detach",
        grace: Seconds = 0.0,
        max_downloads: int = 4,
        download_hosts: Iterable[str] | None = None,
        download_timeout: Seconds = 30.0,
        ledger: Place | None = None,
        observers: Iterable[Observer] = (),
        clock: Clock | None = None,
        jitter: Jitter = random.uniform,
        transport: Backend | None = None,
    ) -> None:
        """Check the arguments; nothing is opened or sent yet.

        Args:
            accounts: Adapters whose jobs may be resumed or cancelled by their refs alone. Those of
                exports that are run or submitted need not be named.
            poll_interval: Seconds between two polls of a job, in place of what is learned of jobs.
            deadline: Seconds from submitting a job to giving up the wait for it; None never to.
            on_exit: Whether jobs that have not ended are left running at their vendors or cancelled
                when the poller is closed.
            grace: Seconds that files whose download has begun may take to land when it is closed.
            max_downloads: How many files are fetched at once.
            download_hosts: The only hosts that files are fetched from besides the vendors' own,
                such as "files.acme.com" or "*.amazonaws.com"; these may be in a private network.
                None for all that have a public address.
            download_timeout: Seconds without a byte after which a download is interrupted, and then
                resumed.
            ledger: An SQLite file, on a disk of this machine, that keeps a record of exports for
                later processes. None for the one that the environment variable EXPORTJOBS_LEDGER
                names, or for memory only if there is none; ":memory:" for memory only in any case.
            observers: Called with every event, besides the logger `exportjobs`.
            clock: Where the time comes from, and what waits.
            jitter: Draws a number between two bounds.
            transport: An httpx transport to use instead of the network, such as a mock.

        Raises:
            InvalidArgument: If an argument cannot be right.
        """
        if on_exit not in {"detach", "cancel"}:
            raise InvalidArgument("on_exit", f"{on_exit!r} is neither 'detach' nor 'cancel'")
        self._poll_interval = (
            None if poll_interval is None else duration("poll_interval", poll_interval)
        )
        self._deadline = None if deadline is None else duration("deadline", deadline)
        self._closing = Closing(on_exit == "cancel", duration("grace", grace).total_seconds())
        self._max_downloads = checked_max_downloads(max_downloads)
        self._hosts = Hosts.of(checked_hosts(download_hosts))
        self._stall = duration("download_timeout", download_timeout).total_seconds()
        self._clock = clock or SystemClock()
        self._ledger = Ledger(ledger_file(ledger), self._clock)
        self._observers = Observers((log, *checked_observers(observers)))
        self._jitter = jitter
        self._transport = transport
        self._named = checked_accounts(accounts)
        self._running: Loop | None = None

    async def __aenter__(self) -> Self:
        """Open the ledger and start the loop.

        Raises:
            LedgerFailed: If the ledger cannot be opened.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._ledger)
            connections = await self._open_connections(stack)
            accounts = await self._open_accounts(stack)
            self._tasks = anyio.create_task_group()
            await self._tasks.__aenter__()
            self._resources = stack.pop_all()
        self._running = Loop(
            Answers(self._clock, self._ledger, self._observers),
            accounts,
            connections,
            self._tasks,
            deadline=self._deadline,
            max_downloads=self._max_downloads,
        )
        self._tasks.start_soon(self._running.run)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        """Apply the exit policy, stop every task, and close every connection and the ledger.

        Also where the task is being cancelled, downloads have `grace` to end, and vendors a few
        seconds to cancel jobs where `on_exit` says so.
        """
        try:
            self._loop.stop(self._closing.grace)
            await self._closing.run(self._loop, self.outstanding)
            self._loop.abort()
            return await leave(self._tasks, exc_type, exc, traceback)
        finally:
            self._loop.abandon()
            self._running = None
            with anyio.CancelScope(shield=True):
                await self._resources.aclose()

    def close_now(self) -> None:
        """Do not wait for files or vendors any more while the poller is being closed."""
        self._closing.stop_now()

    @property
    def outstanding(self) -> tuple[JobRef, ...]:
        """The jobs that go on at their vendors, in the order taken up."""
        everyone = (one for account in self._accounts for one in account.outstanding)
        running = sorted((one for one in everyone if not one.has_ended), key=lambda t: t.number)
        return tuple(one.ref for one in running if one.ref)

    @property
    def records(self) -> Records:
        """What the ledger knows of exports, and what can be decided about them by hand."""
        return Records(self._ledger, self._accounts.adapter_of)

    def run(
        self,
        exports: Iterable[Work],
        *,
        into: Into | None,
        unpack: bool = False,
        run_key: str | None = None,
    ) -> Results:
        """Submit exports, poll their jobs until they end, and land their files.

        Everything starts at once; the results come in the order of completion, each when the async
        iterator that is returned is asked for it. A failed export is a result, not an exception.

        Args:
            exports: What to export, and jobs to resume.
            into: A folder, made if need be; the address of a bucket, such as "s3://bucket/prefix",
                or a store of obstore's; or a function that takes each file. None to leave the files
                at the vendor.
            unpack: Whether zip and tar archives are unpacked beside themselves, and the files in
                them handed over in their place.
            run_key: A name for the run, such as its logical date. In runs of one name, whichever
                processes they are in, an export is submitted once and landed once: a later run
                resumes what an earlier one began, and is handed what has landed. None for a run
                that has nothing to do with any other.

        Where the folder cannot be written, the iterator raises `DestinationFailed` in the place of
        results, and nothing was submitted.

        Raises:
            InvalidArgument: If something else than exports was passed, or accounts share a name.
        """
        works = checked_works(exports)
        key = checked_run_key(run_key)
        place = destination(into, self._clock, unpack=unpack)
        results = Results(len(works))
        waiters = (results,)
        everything = [
            self._loop.track(work, destination=place, waiters=waiters, run_key=key)
            for work in works
        ]
        for tracked in everything:
            self._loop.take_up(tracked)
        self._tasks.start_soon(self._begin, results, everything, place)
        return results

    async def _begin(
        self, results: Results, everything: Iterable[Tracked], place: Destination | None
    ) -> None:
        """Let exports go their way when the place where their files land is ready for them."""
        try:
            await _prepare(place)
        except ExportJobsError as error:
            for tracked in everything:
                self._loop.drop(tracked)
            results.fail(error)
        else:
            for tracked in everything:
                self._loop.begin(tracked)

    async def resume_all(self, *, into: Into | None, unpack: bool = False) -> Results:
        """Resume all that the ledger has outstanding on the accounts that were named.

        That is every job that has not ended or whose files have not landed, of whichever run, and
        every submit whose outcome is unknown; but nothing that another process is at work on.

        Args:
            into: Where the files are to land, as for `run`.
            unpack: As for `run`.

        Returns:
            The results, as of `run`.

        Raises:
            InvalidArgument: If an adapter does not know the kind of an export.
            DestinationFailed: If the folder cannot be written.
            LedgerFailed: If the ledger cannot be read.
        """
        place = destination(into, self._clock, unpack=unpack)
        await _prepare(place)
        entries = await self._ledger.write(Tables.claim, self._accounts.keys)
        results = Results(len(entries))
        for entry in entries:
            account = self._accounts.of_key(entry.account_key)
            tracked = self._loop.track(
                work_of(entry, account.session.adapter),
                destination=place,
                waiters=(results,),
                run_key=entry.run_key,
                row=entry.number,
            )
            self._loop.take_up(tracked)
            self._loop.begin(tracked)
        return results

    async def submit(self, export: Export) -> ExportJob:
        """Submit one export, when there is room for it, and return the job that it became.

        The job is polled from then on; `resume` with its ref waits for its end and lands its files.

        Raises:
            ExportJobsError: If it could not be submitted.
        """
        (work,) = checked_works([export])
        outcome = Acceptance()
        tracked = self._loop.track(work, waiters=(outcome,))
        self._loop.take_up(tracked)
        self._loop.begin(tracked)
        finished = await outcome.wait()
        if finished is not None:
            finished.raise_for_status()
        return job_of(tracked)

    async def resume(
        self, ref: JobRef, *, into: Into | None = None, unpack: bool = False
    ) -> Finished:
        """Wait for the end of a job and land its files, whichever process submitted it.

        Raises:
            InvalidArgument: If it is not a ref, or its files are on their way to another place.
            UnknownAccount: If its account was neither named nor seen in an export.
            DestinationFailed: If the folder cannot be written.
        """
        account = self._accounts.of_ref(ref)
        place, tracked = destination(into, self._clock, unpack=unpack), account.find(ref)
        if tracked is not None:
            check_destination(tracked, place)
        await _prepare(place)
        ending = Ending()
        # It may have come to its end meanwhile, or been taken up.
        tracked = account.find(ref)
        if tracked is not None:
            self._loop.wait_for(tracked, place, ending)
        else:
            work = account.session.adapter.resume(ref)
            tracked = self._loop.track(work, destination=place, waiters=(ending,))
            self._loop.take_up(tracked)
            self._loop.begin(tracked)
        return await ending.wait()

    async def cancel(self, ref: JobRef) -> ExportJob:
        """Cancel a job and return what its vendor then says of it.

        Cancelling a job that has ended is no error: its final state is returned.

        Raises:
            InvalidArgument: If it is not a ref.
            UnknownAccount: If its account was neither named nor seen in an export.
            Unsupported: If the vendor cannot cancel jobs.
            ExportJobsError: If the vendor refuses.
        """
        return await self._loop.cancel(ref)

    @property
    def _loop(self) -> Loop:
        if self._running is None:
            remedy = "enter it first: async with exportjobs.Poller() as poller"
            raise WrongContext("the poller is not running", remedy=remedy)
        return self._running

    @property
    def _accounts(self) -> Accounts:
        return self._loop.accounts

    async def _open_accounts(self, stack: AsyncExitStack) -> Accounts:
        """Open the accounts that were named; their connections are closed with the stack."""
        accounts = Accounts(
            clock=self._clock,
            jitter=self._jitter,
            poll_interval=self._poll_interval,
            transport=self._transport,
            submit_alone=self._ledger.is_durable,
            learned=await self._ledger.read(Tables.learned),
            connections=await stack.enter_async_context(AsyncExitStack()),
        )
        for adapter in self._named:
            accounts.of(adapter)
        return accounts

    async def _open_connections(self, stack: AsyncExitStack) -> Connections:
        """Open connections to the hosts that have files, to be closed with the stack."""
        files = partial(Transport, self._transport, connections=self._max_downloads)
        public = await stack.enter_async_context(files(admits=is_public))
        anywhere = await stack.enter_async_context(files())
        return Connections(public, anywhere, self._hosts, self._stall)


async def _prepare(place: Destination | None) -> None:
    """Make sure, in a thread, that files can be put to a place."""
    if place is not None:
        await to_thread.run_sync(place.prepare)

"""The entry points for plain code: the same loop, in a thread of its own."""

from collections.abc import Awaitable, Callable, Container, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue
from threading import Event
from typing import Unpack

import anyio
from anyio.abc import TaskStatus
from anyio.from_thread import BlockingPortal, start_blocking_portal

from exportjobs._landing.destination import Destination
from exportjobs._landing.into import Into, destination
from exportjobs._poller.arguments import (
    PollerOptions,
    ResumeOptions,
    check_lasting,
    check_named,
    checked_run_key,
    checked_works,
)
from exportjobs._poller.poller import Poller
from exportjobs._poller.results import Results
from exportjobs._schedule.clock import Clock, SystemClock
from exportjobs.adapter import Adapter
from exportjobs.adapter._adapter import Work
from exportjobs.adapter._errors import WrongContext
from exportjobs.events import Finished


def run(
    exports: Iterable[Work],
    *,
    into: Into | None,
    unpack: bool = False,
    run_key: str | None = None,
    **options: Unpack[PollerOptions],
) -> Iterator[Finished]:
    """Submit exports, poll their jobs, land their files, and yield each export as it finishes.

    A failed export is a result, not an exception that ends the loop: `raise_for_status` raises for
    those who want it. Leaving the loop early leaves the remaining jobs by `on_exit`.

    Args:
        exports: What to export, and jobs to resume.
        into: A folder, made if need be; the address of a bucket, such as "s3://bucket/prefix", or a
            store of obstore's; or a function that takes each file. None to leave the files at the
            vendor.
        unpack: Whether zip and tar archives are unpacked beside themselves, and the files in them
            handed over in their place.
        run_key: A name for the run, such as its logical date: in runs of one name on one ledger, an
            export is submitted once and landed once. It needs a ledger. See `Poller.run`.
        **options: The keyword arguments of `Poller`.

    Raises:
        WrongContext: If an event loop is running in this thread; there, use `Poller`.
        InvalidArgument: If an argument cannot be right; nothing was sent.
        DestinationFailed: If the folder cannot be written; nothing was sent.
        LedgerFailed: If the ledger cannot be opened; nothing was sent.
    """
    _refuse_inside_a_loop()
    _check_names("run", options, PollerOptions.__optional_keys__)
    poller = Poller(**options)
    works, key = checked_works(exports), checked_run_key(run_key)
    check_lasting(key, options.get("ledger"))
    place = _prepared(into, options.get("clock"), unpack=unpack)

    async def begin() -> Results:
        return poller.run(works, into=place, run_key=key)

    return _finished(poller, begin)


def resume_all(
    accounts: Iterable[Adapter],
    *,
    into: Into | None,
    unpack: bool = False,
    **options: Unpack[ResumeOptions],
) -> Iterator[Finished]:
    """Resume all that a ledger has outstanding on some accounts; see `Poller.resume_all`.

    Args:
        accounts: The adapters of the accounts.
        into: As for `run`.
        unpack: As for `run`.
        **options: The other keyword arguments of `Poller`; the `ledger` has to be named.

    Raises:
        WrongContext: If an event loop is running in this thread; there, use `Poller`.
        InvalidArgument: If an argument cannot be right; nothing was sent.
        DestinationFailed: If the folder cannot be written; nothing was sent.
        LedgerFailed: If the ledger cannot be opened; nothing was sent.
    """
    _refuse_inside_a_loop()
    _check_names("resume_all", options, ResumeOptions.__optional_keys__)
    poller = Poller(**options, accounts=accounts)
    check_named(options.get("ledger"))
    place = _prepared(into, options.get("clock"), unpack=unpack)
    return _finished(poller, lambda: poller.resume_all(into=place))


def _prepared(into: Into | None, clock: Clock | None, *, unpack: bool) -> Destination | None:
    """Return where files are to land, ready to take them."""
    place = destination(into, clock or SystemClock(), unpack=unpack)
    if place is not None:
        place.prepare()
    return place


def _finished(poller: Poller, begin: Callable[[], Awaitable[Results]]) -> Iterator[Finished]:
    """Yield what a poller in another thread finishes; leaving early cancels it and waits."""
    arrivals: SimpleQueue[Finished | None] = SimpleQueue()
    closed = Event()

    async def pump(*, task_status: TaskStatus[None]) -> None:
        task_status.started()
        try:
            async with poller:
                async for finished in await begin():
                    arrivals.put(finished)
        finally:
            closed.set()

    with _portal() as portal:
        # Begun for sure: it could else be cancelled before it reports that it is closed.
        pumping, _ = portal.start_task(pump)
        pumping.add_done_callback(lambda _: arrivals.put(None))
        try:
            while (finished := arrivals.get()) is not None:
                yield finished
            pumping.result()
        finally:
            pumping.cancel()
            _wait(closed, partial(portal.call, poller.close_now))


@contextmanager
def _portal() -> Generator[BlockingPortal]:
    """Open a portal to an event loop in a thread, and close it whatever happens.

    anyio's own waits for ever for a thread that it has started and cannot stop yet, if it is
    interrupted before the loop runs: so somebody else opens it, who is not interrupted.
    """
    opening = start_blocking_portal()
    with ThreadPoolExecutor(1) as opener:
        opened = opener.submit(opening.__enter__)
        try:
            yield opened.result()
        finally:
            opened.result()
            opening.__exit__(None, None, None)


def _wait(closed: Event, close_now: Callable[[], None]) -> None:
    """Wait until a poller is closed; a second interrupt closes it at once."""
    try:
        closed.wait()
    except BaseException:
        close_now()
        closed.wait()
        raise


def _check_names(function: str, options: Iterable[str], known: Container[str]) -> None:
    """Refuse an unknown option as Python does, naming the function that was called."""
    for name in options:
        if name not in known:
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")


def _refuse_inside_a_loop() -> None:
    try:
        anyio.get_current_task()
    except RuntimeError:
        return
    raise WrongContext(
        "exportjobs.run was called inside a running event loop",
        remedy="there, use: async with exportjobs.Poller() as poller, "
        "then async for finished in poller.run(...)",
    )

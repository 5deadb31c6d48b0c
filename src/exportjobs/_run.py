"""The synchronous door: the same loop, behind a portal to a thread of its own."""

from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from typing import Unpack

import anyio
from anyio.from_thread import start_blocking_portal

from exportjobs._clock import SystemClock
from exportjobs._destination import Destination
from exportjobs._errors import WrongDoor
from exportjobs._finished import Finished, Work
from exportjobs._inputs import checked_run_key, checked_works
from exportjobs._into import Into, destination
from exportjobs._options import PollerOptions
from exportjobs._poller import Poller


def run(
    exports: Iterable[Work],
    *,
    into: Into | None,
    unpack: bool = False,
    run_key: str | None = None,
    **options: Unpack[PollerOptions],
) -> Iterator[Finished]:
    """Submit exports, see their jobs to the end, land their files, and yield each as it finishes.

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
            export is submitted once and landed once. See `Poller.run`.
        **options: The keyword arguments of `Poller`.

    Raises:
        WrongDoor: If an event loop is running in this thread; there, use `Poller`.
        InvalidArgument: If an argument cannot be right; nothing was sent.
        DestinationFailed: If the folder cannot be written; nothing was sent.
        LedgerFailed: If the ledger cannot be opened; nothing was sent.
    """
    _refuse_inside_a_loop()
    poller = Poller(**options)
    works = checked_works(exports)
    place = destination(into, options.get("clock") or SystemClock(), unpack=unpack)
    return _finished(poller, works, place, checked_run_key(run_key))


def _finished(
    poller: Poller, works: tuple[Work, ...], place: Destination | None, run_key: str | None
) -> Iterator[Finished]:
    """Yield what a poller in another thread finishes; leaving early cancels it and waits."""
    arrivals: SimpleQueue[Finished | None] = SimpleQueue()

    async def pump() -> None:
        async with poller:
            async for finished in poller.run(works, into=place, run_key=run_key):
                arrivals.put(finished)

    with start_blocking_portal() as portal:
        pumping = portal.start_task_soon(pump)
        pumping.add_done_callback(lambda _: arrivals.put(None))
        try:
            while (finished := arrivals.get()) is not None:
                yield finished
            pumping.result()
        finally:
            pumping.cancel()


def _refuse_inside_a_loop() -> None:
    try:
        anyio.get_current_task()
    except RuntimeError:
        return
    raise WrongDoor(
        "exportjobs.run was called inside a running event loop",
        remedy="there, use: async with exportjobs.Poller() as poller, "
        "then async for finished in poller.run(...)",
    )

"""What outlived a poller, in the process and beside its ledger."""

import threading
from pathlib import Path

_ENDS_WITHIN = 1.0


def remains(backend: str) -> list[str]:
    """Return the threads and sockets that are left, but for the threads that trio keeps."""
    others = [one for one in threading.enumerate() if one is not threading.main_thread()]
    for thread in others if backend == "asyncio" else ():
        # They have been told to end, and nobody waited for that.
        thread.join(_ENDS_WITHIN)
    threads = [one.name for one in others if one.is_alive() and backend == "asyncio"]
    files = map(_target, Path("/proc/self/fd").iterdir())
    return threads + [one for one in files if one.startswith("socket")]


def useless(ledger: Path, folder: Path) -> list[str]:
    """Return the names of files that nobody has a use for any more.

    Half a file has a note beside it, by which another process goes on; so have the files of a job.
    """
    beside = [one.name for one in ledger.parent.glob(f"{ledger.name}?*")]
    names = {one.name for one in folder.iterdir()} if folder.is_dir() else set[str]()
    halves = {one for one in names if one.endswith(".part")} - {
        one for one in names if one.endswith(".manifest.json.part")
    }
    notes = {one.removesuffix(".json") for one in names if one.endswith(".part.json")}
    return beside + sorted(halves ^ notes)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""

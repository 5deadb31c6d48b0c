"""What every downloader shares: what it is to fetch, how it takes turns, and its figures."""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

CHUNK = 1 << 20
PLACEHOLDER = "{}"


@dataclass(frozen=True)
class Wanted:
    """The files to fetch."""

    base_url: str
    folder: Path
    path: str
    """Of the file at the server; of several it holds a placeholder for their numbers."""
    count: int
    at_once: int
    headers: Mapping[str, str]
    options: Mapping[str, Any]
    """What one contender alone knows about."""

    @property
    def files(self) -> list[tuple[str, Path]]:
        """Each file's address, and where it is to land."""
        paths = [self.path.replace(PLACEHOLDER, str(number)) for number in range(self.count)]
        return [(f"{self.base_url}{path}", self.folder / Path(path).name) for path in paths]


def fetch(main: Callable[[Wanted], object], *packages: str) -> None:
    """Run a downloader by its command line and print its figures as a line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--settings", type=json.loads, required=True)
    given = parser.parse_args()
    settings = {"count": 1, "at_once": 1, "headers": {}, "options": {}, **given.settings}
    settings["folder"] = Path(settings["folder"])
    wanted = Wanted(base_url=given.base_url, **settings)
    began, busy = time.perf_counter(), _busy()
    said = main(wanted) or {}
    figures = {
        "wall": time.perf_counter() - began,
        "cpu": _busy() - busy,
        "rss": peak("self"),
        "versions": {name: version(name) for name in packages},
        **said,
    }
    print(f"\n{json.dumps(figures)}", flush=True)


def _busy() -> float:
    """Return the CPU seconds of this process and of those it has waited for."""
    return sum(os.times()[:4])


def peak(pid: int | str) -> float:
    """Return the most memory that a process has held at once, in MB; 0 where nobody tells."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:"))


def each(one: Callable[[str, Path], object], wanted: Wanted) -> None:
    """Fetch all the files, as many at once as are wanted, in a thread each."""
    if wanted.count == 1:
        one(*wanted.files[0])
        return
    with ThreadPoolExecutor(wanted.at_once) as pool:
        for _ in pool.map(lambda file: one(*file), wanted.files):
            pass


async def each_async(one: Callable[[str, Path], Awaitable[object]], wanted: Wanted) -> None:
    """Fetch all the files, as many at once as are wanted, in a task each."""
    turn = asyncio.Semaphore(wanted.at_once)

    async def in_turn(url: str, target: Path) -> None:
        async with turn:
            await one(url, target)

    async with asyncio.TaskGroup() as tasks:
        for url, target in wanted.files:
            tasks.create_task(in_turn(url, target))

"""Downloads against peers: what it takes to bring bytes from nginx to files.

All run in turn, round by round, each in a process of its own; see the README beside this file.
"""

import argparse
import json
import random
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from _download_contest import (
    ASIDE,
    HASHED,
    MANY,
    MD5_ALONE,
    NAIVE,
    ONE_BIG,
    ONE_MEDIUM,
    OURS,
    OURS_JOBS,
    OURS_JOBS_TRIO,
    OURS_TRIO,
    OURS_UNHASHED,
    OVER_TLS,
    RAW,
    TASKS,
    WITH_MD5,
    Contest,
    Entry,
    Sample,
    Task,
)
from _downloader import Downloader, interpreters, run
from _downloads_report import draw, report
from _environments import OURS as OUR_ENVIRONMENT
from _environments import OURS_ON_TRIO, cache
from _nginx import EACH_JOB, SMALL_FILES, Host, nginx
from _program import DOCS, display, interruptible
from rich.console import Console

Turn = tuple[Task, Downloader]

_PLAIN = (ONE_BIG, ONE_MEDIUM)
_USUAL = (*_PLAIN, MANY, OVER_TLS)
_KEPT = "downloads.json"
_PATIENCE = 300


def _ours(
    name: str, *tasks: Task, trio: bool = False, quick: bool = False, **options: object
) -> Entry:
    environment = OURS_ON_TRIO if trio else OUR_ENVIRONMENT
    told = {"backend": "trio" if trio else "asyncio", **options}
    return Entry(
        Downloader(name, "exportjobs_download", environment, told, ours=True), tasks, quick=quick
    )


def _peer(name: str, script: str, *, quick: bool = False) -> Entry:
    environment, _, _ = name.partition(",")
    return Entry(Downloader(name, script, environment), _USUAL, quick=quick)


def _program(name: str, program: str, *, quick: bool = False) -> Entry:
    options = {"program": program}
    return Entry(
        Downloader(name, "program_download", options=options, program=program), _USUAL, quick=quick
    )


def _plain(name: str, script: str, *tasks: Task, quick: bool = False, **options: object) -> Entry:
    """Return what needs no more than an interpreter."""
    return Entry(Downloader(name, script, options=options), tasks, quick=quick)


ENTRIES = (
    _plain(RAW, "raw_download", *_USUAL, WITH_MD5, quick=True),
    _plain(HASHED, "raw_download", *_PLAIN, OVER_TLS, digest="sha256", quick=True),
    _plain("raw loop, MD5", "raw_download", WITH_MD5, digest="md5"),
    _plain(MD5_ALONE, "digest_alone", WITH_MD5, digest="md5", quick=True),
    _plain(ASIDE, "raw_aside_download", ONE_BIG, OVER_TLS, digests=["sha256"], quick=True),
    _plain(ASIDE, "raw_aside_download", WITH_MD5, digests=["md5", "sha256"], quick=True),
    _ours(OURS, *_USUAL, WITH_MD5, quick=True),
    _ours(OURS_TRIO, *_USUAL, WITH_MD5, trio=True),
    _ours(OURS_UNHASHED, *_PLAIN, OVER_TLS, quick=True, unhashed=True),
    _ours(OURS_JOBS, MANY, quick=True, job=EACH_JOB, jobs=SMALL_FILES),
    _ours(OURS_JOBS_TRIO, MANY, trio=True, job=EACH_JOB, jobs=SMALL_FILES),
    _peer(NAIVE, "httpx_download", quick=True),
    _peer("requests, 1 MiB chunks", "requests_download", quick=True),
    _peer("aiohttp", "aiohttp_download"),
    _peer("huggingface_hub, http_get", "huggingface_download"),
    _peer("obstore", "obstore_download"),
    _peer("google-resumable-media", "google_download"),
    _program("curl", "curl", quick=True),
    _program("aria2", "aria2c"),
)


class Track:
    """Where downloaders run, one at a time."""

    def __init__(self, entries: Sequence[Entry], host: Host) -> None:
        """Make what is missing of their environments."""
        self.versions: dict[str, str] = {}
        self._pythons = interpreters(entry.downloader for entry in entries)
        self._host = host

    def sample(self, task: Task, downloader: Downloader) -> Sample:
        """Let a downloader fetch a task's files once, and return what that took."""
        if not downloader.is_installed:
            return Sample(error="not installed")
        host = self._host
        with TemporaryDirectory(dir=host.landing) as name:
            folder = Path(name)
            outcome = run(
                downloader,
                self._pythons[downloader.environment],
                host.encrypted if task.encrypted else host.plain,
                self._settings(task, downloader, folder),
                variables=host.trust,
                patience=_PATIENCE,
            )
            if outcome.error:
                return Sample(error=outcome.error)
            if downloader.name != MD5_ALONE and _landed(folder) != task.size:
                return Sample(error="other bytes than wanted")
        self.versions.update(outcome.figures["versions"])
        return Sample(*(outcome.figures[name] for name in ("wall", "cpu", "rss")))

    def _settings(self, task: Task, downloader: Downloader, folder: Path) -> dict[str, Any]:
        """Return what a downloader is to be told, of which it heeds what it has a use for."""
        told = {"job": task.job, "file": str(self._host.big)}
        if task.encrypted:
            told["authority"] = str(self._host.authority)
        return {
            "folder": str(folder),
            "path": task.path,
            "count": task.count,
            "at_once": task.at_once,
            "options": {**told, **downloader.options},
        }


def _landed(folder: Path) -> int:
    """Return how many bytes have landed."""
    return sum(path.stat().st_size for path in folder.glob("*.bin"))


def held(entries: Sequence[Entry], rounds: int) -> Contest:
    """Let all run in turn, again and again: what disturbs one disturbs the others."""
    turns = [(task, one.downloader) for task in TASKS for one in entries if task in one.tasks]
    figures: dict[tuple[str, str], list[Sample]] = {
        (task.name, downloader.name): [] for task, downloader in turns
    }
    console = Console(stderr=True)
    with console.status("making the files"), nginx() as host, display(console) as bars:
        track = Track(entries, host)
        bar = bars.add_task("", total=rounds * len(turns))
        # Not counted: memory that nobody has used before takes longer to come by.
        track.sample(*turns[0])
        for number in range(rounds):
            for task, downloader in _shuffled(turns, number):
                what = f"{downloader.name}, {task.name}"
                bars.update(bar, description=what)
                sample = track.sample(task, downloader)
                figures[task.name, downloader.name].append(sample)
                bars.update(bar, advance=1)
                if sample.error:
                    console.print(f"{what}: {sample.error}", markup=False, soft_wrap=True)
    tasks = [task for task in TASKS if any(task.name == where for where, _ in figures)]
    return Contest(tasks, figures, rounds, _command(), track.versions)


def _shuffled(turns: Sequence[Turn], number: int) -> list[Turn]:
    """Return a round's order: task by task, and within one so that neighbours change."""
    drawn = random.Random(number).sample(turns, len(turns))
    return sorted(drawn, key=lambda turn: TASKS.index(turn[0]))


def _command() -> str:
    return shlex.join(
        ["uv", "run", "--group", "benchmarks", "tests/benchmarks/downloads.py", *sys.argv[1:]]
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few downloaders, two rounds")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="downloaders with this in them"
    )
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="7 if not said")
    parser.add_argument("--redraw", action="store_true", help="report the last figures again")
    parser.add_argument("--into", type=Path, help="folder for the report; docs/benchmarks if whole")
    return parser.parse_args()


def _contest(asked: argparse.Namespace) -> Contest:
    kept = cache() / _KEPT
    if asked.redraw:
        return Contest.from_json(json.loads(kept.read_text(encoding="utf-8")))
    entries = [one for one in ENTRIES if one.quick or not asked.quick]
    if asked.only:
        entries = [
            one for one in ENTRIES if any(name in one.downloader.name for name in asked.only)
        ]
    contest = held(entries, 2 if asked.quick else asked.rounds)
    kept.write_text(json.dumps(contest.to_json()), encoding="utf-8")
    return contest


def main() -> None:
    """Hold the contest and report it."""
    asked = _asked()
    contest = _contest(asked)
    text = report(contest)
    sys.stdout.write(text)
    whole = not (asked.quick or asked.only or asked.redraw)
    folder = asked.into or (DOCS if whole else None)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "downloads.md").write_text(text, encoding="utf-8")
        draw(contest, folder / "downloads.svg")


if __name__ == "__main__":
    interruptible(main)

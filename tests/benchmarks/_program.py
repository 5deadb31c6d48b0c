"""What the commands share: their options, their progress display, and the order of runs."""

import argparse
import json
import os
import platform
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from _arena import Arena
from _contest import Contender, Result, Sample, Setting, as_json, from_json
from _environments import ROOT, cache, environments
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Entry = tuple[Contender, Setting]
DOCS = ROOT / "docs" / "benchmarks"
_USUAL = {"repetitions": 3, "at_once": 1, "refusal": 429}


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    name: str
    quick: bool
    only: list[str]
    repetitions: int
    at_once: int
    slow: bool
    redraw: bool
    refusal: int
    into: Path | None

    @property
    def command(self) -> str:
        """The command line that does the same again, wherever its report went."""
        words = ["uv run --group benchmarks", f"tests/benchmarks/{self.name}.py"]
        words += [f"--{flag}" for flag in ("quick", "slow") if getattr(self, flag)]
        words += [f"--only {shlex.quote(name)}" for name in self.only]
        for option, usual in _USUAL.items():
            if (value := getattr(self, option)) != usual:
                words.append(f"--{option.replace('_', '-')} {value}")
        return " ".join(words)

    @property
    def whole(self) -> bool:
        """Whether everything runs as usual: only then are the published figures replaced."""
        as_usual = all(getattr(self, option) == usual for option, usual in _USUAL.items())
        return as_usual and not (self.quick or self.only)

    @property
    def repeats(self) -> int:
        """How often each setting runs."""
        return 1 if self.quick else self.repetitions


def options(name: str, about: str | None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="few settings, once each")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="contenders with this in them"
    )
    for option, help_ in (
        ("--repetitions", "of each setting; 3 if not said"),
        ("--refusal", "HTTP status of a vendor without a free slot; 429 if not said"),
    ):
        usual = _USUAL[option.removeprefix("--").replace("-", "_")]
        parser.add_argument(option, type=int, default=usual, metavar="N", help=help_)
    parser.add_argument(
        "--at-once", type=int, metavar="N", help="contenders side by side; 1, or 2 if quick"
    )
    parser.add_argument("--slow", action="store_true", help="settings of many minutes, too")
    parser.add_argument("--redraw", action="store_true", help="report the last figures again")
    parser.add_argument("--into", type=Path, help="folder for the report; docs/benchmarks if whole")
    given = parser.parse_args()
    given.at_once = given.at_once or (2 if given.quick else 1)
    return Options(name=name, **vars(given))


def results(
    contenders: Sequence[Contender], knobs: Mapping[str, Any], asked: Options
) -> tuple[list[Result], Options]:
    """Run what was asked for, or return what came of the last time and what was asked for then."""
    kept = cache() / f"{asked.name}.json"
    if asked.redraw:
        written = json.loads(kept.read_text(encoding="utf-8"))
        return from_json(written["results"]), Options(**written["options"], into=asked.into)
    entries = [entry for entry in _entries(contenders) if _wanted(entry, asked)]
    found = _run(entries, knobs, asked)
    options = {name: value for name, value in asdict(asked).items() if name != "into"}
    kept.write_text(json.dumps({"options": options, "results": as_json(found)}), encoding="utf-8")
    return found, asked


def _entries(contenders: Sequence[Contender]) -> Iterator[Entry]:
    for contender in contenders:
        for setting in contender.settings:
            yield contender, setting


def _wanted(entry: Entry, asked: Options) -> bool:
    contender, setting = entry
    named = not asked.only or any(name in contender.name for name in asked.only)
    return named and (setting.quick or not asked.quick) and (asked.slow or not setting.slow)


def _run(entries: list[Entry], knobs: Mapping[str, Any], asked: Options) -> list[Result]:
    console = Console(stderr=True)
    with console.status("making the environments"):
        pythons = environments(contender.environment for contender, _ in entries)
    # Round by round, so that a disturbance spoils one run of some settings and not all of one.
    rounds = [
        entry
        for turn in range(asked.repeats)
        for entry in entries
        if turn == 0 or not (entry[1].once or entry[1].slow)
    ]
    samples: dict[int, list[Sample]] = {id(setting): [] for _, setting in entries}
    with Arena(pythons, patience=900) as arena, display(console) as progress:
        bar = progress.add_task("", total=len(rounds))
        for (contender, setting), sample in _all(arena, rounds, knobs, asked.at_once):
            samples[id(setting)].append(sample)
            what = f"{contender.name}, {setting.label}"
            progress.update(bar, advance=1, description=what)
            if sample.error:
                console.print(f"{what}: {sample.error}", markup=False)
    return [
        Result(
            contender.name,
            setting.label,
            contender.ours,
            setting.own_pace,
            tuple(samples[id(setting)]),
        )
        for contender, setting in entries
    ]


def _all(
    arena: Arena, rounds: Sequence[Entry], knobs: Mapping[str, Any], at_once: int
) -> Iterator[tuple[Entry, Sample]]:
    pool = ThreadPoolExecutor(at_once)
    running: dict[Future[Sample], Entry] = {}
    try:
        for contender, setting in rounds:
            running[pool.submit(arena.run, contender, setting, knobs)] = (contender, setting)
        for future in as_completed(running):
            yield running[future], future.result()
    finally:
        # On Ctrl-C, too: whoever is still in the arena is thrown out before anyone is waited for.
        pool.shutdown(wait=False, cancel_futures=True)
        if not all(future.done() for future in running):
            arena.clear()
        pool.shutdown()


def display(console: Console) -> Progress:
    """Return a bar that tells how far a run is."""
    columns = (MofNCompleteColumn(), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, TextColumn("{task.description}", markup=False), console=console)


def interruptible(main: Callable[[], None]) -> None:
    """Run a command that Ctrl-C ends without a traceback."""
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)


def machine() -> str:
    """Describe the machine in general words."""
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def publish(text: str, asked: Options) -> Path | None:
    """Print a report, and write it where it belongs; return the folder, if there is one."""
    sys.stdout.write(text)
    folder = asked.into or (DOCS if asked.whole else None)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{asked.name}.md").write_text(text, encoding="utf-8")
    return folder

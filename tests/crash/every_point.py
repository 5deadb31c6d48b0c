"""Kills a run at every moment that there is, one after the other, and says what it came to.

    python -m tests.crash.every_point [LABEL ...]

`EXPORTJOBS_CRASH_SEED` draws another order. It takes minutes, and prints what did not hold.
"""

import json
import os
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeAlias

from .nights import CHOICES, LABELS, Nights

_SEED = int(os.environ.get("EXPORTJOBS_CRASH_SEED", "20240917"))
_AT_ONCE = 3

Point: TypeAlias = tuple[str, int, str, int]


def points(root: Path, labels: list[str]) -> list[Point]:
    """Return every moment of the accounts: whose, of how many exports, of which kind, and which."""
    found: list[Point] = []
    with Nights.open(root, random.Random(_SEED)) as nights:  # noqa: S311 - the same each time
        for label in labels:
            wanted, seen = nights.moments(label)
            found += [(label, wanted, kind, n) for kind in seen for n in range(1, seen[kind] + 1)]
    return found


def survive(root: Path, left: SimpleQueue[tuple[int, Point]]) -> Counter[str]:
    """Kill at the moments that are left, until there are none."""
    came_to = Counter[str]()
    with Nights.open(root, random.Random(_SEED)) as nights:  # noqa: S311 - as above
        while True:
            try:
                number, (label, wanted, kind, step) = left.get_nowait()
            except Empty:
                return came_to
            dies, choice = {"kind": kind, "step": step}, CHOICES[number % len(CHOICES)]
            try:
                came_to[nights.survive(label, wanted, dies, choice)] += 1
            except AssertionError:
                came_to["failed"] += 1
                print(label, dies, choice, traceback.format_exc(limit=-3), flush=True)  # noqa: T201
                break
    return came_to + survive(root / "again", left)


def main(labels: list[str]) -> None:
    """Kill everywhere and print what it came to."""
    began, left = time.monotonic(), SimpleQueue[tuple[int, Point]]()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(_AT_ONCE) as pool:
        found = points(Path(folder, "counted"), labels)
        for one in enumerate(found):
            left.put(one)
        roots = [Path(folder, str(number)) for number in range(_AT_ONCE)]
        came_to = sum(pool.map(lambda root: survive(root, left), roots), Counter[str]())
    seconds = round(time.monotonic() - began)
    by_label = Counter(label for label, *_ in found)
    print(json.dumps({"points": by_label, "came_to": came_to, "seconds": seconds}))  # noqa: T201
    sys.exit(1 if came_to["failed"] else 0)


if __name__ == "__main__":
    main(sys.argv[1:] or list(LABELS))

"""What every contender shares: its arguments, its figures, and a pool as wide as it needs."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

Settings = Mapping[str, Any]


def contend(main: Callable[[str, Settings], None], *packages: str) -> None:
    """Run a contender by its command line and print its figures as a line of JSON.

    What was imported before this is called counts as importing.
    """
    importing = time.process_time()
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--settings", type=json.loads, default={})
    given = parser.parse_args()
    main(given.base_url, given.settings)
    figures = {
        "cpu": time.process_time(),
        "importing": importing,
        "versions": {name: version(name) for name in packages},
    }
    # A peer may write to standard output what it likes: the figures are its last line.
    sys.stdout.write(f"\n{json.dumps(figures)}\n")


def in_threads(one: Callable[[int], object], settings: Settings) -> None:
    """Do something for each job in a thread of its own: all of them at once."""
    jobs = settings["jobs"]
    with ThreadPoolExecutor(settings.get("threads", jobs)) as pool:
        for _ in pool.map(one, range(jobs)):
            pass

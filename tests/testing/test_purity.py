"""What counts as more than computing, by whatever name it goes; and what does not."""

import gc
import hashlib
import io
import json
import logging
import os
import random
import re
import select
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic as elapsed
from zoneinfo import ZoneInfo

import pytest

from exportjobs.testing._purity import Deed, besides_computing, deed

Act = Callable[[], object]


def deed_of(act: Act) -> Deed | None:
    """Return what an act does when it is called from here."""

    def called_from_here() -> object:
        return act()

    return deed(called_from_here, "tests")


IMPURE: dict[str, Act] = {
    "reads the clock (time.time)": time.time,
    "reads the clock (time.monotonic)": elapsed,
    "reads the clock (time.perf_counter_ns)": time.perf_counter_ns,
    "reads the clock (datetime.now)": lambda: datetime.now(UTC),
    "reads the clock (date.today)": date.today,
    "sleeps (time.sleep)": lambda: time.sleep(60),
    "opens a file (io.open)": lambda: Path(__file__).read_text(),
    "calls the operating system (posix.listdir)": os.listdir,
    "calls the operating system (posix.getcwd)": Path.cwd,
    "reads or writes a file (file.write)": lambda: sys.__stdout__.write("x"),  # type: ignore[union-attr]
    "prints (builtins.print)": lambda: print("x"),  # noqa: T201
    "waits for input (builtins.input)": input,
    "uses the network (socket.getaddrinfo)": lambda: socket.getaddrinfo("localhost", 1),
    "opens a database (sqlite3.connect)": lambda: sqlite3.connect("x.db"),
    "waits for I/O (select.select)": lambda: select.select([], [], [], 60),
    "starts a thread": lambda: threading.Thread(target=int).start(),
    "reads the environment (os.environ)": lambda: os.environ.get("HOME"),
    "uses random numbers (random.random)": random.random,
    "uses random numbers (random.getrandbits)": lambda: random.randint(1, 6),  # noqa: S311
    "uses random numbers (posix.urandom)": uuid.uuid4,
}
PURE: dict[str, Act] = {
    "json": lambda: json.loads(json.dumps({"a": [1, None]})),
    "text": lambda: re.sub("a", "b", "abc").encode().hex(),
    "memory": lambda: io.StringIO("a,b").readline(),
    "paths": lambda: Path("a") / "b",
    "digests": lambda: hashlib.sha256(b"x").hexdigest(),
    "times": lambda: datetime(2026, 1, 1, tzinfo=UTC).astimezone(UTC).isoformat(),
    "zones": lambda: ZoneInfo.no_cache("Europe/Berlin"),
    "addresses": lambda: socket.inet_pton(socket.AF_INET, "127.0.0.1"),
    "imports": lambda: __import__("colorsys"),
}


@pytest.mark.parametrize(("what", "act"), IMPURE.items(), ids=IMPURE)
def test_whatever_does_more_than_compute_is_seen_and_prevented(what: str, act: Act) -> None:
    """Nothing is waited for, sent or left behind."""
    found = deed_of(act)

    assert found is not None
    assert found.what.startswith(what)


@pytest.mark.parametrize("act", PURE.values(), ids=PURE)
def test_what_only_computes_is_let_pass(act: Act) -> None:
    """Even if it has to import a module, or to read what is as good as a constant."""
    sys.modules.pop("colorsys", None)

    assert deed_of(act) is None


def test_the_line_that_is_blamed_is_the_packages_own() -> None:
    """Not the one in the library that it called."""
    found = deed_of(lambda: logging.getLogger("x").error("x"))

    assert found is not None
    assert re.fullmatch(r"test_purity\.py:\d+", found.where)


def test_what_other_packages_do_by_themselves_is_not_blamed() -> None:
    """Only what a package's own code leads to counts."""
    assert deed(time.time, "acme") is None


def test_a_method_is_known_by_what_it_belongs_to() -> None:
    """A socket's, wherever it came from."""
    with socket.socket() as one:
        assert besides_computing(one.connect) == "uses the network (socket.connect)"
    assert besides_computing([].append) is None
    assert besides_computing(object().__repr__) is None


def test_what_a_collection_of_garbage_runs_is_nobodys_deed() -> None:
    """It may come at any moment."""

    class Closing:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            time.time()

    Closing()
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        assert deed_of(lambda: [[] for _ in range(1000)]) is None
    finally:
        gc.set_threshold(*before)


def test_a_profiler_that_was_there_is_there_again() -> None:
    """The contract leaves nothing behind."""
    calls: list[str] = []

    def profiler(_: object, event: str, __: object) -> None:
        calls.append(event)

    sys.setprofile(profiler)
    try:
        deed_of(time.time)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)


def test_nothing_is_started_either() -> None:
    """A process would outlive the test."""
    found = deed_of(lambda: subprocess.run([sys.executable, "-V"], check=False))

    assert found is not None

"""Side effects of code: I/O, clocks, random numbers, threads, the environment.

Every call of a C function is seen, whatever name the code uses for it, and the first one with a
side effect is prevented: nothing is opened, sent or waited for.
"""

import _random
import gc
import io
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any

from attrs import frozen

_LIBRARY = "exportjobs"
_TESTS = f"{_LIBRARY}.testing."
_IMPORTS = "<frozen importlib"
_CONSTANTS = "zoneinfo"
"""Reads files, but their contents do not change."""

_BY_MODULE: Mapping[str, str] = {
    "_posixsubprocess": "starts a process",
    "_socket": "uses the network",
    "_sqlite3": "opens a database",
    "_uuid": "uses random numbers",
    "_winapi": "starts a process",
    "nt": "calls the operating system",
    "posix": "calls the operating system",
    "select": "waits for I/O",
}
_BY_NAME: Mapping[tuple[str, str], str] = {
    ("_io", "open"): "opens a file",
    ("io", "open"): "opens a file",
    ("_thread", "start_joinable_thread"): "starts a thread",
    ("_thread", "start_new_thread"): "starts a thread",
    ("builtins", "input"): "waits for input",
    ("builtins", "print"): "prints",
    ("nt", "urandom"): "uses random numbers",
    ("posix", "urandom"): "uses random numbers",
    ("time", "sleep"): "sleeps",
    **{
        ("time", name): "reads the clock"
        for clock in ("time", "monotonic", "perf_counter", "process_time", "thread_time")
        for name in (clock, f"{clock}_ns")
    },
}
_HARMLESS = {
    ("nt", "fspath"),
    ("posix", "fspath"),
    ("_socket", "inet_aton"),
    ("_socket", "inet_pton"),
}
_ENVIRONMENT = type(os.environ).__getitem__.__code__
_IN_MEMORY = (io.BytesIO, io.StringIO)


@frozen
class Deed:
    """A side effect, and the line that had it."""

    what: str
    """Such as "reads the clock (time.time)"."""
    where: str
    """Such as "acme.py:31"."""


class _Prevented(BaseException):
    """Ends code that was about to have a side effect; not an Exception: no adapter catches it."""


def deed(act: Callable[[], object], package: str) -> Deed | None:
    """Return the first side effect of a package's code, which is prevented.

    Side effects of the library itself, and of importing modules, do not count.
    """
    watcher = _Watcher(package)
    with suppress(_Prevented), _profiled_by(watcher):
        act()
    return watcher.seen


@contextmanager
def _profiled_by(watcher: "_Watcher") -> Generator[None]:
    before, collecting = sys.getprofile(), gc.isenabled()
    # A garbage collection may close a file of other code, which would be blamed on this one.
    gc.disable()
    sys.setprofile(watcher)
    try:
        yield
    finally:
        sys.setprofile(before)
        if collecting:
            gc.enable()


class _Watcher:
    """Sees every call that an interpreter makes."""

    def __init__(self, package: str) -> None:
        self.seen: Deed | None = None
        self._package = package

    def __call__(self, frame: FrameType, event: str, function: Any) -> None:  # noqa: ANN401 - C's
        if event == "c_call":
            what = besides_computing(function)
        elif event == "call" and frame.f_code is _ENVIRONMENT:
            what = "reads the environment (os.environ)"
        else:
            return
        where = self._blamed(frame) if what else None
        if what and where:
            self.seen = self.seen or Deed(what, where)
            raise _Prevented

    def _blamed(self, frame: FrameType | None) -> str | None:
        """Return the package's line that led here, unless the library or an import did."""
        inner, ours = None, False
        while frame is not None and not _is_exempt(frame):
            module = str(frame.f_globals.get("__name__", ""))
            if module.partition(".")[0] == _LIBRARY:
                ours = module.startswith(_TESTS)
                break
            if module.partition(".")[0] == self._package:
                return _line(frame)
            inner, frame = inner or frame, frame.f_back
        return _line(inner) if inner and ours else None


def _is_exempt(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    return frame.f_code.co_filename.startswith(_IMPORTS) or module.startswith(_CONSTANTS)


def _line(frame: FrameType) -> str:
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def besides_computing(function: Any) -> str | None:  # noqa: ANN401 - a function written in C
    """Return the side effect of calling a function; None if it has none."""
    name, module = function.__name__, getattr(function, "__module__", None)
    if module is None:
        return _by_owner(name, getattr(function, "__self__", None))
    if (module, name) in _HARMLESS:
        return None
    what = _BY_NAME.get((module, name)) or _BY_MODULE.get(module)
    return what and f"{what} ({module.lstrip('_')}.{name})"


def _by_owner(name: str, owner: object) -> str | None:
    """Return the side effect of a method, by the object or class that it belongs to."""
    kind = type(owner)
    if isinstance(owner, type) and issubclass(owner, date):
        reads = name in {"now", "today", "utcnow"}
        return f"reads the clock ({owner.__name__}.{name})" if reads else None
    if isinstance(owner, _random.Random):
        return f"uses random numbers (random.{name})"
    if isinstance(owner, io.IOBase) and not isinstance(owner, _IN_MEMORY):
        return f"reads or writes a file (file.{name})"
    what = _BY_MODULE.get(kind.__mro__[-2:][0].__module__)
    return what and f"{what} ({kind.__name__}.{name})"

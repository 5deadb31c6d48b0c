"""What code does besides computing: I/O, clocks, chance, threads, the environment.

Every call into C is seen, whatever name it goes by, and the first that does more than compute is
prevented: nothing is opened, sent or waited for.
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
"""Reads files, whose contents are as good as a constant."""

_BY_MODULE: Mapping[str, str] = {
    "_posixsubprocess": "starts a process",
    "_socket": "uses the network",
    "_sqlite3": "opens a database",
    "_uuid": "draws at random",
    "_winapi": "starts a process",
    "nt": "asks the operating system",
    "posix": "asks the operating system",
    "select": "waits for I/O",
}
_BY_NAME: Mapping[tuple[str, str], str] = {
    ("_io", "open"): "opens a file",
    ("io", "open"): "opens a file",
    ("_thread", "start_joinable_thread"): "starts a thread",
    ("_thread", "start_new_thread"): "starts a thread",
    ("builtins", "input"): "waits for input",
    ("builtins", "print"): "prints",
    ("nt", "urandom"): "draws at random",
    ("posix", "urandom"): "draws at random",
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
    """Something that code did besides computing, and the line that did it."""

    what: str
    """Such as "reads the clock (time.time)"."""
    where: str
    """Such as "acme.py:31"."""


class _Prevented(BaseException):
    """Unwinds the code that was about to do more than compute; no adapter may catch it."""


def deed(act: Callable[[], object], package: str) -> Deed | None:
    """Return the first thing besides computing that a package's code does, which is prevented.

    What the library itself does on the way is not counted, nor is the importing of modules.
    """
    watcher = _Watcher(package)
    with suppress(_Prevented), _profiled_by(watcher):
        act()
    return watcher.seen


@contextmanager
def _profiled_by(watcher: "_Watcher") -> Generator[None]:
    before, collecting = sys.getprofile(), gc.isenabled()
    # What a collection runs, such as the closing of a file, is nobody's deed.
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
        """Return the package's line that led here, unless it was the library or an import."""
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
    """Return what a call of a function does besides computing; None if it only computes."""
    name, module = function.__name__, getattr(function, "__module__", None)
    if module is None:
        return _by_owner(name, getattr(function, "__self__", None))
    if (module, name) in _HARMLESS:
        return None
    what = _BY_NAME.get((module, name)) or _BY_MODULE.get(module)
    return what and f"{what} ({module.lstrip('_')}.{name})"


def _by_owner(name: str, owner: object) -> str | None:
    """Tell of a method by the object, or the class, that it belongs to."""
    kind = type(owner)
    if isinstance(owner, type) and issubclass(owner, date):
        reads = name in {"now", "today", "utcnow"}
        return f"reads the clock ({owner.__name__}.{name})" if reads else None
    if isinstance(owner, _random.Random):
        return f"draws at random (random.{name})"
    if isinstance(owner, io.IOBase) and not isinstance(owner, _IN_MEMORY):
        return f"reads or writes a file (file.{name})"
    what = _BY_MODULE.get(kind.__mro__[-2:][0].__module__)
    return what and f"{what} ({kind.__name__}.{name})"

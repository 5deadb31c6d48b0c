"""What ends a test that hangs, whatever it hangs in, and says where everything stood.

pytest-timeout ends it with one exception raised in the midst of whatever runs. Where an event loop
waits for a test, that leaves the loop with the test's tasks, which it then waits for without an
end. So its timer is replaced, as it allows: first the test is cancelled, as a task that is waited
for too long; then exceptions are raised, again and again; then the process ends, which pytest-xdist
reports as the failure of this test and replaces.
"""

import inspect
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from types import FrameType
from typing import Any, Final

import anyio
import pytest
from anyio.lowlevel import current_token
from attrs import define
from pytest_timeout import is_debugging  # type: ignore[import-untyped]
from tests.support.places import places

AGAIN = 5.0
"""Seconds until a test that does not end is struck once more."""
_STRIKES: Final = 4


@define
class Watch:
    """A test under way, and what is to be done if it takes too long."""

    item: pytest.Item
    seconds: float
    cancel: Callable[[], None] | None = None
    """What cancels the test, where it is waited for by an event loop."""
    phase: str | None = None
    message: str | None = None
    strikes: int = 0

    def strike(self, _: int, frame: FrameType | None) -> None:
        """Cancel the test, or raise, or end the process: whichever has not been tried yet."""
        if is_debugging():
            return
        self.strikes += 1
        if self.message is None:
            late = (
                f"{self.item.name} hangs: it did not end in {self.seconds:g} s of wall-clock time"
            )
            self.message = "\n  ".join((late, *places(frame)))
        if self.strikes > _STRIKES:
            self._end_the_process()
        elif self.strikes == 1 and self.cancel is not None:
            self.cancel()
        elif self.phase is not None:
            raise pytest.fail.Exception(self.message, pytrace=False)

    @contextmanager
    def during(self, phase: str) -> Iterator[None]:
        """Let exceptions be raised until the block is left, and fail whatever came of one."""
        self.phase = phase
        struck = self.message is not None
        try:
            yield
        except BaseException:
            if self.message is None or struck:
                raise
            raise pytest.fail.Exception(self.message, pytrace=False) from None
        else:
            if self.message is not None and not struck:
                pytest.fail(self.message, pytrace=False)
        finally:
            self.phase = None

    def _end_the_process(self) -> None:
        capture = self.item.config.pluginmanager.getplugin("capturemanager")
        if capture is not None:
            capture.suspend_global_capture(in_=True)
        sys.stderr.write(f"\n{self.message}\nIt cannot be ended; the process is.\n")
        sys.stderr.flush()
        os._exit(1)


_watch: pytest.StashKey[Watch] = pytest.StashKey()


def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool:  # noqa: ANN401 - untyped
    """Begin to watch a test, in place of pytest-timeout."""
    item.stash[_watch] = watch = Watch(item, settings.timeout)
    signal.signal(signal.SIGALRM, watch.strike)
    signal.setitimer(signal.ITIMER_REAL, settings.timeout, AGAIN)
    return True


def pytest_timeout_cancel_timer() -> bool:
    """Keep the timer, which pytest-timeout would stop as soon as a test has failed."""
    return True


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Let a test be that has ended, with all its fixtures."""
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Watch what fixtures do before a test."""
    with _during(item, "setup"):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Watch a test."""
    with _during(item, "call"):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Watch what fixtures do after a test."""
    with _during(item, "teardown"):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Have a test that is waited for be cancelled where it hangs."""
    test = pyfuncitem.obj
    watch = pyfuncitem.stash.get(_watch, None)
    if watch is not None and inspect.iscoroutinefunction(test):
        pyfuncitem.obj = _cancelled_by(watch, test)
    try:
        return (yield)
    finally:
        pyfuncitem.obj = test
        if watch is not None:
            watch.cancel = None


@contextmanager
def _during(item: pytest.Item, phase: str) -> Iterator[None]:
    watch = item.stash.get(_watch, None)
    if watch is None:
        yield
    else:
        with watch.during(phase):
            yield


def _cancelled_by(watch: Watch, test: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(test)
    async def watched(**arguments: object) -> None:
        with anyio.CancelScope() as scope:
            loop: Any = current_token().native_token
            # Both may be called by a signal's handler.
            soon = getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon
            watch.cancel = partial(soon, scope.cancel)
            await test(**arguments)

    return watched

"""Trying again what failed, a few times and after pauses that grow: stamina's way.

Most of what is tried succeeds at once, and that is not stamina's affair: a call of it leaves forty
objects in cycles, and with a hundred thousand jobs Python's collector stops everything for a second
to find them.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Generic, TypeVar

import stamina
from attrs import frozen

_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
    "stamina",
)
_talking: ContextVar[bool] = ContextVar("exportjobs_talking", default=False)


class _NotWhileWeTalk(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - the signature is logging's
        return not _talking.get()


_filter = _NotWhileWeTalk()
for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_filter)


@contextmanager
def quiet() -> Generator[None]:
    """Silence the libraries below in this task, until the block is left."""
    token = _talking.set(True)
    try:
        yield
    finally:
        _talking.reset(token)


T = TypeVar("T")
Work = Callable[[], Awaitable[T]]


@frozen(kw_only=True)
class Attempts:
    """How often something is tried, and the pauses in between in seconds."""

    attempts: int
    timeout: float | None = None
    """Seconds after which nothing is tried again."""
    first_pause: float
    longest_pause: float
    jitter: float

    async def of(self, work: Work[T], may_pass: Callable[[Exception], bool]) -> T:
        """Try something until it succeeds, or the last attempt has failed.

        Args:
            work: What is tried.
            may_pass: Whether what went wrong may go right another time.
        """
        began = time.monotonic()
        try:
            return await work()
        except Exception as error:
            left = None if self.timeout is None else self.timeout - (time.monotonic() - began)
            if (left is not None and left <= 0) or not may_pass(error):
                raise
            failed = _Failed(work, error)
        return await self._caller(left)(may_pass, failed)

    def _caller(self, timeout: float | None) -> stamina.AsyncRetryingCaller:
        return stamina.AsyncRetryingCaller(
            attempts=self.attempts,
            timeout=timeout,
            wait_initial=self.first_pause,
            wait_max=self.longest_pause,
            wait_jitter=self.jitter,
        )


class _Failed(Generic[T]):
    """Some work of which the first attempt has been made."""

    def __init__(self, work: Work[T], error: Exception) -> None:
        self._work = work
        self._error: Exception | None = error

    async def __call__(self) -> T:
        error, self._error = self._error, None
        if error is not None:
            raise error
        return await self._work()

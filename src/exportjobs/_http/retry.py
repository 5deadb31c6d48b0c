"""Retries: a few attempts, with pauses that grow, by stamina.

The first attempt is made without stamina, which is called only after it has failed. Most requests
succeed at once, and each call of stamina leaves forty objects in reference cycles: with a hundred
thousand jobs, Python's garbage collector stops everything for a second to find them.
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
_silenced: ContextVar[bool] = ContextVar("exportjobs_silenced", default=False)


class _UnlessSilenced(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - the signature is logging's
        return not _silenced.get()


_filter = _UnlessSilenced()
for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_filter)


@contextmanager
def quiet() -> Generator[None]:
    """Silence the loggers of the libraries below in this task, until the block is left.

    Their lines hold URLs, which may open what they name.
    """
    token = _silenced.set(True)
    try:
        yield
    finally:
        _silenced.reset(token)


T = TypeVar("T")
Work = Callable[[], Awaitable[T]]


@frozen(kw_only=True)
class Attempts:
    """How many attempts something gets, and the pauses between them in seconds."""

    attempts: int
    timeout: float | None = None
    """Seconds after which no other attempt begins."""
    first_pause: float
    longest_pause: float
    jitter: float

    async def of(self, work: Work[T], may_retry: Callable[[Exception], bool]) -> T:
        """Call something until it succeeds, or the last attempt has failed.

        Args:
            work: What is called.
            may_retry: Whether another attempt may help after an error.
        """
        began = time.monotonic()
        try:
            return await work()
        except Exception as error:
            left = None if self.timeout is None else self.timeout - (time.monotonic() - began)
            if (left is not None and left <= 0) or not may_retry(error):
                raise
            failed = _Failed(work, error)
        return await self._caller(left)(may_retry, failed)

    def _caller(self, timeout: float | None) -> stamina.AsyncRetryingCaller:
        return stamina.AsyncRetryingCaller(
            attempts=self.attempts,
            timeout=timeout,
            wait_initial=self.first_pause,
            wait_max=self.longest_pause,
            wait_jitter=self.jitter,
        )


class _Failed(Generic[T]):
    """Work whose first attempt has failed: for stamina, the first call raises that error again."""

    def __init__(self, work: Work[T], error: Exception) -> None:
        self._work = work
        self._error: Exception | None = error

    async def __call__(self) -> T:
        error, self._error = self._error, None
        if error is not None:
            raise error
        return await self._work()

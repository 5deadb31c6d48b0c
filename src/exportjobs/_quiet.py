"""Keeps the libraries below this one from logging what must not be seen, or seen twice.

httpx and httpcore write whole URLs and response headers to their logs, signed URLs among them, and
stamina warns of every repetition. While this library talks, in its own tasks only, they say
nothing; what happened is told by its events.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

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

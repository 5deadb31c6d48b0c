"""The moments at which a process may die: about every write, every request and every name."""

import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial, wraps
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from attrs import Factory, define

from exportjobs._http.stream import Stream
from exportjobs._http.transport import Transport
from exportjobs.adapter._flow import Request, Response

_WRITES = ("INSERT", "UPDATE", "DELETE", "to be committed", "committed")
_READS = ("SELECT", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK")

_LOOK = 0.001

Pass = Callable[[str], None]


@define
class Moments:
    """Counts the moments that a process lives to see, and ends it at one of them."""

    kind: str = ""
    """Of which kind the moment is that is its last; any, if it is not said."""
    step: int = 0
    """The how-manieth it is; 0 for none."""
    signal: int = signal.SIGKILL
    seen: Counter[str] = Factory(Counter[str])
    _lock: threading.Lock = Factory(threading.Lock)
    _statement: threading.Lock = Factory(threading.Lock)
    _ledgers: list[sqlite3.Connection] = Factory(list[sqlite3.Connection])

    def pass_(self, kind: str) -> None:
        """Live to see another moment, or do not."""
        with self._lock:
            self.seen[kind] += 1
            so_far = self.seen[kind] if self.kind else self.seen.total()
            is_last = self.kind in {"", kind} and so_far == self.step
        if is_last:
            self._end(kind)

    def watch(self) -> None:
        """Pass a moment about whatever leaves a trace outside the process."""
        _watch_ledger(self.pass_, self._statement, self._ledgers)
        _watch_requests(self.pass_)
        _watch_names(self.pass_)

    def _end(self, kind: str) -> None:
        """Send the signal; what stands still elsewhere than in a write does not do so in one."""
        if self.signal == signal.SIGKILL or kind in _WRITES:
            os.kill(os.getpid(), self.signal)
            return
        while True:
            with self._statement:
                if not any(ledger.in_transaction for ledger in self._ledgers):
                    os.kill(os.getpid(), self.signal)
                    return
            time.sleep(_LOOK)


def _watch_ledger(
    pass_: Pass, statement: threading.Lock, ledgers: list[sqlite3.Connection]
) -> None:
    class Watched(sqlite3.Connection):
        """A connection of which every write is a moment, and two when it comes to stay."""

        def __init__(self, *told: Any, **options: Any) -> None:  # noqa: ANN401
            super().__init__(*told, **options)
            ledgers.append(self)

        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # noqa: ANN401
            self._pass(sql)
            with statement:
                return super().execute(sql, parameters)

        def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:  # noqa: ANN401
            self._pass(sql)
            with statement:
                return super().executemany(sql, parameters)

        def __exit__(
            self,
            type_: type[BaseException] | None,
            value: BaseException | None,
            traceback: TracebackType | None,
        ) -> Literal[False]:
            pass_("to be committed")
            with statement:
                super().__exit__(type_, value, traceback)
            pass_("committed")
            return False

        def _pass(self, sql: str) -> None:
            word = sql.strip().partition(" ")[0]
            if word not in _READS:
                pass_(word)

    sqlite3.connect = partial(sqlite3.connect, factory=Watched)  # type: ignore[assignment]


def _watch_requests(pass_: Pass) -> None:
    send, stream = Transport.send, Transport.stream

    @wraps(send)
    async def watched(self: Transport, request: Request, *, base_url: str) -> Response:
        pass_(f"{request.method} to be sent")
        response = await send(self, request, base_url=base_url)
        pass_(f"{request.method} answered")
        return response

    @wraps(stream)
    @asynccontextmanager
    async def opened(
        self: Transport, url: str, headers: Mapping[str, str], **options: float
    ) -> AsyncGenerator[Stream]:
        pass_("file to be asked for")
        async with stream(self, url, headers, **options) as body:
            pass_("file begun")
            yield body
            pass_("file read")

    Transport.send = watched  # type: ignore[method-assign]
    Transport.stream = opened  # type: ignore[method-assign]


def _watch_names(pass_: Pass) -> None:
    replace, unlink = os.replace, os.unlink

    def replaced(source: Path, target: Path) -> None:
        pass_("to be renamed")
        replace(source, target)
        pass_("renamed")

    def unlinked(path: Path, **options: Any) -> None:  # noqa: ANN401
        pass_("to be removed")
        unlink(path, **options)
        pass_("removed")

    os.replace, os.unlink = replaced, unlinked  # type: ignore[assignment]

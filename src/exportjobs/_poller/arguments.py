"""What callers pass, checked before anything is sent."""

import os
import re
from collections.abc import Iterable
from datetime import timedelta
from operator import index
from pathlib import Path
from typing import Any, Literal, SupportsIndex, TypedDict

from exportjobs._http.network import Backend
from exportjobs._landing.into import Place
from exportjobs._schedule.clock import Clock
from exportjobs._schedule.schedule import Jitter
from exportjobs.adapter import Adapter
from exportjobs.adapter._adapter import ExistingJob, Export, Work
from exportjobs.adapter._errors import InvalidArgument
from exportjobs.events import Observer

_HOST = re.compile(r"[A-Za-z0-9*_.:-]+")
_MEMORY = Path(":memory:")
_NAME_A_LEDGER = "pass ledger=, or set EXPORTJOBS_LEDGER"
Seconds = float | timedelta


def duration(name: str, value: Seconds) -> timedelta:
    """Return a duration given in seconds or as a timedelta.

    Raises:
        InvalidArgument: If it is negative, or not a number of seconds.
    """
    try:
        given = value if isinstance(value, timedelta) else timedelta(seconds=value)
        if given >= timedelta(0):
            return given
    except (TypeError, ValueError, OverflowError):
        pass
    remedy = "pass seconds from 0 upwards, or a timedelta"
    raise InvalidArgument(name, f"{value!r} is not a duration", remedy=remedy)


def checked_works(exports: Iterable[object]) -> tuple[Work, ...]:
    """Return the exports of a run.

    Raises:
        InvalidArgument: If one is something else, or two different accounts share a name.
    """
    remedy = "pass a list of what an adapter's constructors return, such as [clari.activity()]"
    if isinstance(exports, Export | ExistingJob):
        raise InvalidArgument("exports", "is one export, not a list of them", remedy=remedy)
    works: list[Work] = []
    for work in exports:
        if not isinstance(work, Export | ExistingJob):
            reason = f"holds a {type(work).__name__}, which is not an export"
            raise InvalidArgument("exports", reason, remedy=remedy)
        works.append(work)
    checked_accounts(work.adapter for work in works)
    return tuple(works)


def checked_accounts(accounts: Iterable[object]) -> tuple[Adapter, ...]:
    """Return the accounts of a poller.

    Raises:
        InvalidArgument: If one is something else, or two different ones share a name.
    """
    remedy = "pass a list of adapters, such as [clari]"
    if isinstance(accounts, Adapter):
        raise InvalidArgument("accounts", "is one adapter, not a list of them", remedy=remedy)
    named: dict[tuple[str, str], Adapter] = {}
    for adapter in accounts:
        if not isinstance(adapter, Adapter):
            reason = f"holds a {type(adapter).__name__}, which is not an adapter"
            raise InvalidArgument("accounts", reason, remedy=remedy)
        check_same(named.setdefault(adapter.account, adapter), adapter)
    return tuple(named.values())


def checked_observers(observers: Iterable[Any]) -> tuple[Observer, ...]:
    """Return the observers of a poller.

    Raises:
        InvalidArgument: If one cannot be called.
    """
    remedy = "pass a list of functions, such as [print]"
    if callable(observers):
        raise InvalidArgument("observers", "is one function, not a list of them", remedy=remedy)
    found = tuple(observers)
    for observer in found:
        if not callable(observer):
            reason = f"holds a {type(observer).__name__}, which cannot be called"
            raise InvalidArgument("observers", reason, remedy=remedy)
    return found


def checked_max_downloads(count: object) -> int:
    """Return how many files are fetched at once.

    Raises:
        InvalidArgument: If it is not a whole number from 1 upwards.
    """
    if isinstance(count, SupportsIndex) and not isinstance(count, bool) and index(count) >= 1:
        return index(count)
    remedy = "pass a whole number from 1 upwards"
    raise InvalidArgument("max_downloads", f"{count!r} is not a number of files", remedy=remedy)


def checked_run_key(key: object) -> str | None:
    """Return the name of a run.

    Raises:
        InvalidArgument: If it is empty or has characters that cannot be printed.
    """
    if key is None or (isinstance(key, str) and key.strip() and key.isprintable()):
        return key
    raise InvalidArgument(
        "run_key", f"{key!r} is not a valid name", remedy='pass one such as "2026-01-31"'
    )


def check_lasting(key: str | None, ledger: Place | None) -> None:
    """Check that the ledger of a run outlives it, if the run has a name for others to come.

    Raises:
        InvalidArgument: If it does not.
    """
    if key is not None and ledger_file(ledger) is None:
        raise InvalidArgument("run_key", "needs a ledger that lasts", remedy=_NAME_A_LEDGER)


def ledger_file(named: Place | None) -> Path | None:
    """Return the file of a ledger, named by the caller or by the environment; None for memory.

    Raises:
        InvalidArgument: If it is named by something else than a path.
    """
    try:
        file = Path(named or os.environ.get("EXPORTJOBS_LEDGER") or _MEMORY)
    except TypeError:
        reason = f"is a {type(named).__name__}, not a path"
        remedy = 'pass one such as "exports.db"'
        raise InvalidArgument("ledger", reason, remedy=remedy) from None
    return None if file == _MEMORY else file


def check_named(ledger: Place | None) -> None:
    """Check that there is a ledger to look into; its file need not be there on the first day.

    Raises:
        InvalidArgument: If there is none.
    """
    if ledger_file(ledger) is None:
        raise InvalidArgument("ledger", "is missing", remedy=_NAME_A_LEDGER)


def checked_hosts(names: Iterable[str] | None) -> tuple[str, ...] | None:
    """Return the names of hosts.

    Raises:
        InvalidArgument: If one is not a host name.
    """
    if names is None:
        return None
    found = (names,) if isinstance(names, str) else tuple(names)
    for name in found:
        if not _HOST.fullmatch(name):
            remedy = 'pass names such as "files.acme.com" or "*.amazonaws.com"'
            raise InvalidArgument("download_hosts", f"{name!r} is not a host name", remedy=remedy)
    return found


def check_same(known: Adapter, adapter: Adapter) -> None:
    """Check that an account is the one that is known under its name.

    Raises:
        InvalidArgument: If it is another.
    """
    if known != adapter:
        reason = f"two different accounts are both called {adapter.name!r}"
        raise adapter.invalid("name", reason, "give each a name of its own")


OnExit = Literal["detach", "cancel"]


class ResumeOptions(TypedDict, total=False):
    """The keyword arguments of `Poller` but for the accounts."""

    poll_interval: Seconds | None
    deadline: Seconds | None
    on_exit: OnExit
    grace: Seconds
    max_downloads: int
    download_hosts: Iterable[str] | None
    download_timeout: Seconds
    ledger: Place | None
    observers: Iterable[Observer]
    clock: Clock
    jitter: Jitter
    transport: Backend | None


class PollerOptions(ResumeOptions, total=False):
    """The keyword arguments of `Poller`, for those that pass them on."""

    accounts: Iterable[Adapter]

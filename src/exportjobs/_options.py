"""The keyword arguments of a poller."""

from collections.abc import Iterable
from typing import Literal, TypedDict

from exportjobs._clock import Clock
from exportjobs._events import Observer
from exportjobs._inputs import Place, Seconds
from exportjobs._network import Via
from exportjobs._schedule import Jitter
from exportjobs.adapter import Adapter

OnExit = Literal["detach", "cancel"]


class ResumeOptions(TypedDict, total=False):
    """The keyword arguments of `Poller` but for the accounts."""

    interval: Seconds | None
    deadline: Seconds | None
    on_exit: OnExit
    grace: Seconds
    downloads: int
    download_hosts: Iterable[str] | None
    download_timeout: Seconds
    ledger: Place | None
    observers: Iterable[Observer]
    clock: Clock
    jitter: Jitter
    via: Via | None


class PollerOptions(ResumeOptions, total=False):
    """The keyword arguments of `Poller`, for those that pass them on."""

    accounts: Iterable[Adapter]

"""Which faults there are, and which request gets which: decisions only.

That depends on nothing but how many requests of the kind came before, for the same account, job or
file. A submit is only refused in ways that are clear, since no client may repeat a submit whose
outcome is unknown. Polls alternate: after one that gets no usable answer there is one that does, so
a client that retries once always makes progress. No job or file gets the same fault twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from typing import Final, Self

from exportjobs.sandbox import _draw

UNKNOWN_STATUS: Final = "REBALANCING"

_RETRY_AFTER_SECONDS: Final = 1
_TOKEN_USES: Final = (3, 4)


class Fault(StrEnum):
    """One way in which a vendor, a blob store or the network misbehaves."""

    throttle = "throttle"
    server_error = "server_error"
    reset = "reset"
    slow = "slow"
    cut_body = "cut_body"
    expired_link = "expired_link"
    unknown_status = "unknown_status"
    malformed_json = "malformed_json"
    token_expiry = "token_expiry"  # noqa: S105 - names a fault, holds no secret
    concurrency_full = "concurrency_full"

    @classmethod
    def all(cls) -> tuple[Self, ...]:
        """Return every fault."""
        return tuple(cls)


class RequestKind(StrEnum):
    """What a request is for, which decides the faults that it may get."""

    submit = "submit"
    limited_submit = "limited_submit"
    poll = "poll"
    list = "list"
    download = "download"
    body = "body"
    token = "token"  # noqa: S105 - names a kind, holds no secret
    other = "other"


_FAULTS: Final[Mapping[RequestKind, tuple[Fault, ...]]] = {
    RequestKind.submit: (Fault.throttle,),
    RequestKind.limited_submit: (Fault.throttle, Fault.concurrency_full),
    RequestKind.poll: (Fault.server_error, Fault.reset, Fault.slow, Fault.malformed_json),
    RequestKind.list: (Fault.server_error, Fault.reset, Fault.slow, Fault.malformed_json),
    RequestKind.download: (Fault.reset, Fault.slow),
    RequestKind.body: (Fault.cut_body,),
    RequestKind.token: (Fault.slow,),
    RequestKind.other: (),
}
# The first polls get these, before the others. An unknown status has to come while the job may
# still be running: after the end it would look as if the job had not ended.
_FIRST_FAULTS: Final[Mapping[RequestKind, tuple[Fault, ...]]] = {
    RequestKind.poll: (Fault.throttle, Fault.unknown_status),
    RequestKind.list: (Fault.throttle,),
}


class FaultPlan:
    """The faults of every request to come."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Inject these faults and no others."""
        self._faults = frozenset(faults)
        self._scripts: dict[tuple[str, RequestKind, str], Iterator[Fault | None]] = {}
        self._throttled: set[str] = set()
        self._seen_paths: set[str] = set()
        self._ended: set[tuple[str, str]] = set()

    def has(self, fault: Fault) -> bool:
        """Return whether a fault is injected at all."""
        return fault in self._faults

    def next_fault(self, label: str, *, kind: RequestKind, subject: str = "") -> Fault | None:
        """Return the fault that the next request of an account gets, if any.

        Requests are counted for each subject: the job of a poll, the file of a download, nothing
        for what happens once per account.
        """
        key = label, kind, subject
        if key not in self._scripts:
            self._scripts[key] = iter(self._script(label, kind=kind, subject=subject))
        fault = next(self._scripts[key], None)
        is_late = fault is Fault.unknown_status and (label, subject) in self._ended
        return None if is_late else fault

    def note_end(self, label: str, *, subject: str) -> None:
        """Note that an answer showed a job's end: from then on its status stays the same."""
        self._ended.add((label, subject))

    def is_expired(self, path: str) -> bool:
        """Return whether the URL that is now signed for a file is expired: the first one is."""
        is_first = path not in self._seen_paths
        self._seen_paths.add(path)
        return is_first and Fault.expired_link in self._faults

    def uses(self, issued: int) -> int | None:
        """Return after how many uses a token expires early, by how many were issued before it."""
        if Fault.token_expiry in self._faults and issued < len(_TOKEN_USES):
            return _TOKEN_USES[issued]
        return None

    def _script(self, label: str, *, kind: RequestKind, subject: str) -> list[Fault | None]:
        faults: list[Fault | None] = [f for f in _FAULTS[kind] if f in self._faults]
        if kind not in _FIRST_FAULTS:
            return faults
        turn = int(_draw.uniform(f"{label}/{subject}") * len(faults))
        alternating = [step for f in faults[turn:] + faults[:turn] for step in (f, None)]
        first = self._first_faults(label, kind=kind)
        return [*first, None, *alternating] if first else alternating

    def _first_faults(self, label: str, *, kind: RequestKind) -> list[Fault]:
        done = {Fault.throttle} if label in self._throttled else set[Fault]()
        self._throttled.add(label)
        return [f for f in _FIRST_FAULTS[kind] if f in self._faults - done]


def retry_after(kind: RequestKind, *, now: datetime) -> str:
    """Return a Retry-After of one second: a count on submits, an HTTP date on everything else."""
    if kind in {RequestKind.submit, RequestKind.limited_submit}:
        return str(_RETRY_AFTER_SECONDS)
    return format_datetime(now + timedelta(seconds=_RETRY_AFTER_SECONDS), usegmt=True)

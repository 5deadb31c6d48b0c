"""What goes wrong, and when: decided once per account, job or file, from counters alone.

A submit meets definite refusals only, since no client may repeat a submit whose outcome is
unknown. Polls alternate: one that got no usable answer is followed by one that gets it, so a client
that retries once always makes progress. Nothing strikes the same job or file the same way twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from typing import Final, Self

from exportjobs.sandbox import _draw

UNKNOWN_WORD: Final = "REBALANCING"

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


class Moment(StrEnum):
    """The part a request plays in a job's life: it decides which faults may strike it."""

    submit = "submit"
    limited_submit = "limited_submit"
    poll = "poll"
    list = "list"
    download = "download"
    body = "body"
    token = "token"  # noqa: S105 - names a moment, holds no secret
    other = "other"


_STRIKES: Final[Mapping[Moment, tuple[Fault, ...]]] = {
    Moment.submit: (Fault.throttle,),
    Moment.limited_submit: (Fault.throttle, Fault.concurrency_full),
    Moment.poll: (Fault.server_error, Fault.reset, Fault.slow, Fault.malformed_json),
    Moment.list: (Fault.server_error, Fault.reset, Fault.slow, Fault.malformed_json),
    Moment.download: (Fault.reset, Fault.slow),
    Moment.body: (Fault.cut_body,),
    Moment.token: (Fault.slow,),
    Moment.other: (),
}
# What the first polls meet, before the others. An unknown word has to come while the job may still
# be at work: it would otherwise take back that the job has ended.
_OPENINGS: Final[Mapping[Moment, tuple[Fault, ...]]] = {
    Moment.poll: (Fault.throttle, Fault.unknown_status),
    Moment.list: (Fault.throttle,),
}


class FaultPlan:
    """Which request is struck by which fault."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Plan with these faults and no others."""
        self._faults = frozenset(faults)
        self._scripts: dict[tuple[str, Moment, str], Iterator[Fault | None]] = {}
        self._throttled: set[str] = set()
        self._linked: set[str] = set()
        self._settled: set[tuple[str, str]] = set()

    def has(self, fault: Fault) -> bool:
        """Tell whether a fault is planned at all."""
        return fault in self._faults

    def strike(self, label: str, *, moment: Moment, subject: str = "") -> Fault | None:
        """Return the fault that strikes this request of an account, if one does.

        The subject is what requests are counted for: the job of a poll, the file of a download,
        nothing for what happens once per account.
        """
        key = label, moment, subject
        if key not in self._scripts:
            self._scripts[key] = iter(self._script(label, moment=moment, subject=subject))
        fault = next(self._scripts[key], None)
        is_late = fault is Fault.unknown_status and (label, subject) in self._settled
        return None if is_late else fault

    def settle(self, label: str, *, subject: str) -> None:
        """Note that a job was shown to have ended: from now on its word stays the same."""
        self._settled.add((label, subject))

    def is_stale(self, path: str) -> bool:
        """Tell whether the link being given for a file is to be expired already: the first is."""
        is_first = path not in self._linked
        self._linked.add(path)
        return is_first and Fault.expired_link in self._faults

    def uses(self, issued: int) -> int | None:
        """Return after how many uses a token dies early, by how many were issued before it."""
        if Fault.token_expiry in self._faults and issued < len(_TOKEN_USES):
            return _TOKEN_USES[issued]
        return None

    def _script(self, label: str, *, moment: Moment, subject: str) -> list[Fault | None]:
        faults: list[Fault | None] = [f for f in _STRIKES[moment] if f in self._faults]
        if moment not in _OPENINGS:
            return faults
        turn = int(_draw.uniform(f"{label}/{subject}") * len(faults))
        alternating = [step for f in faults[turn:] + faults[:turn] for step in (f, None)]
        opening = self._opening(label, moment=moment)
        return [*opening, None, *alternating] if opening else alternating

    def _opening(self, label: str, *, moment: Moment) -> list[Fault]:
        done = {Fault.throttle} if label in self._throttled else set[Fault]()
        self._throttled.add(label)
        return [f for f in _OPENINGS[moment] if f in self._faults - done]


def retry_after(moment: Moment, *, now: datetime) -> str:
    """Return a Retry-After of one second: a count on submits, an HTTP date on everything else."""
    if moment in {Moment.submit, Moment.limited_submit}:
        return str(_RETRY_AFTER_SECONDS)
    return format_datetime(now + timedelta(seconds=_RETRY_AFTER_SECONDS), usegmt=True)

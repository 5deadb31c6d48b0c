"""What is true of one account: its session, its slots, its pauses and what was learned there."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from math import log2

from anyio import CancelScope
from attrs import define, field

from exportjobs._http.network import Backend
from exportjobs._http.session import Answer, Session
from exportjobs._http.transport import Transport
from exportjobs._poller.arguments import check_same
from exportjobs._poller.loop.tracked import Tracked
from exportjobs._schedule.clock import Clock
from exportjobs._schedule.decide import Policy
from exportjobs._schedule.durations import Durations
from exportjobs._schedule.limits import MAX_IN_FLIGHT, MAX_WIDTH, Allowance, ConcurrencyWindow
from exportjobs._schedule.schedule import Jitter, Schedule
from exportjobs.adapter import Adapter
from exportjobs.adapter._errors import BrokenAdapter, ExportJobsError, NetworkError, UnknownAccount
from exportjobs.adapter._job import ExportJob, JobRef, check_ref
from exportjobs.adapter._registry import load_adapter
from exportjobs.adapter._terms import Operation

_NEVER = float("inf")
_LONG_AGO = float("-inf")

_LIST_FAILURES_ALLOWED = 3
"""In a row; after that, jobs are polled one by one."""
_LAST_POLL = 5.0
"""Seconds that a request may take that was sent when the job's time was over."""

AccountKey = tuple[str, str]
"""A vendor's name and an account's."""


@define(eq=False)
class InFlight:
    """A status request that is under way."""

    started_at: float
    until: float
    """When to let go of it, if there is no answer before."""
    scope: CancelScope = field(factory=CancelScope)


@define(eq=False)
class Account:
    """One account's conversation, its exports, and what every one of them has to keep to.

    Moments are monotonic seconds, but for `wall`, which is Unix seconds.
    """

    session: Session
    policy: Policy
    allowance: Allowance
    learned: dict[str, Durations] = field(factory=dict[str, Durations])
    """How long each kind of job takes."""
    submits_alone: bool = False
    """Whether nothing is submitted while it is open what became of another submit."""
    outstanding: dict[Tracked, bool] = field(factory=dict[Tracked, bool])
    """Its exports that have not come to their end, in the order in which they were taken up, each
    with whether it counts among the jobs that the account has at its vendor."""
    queued: int = 0
    """How many of them wait to be submitted."""
    doubtful: set[Tracked] = field(factory=set[Tracked])
    """Those of which nobody knows whether they were submitted."""
    throttled: int = 0
    """Status requests throttled in a row."""
    list_not_before: float = _LONG_AGO
    """From when on the server agrees to list jobs."""
    list_failures: int = 0
    """Lists failed in a row."""
    unknown_not_before: float = _LONG_AGO
    """From when on a job whose status nobody knows may be polled."""
    is_spread: bool = False
    """Whether it was told that the budget decides when the account is polled."""
    stopped_by: ExportJobsError | None = None
    _by_id: dict[str, tuple[Tracked, ...]] = field(
        factory=dict[str, tuple[Tracked, ...]], init=False
    )
    _by_row: dict[int, Tracked] = field(factory=dict[int, Tracked], init=False)
    _window: ConcurrencyWindow = field(factory=ConcurrencyWindow, init=False)
    _in_flight: list[InFlight] = field(factory=list[InFlight], init=False)
    _flows: frozenset[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Note what the vendor can do."""
        self._flows = self.session.adapter.capabilities()

    def can(self, flow: str) -> bool:
        """Return whether the vendor offers an optional flow, such as `list_jobs`."""
        return flow in self._flows

    # Its exports.

    def find(self, ref: JobRef) -> Tracked | None:
        """Return the outstanding export whose job has that name, if there is one."""
        refs = ((one, one.ref) for one in self._by_id.get(ref.id, ()))
        return next((one for one, known in refs if known and known.names_same_job_as(ref)), None)

    def register(self, tracked: Tracked) -> None:
        """Let a job that is outstanding be found by its ref."""
        known = self._by_id.get(tracked.ref.id, ()) if tracked.ref else ()
        if tracked.ref and tracked in self.outstanding and tracked not in known:
            self._by_id[tracked.ref.id] = (*known, tracked)

    def register_row(self, tracked: Tracked) -> None:
        """Let an export of the ledger's be found by its number there."""
        self._by_row.setdefault(tracked.row, tracked)

    def first_of(self, tracked: Tracked) -> Tracked:
        """Return the outstanding export that is the same one in the ledger: the first of them."""
        return self._by_row.get(tracked.row, tracked)

    def remove(self, tracked: Tracked) -> None:
        """Forget an export."""
        self.free_slot(tracked)
        self.outstanding.pop(tracked, None)
        self.doubtful.discard(tracked)
        if self._by_row.get(tracked.row) is tracked:
            del self._by_row[tracked.row]
        if tracked.ref is not None:
            left = tuple(one for one in self._by_id.pop(tracked.ref.id, ()) if one is not tracked)
            if left:
                self._by_id[tracked.ref.id] = left

    def take_slot(self, tracked: Tracked) -> None:
        """Count an export among the jobs that the account has at its vendor."""
        if not self.outstanding[tracked]:
            self.outstanding[tracked] = True
            self.allowance = self.allowance.taken()

    def free_slot(self, tracked: Tracked) -> None:
        """Count an export no longer."""
        if self.outstanding.get(tracked):
            self.outstanding[tracked] = False
            self.allowance = self.allowance.freed()

    # What was learned.

    @property
    def weight(self) -> float:
        """How much waits for the end of a job: itself, and its share of those that want a slot.

        In powers of two, as a plan is made for each.
        """
        waiting = self.queued if self.allowance.slots_are_taken else 0
        share = 1 + waiting / max(1, self.allowance.outstanding)
        return 2.0 ** round(log2(share))

    def durations(self, kind: str) -> Durations:
        """Return how long a kind of job takes, as far as is known."""
        known = self.learned.get(kind)
        if known is None:
            typical = self.session.adapter.polling.typical_duration.total_seconds()
            known = self.learned[kind] = Durations.prior(typical)
        return known

    def outlived(self, tracked: Tracked, age: float) -> None:
        """Learn from a job that was given up while it was running, at an age in seconds."""
        kind = tracked.export.kind
        self.learned[kind] = self.durations(kind).timed_out(age, turn=tracked.number)

    # When it may be asked.

    def polls_together(self, tracked: Tracked) -> bool:
        """Return whether a job can be polled with the account's others, by one list."""
        works = self.can("list_jobs") and self.list_failures < _LIST_FAILURES_ALLOWED
        return works and tracked.is_listed and tracked.ref is not None

    def may_poll_from(self, tracked: Tracked, now: float, wall: float) -> float:
        """Return from when on a job may be polled.

        Whatever asks for the longest wait counts: a throttled account, the job's own last answer,
        the account's turn for unknown statuses, a budget that is used up.
        """
        unknown = _LONG_AGO if tracked.recognised else self.unknown_not_before
        budget = self.session.budgets.wait(Operation.POLL, wall)
        return max(self.allowance.paused_until, tracked.not_before, unknown, now + budget)

    def may_list_from(self, now: float, wall: float) -> float:
        """Return from when on the account's jobs may be listed."""
        budget = self.session.budgets.wait(Operation.LIST, wall)
        return max(self.allowance.paused_until, self.list_not_before, now + budget)

    def list_after(self, moment: float) -> None:
        """Note that the server wants no list before a moment."""
        self.list_not_before = max(self.list_not_before, moment)

    # Its status requests that are under way.

    @property
    def next_request(self) -> float:
        """From when on another status request may start."""
        return self._window.next_start()

    def begin_request(self, now: float, until: float) -> InFlight:
        """Note that a status request starts."""
        request = InFlight(now, until)
        self._in_flight.append(request)
        self._window = self._window.started(now)
        return request

    def end_request(self, request: InFlight, *, ok: bool) -> None:
        """Note that a status request was answered, or that it was let go of."""
        self._in_flight.remove(request)
        self._window = self._window.answered(request.started_at, ok=ok)

    def end_overdue_requests(self, now: float) -> None:
        """Let go of the requests that have taken too long."""
        for request in self._in_flight:
            if request.until <= now:
                request.scope.cancel()

    @property
    def next_overdue(self) -> float:
        """When the first of the requests will have taken too long; infinity if there is none."""
        waited_for = (one.until for one in self._in_flight if not one.scope.cancel_called)
        return min(waited_for, default=_NEVER)

    def no_answer(self) -> NetworkError:
        """Return the error of a request that was let go of."""
        vendor = self.session.adapter.vendor
        return NetworkError("the answer did not come to an end", vendor=vendor)

    async def listed(self, wanted: frozenset[str]) -> Answer[tuple[ExportJob, ...]]:
        """Ask for the account's jobs, at least for those with the wanted ids; all, if none is.

        Raises:
            ExportJobsError: If they cannot be had.
        """
        begin = partial(self.session.adapter.list_jobs, wanted)
        answer = await self.session.converse(
            begin, tuple, operation=Operation.LIST, on_answer=self.list_after
        )
        if not _are_jobs(answer.value):
            vendor = self.session.adapter.vendor
            raise BrokenAdapter("the adapter listed no ExportJob", vendor=vendor)
        return answer


def _are_jobs(listed: Iterable[object]) -> bool:
    """Return whether a list is what an adapter's types promise."""
    return all(isinstance(one, ExportJob) for one in listed)


def let_go_at(now: float, timeout: float, polled: Iterable[Tracked], *, began: float) -> float:
    """Return when to let go of a status request: when it hangs, or the time of a job is over.

    Args:
        now: When it began, or was last answered.
        timeout: Seconds without an answer after which it hangs.
        polled: The jobs that it is about.
        began: When it began: one that is sent when the time of a job is over has some seconds.
    """
    over = min(tracked.give_up_at for tracked in polled)
    return min(now + timeout, max(over, began + _LAST_POLL))


@define(eq=False)
class Accounts:
    """The accounts of a poller: each is opened when it is first named, and kept until the end."""

    clock: Clock
    jitter: Jitter
    poll_interval: timedelta | None
    """Between two polls of a job, in place of what was learned."""
    transport: Backend | None
    submit_alone: bool
    """Whether an account with a list submits one export at a time, so that the list can tell."""
    learned: Mapping[AccountKey, dict[str, Durations]]
    """How long each kind of job of an account takes."""
    connections: AsyncExitStack
    """Closes them when the poller is left."""
    _known: dict[AccountKey, Account] = field(factory=dict[AccountKey, Account], init=False)

    def __iter__(self) -> Iterator[Account]:
        """Return all of them, in the order in which they were named."""
        return iter(self._known.values())

    @property
    def keys(self) -> Collection[AccountKey]:
        """Of all that were named."""
        return self._known.keys()

    def of(self, adapter: Adapter) -> Account:
        """Return an adapter's account, opened if it was not named before.

        Raises:
            InvalidArgument: If another one has its name.
        """
        known = self._known.get(adapter.account)
        if known is None:
            known = self._known[adapter.account] = self._opened(adapter)
        check_same(known.session.adapter, adapter)
        return known

    def of_key(self, key: AccountKey) -> Account:
        """Return an account that was named.

        Raises:
            KeyError: If it was not.
        """
        return self._known[key]

    def of_ref(self, ref: JobRef) -> Account:
        """Return the account that a job is of.

        Raises:
            InvalidArgument: If it is not a ref.
            UnknownAccount: If it was not named.
        """
        check_ref(ref)
        try:
            return self.of_key(ref.account_key)
        except KeyError:
            reason = f"no adapter for the account {'/'.join(ref.account_key)}"
            raise UnknownAccount(reason, vendor=ref.vendor, ref=ref) from None

    def adapter_of(self, vendor: str) -> type[Adapter]:
        """Return a vendor's adapter: that of an account, or the one that is installed.

        Raises:
            ExportJobsError: If none is, or it cannot be loaded.
        """
        adapters = (account.session.adapter for account in self)
        known = (type(adapter) for adapter in adapters if adapter.vendor == vendor)
        return next(known, None) or load_adapter(vendor)

    def _opened(self, adapter: Adapter) -> Account:
        transport = Transport(self.transport, connections=MAX_IN_FLIGHT + MAX_WIDTH)
        self.connections.push_async_exit(transport)
        schedule = Schedule(adapter.polling, self.poll_interval)
        account = Account(
            Session(adapter, transport, self.clock),
            Policy(schedule, self.jitter),
            Allowance(adapter.slots),
            self.learned.get(adapter.account, {}),
        )
        account.submits_alone = self.submit_alone and account.can("list_jobs")
        return account

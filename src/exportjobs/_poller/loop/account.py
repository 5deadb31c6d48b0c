"""What the loop keeps in mind of one account: its room, its exports, and what may start now."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from math import log2

from anyio import CancelScope
from attrs import define, field

from exportjobs._http.network import Backend
from exportjobs._http.session import Session
from exportjobs._http.transport import Transport
from exportjobs._poller.arguments import check_same
from exportjobs._poller.loop.tracked import Phase, Tracked
from exportjobs._schedule.clock import Clock
from exportjobs._schedule.decide import Policy
from exportjobs._schedule.durations import Durations
from exportjobs._schedule.limits import MOST, WIDEST, Allowance, ConcurrencyWindow
from exportjobs._schedule.schedule import Jitter, Schedule
from exportjobs.adapter import Adapter
from exportjobs.adapter._errors import ExportJobsError, UnknownAccount
from exportjobs.adapter._job import JobRef, check_ref
from exportjobs.adapter._registry import load_adapter
from exportjobs.adapter._terms import Operation

_NEVER = float("inf")
_LONG_AGO = float("-inf")
_LISTS_ALLOWED_TO_FAIL = 3
"""In a row; after that, jobs are asked about one by one."""


@define(eq=False)
class Roster:
    """The running jobs of an account that one request can ask about."""

    members: dict[Tracked, None] = field(factory=dict[Tracked, None])
    due: float = _NEVER
    """When to ask about them."""
    ready: bool = False
    """Whether they are to be asked about as soon as a request may start."""
    ask_from: float = _LONG_AGO
    """From when on the server agrees to list them."""
    failures: int = 0
    """Lists failed in a row."""

    def add(self, tracked: Tracked) -> bool:
        """Take a job on, and return whether that makes the roster due earlier."""
        self.members[tracked] = None
        earlier = tracked.due < self.due
        self.due = min(self.due, tracked.due)
        return earlier

    def leave_alone(self, until: float) -> None:
        """Ask for no list before, as its server wishes."""
        self.ask_from = max(self.ask_from, until)

    def take(self) -> list[Tracked]:
        """Take off and return everyone who is still waiting to be asked about."""
        members = [one for one in self.members if one.phase is Phase.RUNNING]
        self.members.clear()
        self.due, self.ready = _NEVER, False
        return members


@define(eq=False)
class Flight:
    """A question that is under way."""

    started_at: float
    until: float
    """When to let go of it, if there is no answer before."""
    scope: CancelScope = field(factory=CancelScope)


@define(eq=False)
class Account:
    """One account's conversation, its room, and the exports that wait for it.

    Moments are monotonic seconds, but for `wall`, which is Unix seconds.
    """

    session: Session
    policy: Policy
    allowance: Allowance
    learned: dict[str, Durations] = field(factory=dict[str, Durations])
    """How long each kind of job takes."""
    submits: ConcurrencyWindow = field(factory=ConcurrencyWindow)
    questions: ConcurrencyWindow = field(factory=ConcurrencyWindow)
    waiting: deque[Tracked] = field(factory=deque[Tracked])
    """Exports to submit."""
    doubtful: set[Tracked] = field(factory=set[Tracked])
    """Exports of which nobody knows whether they were submitted."""
    submits_singly: bool = False
    """Whether nothing is submitted while it is open what became of another submit."""
    due: deque[Tracked] = field(factory=deque[Tracked])
    """Jobs to ask about as soon as a request may start."""
    flights: list[Flight] = field(factory=list[Flight])
    roster: Roster = field(factory=Roster)
    outstanding: set[Tracked] = field(factory=set[Tracked])
    refusals: int = 0
    """Submits refused in a row."""
    throttled: int = 0
    """Questions throttled in a row."""
    asks_room: bool = True
    """Whether the vendor may yet be asked how many jobs it takes."""
    asking_room: bool = False
    slow_until: float = _LONG_AGO
    """Until when no job is asked about whose status nobody knows."""
    thrifty: bool = False
    """Whether it was told that the budget spreads the account's questions."""
    stopped_by: ExportJobsError | None = None
    _can: frozenset[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Note what the vendor can do."""
        self._can = self.session.adapter.capabilities()

    @property
    def lists(self) -> bool:
        """Whether the vendor can be asked for all its jobs."""
        return "list_jobs" in self._can

    @property
    def _is_held(self) -> bool:
        """Whether a submit has to wait: the list could not tell which job became of which."""
        return self.submits_singly and bool(self.submits.flights or self.doubtful)

    @property
    def in_order(self) -> list[Tracked]:
        """What is outstanding, in the order taken up."""
        return sorted(self.outstanding, key=lambda tracked: tracked.number)

    def find(self, ref: JobRef) -> Tracked | None:
        """Return the outstanding job of that name, if there is one."""
        refs = ((one, one.ref) for one in self.outstanding)
        return next((one for one, known in refs if known and known.names_same_job_as(ref)), None)

    @property
    def weight(self) -> float:
        """How much waits for the end of a job: itself, and its share of those that want a slot.

        In powers of two, as a plan is made for each.
        """
        waiting = len(self.waiting) if self.allowance.slots_are_taken else 0
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
        kind = tracked.work.kind
        self.learned[kind] = self.durations(kind).outlived(age, turn=tracked.number)

    def asks_singly(self, tracked: Tracked) -> bool:
        """Return whether a job is asked about alone, not with the others of the account."""
        able = self.lists and self.roster.failures < _LISTS_ALLOWED_TO_FAIL
        return tracked.singly or not tracked.listed or tracked.ref is None or not able

    def better_singly(self, members: list[Tracked], wall: float) -> bool:
        """Return whether jobs on the roster had better be asked about one by one."""
        budgets = self.session.budgets
        if len(members) == 1:
            one, all_ = (budgets.remaining(of, wall) for of in (Operation.POLL, Operation.LIST))
            return one >= all_
        waits = [budgets.wait(of, wall) for of in (Operation.POLL, Operation.LIST)]
        return waits[0] == 0 < waits[1]

    def hold(self, tracked: Tracked, now: float, wall: float) -> float:
        """Return from when on a job may be asked about, or looked for in the list."""
        if tracked.doubt is not None:
            return max(tracked.ask_from, self.hold_roll(now, wall))
        slow = _LONG_AGO if tracked.recognised else self.slow_until
        spent = self.session.budgets.wait(Operation.POLL, wall)
        return max(self.allowance.paused_until, tracked.ask_from, slow, now + spent)

    def hold_roll(self, now: float, wall: float) -> float:
        """Return from when on the jobs on the roster may be asked about together."""
        spent = self.session.budgets.wait(Operation.LIST, wall)
        return max(self.allowance.paused_until, self.roster.ask_from, now + spent)

    def take_off(self, now: float, until: float) -> Flight:
        """Note that a question starts."""
        flight = Flight(now, until)
        self.flights.append(flight)
        self.questions = self.questions.started(now)
        return flight

    def land(self, flight: Flight, *, ok: bool) -> None:
        """Note that a question has got its answer, or was let go of."""
        self.flights.remove(flight)
        self.questions = self.questions.answered(flight.started_at, ok=ok)

    def wait(self, tracked: Tracked) -> None:
        """Let an export wait for room where it stood: whoever waits the longest is in front."""
        if not self.waiting or self.waiting[-1].number < tracked.number:
            self.waiting.append(tracked)
            return
        behind = (n for n, other in enumerate(self.waiting) if other.number > tracked.number)
        self.waiting.insert(next(behind, len(self.waiting)), tracked)

    def wants_room(self, now: float) -> bool:
        """Return whether to ask how many jobs the account may have, before there are too many."""
        able = self.asks_room and not self.asking_room and "limits" in self._can
        return able and len(self.waiting) > 1 and now >= self.allowance.paused_until

    def may_submit(self, now: float) -> bool:
        """Return whether the export in front may be submitted."""
        ready = bool(self.waiting) and not self.asking_room and not self._is_held
        return ready and self.submits.next_start() <= now and self.allowance.may_submit(now)

    def next_moment(self, now: float) -> float:
        """Return when something may be done here if nothing happens before."""
        flying = (flight for flight in self.flights if not flight.scope.cancel_called)
        moments = [_NEVER, *(flight.until for flight in flying)]
        if self.due or self.roster.ready:
            moments.append(self.questions.next_start())
        if self.waiting:
            moments.append(self.waiting[0].give_up_at)
            chance = self.allowance.next_chance(now)
            if chance is not None and not self.asking_room and not self._is_held:
                moments.append(max(chance, self.submits.next_start()))
        return min(moments)


AccountKey = tuple[str, str]
"""A vendor's name and an account's."""


@define(eq=False)
class Accounts:
    """What is kept of every account, by its key."""

    clock: Clock
    jitter: Jitter
    poll_interval: timedelta | None
    """Between two polls of a job, in place of what was learned."""
    transport: Backend | None
    singly: bool
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
            InvalidArgument: If it is no ref.
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
        transport = Transport(self.transport, connections=MOST + WIDEST)
        self.connections.push_async_exit(transport)
        schedule = Schedule(adapter.polling, self.poll_interval)
        account = Account(
            Session(adapter, transport, self.clock),
            Policy(schedule, self.jitter),
            Allowance(adapter.slots),
            self.learned.get(adapter.account, {}),
        )
        account.submits_singly = self.singly and account.lists
        return account

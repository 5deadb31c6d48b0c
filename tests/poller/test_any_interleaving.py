"""Whatever vendors say, in whatever order: every export ends once, and no promise is broken."""

from collections.abc import Sequence

import anyio
import httpx
from attrs import define, field
from hypothesis import given
from tests.support.acme import (
    Work,
    busy,
    finish,
)
from tests.support.acme_api import Seen, Vendor
from tests.support.worlds import EPSILON, LATER, NOTHING_LEFT, Trouble, World, worlds

from exportjobs import AuthenticationFailed, Event, ExportJobsError, Finished, Poller
from exportjobs.adapter import Budget, Operation, evolve
from exportjobs.events import Ended, Polled
from exportjobs.testing import ManualClock

LAST_WORD = 5.0
"""Seconds that the last question may take, which is asked when a job's time is over."""


@define
class Ledger:
    """What happened in a world, as its vendor and an observer saw it."""

    world: World
    clock: ManualClock
    vendor: Vendor
    waits: list[tuple[str, str, float, float]] = field(factory=list)
    """Whose request was to wait, which (all of them if none), from when, until when."""
    refused: dict[str, float] = field(factory=dict)
    """When a key was refused."""
    over: set[str] = field(factory=set)
    """Reports whose end the poller knows."""
    ends: dict[str, float] = field(factory=dict)
    """When each of them ended for the poller."""
    running: list[tuple[str, int]] = field(factory=list)
    """How many reports an account had under way, with each submit."""
    troubles: dict[str, list[Trouble | None]] = field(init=False)
    """What is still to go wrong with each account."""

    says: dict[int, Trouble] = field(factory=dict)
    """What is said along with a good answer."""

    def __attrs_post_init__(self) -> None:
        """Begin with all troubles ahead."""
        customers = enumerate(self.world.customers)
        self.troubles = {str(number): list(customer.troubles) for number, customer in customers}

    def observe(self, event: Event) -> None:
        """Note the end of a report."""
        ref = event.subject.ref
        match event:
            case Ended() if ref:
                self.over.add(ref.id)
                self.ends[ref.id] = self.clock.monotonic()
            case Polled() if ref and event.job.status.is_terminal:
                self.over.add(ref.id)
            case _:
                pass

    def answer(self, seen: Seen) -> httpx.Response | Exception | None:
        """Let go wrong what is to go wrong, and note what the library has to keep to."""
        name = account_of(seen)
        if seen.said.startswith("POST"):
            self.running.append((name, len(self.under_way(name))))
        trouble = self.troubles[name].pop(0) if self.troubles[name] else None
        if trouble is None:
            return self.usual(seen)
        now = self.clock.monotonic()
        cancels = seen.said.startswith("DELETE")
        if trouble.code == 401 and not cancels:
            self.refused.setdefault(name, now)
        if trouble.code in {LATER, NOTHING_LEFT}:
            answer = self.usual(seen)
            if answer is None:
                self.says[id(seen)] = trouble
            return answer
        if trouble.retry_after is not None and trouble.code in {429, 503} and not cancels:
            which = "" if trouble.code == 429 else seen.said
            self.waits.append((name, which, now, now + trouble.retry_after))
        return trouble.answer()

    def add(self, seen: Seen) -> dict[str, str]:
        """Return what a good answer says besides, and note what it is about."""
        trouble = self.says.get(id(seen))
        if trouble is None:
            return {}
        now = self.clock.monotonic()
        about = seen.said.replace("POST", "GET") if trouble.code == LATER else ""
        if not seen.said.startswith("DELETE") or not about:
            self.waits.append((account_of(seen), about, now, now + (trouble.retry_after or 30)))
        return trouble.headers

    def usual(self, seen: Seen) -> httpx.Response | None:
        """Return what the vendor says of an account's slots, or None if it is about a report."""
        name = account_of(seen)
        slots = self.world.customers[int(name)].slots
        if seen.said == "GET /limits":
            return httpx.Response(200, json={"slots": slots} if slots else {})
        full = slots is not None and len(self.under_way(name)) >= slots
        return busy() if seen.said.startswith("POST") and full else None

    def under_way(self, name: str) -> list[str]:
        """Return the reports of an account that were accepted and whose end nobody has seen."""
        accepted = [one for one in self.vendor.accepted if one.startswith(f"{name}-")]
        return [one for one in accepted if one not in self.over]


def account_of(seen: Seen) -> str:
    """Return the name of the account that a request was made for."""
    return seen.header["X-Acme-Key"].removeprefix("key-of-")


async def live(world: World) -> tuple[Ledger, list[Finished]]:
    """Run all exports of a world to their end."""
    async with ManualClock() as clock:
        vendor = Vendor(clock)
        ledger = Ledger(world, clock, vendor)
        vendor.instead, vendor.adds = ledger.answer, ledger.add
        vendor.takes = lambda _: world.takes
        work: list[Work] = []
        for number, customer in enumerate(world.customers):
            account = customer.adapter(str(number))
            for count, job in enumerate(customer.jobs):
                name, since = f"{number}-{count}", 0.0 if job.old else None
                vendor.report(
                    name, lasts=job.lasts, meanwhile=job.says, since=since, listed=job.listed
                )
                ref = evolve(account.ref(name), submitted_at=clock.now())
                work.append(account.resume(ref) if job.old else account.report(name))
        interval, deadline = world.polling
        poller = Poller(
            poll_interval=interval,
            deadline=deadline,
            clock=clock,
            transport=vendor.transport,
            jitter=lambda low, high: low + (high - low) * world.jitter,
            observers=[ledger.observe],
        )
        with anyio.fail_after(20):
            async with poller, anyio.create_task_group() as tasks:
                tasks.start_soon(cancel_one, poller, clock, world.cancels_at)
                results = await finish(poller, work)
                tasks.cancel_scope.cancel()
        assert len(results) == len(work)
        assert {id(finished.export) for finished in results} == {id(one) for one in work}
        return ledger, results


async def cancel_one(poller: Poller, clock: ManualClock, at: float | None) -> None:
    """Cancel a job in the midst of it all, if there is one by then."""
    if at is None:
        return
    await clock.sleep(at)
    for ref in poller.outstanding[:1]:
        try:
            await poller.cancel(ref)
        except ExportJobsError:
            return


@given(worlds)
async def test_no_promise_is_broken(world: World) -> None:
    """One result each, no slot too many, no budget exceeded, no request before or after its time.

    Nobody asks before a Retry-After is over or after a deadline has passed, and an account whose
    credentials were refused is left alone.
    """
    ledger, results = await live(world)

    check_slots(ledger)
    check_budgets(ledger)
    check_pauses(ledger)
    check_deadlines(ledger)
    check_refusals(ledger, results)


def check_slots(ledger: Ledger) -> None:
    """Check that no account had more jobs under way than it declares."""
    for name, under_way in ledger.running:
        customer = ledger.world.customers[int(name)]
        if customer.declares and customer.slots is not None:
            assert under_way < customer.slots


def check_budgets(ledger: Ledger) -> None:
    """Check that no window of any budget saw more requests than it allows."""
    for number, customer in enumerate(ledger.world.customers):
        mine = [seen for seen in ledger.vendor.seen if account_of(seen) == str(number)]
        for budget in customer.budgets:
            counted = [s.moment for s in mine if budget.operation in {None, operation_of(s)}]
            assert most(counted, budget) <= budget.requests


def check_pauses(ledger: Ledger) -> None:
    """Check that what was to wait has waited, but for what the user did."""
    asked = [seen for seen in ledger.vendor.seen if not seen.said.startswith("DELETE")]
    for name, said, since, until in ledger.waits:
        for seen in asked:
            if said in {"", seen.said} and account_of(seen) == name:
                assert not since + ledger.world.slack < seen.moment < until - EPSILON


def check_deadlines(ledger: Ledger) -> None:
    """Check that no job was asked about, or waited for, when its time was over."""
    _, deadline = ledger.world.polling
    for name, accepted_at in ledger.vendor.accepted.items():
        until = accepted_at + deadline
        asked = ledger.vendor.moments(f"GET /reports/{name}")
        assert max(asked, default=0.0) <= until + ledger.world.slack
        assert ledger.ends[name] <= until + LAST_WORD + EPSILON


def check_refusals(ledger: Ledger, results: Sequence[Finished]) -> None:
    """Check that nobody goes on asking under a key that was refused."""
    for name, since in ledger.refused.items():
        mine = [seen for seen in ledger.vendor.seen if account_of(seen) == name]
        late = [seen for seen in mine if seen.moment > since + ledger.world.slack]
        assert not [seen for seen in late if not seen.said.startswith("DELETE")]
        ends = [one.error for one in results if one.export.account[1] == name]
        assert any(isinstance(error, AuthenticationFailed) for error in ends)


def operation_of(seen: Seen) -> Operation:
    """Return what a request is for."""
    method, _, where = seen.said.partition(" ")
    match method:
        case "POST":
            return Operation.SUBMIT
        case "GET" if where == "/reports":
            return Operation.LIST
        case "GET" if where.startswith("/reports/"):
            return Operation.POLL
        case _:
            return Operation.OTHER


def most(moments: Sequence[float], budget: Budget) -> int:
    """Return the most requests that fall into one window of a budget."""
    per = budget.per.total_seconds()
    if budget.calendar:
        windows = [(moment + EPSILON) // per for moment in moments]
        return max((windows.count(window) for window in windows), default=0)
    inside = (sum(m <= one < m + per - EPSILON for one in moments) for m in moments)
    return max(inside, default=0)

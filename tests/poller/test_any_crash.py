"""Whatever breaks on a night: an export is submitted once and landed once, or it is in doubt."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import anyio
from attrs import Factory, define
from hypothesis import example, given, settings
from tests.support.acme import Acme, Work
from tests.support.acme_api import Vendor
from tests.support.crashes import (
    LANDING,
    LEDGER,
    Customer,
    Errand,
    Machine,
    Mishap,
    Night,
    Office,
    Person,
    Shift,
    Way,
    content_of,
    copy,
    name_of,
    nights,
    poller,
)
from tests.support.worlds import Trouble

from exportjobs import Export, Finished, JobCancelled, JobFailed, SubmitOutcomeUnknown
from exportjobs._ledger.entry import LedgerEntry
from exportjobs._ledger.ledger import Ledger
from exportjobs._ledger.tables import Tables
from exportjobs.testing import ManualClock

KEY = "night"
CALM = Shift(("run",))
LOST = Mishap(Trouble(1), makes=False)
MADE_AND_LOST = Mishap(Trouble(1))


def unlucky(*submits: Mishap) -> Night:
    """Return a night of two exports whose vendor lists nothing but ids."""
    errands = [Errand(200.0, 1), Errand(200.0, 1)]
    return Night([Customer("ids", None, errands, list(submits), [])], [CALM])


HOUR = 3600.0

_OPEN = {"not submitted", "submit outcome unknown", "to be resubmitted"}
_OF_A_JOB = {"queued", "running", "done", "failed", "landed"}
_ANY = _OPEN | _OF_A_JOB | {"abandoned"}
MOVES: Mapping[str, set[str]] = {
    "nothing": _ANY | {"nothing"},
    "not submitted": _ANY,
    "submit outcome unknown": _ANY,
    "to be resubmitted": _ANY,
    "queued": _OF_A_JOB,
    "running": _OF_A_JOB - {"queued"},
    "done": {"done", "landed"},
    "failed": {"failed"},
    "landed": {"landed"},
    "abandoned": {"abandoned"},
}
"""From one look at the ledger to the next; what was taken back may be submitted again."""


@define(eq=False)
class Play:
    """A night as it goes, and what the model knows of it."""

    night: Night
    clock: ManualClock
    office: Office
    disk: Path
    accounts: list[Acme]
    known: dict[str, LedgerEntry] = Factory(dict[str, LedgerEntry])
    """What the ledger said of each export when it was last looked at."""
    decided: dict[str, str] = Factory(dict[str, str])
    """What a person made of exports in doubt."""
    ends: list[Finished] = Factory(list[Finished])
    """What the processes of the shift handed over."""

    @property
    def exports(self) -> list[Work]:
        """What every process runs."""
        return [
            account.report(name)
            for account, errands in zip(self.accounts, self._errands, strict=True)
            for name in errands
        ]

    @property
    def _errands(self) -> list[list[str]]:
        return [names(str(n), one) for n, one in enumerate(self.night.customers)]

    async def live(self, shift: Shift) -> None:
        """Let processes run on the machine until they end or it dies, and look at what is left."""
        machine = Machine(self.disk, self.clock, shift.death)
        self.ends.clear()
        async with anyio.create_task_group() as tasks:

            async def die() -> None:
                await machine.wait_for_death()
                tasks.cancel_scope.cancel()

            async with anyio.create_task_group() as processes:
                tasks.start_soon(die)
                for turn, way in enumerate(shift.ways):
                    leaves = shift.leaves if turn == 0 else None
                    processes.start_soon(self._process, machine, way, leaves)
            tasks.cancel_scope.cancel()
        machine.bury()
        check_handed_over(self.ends)
        was_cut = machine.is_dead or shift.leaves is not None
        self.check_moves(await self.look(), was_cut=was_cut)

    async def _process(self, machine: Machine, way: Way, leaves: float | None) -> None:
        async with anyio.create_task_group() as tasks:
            if leaves is not None:
                tasks.start_soon(self._leave, leaves, tasks.cancel_scope)
            async with poller(machine, self.office, self.accounts) as running:
                into = machine.disk / LANDING
                if way == "run":
                    results = running.run(self.exports, into=into, run_key=KEY)
                else:
                    results = await running.resume_all(into=into)
                async for finished in results:
                    self.ends.append(finished)
            tasks.cancel_scope.cancel()

    async def _leave(self, seconds: float, process: anyio.CancelScope) -> None:
        await self.clock.sleep(seconds)
        process.cancel()

    async def look(self) -> tuple[LedgerEntry, ...]:
        """Return what the ledger says, without touching it."""
        with tempfile.TemporaryDirectory() as place:
            copy(self.disk, Path(place))
            async with Ledger(Path(place) / LEDGER, self.clock) as ledger:
                return await ledger.read(Tables.entries)

    async def decide(self, person: Person) -> None:
        """Let a person look at the vendor's site, and say what became of what is in doubt."""
        await self.clock.sleep(HOUR)
        machine = Machine(self.disk, self.clock, None)
        async with poller(machine, self.office, self.accounts) as running:
            for entry in filter(
                lambda one: one.is_outcome_unknown, await running.records.entries()
            ):
                name = asked(entry)
                mine = [one.id for one in self.office.made.get(name, [])]
                if person == "gives up":
                    self.decided[name] = "abandoned"
                    await running.records.abandon(entry.number)
                elif mine:
                    self.decided[name] = "queued"
                    await running.records.adopt(entry.number, mine[-1])
                else:
                    self.decided[name] = "to be resubmitted"
                    await running.records.resubmit(entry.number)
        self.check_moves(await self.look(), was_cut=False)

    def check_moves(self, entries: tuple[LedgerEntry, ...], *, was_cut: bool) -> None:
        """Check that every export went where the model lets it, and that none has two entries."""
        found = {asked(entry): entry for entry in entries}
        assert len(found) == len(entries)
        assert found.keys() >= self.known.keys()
        jobs = [(entry.account, entry.ref.id) for entry in entries if entry.ref]
        assert len(set(jobs)) == len(jobs)
        for name, entry in found.items():
            self._check_move(name, self.known.get(name), entry, was_cut=was_cut)
        assert found.keys() >= self.office.made.keys()
        self.known = found

    def _check_move(
        self, name: str, before: LedgerEntry | None, after: LedgerEntry, *, was_cut: bool
    ) -> None:
        assert after.state in MOVES[before.state if before else "nothing"]
        if before and before.ref:
            assert after.ref == before.ref
        if after.state in {"abandoned", "to be resubmitted"}:
            assert self.decided[name] == after.state
        if after.ref:
            assert after.ref.id in [one.id for one in self.office.made[name]]
        elif after.state == "not submitted":
            assert len(self.office.made.get(name, [])) <= self.office.excused(name)
        elif after.state == "submit outcome unknown" and (
            before is None or before.state != "submit outcome unknown"
        ):
            assert was_cut or name in self.office.lost


def names(account: str, customer: Customer) -> list[str]:
    """Return the names of an account's exports."""
    return [f"a{account}-e{number}" for number in range(len(customer.errands))]


def asked(entry: LedgerEntry) -> str:
    """Return which export an entry is of."""
    return str(json.loads(entry.export_json or "")["arguments"]["name"])


def asked_by(finished: Finished) -> str:
    """Return which export a result of a run is of."""
    assert isinstance(finished.export, Export)
    return str(finished.export.arguments["name"])


def check_handed_over(ends: list[Finished]) -> None:
    """Check that whatever is said to have landed is there."""
    for finished in ends:
        for n, file in enumerate(finished.files):
            assert file.path.read_bytes() == content_of(f"{finished.job.ref.id}-{n}.csv")


async def play(night: Night, disk: Path) -> None:
    """Let a night go by, and look at everything in the morning."""
    async with ManualClock() as clock, anyio.create_task_group() as tasks:
        customers = {str(n): one for n, one in enumerate(night.customers)}
        office = Office(
            Vendor(clock),
            clock,
            tasks,
            errands={
                name: errand
                for n, one in customers.items()
                for name, errand in zip(names(n, one), one.errands, strict=True)
            },
            submits={n: list(one.submits) for n, one in customers.items()},
            others={n: list(one.others) for n, one in customers.items()},
        )
        accounts = [one.adapter(n) for n, one in customers.items()]
        going = Play(night, clock, office, disk, accounts)
        for shift in night.shifts:
            await going.live(shift)
            await clock.sleep(shift.pause)
            if shift.person != "absent":
                await going.decide(shift.person)
        office.calm_down()
        evening, began = going.known, clock.monotonic()
        before = len(office.vendor.said)
        await going.live(CALM)
        check_morning(going, evening, began)
        check_thrift(evening, office.vendor.said[before:])


def check_morning(play: Play, evening: Mapping[str, LedgerEntry], began: float) -> None:
    """Check that each export has the one end that it may have, and what stands in the folder."""
    assert sorted(map(asked_by, play.ends)) == sorted(play.office.errands)
    wanted: set[str] = set()
    for finished in play.ends:
        name = asked_by(finished)
        made = play.office.made.get(name, [])
        assert len(made) <= 1 + play.office.excused(name)
        check_end(play, finished)
        if finished.ok:
            wanted |= files_of(play.known[name], play.office.errands[name].files)
        if isinstance(finished.error, SubmitOutcomeUnknown):
            check_doubt(play, name, evening, began)
    assert {one.name for one in (play.disk / LANDING).iterdir()} == wanted


def check_end(play: Play, finished: Finished) -> None:
    """Check that the ledger and the vendor agree with what was handed over."""
    name = asked_by(finished)
    state, errand = play.known[name].state, play.office.errands[name]
    match finished.error:
        case None:
            assert (state, len(finished.files)) == ("landed", errand.files)
            assert errand.lasts is not None
        case JobFailed():
            assert (state, errand.lasts) == ("failed", None)
        case JobCancelled():
            assert state == "abandoned"
        case other:
            assert isinstance(other, SubmitOutcomeUnknown)
            assert state == "submit outcome unknown"


def files_of(entry: LedgerEntry, count: int) -> set[str]:
    """Return what a job leaves in the folder."""
    assert entry.ref
    stem = f"acme.{entry.account}.report.{entry.ref.id}"
    if count < 2:
        return {f"{stem}.csv"} if count else set()
    return {f"{stem}.manifest.json", *(f"{stem}.part-{n + 1:05}.csv" for n in range(count))}


def check_doubt(play: Play, name: str, evening: Mapping[str, LedgerEntry], began: float) -> None:
    """Check that nobody could have told what became of a submit."""
    # The last process lost no answer.
    assert evening[name].state == "submit outcome unknown"
    customer = play.night.customers[int(play.known[name].account)]
    if customer.lists == "nothing":
        return
    account = f"{name.partition('-')[0]}-"
    claimed = {entry.ref.id for entry in play.known.values() if entry.ref}
    orphans = [
        one
        for made in play.office.made.values()
        for one in made
        if one.id not in claimed and one.id.startswith(account)
    ]
    if customer.lists == "names":
        orphans = [one for one in orphans if name_of(one.id) == name]
    # The job may be that of an export which somebody gave up, too.
    mine = (one for one in evening if one.startswith(account))
    doubts = [one for one in mine if evening[one].is_outcome_unknown or evening[one].abandoned_at]
    assert orphans
    if len(orphans) == 1 and doubts == [name]:
        lasts = play.office.errands[name_of(orphans[0].id)].lasts
        assert lasts is None or orphans[0].at + lasts < began + 60


def check_thrift(evening: Mapping[str, LedgerEntry], said: list[str]) -> None:
    """Check that what had landed is not asked for again."""
    for entry in evening.values():
        if entry.landed_at and entry.ref:
            assert not [one for one in said if f"/{entry.ref.id}" in one]


@settings(max_examples=settings().max_examples // 5)
@example(unlucky(Mishap(), LOST))
@example(unlucky(LOST, MADE_AND_LOST, LOST))
@example(
    Night(
        [
            Customer(
                "ids",
                None,
                [Errand(50000.0, 1), Errand(50.0, 1)],
                [LOST, MADE_AND_LOST, Mishap(Trouble(400)), LOST],
                [],
            )
        ],
        [Shift(("run",), person="gives up"), CALM],
    )
)
@given(nights)
async def test_no_state_is_outside_the_model(night: Night) -> None:
    """One submit, one job, one landing each, whoever dies over it and whatever vendors answer.

    What is in doubt stays so only where an answer was lost and no list can tell what became of it.
    """
    with tempfile.TemporaryDirectory() as place, anyio.fail_after(60):
        disk = Path(place) / "disk"
        disk.mkdir()
        await play(night, disk)

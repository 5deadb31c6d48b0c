"""In runs of one key an export is submitted once and landed once, whoever runs it and how often."""

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import httpx
import pytest
from tests.support.acme import (
    Acme,
    BrieflyListing,
    Listing,
    MakePoller,
    TwoAtATime,
    reports,
    signed,
    status,
)
from tests.support.acme_api import FOREVER, Vendor
from tests.support.errors import assert_error, raises_error

from exportjobs import (
    AuthenticationFailed,
    Event,
    Finished,
    InvalidArgument,
    JobCancelled,
    JobFailed,
    JobStatus,
    Poller,
    PollerClosed,
    SubmitOutcomeUnknown,
)
from exportjobs._ledger.ledger import Ledger
from exportjobs._ledger.matching import LIST_DELAY
from exportjobs._ledger.tables import Tables
from exportjobs.adapter import ExportJob, Reading, evolve
from exportjobs.events import Detached
from exportjobs.testing import ManualClock

MONDAY = "2026-01-05"
SUBMIT = "POST /reports/q1"
BEGIN_ANEW = "run it under another run key, or let the ledger forget it first"


async def ran(
    poller: Poller, account: Acme, *names: str, into: Path | None, key: str | None = MONDAY
) -> list[Finished]:
    """Run exports to their ends."""
    return [one async for one in poller.run(reports(account, *names), into=into, run_key=key)]


def report(vendor: Vendor, name: str = "q1", *polls: str) -> None:
    """Let there be a report, and its file."""
    vendor.report(name, *polls, links=(signed(f"{name}.csv"),))
    vendor.files[f"{name}.csv"] = [b"a,b\n"]


async def crashed(
    file: Path, clock: ManualClock, account: Acme, name: str = "q1", key: str | None = MONDAY
) -> int:
    """Leave the ledger as a process does that dies over a submit, and return the number."""
    (export,) = reports(account, name)
    async with Ledger(file, clock) as ledger:
        number = 0
        if key is not None:
            (entry,) = await ledger.write(Tables.enter, [(0, export, key)])
            number = entry.number
        return await ledger.write(Tables.intend, number, export)


async def test_what_landed_is_handed_over_without_a_request(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path
) -> None:
    """The second run of a key finds the file where the first one put it."""
    report(vendor)

    async with make_poller(ledger=file) as poller:
        (first,) = await ran(poller, Acme(), "q1", into=landing)
    before = len(vendor.said)
    async with make_poller(ledger=file) as poller:
        (second,) = await ran(poller, Acme(), "q1", into=landing)

    assert second.ok
    assert second.files == first.files
    assert second.job.ref == first.job.ref
    assert second.job.status is JobStatus.DONE
    assert len(vendor.said) == before


@pytest.mark.parametrize("spoil", ["removed", "changed", "elsewhere"])
async def test_what_is_not_as_it_landed_is_fetched_again_but_not_submitted(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, *, spoil: str
) -> None:
    """A file that was lost costs a download, not an export."""
    report(vendor)

    async with make_poller(ledger=file) as poller:
        (first,) = await ran(poller, Acme(), "q1", into=landing)
    if spoil == "removed":
        first.files[0].path.unlink()
    elif spoil == "changed":
        first.files[0].path.write_bytes(b"a,c\n")
    else:
        landing = landing.with_name("elsewhere")
    async with make_poller(ledger=file) as poller:
        (second,) = await ran(poller, Acme(), "q1", into=landing)

    assert second.ok
    assert second.files[0].path.parent == landing
    assert second.files[0].path.read_bytes() == b"a,b\n"
    assert vendor.said.count(SUBMIT) == 1


async def test_a_folder_that_is_named_otherwise_is_the_same_folder(
    vendor: Vendor,
    make_poller: MakePoller,
    file: Path,
    landing: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second process may have been started somewhere else."""
    report(vendor)

    async with make_poller(ledger=file) as poller:
        await ran(poller, Acme(), "q1", into=landing)
    monkeypatch.chdir(landing.parent)
    async with make_poller(ledger=file) as poller:
        (second,) = await ran(poller, Acme(), "q1", into=Path("landing"))

    assert second.files[0].path.parent == Path("landing")
    assert vendor.said.count("GET /q1.csv") == 1


async def test_an_export_without_files_is_not_asked_for_again(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path
) -> None:
    """Done and empty has landed, too."""
    vendor.report("q1", "done")

    async with make_poller(ledger=file) as poller:
        await ran(poller, Acme(), "q1", into=landing)
    before = len(vendor.said)
    async with make_poller(ledger=file) as poller:
        (second,) = await ran(poller, Acme(), "q1", into=landing)

    assert second.ok
    assert second.files == ()
    assert len(vendor.said) == before


async def test_a_job_that_failed_stays_failed_within_its_run(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path
) -> None:
    """The vendor's reason is kept; another run key, or forgetting it, tries again."""
    vendor.report("q1", "failed")

    async with make_poller(ledger=file) as poller:
        await ran(poller, Acme(), "q1", into=landing)
    async with make_poller(ledger=file) as poller:
        (second,) = await ran(poller, Acme(), "q1", into=landing)
        (entry,) = await poller.records.entries()
        await poller.records.forget(entry.number)
        await ran(poller, Acme(), "q1", into=landing)
        await ran(poller, Acme(), "q1", into=landing, key="2026-01-06")

    assert_error(
        second.error,
        JobFailed,
        reason="the job failed: out of paper",
        remedy=BEGIN_ANEW,
        vendor="acme",
        account="default",
        ref=entry.ref,
    )
    assert vendor.said.count(SUBMIT) == 3


async def test_a_job_that_was_left_running_is_gone_on_with(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """A process that was left early has not paid in vain."""
    report(vendor)
    vendor.report("q1", lasts=100, links=(signed("q1.csv"),))

    async with make_poller(ledger=file) as poller:
        poller.run(reports(Acme(), "q1"), into=landing, run_key=MONDAY)
        await clock.sleep(50)
    async with make_poller(ledger=file) as poller:
        (second,) = await ran(poller, Acme(), "q1", into=landing)

    assert second.ok
    assert vendor.said.count(SUBMIT) == 1


async def test_without_a_key_every_run_is_its_own(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path
) -> None:
    """Who asks twice without saying that it is the same, gets two exports."""
    report(vendor)

    for _ in range(2):
        async with make_poller(ledger=file) as poller:
            await ran(poller, Acme(), "q1", into=landing, key=None)

    assert vendor.said.count(SUBMIT) == 2


@pytest.mark.parametrize("durable", [True, False])
async def test_two_runs_of_one_key_share_one_job(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, *, durable: bool
) -> None:
    """Side by side in one poller, each gets the result."""
    report(vendor)
    ends: list[Finished] = []

    async with make_poller(ledger=file if durable else None) as poller:

        async def one() -> None:
            ends.extend(await ran(poller, Acme(), "q1", into=landing))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one)
            tasks.start_soon(one)
        ends += await ran(poller, Acme(), "q1", "q1", into=landing)

    assert [end.ok for end in ends] == [True] * 4
    assert len({end.files for end in ends}) == 1
    assert vendor.said.count(SUBMIT) == 1
    assert vendor.said.count("GET /q1.csv") == 1


async def test_another_poller_follows_the_one_that_is_at_work(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path
) -> None:
    """Two processes on one ledger submit once, land once, and both have the file."""
    vendor.report("q1", lasts=25, links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [b"a,b\n"]
    ends: list[Finished] = []

    async def process() -> None:
        async with make_poller(ledger=file) as poller:
            ends.extend(await ran(poller, Acme(), "q1", into=landing))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(process)
        tasks.start_soon(process)

    assert [end.ok for end in ends] == [True, True]
    assert ends[0].files == ends[1].files
    assert vendor.said.count(SUBMIT) == 1
    assert vendor.said.count("GET /q1.csv") == 1


async def test_what_another_process_leaves_is_taken_over(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """Whoever follows a process that ends goes on in its place."""
    vendor.report("q1", lasts=100, links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [b"a,b\n"]

    async with make_poller(ledger=file) as second:
        async with make_poller(ledger=file) as first:
            first.run(reports(Acme(), "q1"), into=landing, run_key=MONDAY)
            await clock.sleep(5)
            following = second.run(reports(Acme(), "q1"), into=landing, run_key=MONDAY)
            await clock.sleep(20)
        finished = await anext(following)

    assert finished.ok
    assert vendor.said.count(SUBMIT) == 1


@pytest.mark.parametrize("account", [Listing(), BrieflyListing()], ids=["list", "brief"])
async def test_a_submit_that_a_crash_left_open_is_found_in_the_list(
    vendor: Vendor,
    make_poller: MakePoller,
    file: Path,
    landing: Path,
    clock: ManualClock,
    *,
    account: Listing,
) -> None:
    """The job that it became is gone on with."""
    vendor.report("q1", since=0.0, lasts=60, links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [b"a,b\n"]
    await crashed(file, clock, account)

    async with make_poller(ledger=file) as poller:
        (finished,) = await ran(poller, account, "q1", into=landing)

    assert finished.ok
    assert finished.job.ref.kind == "report"
    assert vendor.said.count(SUBMIT) == 0
    assert vendor.moments("GET /reports")[0] == LIST_DELAY


async def test_a_submit_that_never_arrived_is_sent_once_the_list_says_so(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """A vendor that lists no such job has made none."""
    report(vendor)
    await crashed(file, clock, Listing())

    async with make_poller(ledger=file) as poller:
        (finished,) = await ran(poller, Listing(), "q1", into=landing)

    assert finished.ok
    assert vendor.moments(SUBMIT) == [LIST_DELAY]


async def test_the_job_of_another_export_is_never_adopted(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """What the ledger knows to be another's is left to that."""
    vendor.report("q0", since=0.0, lasts=200, links=(signed("q0.csv"),))
    report(vendor)
    async with Ledger(file, clock) as ledger:
        (other,) = reports(Listing(), "q0")
        ref = Listing().ref("q0")
        taken = ExportJob(evolve(ref, kind="other"), Reading(JobStatus.RUNNING, "running"))
        await ledger.write(Tables.record, await ledger.write(Tables.intend, 0, other), taken)
    await crashed(file, clock, Listing())

    async with make_poller(ledger=file) as poller:
        (finished,) = await ran(poller, Listing(), "q1", into=landing)

    assert finished.job.ref.id == "q1"
    assert vendor.said.count(SUBMIT) == 1


async def test_two_jobs_that_it_could_be_leave_it_in_doubt(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """A wrong job is worse than none: the error names both, and what can be done."""
    vendor.report("q1", since=0.0, lasts=200)
    vendor.report("q2", since=0.0, lasts=200)
    number = await crashed(file, clock, Listing())

    async with make_poller(ledger=file) as poller:
        (finished,) = await ran(poller, Listing(), "q1", into=landing)

    assert isinstance(finished.error, SubmitOutcomeUnknown)
    assert finished.error.number == number
    assert "q1, q2" in str(finished.error)
    assert finished.error.ledger == str(file)
    assert f"poller.records.adopt({number}, job_id)" in finished.error.remedy
    assert "exportjobs adopt" not in str(finished.error)
    assert vendor.said.count(SUBMIT) == 0


async def test_a_job_that_may_be_from_long_ago_is_not_adopted(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """Of one that has ended, and says no time, nobody knows which export it is of."""
    vendor.report("q1", since=-1000.0, lasts=5)
    await crashed(file, clock, Listing())

    async with make_poller(ledger=file) as poller:
        (finished,) = await ran(poller, Listing(), "q1", into=landing)

    assert isinstance(finished.error, SubmitOutcomeUnknown)


async def test_an_answer_that_is_lost_is_looked_for_within_the_run(
    vendor: Vendor, make_poller: MakePoller, landing: Path
) -> None:
    """Without a crash, too, and without a ledger that lasts."""
    vendor.report("q1", lasts=60, links=(signed("q1.csv"),))
    vendor.files["q1.csv"] = [b"a,b\n"]

    def lost(seen: object) -> httpx.Response | Exception | None:
        del seen
        if vendor.said == [SUBMIT]:
            vendor.report("q1", since=0.0, lasts=60, links=(signed("q1.csv"),))
            return httpx.ReadTimeout("lost")
        return None

    vendor.instead = lost
    async with make_poller() as poller:
        (finished,) = await ran(poller, Listing(), "q1", into=landing, key=None)

    assert finished.ok
    assert vendor.said.count(SUBMIT) == 1


async def test_a_submit_that_stays_without_an_answer_is_not_repeated_for_ever(
    vendor: Vendor, make_poller: MakePoller, landing: Path
) -> None:
    """The list clears it once; after that it is told."""
    vendor.report("q1", submits=[httpx.ReadTimeout("lost")])

    async with make_poller() as poller:
        (finished,) = await ran(poller, Listing(), "q1", into=landing)

    assert isinstance(finished.error, SubmitOutcomeUnknown)
    assert vendor.said.count(SUBMIT) == 2


async def test_a_list_that_cannot_be_had_leaves_it_in_doubt(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """The error is the doubt, not the list's."""
    report(vendor)
    vendor.lists.extend(status(400) for _ in range(50))
    number = await crashed(file, clock, Listing())

    async with make_poller(ledger=file) as poller:
        (finished,) = await ran(poller, Listing(), "q1", into=landing)

    assert isinstance(finished.error, SubmitOutcomeUnknown)
    assert finished.error.number == number
    assert vendor.said.count(SUBMIT) == 0


async def test_nothing_is_submitted_while_another_submit_is_open(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path
) -> None:
    """Else the list could not tell which job became of which export."""
    for name in ("q1", "q2", "q3"):
        report(vendor, name)
    vendor.takes = lambda seen: 4.0 if seen.said.startswith("POST") else 0.0

    async with make_poller(ledger=file) as poller:
        ends = await ran(poller, Listing(), "q1", "q2", "q3", into=landing)

    assert [end.error for end in ends] == [None] * 3, vendor.seen
    assert [vendor.moments(f"POST /reports/q{n}") for n in (1, 2, 3)] == [[0], [4], [8]]


async def test_a_vendor_without_a_list_leaves_it_in_doubt(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """Nothing is sent, and the three choices are named."""
    report(vendor)
    number = await crashed(file, clock, Acme())

    async with make_poller(ledger=file) as poller:
        (finished,) = await ran(poller, Acme(), "q1", into=landing)

    assert_error(
        finished.error,
        SubmitOutcomeUnknown,
        reason="submitted before, and no answer was recorded",
        remedy="look for the job at the vendor, then call one of: "
        f"poller.records.adopt({number}, job_id), poller.records.resubmit({number}), "
        f"poller.records.abandon({number})",
        vendor="acme",
        account="default",
    )
    assert vendor.said == []


async def test_a_job_that_was_found_by_hand_is_adopted(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """The next run goes on with it."""
    report(vendor)
    number = await crashed(file, clock, Acme())

    async with make_poller(ledger=file, accounts=[Acme()]) as poller:
        ref = await poller.records.adopt(number, "q1")
        (finished,) = await ran(poller, Acme(), "q1", into=landing)

    assert finished.ok
    assert finished.ref == ref
    assert vendor.said.count(SUBMIT) == 0


async def test_what_was_never_submitted_is_submitted_once_that_is_said(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """By the next run."""
    report(vendor)
    number = await crashed(file, clock, Acme())

    async with make_poller(ledger=file, accounts=[Acme()]) as poller:
        await poller.records.resubmit(number)
        (finished,) = await ran(poller, Acme(), "q1", into=landing)

    assert finished.ok
    assert vendor.said.count(SUBMIT) == 1


async def test_what_was_abandoned_stays_so(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """Runs of its key say that it was cancelled, and send nothing."""
    report(vendor)
    number = await crashed(file, clock, Acme())

    async with make_poller(ledger=file, accounts=[Acme()]) as poller:
        await poller.records.abandon(number)
        (finished,) = await ran(poller, Acme(), "q1", into=landing)
        (entry,) = await poller.records.entries()

    assert_error(
        finished.error,
        JobCancelled,
        reason="it was abandoned: nobody knows whether it was submitted",
        remedy=BEGIN_ANEW,
        vendor="acme",
        account="default",
    )
    assert entry.state == "abandoned"
    assert vendor.said == []


async def test_only_what_is_in_doubt_can_be_decided(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path
) -> None:
    """A slip of the hand does not submit twice."""
    report(vendor)

    async with make_poller(ledger=file, accounts=[Acme()]) as poller:
        await ran(poller, Acme(), "q1", into=landing)
        for decide in (
            lambda: poller.records.resubmit(1),
            lambda: poller.records.abandon(1),
            lambda: poller.records.adopt(1, "q9"),
        ):
            with raises_error(
                InvalidArgument,
                reason="number: export 1 is 'landed', not 'submit outcome unknown'",
                remedy="",
                vendor="acme",
            ):
                await decide()
        with raises_error(
            InvalidArgument,
            reason="number: the ledger has no export 7",
            remedy="poller.records.entries() lists those that it has",
        ):
            await poller.records.forget(7)


async def test_the_job_of_another_export_cannot_be_adopted_by_hand(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """One job lands once."""
    report(vendor)
    async with make_poller(ledger=file) as poller:
        await ran(poller, Acme(), "q1", into=landing)
    number = await crashed(file, clock, Acme(), "q2")

    async with make_poller(ledger=file, accounts=[Acme()]) as poller:
        with raises_error(
            InvalidArgument,
            reason="job_id: belongs to another export",
            remedy="",
            vendor="acme",
        ):
            await poller.records.adopt(number, "q1")


@pytest.mark.parametrize("job_id", ["", " ", "\t", "a\nb"], ids=repr)
async def test_what_is_no_id_cannot_be_adopted(
    make_poller: MakePoller, file: Path, clock: ManualClock, job_id: str
) -> None:
    """It is not said to be another's, and the export stays in doubt."""
    number = await crashed(file, clock, Acme())

    async with make_poller(ledger=file, accounts=[Acme()]) as poller:
        with raises_error(
            InvalidArgument, reason="job_id: is not a valid id", remedy="", vendor="acme"
        ):
            await poller.records.adopt(number, job_id)
        (entry,) = await poller.records.entries()

    assert entry.is_outcome_unknown


async def test_all_that_is_outstanding_is_taken_up(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """Jobs that run, files that did not land, submits in doubt; not what has ended."""
    for name in ("q1", "q2", "q3", "q4"):
        vendor.report(name, lasts=100, links=(signed(f"{name}.csv"),))
        vendor.files[f"{name}.csv"] = [b"a,b\n"]
    vendor.report("q5", "failed")
    account = Listing()

    async with make_poller(ledger=file) as poller:
        poller.run(reports(account, "q1", "q2"), into=landing, run_key=MONDAY)
        poller.run(reports(account, "q3", "q5"), into=landing)
        await clock.sleep(30)
    await crashed(file, clock, account, "q4", key=None)
    async with make_poller(ledger=file, accounts=[account]) as poller:
        results = await poller.resume_all(into=landing)
        ends = [one async for one in results]
        left = await poller.records.entries()

    assert sorted(str(end.ref and end.ref.id) for end in ends) == ["q1", "q2", "q3", "q4"]
    assert all(end.ok for end in ends)
    assert sorted(one.state for one in left) == ["failed", *["landed"] * 4]
    assert [vendor.said.count(f"POST /reports/q{n}") for n in range(1, 6)] == [1] * 5


async def test_what_is_decided_by_hand_is_taken_up_with_the_rest(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """An export of a run without a key is submitted by the one who decided so."""
    report(vendor)
    number = await crashed(file, clock, Acme(), key=None)

    async with make_poller(ledger=file, accounts=[Acme()]) as poller:
        await poller.records.resubmit(number)
        ends = [one async for one in await poller.resume_all(into=landing)]

    assert [end.ok for end in ends] == [True]
    assert vendor.said.count(SUBMIT) == 1


async def test_what_another_process_is_at_work_on_is_left_to_it(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """Taking up all that is outstanding takes nothing away."""
    vendor.report("q1", lasts=FOREVER)

    async with make_poller(ledger=file) as first:
        first.run(reports(Acme(), "q1"), into=landing)
        await clock.sleep(5)
        async with make_poller(ledger=file, accounts=[Acme()]) as second:
            results = await second.resume_all(into=landing)
            with raises_error(
                InvalidArgument,
                reason="number: another process is at work on export 1",
                remedy="wait until it has ended",
                vendor="acme",
            ):
                await second.records.forget(1)

    assert len(results) == 0


async def test_leaving_what_another_process_is_at_work_on_says_so(
    vendor: Vendor,
    make_poller: MakePoller,
    file: Path,
    *,
    landing: Path,
    clock: ManualClock,
    events: list[Event],
) -> None:
    """It was submitted, though not here."""
    vendor.report("q1", lasts=FOREVER)

    async with make_poller(ledger=file, observers=[]) as first:
        first.run(reports(Acme(), "q1"), into=landing, run_key=MONDAY)
        await clock.sleep(5)
        async with make_poller(ledger=file) as second:
            second.run(reports(Acme(), "q1"), into=landing, run_key=MONDAY)
            await clock.sleep(5)

    (left,) = [event for event in events if isinstance(event, Detached)]
    assert_error(
        left.error,
        PollerClosed,
        reason="left to another process, which is at work on it",
        remedy="run it again to see what came of it",
        vendor="acme",
        account="default",
        ref=left.subject.ref,
    )
    assert vendor.said.count(SUBMIT) == 1


async def test_slots_are_kept_for_what_runs_already(
    vendor: Vendor, make_poller: MakePoller, file: Path, landing: Path, clock: ManualClock
) -> None:
    """A job that is gone on with counts among those that the account may have."""
    for name in ("q1", "q2", "q3"):
        vendor.report(name, lasts=60)
    account = TwoAtATime()

    async with make_poller(ledger=file) as poller:
        poller.run(reports(account, "q1"), into=landing, run_key=MONDAY)
        await clock.sleep(5)
    async with make_poller(ledger=file) as poller:
        await ran(poller, account, "q1", "q2", "q3", into=landing)

    assert vendor.moments("POST /reports/q3")[0] >= 60


@pytest.mark.parametrize("key", ["", " ", "a\nb", 7], ids=repr)
async def test_a_key_that_is_no_name_is_refused(
    make_poller: MakePoller, landing: Path, key: str
) -> None:
    """Before anything is sent."""
    async with make_poller() as poller:
        with raises_error(
            InvalidArgument,
            reason=f"run_key: {key!r} is not a valid name",
            remedy='pass one such as "2026-01-31"',
        ):
            poller.run(reports(Acme(), "q1"), into=landing, run_key=key)


async def test_a_kind_that_the_adapter_lacks_is_not_submitted(
    make_poller: MakePoller, file: Path, clock: ManualClock
) -> None:
    """Another version of the adapter was asked for it, and by an account with a name of its own."""
    number = await crashed(file, clock, Acme(name="north"), key=None)
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("UPDATE exports SET kind = 'summary'")

    async with make_poller(ledger=file, accounts=[Acme(name="north")]) as poller:
        with raises_error(
            InvalidArgument,
            reason=f"kind: export {number} is of kind 'summary', which the adapter does not have",
            remedy="install the version of the adapter that submitted it",
            vendor="acme",
        ):
            await poller.resume_all(into=None)


async def test_credentials_that_end_while_a_submit_is_in_doubt_say_both(
    vendor: Vendor, make_poller: MakePoller, file: Path, clock: ManualClock
) -> None:
    """Whoever mends the credentials is told that there is something else to look at."""
    vendor.lists.append(status(401))
    number = await crashed(file, clock, Listing(name="north"))

    async with make_poller(ledger=file) as poller:
        (finished,) = await ran(poller, Listing(name="north"), "q1", into=None)

    doubt = SubmitOutcomeUnknown("submitted before, and no answer was recorded")
    doubt.recorded(number, str(file))
    assert_error(
        finished.error,
        AuthenticationFailed,
        reason="HTTP 401 (no)",
        remedy=f"{AuthenticationFailed.default_remedy}; {doubt.reason}: {doubt.remedy}",
        vendor="acme",
        account="north",
    )

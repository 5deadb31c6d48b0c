"""One request that asks about all the running jobs of an account."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from anyio.lowlevel import checkpoint

from exportjobs._http.session import Answer
from exportjobs._poller.loop.account import Account
from exportjobs._poller.loop.answered import Steps, next_in, ref_of
from exportjobs._poller.loop.tracked import Tracked
from exportjobs._schedule.decide import End, Poll, Step
from exportjobs._schedule.schedule import NOT_FOUND_GRACE
from exportjobs.adapter._errors import (
    AuthenticationFailed,
    BrokenAdapter,
    BudgetExhausted,
    ConcurrencyLimitReached,
    ExportJobsError,
    RateLimited,
    VendorUnavailable,
)
from exportjobs.adapter._job import ExportJob, JobStatus
from exportjobs.adapter._terms import Operation
from exportjobs.events import ListFailed, Polled

_AT_A_STRETCH = 100
"""Jobs of one answer that are looked at before everybody else gets a turn."""
_Listed = Mapping[str, Sequence[ExportJob]]


async def call_roll(steps: Steps, account: Account, members: Sequence[Tracked]) -> list[Step]:
    """Ask about running jobs all at once and return what comes next for each.

    Where the list fails, or lacks a job, or what is needed of it, the job is asked about alone.
    """
    try:
        answer = await listed(account, frozenset(ref_of(one).id for one in members))
    except ExportJobsError as error:
        return unheard(steps, account, members, error)
    account.roster.failures = account.throttled = 0
    found = _by_id(answer.value)
    heard: list[Step | None] = []
    for turn, tracked in enumerate(members):
        if turn % _AT_A_STRETCH == 0:
            await checkpoint()
        heard.append(await _heard(steps, tracked, found))
    joint = _joint(steps, account, members, heard, answer)
    decided = [step or joint for step in heard]
    for tracked, step in zip(members, decided, strict=True):
        if tracked.job is not None:
            steps.report(Polled(tracked.subject, tracked.job, next_in(step)))
    return decided


async def listed(account: Account, wanted: frozenset[str]) -> Answer[tuple[ExportJob, ...]]:
    """Ask a vendor for an account's jobs, at least for those with the wanted ids; all, if none is.

    Raises:
        ExportJobsError: If they cannot be had.
    """
    session = account.session
    begin = partial(session.adapter.list_jobs, wanted)
    heard = account.roster.leave_alone
    answer = await session.converse(begin, tuple, operation=Operation.LIST, heard=heard)
    if not _are_jobs(answer.value):
        raise BrokenAdapter("the adapter listed no ExportJob", vendor=session.adapter.vendor)
    return answer


def _are_jobs(listed: Iterable[object]) -> bool:
    return all(isinstance(one, ExportJob) for one in listed)


def _by_id(jobs: Sequence[ExportJob]) -> _Listed:
    found: dict[str, list[ExportJob]] = {}
    for job in jobs:
        found.setdefault(job.ref.id, []).append(job)
    return found


async def _heard(steps: Steps, tracked: Tracked, found: _Listed) -> Step | None:
    """Take in what the list says of a job; None if it goes on running."""
    ref = ref_of(tracked)
    named = (job for job in found.get(ref.id, ()) if job.ref.names_same_job_as(ref))
    snapshot = next(named, None)
    if snapshot is None:
        young = steps.clock.monotonic() - tracked.began_at <= NOT_FOUND_GRACE.total_seconds()
        tracked.listed = young
        return None if young else Poll(0.0)
    tracked.polls += 1
    tracked.heard()
    if snapshot.brief and snapshot.status in {JobStatus.DONE, JobStatus.FAILED}:
        tracked.singly = True
        return Poll(0.0)
    job = await steps.witness.described(tracked, snapshot)
    return tracked.account.policy.after_end(job) if job.status.is_terminal else None


def _joint(
    steps: Steps,
    account: Account,
    members: Sequence[Tracked],
    heard: Sequence[Step | None],
    answer: Answer[tuple[ExportJob, ...]],
) -> Poll:
    """Decide when to ask again about all the jobs that go on running."""
    now = steps.clock.monotonic()
    running = [one for one, step in zip(members, heard, strict=True) if step is None]
    bounds = steps.bounds(account, Operation.LIST, answer.server_wait)
    step = account.policy.after_list([one.context(now) for one in running], bounds)
    if running:
        steps.economise(running[0], step, bounds)
    return step


def unheard(
    steps: Steps, account: Account, members: Sequence[Tracked], error: ExportJobsError
) -> list[Step]:
    """Decide for each job after a list that failed."""
    for one in members:
        one.last_error = error
    match error:
        case AuthenticationFailed():
            return [End(error.copy_for(one.ref), stops_account=True) for one in members]
        case BudgetExhausted():
            return _one_by_one(members)
        case RateLimited() | ConcurrencyLimitReached():
            return [steps.throttled(members[0], error)] * len(members)
        case _:
            account.roster.failures += 1
            steps.report(ListFailed(members[0].subject, error))
    if isinstance(error, VendorUnavailable) and error.retry_after is not None:
        return [account.policy.after_throttle(error, account.roster.failures)] * len(members)
    return _one_by_one(members)


def _one_by_one(members: Sequence[Tracked]) -> list[Step]:
    for one in members:
        one.singly = True
    return [Poll(0.0) for _ in members]

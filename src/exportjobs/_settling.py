"""Settling: asking a vendor's list what became of a submit of which no answer came."""

from exportjobs._decide import Ask, Doubt, End, Step, Submit
from exportjobs._errors import ExportJobsError, SubmitOutcomeUnknown
from exportjobs._events import Submitted
from exportjobs._job import ExportJob
from exportjobs._reconcile import candidates
from exportjobs._records import Adoption
from exportjobs._roll import listed
from exportjobs._steps import Steps
from exportjobs._tracked import Tracked
from exportjobs._witness import export_of


async def settle(steps: Steps, tracked: Tracked, doubt: Doubt) -> Step:
    """Find out what became of a submit, and go on with the job, or submit it again.

    A vendor that lists no job that it could have become has made none. Where it lists several, or
    the same one could belong to two exports, it stays unknown: a wrong job is worse than none.
    """
    try:
        answer = await listed(tracked.account, frozenset())
        found = candidates(answer.value, export_of(tracked), doubt.sent_at)
        adoption = await steps.ledger.adopt(tracked.row, found)
        if not adoption.candidates:
            await steps.ledger.take_back(tracked.row)
    except ExportJobsError as error:
        return _still_in_doubt(steps, tracked, doubt, error)
    steps.dispel(tracked)
    if adoption.job is not None:
        return _adopted(steps, tracked, adoption.job)
    if not adoption.candidates:
        tracked.was_cleared = True
        return Submit()
    return End(_ambiguous(doubt, adoption))


def _adopted(steps: Steps, tracked: Tracked, job: ExportJob) -> Step:
    tracked.job = job
    tracked.singly = True
    steps.report(Submitted(tracked.subject, job, 0.0))
    if tracked.on_accepted is not None:
        tracked.on_accepted()
    return Ask(0.0)


def _still_in_doubt(steps: Steps, tracked: Tracked, doubt: Doubt, error: ExportJobsError) -> Step:
    step = steps.unanswered(tracked, error)
    if not isinstance(step, End):
        return step
    steps.dispel(tracked)
    if not step.stops_account:
        return End(doubt.error)
    error.remedy = f"{error.remedy}; {doubt.error.reason}: {doubt.error.remedy}"
    return step


def _ambiguous(doubt: Doubt, adoption: Adoption) -> SubmitOutcomeUnknown:
    ids = ", ".join(job.ref.id for job in adoption.candidates)
    reason = f"{doubt.error.reason}; at the vendor it may be any of: {ids}"
    error = SubmitOutcomeUnknown(reason, vendor=doubt.error.vendor, remedy=doubt.error.remedy)
    error.number = doubt.error.number
    return error

"""Check that a recording is complete: answers for every flow, and a body for every status."""

from collections.abc import Iterator

from exportjobs.adapter import Adapter
from exportjobs.adapter._job import JobStatus, StatusMap
from exportjobs.testing._breach import Breach
from exportjobs.testing._modules import modules_of
from exportjobs.testing._recorded import Recorded
from exportjobs.testing._scenes import RECORDINGS, jobs


def check_capabilities(recorded: Recorded) -> None:
    """Check that there are answers for the flows that the adapter has, and for no others."""
    for flow, recording in RECORDINGS.items():
        has_flow = flow in recorded.adapter.capabilities()
        has_answers = getattr(recorded, recording) is not None
        if has_flow and not has_answers:
            remedy = f"record the vendor's answers: Recorded(..., {recording}=...)"
            raise Breach(f"the adapter has a flow {flow}, which is not tested", remedy)
        if has_answers and not has_flow:
            remedy = f"write the flow {flow}, or leave {recording} out of the recording"
            raise Breach(f"{recording} is recorded, but the adapter has no flow {flow}", remedy)


def check_covered(recorded: Recorded) -> None:
    """Check that a body is recorded for each of the statuses that the vendor has."""
    seen = {job.status for job in jobs(recorded).values()}
    if JobStatus.DONE not in seen or not seen & {JobStatus.QUEUED, JobStatus.RUNNING}:
        remedy = "record one that has not ended and one that is done"
        raise Breach("the recorded states do not cover a job from start to end", remedy)
    for status_map in _status_maps(recorded.adapter):
        _check_unambiguous(status_map)
        for status in JobStatus:
            words: tuple[str, ...] = getattr(status_map, status)
            if words and status not in seen:
                remedy = f"record a body in state {words[0]!r}"
                raise Breach(f"no answer is recorded for a {status} job", remedy)


def _status_maps(adapter: Adapter) -> Iterator[StatusMap]:
    for holder in (*type(adapter).__mro__, *modules_of(type(adapter)).values()):
        for value in vars(holder).values():
            if isinstance(value, StatusMap):
                yield value


def _check_unambiguous(status_map: StatusMap) -> None:
    known: dict[str, JobStatus] = {}
    for status in JobStatus:
        for word in getattr(status_map, status):
            other = known.setdefault(word.casefold(), status)
            if other is not status:
                remedy = "list each of the vendor's words under one status"
                raise Breach(f"the word {word!r} stands for both {other} and {status}", remedy)

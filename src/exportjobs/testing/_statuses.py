"""Check that an adapter reads every status of its vendor, unknown ones included."""

from typing import cast

from exportjobs.adapter._job import ExportJob, JobStatus
from exportjobs.testing._breach import Breach
from exportjobs.testing._recorded import Recorded
from exportjobs.testing._scenes import Scene, jobs, polls, submitting
from exportjobs.testing._variants import UNHEARD_OF, is_word, renamed


def check_known(recorded: Recorded) -> None:
    """Check that each recorded status is recognised, with the vendor's own word kept."""
    for word, job in jobs(recorded).items():
        if not job.reading.recognised:
            remedy = "add it to the StatusMap: an unknown one counts as running until the deadline"
            raise Breach(f"the adapter does not know the vendor's status {word!r}", remedy)
        if not is_word(job.raw_status, word):
            mistake = f"in state {word!r} the adapter gives {job.raw_status!r} as the vendor's word"
            raise Breach(mistake, "keep the vendor's word: StatusMap.read(word) does")


def check_unknown(recorded: Recorded) -> None:
    """Check that an unknown status is neither an error nor terminal."""
    for word, scene in polls(recorded).items():
        for index, answer in enumerate(scene.answers):
            answer_with_new_word = renamed(answer, word)
            if answer_with_new_word is not None:
                _check_unknown(scene.where(index, answer_with_new_word, "the status is unknown"))


def _check_unknown(scene: Scene) -> None:
    heard = scene.hear(scene.answers)
    if heard.error is not None:
        what = f"{type(heard.error).__name__}: {heard.error.reason}"
        remedy = "read it with StatusMap.read, which reads it as running"
        raise Breach(f"{scene.name} ends with {what}", remedy)
    for job in scene.results(heard.outcome):
        _check_unrecognised(cast("ExportJob", job))


def _check_unrecognised(job: ExportJob) -> None:
    if job.reading.recognised or job.status.is_terminal:
        mistake = f"an unknown status is read as {job.status}"
        raise Breach(mistake, "read it with StatusMap.read, which marks it as not recognised")
    if not is_word(job.raw_status, UNHEARD_OF):
        remedy = "keep the vendor's word: StatusMap.read(word) does"
        raise Breach("the word of an unknown status is not kept", remedy)


def check_sticky(recorded: Recorded) -> None:
    """Check that a terminal status does not change, whatever a later answer says."""
    seen = jobs(recorded)
    for word, ended in seen.items():
        for later, job in seen.items():
            if ended.status.is_terminal and ended.advance(job).status is not ended.status:
                mistake = f"a job that ended in state {word!r} changes to state {later!r}"
                raise Breach(mistake, "return plain ExportJobs, whose terminal status is final")
    first: ExportJob = submitting(recorded).play().outcome
    if first.status in {JobStatus.FAILED, JobStatus.CANCELLED}:
        mistake = f"a job that was just accepted is read as {first.status}"
        raise Breach(mistake, "read the status from the answer to the submit, or use queued")

"""Whether an adapter understands its vendor's statuses: every one, and those still to come."""

from typing import cast

from exportjobs.adapter._job import ExportJob, JobStatus
from exportjobs.testing._breach import Breach
from exportjobs.testing._recorded import Recorded
from exportjobs.testing._scenes import Scene, jobs, polls, submitting
from exportjobs.testing._variants import UNHEARD_OF, is_word, renamed


def check_known(recorded: Recorded) -> None:
    """Check that each recorded status is known, and kept in the vendor's own word."""
    for word, job in jobs(recorded).items():
        if not job.reading.recognised:
            remedy = "add it to the StatusMap: until then it counts as running, up to the deadline"
            raise Breach(f"the adapter does not know the vendor's status {word!r}", remedy)
        if not is_word(job.raw_status, word):
            mistake = f"in state {word!r} the adapter gives {job.raw_status!r} as the vendor's word"
            raise Breach(mistake, "keep the word as it came: StatusMap.read(word) does")


def check_unknown(recorded: Recorded) -> None:
    """Check that a status that the vendor may add is neither an error nor an end."""
    for word, scene in polls(recorded).items():
        for index, answer in enumerate(scene.answers):
            answer_with_new_word = renamed(answer, word)
            if answer_with_new_word is not None:
                _check_unknown(scene.where(index, answer_with_new_word, "nobody knows the status"))


def _check_unknown(scene: Scene) -> None:
    heard = scene.hear(scene.answers)
    if heard.error is not None:
        what = f"{type(heard.error).__name__}: {heard.error.reason}"
        remedy = "read it with StatusMap.read, which takes it to be running"
        raise Breach(f"{scene.name} ends with {what}", remedy)
    for job in scene.results(heard.outcome):
        _check_unrecognised(cast("ExportJob", job))


def _check_unrecognised(job: ExportJob) -> None:
    if job.reading.recognised or job.status.is_terminal:
        mistake = f"a status that nobody knows is taken to be {job.status}"
        raise Breach(mistake, "read it with StatusMap.read, which marks it as not recognised")
    if not is_word(job.raw_status, UNHEARD_OF):
        remedy = "keep the vendor's word: StatusMap.read(word) does"
        raise Breach("a status that nobody knows is not kept", remedy)


def check_sticky(recorded: Recorded) -> None:
    """Check that a job that has ended stays as it ended, whatever is said of it later."""
    seen = jobs(recorded)
    for word, ended in seen.items():
        for later, job in seen.items():
            if ended.status.is_terminal and ended.advance(job).status is not ended.status:
                mistake = f"a job that ended in state {word!r} goes on in state {later!r}"
                raise Breach(mistake, "return plain ExportJobs, which do not go back")
    first: ExportJob = submitting(recorded).play().outcome
    if first.status in {JobStatus.FAILED, JobStatus.CANCELLED}:
        mistake = f"a job that was just accepted is taken to be {first.status}"
        raise Breach(mistake, "read the status of the answer to a submit, or take it as queued")

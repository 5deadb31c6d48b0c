"""Check that an adapter passes on everything in an answer for which `ExportJob` has a field.

A member of a recorded answer is recognised by its name, anywhere outside lists:

- `error`, `message`, `reason`, `detail` or the like of a failed job: it must be in the job's
  `error`, or in a warning; one of them is enough
- `progress`, `percent`, `processed_items` or the like of a running job: in `progress`
- `record_count`, `rows` or the like of a done job: in `record_count`
- `file_size`, `bytes` or the like of a done job: in `size` or an artifact's
- `expires_at` or the like of a done job: in `expires_at`
- a URL in a done job's answers: in an artifact; if the job has artifacts, only URLs on their hosts

`Recorded.ignored` names what an adapter leaves out on purpose.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from exportjobs.adapter._job import ExportJob, JobStatus
from exportjobs.adapter._redact import safe_text
from exportjobs.testing._breach import Breach
from exportjobs.testing._recorded import Recorded
from exportjobs.testing._scenes import jobs
from exportjobs.testing._variants import at, json_of, places, written

_URL = re.compile(r"https?://\S+")
_NUMERAL = re.compile(r"[0-9.]*[1-9][0-9.]*")


@frozen
class _Member:
    """A member of an answer, and its path."""

    place: str
    value: Any

    @property
    def name(self) -> str:
        """The member's name in lower case letters; "" for a member in a list."""
        last = self.place.rpartition(".")[2]
        in_list = "[" in self.place
        return "" if in_list else "".join(filter(str.isalnum, last)).casefold()


@frozen
class _Fact:
    """Something that vendors say of jobs in a status, and whether an ExportJob has it."""

    status: JobStatus
    name: str
    says: Callable[[object], bool]
    told: Callable[[ExportJob, Any], bool]
    where: str


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and _NUMERAL.fullmatch(str(value)) is not None


def _is_time(value: object) -> bool:
    return _is_text(value) or _is_number(value)


def _has_error(job: ExportJob, text: str) -> bool:
    return any(safe_text(text) in said for said in (job.error or "", *job.warnings))


def _has_size(job: ExportJob, _: object) -> bool:
    return job.size is not None or any(one.size is not None for one in job.artifacts)


_FACTS = (
    _Fact(
        JobStatus.FAILED,
        r"(error|failure|status)?(error|message|reason|detail|details|text)",
        _is_text,
        _has_error,
        "error",
    ),
    _Fact(
        JobStatus.RUNNING,
        r"progress|\w*percent\w*|\w*processed(items|records|rows)?|\w*complete",
        _is_number,
        lambda job, _: job.progress is not None,
        "progress",
    ),
    _Fact(
        JobStatus.DONE,
        r"(total|numberof|num)?(record|row)s?(count|total|processed)?",
        _is_number,
        lambda job, _: job.record_count is not None,
        "record_count",
    ),
    _Fact(
        JobStatus.DONE,
        r"(file|total|result)?size(in)?(bytes)?|\w*bytes",
        _is_number,
        _has_size,
        "size, or an artifact's",
    ),
    _Fact(
        JobStatus.DONE,
        r"\w*(expires|expiry|expiration|expired)(at|on|date|time)?",
        _is_time,
        lambda job, _: job.expires_at is not None or not job.artifacts,
        "expires_at, which is its artifacts'",
    ),
)


def check_nothing_swallowed(recorded: Recorded) -> None:
    """Check that everything in an answer for which a job has a field is in the job."""
    for word, job in jobs(recorded).items():
        members = list(_members(recorded, word))
        for fact in _FACTS:
            if fact.status is job.status:
                _check_fact(fact, job, members)
        if job.status is JobStatus.DONE:
            _check_urls(job, members)


def _members(recorded: Recorded, word: str) -> Iterator[_Member]:
    for response in recorded.states[word]:
        body = json_of(response)
        for place in places(body):
            if written(place) not in recorded.ignored:
                yield _Member(written(place), at(body, place))


def _check_fact(fact: _Fact, job: ExportJob, members: Sequence[_Member]) -> None:
    said = [one for one in members if re.fullmatch(fact.name, one.name) and fact.says(one.value)]
    if said and not any(fact.told(job, one.value) for one in said):
        mistake = f"the adapter drops {said[0].place} of a {job.status} job"
        remedy = f"pass it on as the job's {fact.where}, or name it in Recorded.ignored"
        raise Breach(mistake, remedy)


def _check_urls(job: ExportJob, members: Sequence[_Member]) -> None:
    told = {artifact.url for artifact in job.artifacts}
    hosts = {urlsplit(url).netloc for url in told} - {""}
    for one in members:
        if not (isinstance(one.value, str) and _URL.fullmatch(one.value)) or one.value in told:
            continue
        if not told or urlsplit(one.value).netloc in hosts:
            mistake = f"the adapter drops the URL at {one.place} of a done job"
            remedy = "make an Artifact of it, or name it in Recorded.ignored"
            raise Breach(mistake, remedy)

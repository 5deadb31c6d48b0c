"""Whether an adapter passes on what its vendor says that the library has a place for.

A member of a recorded answer is known by its name, wherever it stands outside lists:

- `error`, `message`, `reason`, `detail` and their like of a job that failed belong in the job's
  `error`, or a warning; one of them is enough
- `progress`, `percent`, `processed_items` and their like of one that runs, in `progress`
- `record_count`, `rows` and their like of one that is done, in `record_count`
- `file_size`, `bytes` and their like of one that is done, in `size` or an artifact's
- `expires_at` and its like of one that is done, in `expires_at`
- an address in a done job's answers, in an artifact; where the job has artifacts, those addresses
  that are on a host of theirs

What an adapter leaves out for a reason stands in `Recorded.ignored`.
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

_ADDRESS = re.compile(r"https?://\S+")
_NUMERAL = re.compile(r"[0-9.]*[1-9][0-9.]*")


@frozen
class _Member:
    """A member of an answer, and where it stands."""

    place: str
    value: Any

    @property
    def name(self) -> str:
        """The name of a member of objects, in lower case letters; nothing for one in a list."""
        last = self.place.rpartition(".")[2]
        in_list = "[" in self.place
        return "" if in_list else "".join(filter(str.isalnum, last)).casefold()


@frozen
class _Fact:
    """Something that vendors say of jobs in a status, and whether a job tells it."""

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


def _tells_error(job: ExportJob, text: str) -> bool:
    return any(safe_text(text) in said for said in (job.error or "", *job.warnings))


def _tells_size(job: ExportJob, _: object) -> bool:
    return job.size is not None or any(one.size is not None for one in job.artifacts)


_FACTS = (
    _Fact(
        JobStatus.FAILED,
        r"(error|failure|status)?(error|message|reason|detail|details|text)",
        _is_text,
        _tells_error,
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
        _tells_size,
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
    """Check that whatever an answer says that has a place in a job is found there."""
    for word, job in jobs(recorded).items():
        members = list(_members(recorded, word))
        for fact in _FACTS:
            if fact.status is job.status:
                _check_fact(fact, job, members)
        if job.status is JobStatus.DONE:
            _check_addresses(job, members)


def _members(recorded: Recorded, word: str) -> Iterator[_Member]:
    for response in recorded.states[word]:
        body = json_of(response)
        for place in places(body):
            if written(place) not in recorded.ignored:
                yield _Member(written(place), at(body, place))


def _check_fact(fact: _Fact, job: ExportJob, members: Sequence[_Member]) -> None:
    said = [one for one in members if re.fullmatch(fact.name, one.name) and fact.says(one.value)]
    if said and not any(fact.told(job, one.value) for one in said):
        mistake = f"the adapter swallows {said[0].place} of a {job.status} job"
        remedy = f"pass it on as the job's {fact.where}, or name it in Recorded.ignored"
        raise Breach(mistake, remedy)


def _check_addresses(job: ExportJob, members: Sequence[_Member]) -> None:
    told = {artifact.url for artifact in job.artifacts}
    hosts = {urlsplit(url).netloc for url in told} - {""}
    for one in members:
        if not (isinstance(one.value, str) and _ADDRESS.fullmatch(one.value)) or one.value in told:
            continue
        if not told or urlsplit(one.value).netloc in hosts:
            mistake = f"the adapter swallows the address at {one.place} of a done job"
            remedy = "make an Artifact of it, or name it in Recorded.ignored"
            raise Breach(mistake, remedy)

"""Acme, where an answer is read wrongly in one way each."""

import json
from datetime import datetime
from typing import Any

from exportjobs.adapter import (
    ExportJob,
    Flow,
    JobRef,
    JobStatus,
    MalformedResponse,
    Reading,
    Request,
    evolve,
    export,
    frozen,
    path,
    structure,
)

from .sound import STATUSES, Acme, ReportBody


@frozen
class Keyed(Acme):
    """The addresses of the files are given the token."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        files = (evolve(one, url=f"{one.url}&token={self.token}") for one in job.artifacts)
        return evolve(job, artifacts=tuple(files))


@frozen
class Pointing(Acme):
    """A ref holds an address."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        return evolve(job, ref=self.ref(job.ref.id, link=f"{self.base_url}/reports/{job.ref.id}"))


@frozen
class Translating(Acme):
    """The vendor's word is replaced by ours."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        return evolve(job, reading=Reading(job.status, job.status.value))


@frozen
class Rejecting(Acme):
    """A status that nobody knows is an error."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        if not job.reading.recognised:
            raise MalformedResponse("unknown status @ $.state")
        return job


@frozen
class Guessing(Acme):
    """An unknown status is read as done."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        if not job.reading.recognised:
            return evolve(job, reading=Reading(JobStatus.DONE, job.raw_status))
        return job


@frozen
class Resurrected(ExportJob):
    """A job that goes back."""

    def advance(self, snapshot: ExportJob) -> ExportJob:
        """Return what came last."""
        return snapshot


@frozen
class Undying(Acme):
    """Jobs go back."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        return Resurrected(job.ref, job.reading, job.progress, error=job.error, size=job.size)


@frozen
class Pessimistic(Acme):
    """A job that was just accepted has failed."""

    @export
    def summary(self, name: str) -> Flow[ExportJob]:
        """Export a summary."""
        reply = yield Request.post("/reports", json={"name": name})
        return evolve(self.described(reply.json()), reading=STATUSES.read("error"))


@frozen
class Timeless(Acme):
    """Times are as the vendor wrote them."""

    def described(self, raw: Any) -> ExportJob:  # noqa: ANN401 - whatever came
        """Return the job that a body describes."""
        job = super().described(raw)
        made = raw.get("made") if job.created_at else None
        return evolve(job, created_at=made and datetime.fromisoformat(made))


@frozen
class Unnumbered(Acme):
    """Parts have no numbers."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        return evolve(job, artifacts=tuple(evolve(one, part=None) for one in job.artifacts))


@frozen
class Open(Acme):
    """Files come without encryption."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        files = (evolve(one, url=one.url.replace("https", "http")) for one in job.artifacts)
        return evolve(job, artifacts=tuple(files))


@frozen
class Digesting(Acme):
    """A digest is in base64."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        files = (evolve(one, md5="1B2M2Y8AsgTpgAmY7PhCfg==") for one in job.artifacts)
        return evolve(job, artifacts=tuple(files))


@frozen
class Frugal(Acme):
    """Of several files the first is enough."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        return evolve(job, artifacts=job.artifacts[:1])


@frozen
class Impatient(Acme):
    """Nobody learns how far a report has come."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        return evolve(super().described(raw), progress=None)


@frozen
class Exact(Acme):
    """A body may have these members and no others."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        known = {"id", "state", "made", "percent", "files", "size", "reason", "pages"}
        if isinstance(raw, dict) and not raw.keys() <= known:
            raise MalformedResponse("unknown member @ $")
        return super().described(raw)


@frozen
class Grabbing(Acme):
    """A member is expected to be there."""

    def described(self, raw: Any) -> ExportJob:  # noqa: ANN401 - whatever came
        """Return the job that a body describes."""
        return ExportJob(self.ref(raw["id"]), STATUSES.read(raw["state"]), raw=raw)


@frozen
class Placeless(Acme):
    """An answer that is wrong is said to be wrong."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        try:
            return super().described(raw)
        except MalformedResponse:
            raise MalformedResponse("something is wrong") from None


@frozen
class CountingUp(Acme):
    """There is a warning for each per cent."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        steps = range(structure(raw, ReportBody).percent or 0)
        return evolve(super().described(raw), warnings=tuple(f"step {step}" for step in steps))


@frozen
class Parsing(Acme):
    """An answer is parsed by the adapter itself."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        reply = yield Request.get(path("/reports/{}", ref.id))
        return self.described(json.loads(reply.content))


@frozen
class Blabbing(Acme):
    """An answer that is wrong is told with the token that asked for it."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        try:
            return super().described(raw)
        except MalformedResponse as error:
            raise MalformedResponse(f"{self.token} got {error.problems[0]}") from None


@frozen
class Shrinking(Acme):
    """A size is below zero."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        return evolve(job, artifacts=tuple(evolve(one, size=-1) for one in job.artifacts))


@frozen
class Renaming(Acme):
    """A status that nobody knows is given another word."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        if not job.reading.recognised:
            return evolve(job, reading=STATUSES.read("whatever"))
        return job


@frozen
class Counted(Acme):
    """A ref's scope has a number in it."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job, scope = super().described(raw), dict[str, Any](shelf=7)
        return evolve(job, ref=self.ref(job.ref.id, **scope))

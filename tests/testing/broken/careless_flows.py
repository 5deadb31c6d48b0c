"""Acme, where a flow is wrong in one way each."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any, ClassVar

from exportjobs.adapter import (
    Export,
    ExportJob,
    ExportJobsError,
    Flow,
    JobRef,
    Limits,
    Request,
    evolve,
    export,
    frozen,
    path,
    structure,
)

from .sound import STATUSES, Acme


@frozen
class Wandering(Acme):
    """A poll asks another host."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        reply = yield Request.get(f"https://status.acme.example/{ref.id}")
        return self.described(reply.json())


@frozen
class Rewriting(Acme):
    """Signing a request leads it elsewhere."""

    def authenticate(self, request: Request) -> Request:
        """Return the request with the token."""
        return evolve(super().authenticate(request), path=f"/secure{request.path}")


@frozen
class Repeating(Acme):
    """A submit may be repeated."""

    @export
    def summary(self, name: str) -> Flow[ExportJob]:
        """Export a summary."""
        reply = yield Request.post("/reports", json={"name": name}).repeatable()
        return self.described(reply.json())


@frozen
class Waiting(Acme):
    """A poll asks until the report is ready."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        while True:
            reply = yield Request.get(path("/reports/{}", ref.id))
            job = self.described(reply.json())
            if job.status.is_terminal:
                return job


@frozen
class Trusting(Acme):
    """A poll that failed means that the report is still in the making."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        try:
            return (yield from super().poll(ref))
        except ExportJobsError:
            return ExportJob(ref, STATUSES.read("working"))


@frozen
class Moving(Acme):
    """A poll's job is of another scope than the submit's."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        job = yield from super().poll(ref)
        return evolve(job, ref=self.ref(job.ref.id, region="eu"))


@frozen
class Keeping(Acme):
    """A ref holds an argument that `scope` does not name."""

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        job = super().described(raw)
        return evolve(job, ref=self.ref(job.ref.id, name="q3"))


@frozen
class Omitting(Acme):
    """`scope` names an argument that no ref holds."""

    scope: ClassVar[tuple[str, ...]] = ("form",)


@frozen
class Limited(Acme):
    """A flow has no recorded answer."""

    def limits(self) -> Flow[Limits]:
        """Ask what there may be."""
        reply = yield Request.get("/limits")
        return reply.body(Limits)


def _turns() -> Iterator[int]:
    turn = 0
    while True:
        turn += 1
        yield turn


_TURNS = _turns()


@frozen
class Numbering(Acme):
    """Each poll has a number."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        reply = yield Request.get(path("/reports/{}", ref.id), params={"turn": next(_TURNS)})
        return self.described(reply.json())


_SEEN: dict[str, int] = {}


@frozen
class Remembering(Acme):
    """The module remembers what was polled."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        _SEEN[ref.id] = _SEEN.get(ref.id, 0) + 1
        return super().poll(ref)


@frozen
class Hasty(Acme):
    """A poll is no flow."""

    def poll(self, ref: JobRef) -> Any:  # noqa: ANN401 - that is the mistake
        """Return what is known already."""
        return ExportJob(ref, STATUSES.read("working"))


@frozen
class Short(Acme):
    """A poll yields a path."""

    def poll(self, ref: JobRef) -> Any:  # noqa: ANN401 - that is the mistake
        """Ask for one report."""
        reply = yield f"/reports/{ref.id}"
        return self.described(reply.json())


@frozen
class Forgetting(Acme):
    """A poll returns the body."""

    def poll(self, ref: JobRef) -> Any:  # noqa: ANN401 - that is the mistake
        """Ask for one report."""
        reply = yield Request.get(path("/reports/{}", ref.id))
        return reply.json()


@frozen
class Enumerating(Acme):
    """Reports can be listed."""

    def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Flow[tuple[ExportJob, ...]]:  # noqa: ARG002 - there are no pages
        """Ask for all the reports."""
        reply = yield Request.get("/reports")
        rows = structure(reply.json(), tuple[Mapping[str, object], ...])
        return tuple(map(self.described, rows))


@frozen
class Assuming(Enumerating):
    """A listed report is expected to say what it is."""

    def matches_export(self, job: ExportJob, export: Export) -> bool:
        """Return whether a report is of the export's name."""
        raw: Any = job.raw
        return bool(raw["name"] == export.arguments["name"])


@frozen
class Unsure(Enumerating):
    """Whether a report is the export's is said in words."""

    def matches_export(self, job: ExportJob, export: Export) -> Any:  # noqa: ANN401, ARG002 - as above
        """Return what the report says."""
        return job.raw_status


@frozen
class Walking(Acme):
    """A list of jobs is a list."""

    def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Any:  # noqa: ANN401, ARG002 - as above
        """Ask for all the reports."""
        reply = yield Request.get("/reports")
        rows: Sequence[object] = reply.json()
        return [self.described(row) for row in rows]


@frozen
class Telling(Acme):
    """A poll's path has the token in it."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        reply = yield Request.get(path("/{}/reports/{}", self.token, ref.id))
        return self.described(reply.json())


@frozen
class Undeterred(Acme):
    """A poll tries one path after another."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        for shelf in count():
            try:
                reply = yield Request.get(path("/shelves/{}/{}", str(shelf), ref.id))
                return self.described(reply.json())
            except ExportJobsError:
                continue
        raise AssertionError


@frozen
class Literally(Acme):
    """A poll's path has the id as it is."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        reply = yield Request.get(f"/reports/{ref.id}")
        return self.described(reply.json())


@frozen
class Numeric(Acme):
    """An id that is no number cannot be asked for: that is no mistake."""

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        if not ref.id.isdecimal():
            raise self.invalid("ref", "is of no report", "pass the ref of one")
        return (yield from super().poll(ref))

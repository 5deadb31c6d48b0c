"""Check that a job can be polled by its ref from another process."""

import json
from urllib.parse import unquote, urlsplit

from attrs import evolve

from exportjobs.adapter._errors import ExportJobsError, InvalidRef
from exportjobs.adapter._job import ExportJob, JobRef
from exportjobs.testing._breach import Breach
from exportjobs.testing._recorded import Recorded
from exportjobs.testing._scenes import Scene, polls, submitted

_HOSTILE = ("/../../admin", "?x=1", "#y", "%2F")


def check_refs(recorded: Recorded) -> None:
    """Check that a job can be polled by its ref, written to JSON and read again."""
    ref = submitted(recorded)
    try:
        again = JobRef.from_json(ref.to_json())
    except (InvalidRef, TypeError):
        remedy = "make it with self.ref(id, **scope), of printable strings only"
        raise Breach("the job's ref cannot be read after it was written to JSON", remedy) from None
    if "://" in ref.to_json() or urlsplit(recorded.adapter.base_url).netloc in ref.to_json():
        remedy = "keep ids in it: the adapter builds URLs from them"
        raise Breach("the job's ref holds a URL", remedy)
    _check_scope(ref, recorded)
    for scene in polls(recorded).values():
        _check_asks_by(again, scene, recorded)


def _check_scope(ref: JobRef, recorded: Recorded) -> None:
    """Check that the ref of an adopted job, made from `scope`, has the same arguments."""
    adapter = recorded.adapter
    arguments = json.loads(recorded.export.to_json())["arguments"]
    kind = adapter.kinds()[recorded.export.kind]
    kept = {name: ref.scope[name] for name in ref.scope.keys() & kind.signature.parameters.keys()}
    if kept != kind.scope(adapter.scope, arguments):
        remedy = "list in `scope` the arguments that are passed to self.ref(id, ...), and no others"
        names = ", ".join(sorted(kept)) or "no argument"
        raise Breach(f"the job's ref holds {names}, which is not what `scope` lists", remedy)


def check_quoted(recorded: Recorded) -> None:
    """Check that a job's id cannot change the path of a poll."""
    ref = submitted(recorded)
    usual = _path(recorded, ref)
    for hostile in _HOSTILE:
        longer = evolve(ref, id=ref.id + hostile)
        found = _path(recorded, longer)
        moved = any(found.count(mark) != usual.count(mark) for mark in "/?#")
        changed = ref.id in unquote(usual) and longer.id not in unquote(found)
        if found and (moved or changed):
            remedy = "build the path with path(), which quotes the id"
            raise Breach(f"a poll for the job {longer.id!r} requests {found}", remedy)


def _path(recorded: Recorded, ref: JobRef) -> str:
    """Return the path of a poll's first request; "" if the adapter rejects the job's id."""
    try:
        return next(recorded.adapter.poll(ref)).path
    except ExportJobsError:
        return ""


def _check_asks_by(ref: JobRef, scene: Scene, recorded: Recorded) -> None:
    heard = scene.play()
    job: ExportJob = heard.outcome
    if job.ref.account_key != recorded.adapter.account or job.ref.scope != ref.scope:
        remedy = "make it as the submit does, with self.ref(id, **scope)"
        raise Breach(f"{scene.name} returns a job of another account or scope", remedy)
    if next(recorded.adapter.poll(ref)) != heard.requests[0]:
        remedy = "build the request from the ref's id and scope alone"
        raise Breach(f"{scene.name} sends another request for its ref read from JSON", remedy)

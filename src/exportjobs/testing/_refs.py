"""Whether a job can be found again by its ref: from another process, and long after."""

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
    """Check that a job can be asked about by its ref, written down and read again."""
    ref = submitted(recorded)
    try:
        again = JobRef.from_json(ref.to_json())
    except (InvalidRef, TypeError):
        remedy = "make it with self.ref(id, **scope), of printable texts only"
        raise Breach("the job's ref cannot be read once it was written down", remedy) from None
    if "://" in ref.to_json() or urlsplit(recorded.adapter.base_url).netloc in ref.to_json():
        remedy = "keep ids in it: the adapter makes addresses of them"
        raise Breach("the job's ref holds an address", remedy)
    _check_scope(ref, recorded)
    for scene in polls(recorded).values():
        _check_asks_by(again, scene, recorded)


def _check_scope(ref: JobRef, recorded: Recorded) -> None:
    """Check that the ref of a job that a person adopts would hold the same arguments."""
    adapter = recorded.adapter
    arguments = json.loads(recorded.export.to_json())["arguments"]
    kind = adapter.kinds()[recorded.export.kind]
    kept = {name: ref.scope[name] for name in ref.scope.keys() & kind.signature.parameters.keys()}
    if kept != kind.scope(adapter.scope, arguments):
        remedy = "let `scope` name those arguments that self.ref(id, ...) is given, and no others"
        told = ", ".join(sorted(kept)) or "no argument"
        raise Breach(f"the job's ref holds {told}, which is not what `scope` says", remedy)


def check_quoted(recorded: Recorded) -> None:
    """Check that a job's id leads a poll nowhere else, whatever it holds."""
    ref = submitted(recorded)
    usual = _path(recorded, ref)
    for hostile in _HOSTILE:
        longer = evolve(ref, id=ref.id + hostile)
        found = _path(recorded, longer)
        moved = any(found.count(mark) != usual.count(mark) for mark in "/?#")
        changed = ref.id in unquote(usual) and longer.id not in unquote(found)
        if found and (moved or changed):
            remedy = "write the path with path(), which quotes what it is given"
            raise Breach(f"a poll for the job {longer.id!r} asks for {found}", remedy)


def _path(recorded: Recorded, ref: JobRef) -> str:
    """Return where a poll asks first; nothing if the adapter refuses to ask for such a job."""
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
        remedy = "make the request of the ref's id and scope alone"
        raise Breach(f"{scene.name} asks something else once its ref was written down", remedy)

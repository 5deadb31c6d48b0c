"""The adapter of a vendor that answers in headers alone."""

from typing import ClassVar

from exportjobs.adapter import (
    Adapter,
    Artifact,
    ExportJob,
    Flow,
    JobRef,
    MalformedResponse,
    Request,
    Response,
    StatusMap,
    credential,
    export,
    field,
    frozen,
    path,
)

_STATUSES = StatusMap(running=("busy",), done=("idle",))


@frozen
class Terse(Adapter):
    """One account at a vendor of few words."""

    vendor: ClassVar[str] = "terse"

    key: str = field(repr=False, validator=credential)
    base_url: str = field(default="https://api.terse.example", kw_only=True)

    def authenticate(self, request: Request) -> Request:
        """Return the request with the key."""
        return request.with_header("X-Key", self.key)

    @export
    def table(self, name: str) -> Flow[ExportJob]:
        """Export a table."""
        reply = yield Request.post("/jobs", json={"table": name})
        where = reply.headers.get("location", "")
        return ExportJob(self.ref(where.rpartition("/")[2]), _STATUSES.read("busy"))

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one job."""
        reply = yield Request.get(path("/jobs/{}", ref.id))
        return ExportJob(ref, _STATUSES.read(_state(reply)), artifacts=_file(reply))


def _state(reply: Response) -> str:
    if "x-state" not in reply.headers:
        raise MalformedResponse("no header x-state @ $")
    return reply.headers["x-state"]


def _file(reply: Response) -> tuple[Artifact, ...]:
    where = reply.headers.get("x-file")
    return (Artifact(where),) if where else ()

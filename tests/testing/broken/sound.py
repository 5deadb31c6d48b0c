"""Acme, whose adapter keeps the contract; the broken ones are made of it by one mistake each."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar, Literal

from exportjobs.adapter import (
    Adapter,
    Artifact,
    ExportJob,
    Flow,
    JobRef,
    Progress,
    Request,
    StatusMap,
    credential,
    export,
    field,
    frozen,
    path,
    structure,
)
from exportjobs.testing import Recorded

STATUSES = StatusMap(queued=("new",), running=("working",), done=("ready",), failed=("error",))


@frozen
class ReportBody:
    """A report as Acme describes it."""

    id: str
    state: str
    percent: int | None = None
    made: datetime | None = None
    files: tuple[str, ...] = ()
    size: int | None = None
    reason: str | None = None


@frozen
class Acme(Adapter):
    """One account at Acme."""

    vendor: ClassVar[str] = "acme"

    token: str = field(repr=False, validator=credential)
    base_url: str = field(default="https://api.acme.example/v1", kw_only=True)

    def authenticate(self, request: Request) -> Request:
        """Return the request with the bearer token."""
        return request.with_header("Authorization", f"Bearer {self.token}")

    @export
    def report(
        self,
        name: str,
        *,
        since: date | None = None,
        columns: Sequence[str] = (),
        where: Mapping[str, object] | None = None,
        form: Literal["long", "wide"] = "long",
    ) -> Flow[ExportJob]:
        """Export one report."""
        if not name.strip(". "):
            raise self.invalid("name", "is no report's name", "pass a report's name")
        asked = {"name": name, "since": since, "columns": columns, "where": where, "form": form}
        reply = yield Request.post("/reports", json=asked)
        return self.described(reply.json())

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        reply = yield Request.get(path("/reports/{}", ref.id))
        return self.described(reply.json())

    def cancel(self, ref: JobRef) -> Flow[ExportJob]:
        """Stop one report."""
        reply = yield Request.delete(path("/reports/{}", ref.id))
        return self.described(reply.json())

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        body = structure(raw, ReportBody)
        files = enumerate(body.files, start=1)
        return ExportJob(
            self.ref(body.id),
            STATUSES.read(body.state),
            progress=None if body.percent is None else Progress(body.percent, 100),
            created_at=body.made,
            artifacts=tuple(Artifact(url, part=part) for part, url in files),
            size=body.size,
            error=body.reason,
            raw=raw,
        )


def recording(adapter: Acme) -> Recorded:
    """Return what Acme answers, whoever asks."""
    report: dict[str, object] = {"id": "7", "made": "2026-03-01T10:00:00+01:00", "pages": [{}]}
    files = ["https://files.acme.example/7a.csv?sig=x", "https://files.acme.example/7b.csv?sig=y"]
    return Recorded(
        export=adapter.report(
            "q3", since=date(2026, 1, 1), columns=["a"], where={"b": [1]}, form="wide"
        ),
        accepted={"id": "7", "state": "new"},
        states={
            "new": {**report, "state": "new"},
            "working": {**report, "state": "working", "percent": 40},
            "ready": {**report, "state": "ready", "size": 48213, "files": files},
            "error": {**report, "state": "error", "reason": "out of paper"},
        },
        cancelling={**report, "state": "error", "reason": "cancelled"},
    )

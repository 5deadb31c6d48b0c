"""The Acme adapter.

Sources: Acme's API reference, the page "Reports" (put its URL here, and when you read it).
"""

from datetime import date, timedelta
from typing import ClassVar

from exportjobs.adapter import (
    Adapter,
    Artifact,
    ExportJob,
    Flow,
    JobRef,
    PollPolicy,
    Request,
    Response,
    StatusMap,
    credential,
    export,
    field,
    frozen,
    path,
)

_STATUSES = StatusMap(queued=("new",), running=("working",), done=("ready",), failed=("error",))


@frozen
class _Report:
    """A report as Acme describes it; members without a field are ignored."""

    id: str
    state: str
    url: str | None = None
    reason: str | None = None


@frozen
class Acme(Adapter):
    """One account at Acme."""

    vendor: ClassVar[str] = "acme"
    api_version: ClassVar[int] = 2
    polling: ClassVar[PollPolicy] = PollPolicy(typical_duration=timedelta(minutes=1))

    token: str = field(repr=False, validator=credential)
    base_url: str = field(default="https://api.acme.example/v1", kw_only=True)

    def authenticate(self, request: Request) -> Request:
        """Return the request with the account's token added."""
        return request.with_header("Authorization", f"Bearer {self.token}")

    @export
    def report(self, name: str, *, since: date | None = None) -> Flow[ExportJob]:
        """Export one report as a CSV file.

        Args:
            name: The report's name, such as "q3".
            since: Only rows from this day on; all rows if not given.
        """
        if not name.strip():
            raise self.invalid("name", "is empty", "pass the name of a report")
        reply = yield Request.post("/reports", json={"name": name, "since": since})
        return self._job(reply)

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Request one report's status."""
        reply = yield Request.get(path("/reports/{}", ref.id))
        return self._job(reply)

    def _job(self, reply: Response) -> ExportJob:
        body = reply.body(_Report)
        files = (Artifact(body.url, media_type="text/csv"),) if body.url else ()
        reading = _STATUSES.read(body.state)
        ref = self.ref(body.id)
        return ExportJob(ref, reading, artifacts=files, error=body.reason, raw=reply.json())

"""Demandbase's Data Export API without its kinds of export: sign-in, polls, the list, the job.

Sources: the vendor's OpenAPI and guides at developer.demandbase.com (read in August 2026) and its
own SDK, demandbase-sdk 0.1.7.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from types import MappingProxyType
from typing import ClassVar

from exportjobs.adapter import (
    Adapter,
    Artifact,
    Budget,
    ConcurrencyLimitReached,
    ExportJob,
    Flow,
    JobRef,
    MalformedResponse,
    Operation,
    PollPolicy,
    QuotaExceeded,
    Request,
    ResponseError,
    StatusMap,
    Token,
    credential,
    evolve,
    field,
    frozen,
    optional,
    path,
    structure,
)

_STATUSES = StatusMap(
    queued=("accepted",), running=("processing",), done=("finished",), failed=("failed",)
)
_CREDENTIALS = ("client_id", "client_secret", "token")
_PAGE = 100
_DEFAULT_LIFETIME = 3600


@frozen
class _Token:
    access_token: str
    # The SDK assumes an hour where the answer does not say.
    expires_in: int = _DEFAULT_LIFETIME


@frozen
class _Job:
    job_id: str
    job_status: str
    created_at: datetime | None = None
    updated_at: datetime | None = None
    # Empty until finished. The plural, for several files, is in the SDK alone.
    results_url: str | None = None
    results_urls: tuple[str, ...] | None = None
    message: str | None = None


@frozen
class _Page:
    data: tuple[Mapping[str, object], ...] = ()
    total_count: int = 0


@frozen
class DemandbaseApi(Adapter):
    """An account at Demandbase, without its kinds of export."""

    vendor: ClassVar[str] = "demandbase"
    statuses: ClassVar[StatusMap] = _STATUSES
    slots: ClassVar[int | None] = 1
    polling: ClassVar[PollPolicy] = PollPolicy(
        typical_duration=timedelta(minutes=5), min_interval=timedelta(seconds=10)
    )
    # Daily budgets (developer.demandbase.com/docs/rate-limits, read in August 2026). Submits are
    # counted from midnight UTC. For the others the page does not say, so they are counted in any
    # 24 hours, which is the safe reading. No header says how much is left.
    budgets: ClassVar[tuple[Budget, ...]] = (
        Budget(requests=60, per=timedelta(days=1), operation=Operation.SUBMIT, calendar=True),
        Budget(requests=300, per=timedelta(days=1), operation=Operation.POLL),
        Budget(requests=1200, per=timedelta(days=1), operation=Operation.LIST),
    )
    error_codes: ClassVar[Mapping[str, type[ResponseError]]] = MappingProxyType(
        {"429-101": QuotaExceeded, "429-102": ConcurrencyLimitReached}
    )

    client_id: str | None = field(default=None, repr=False, validator=optional(credential))
    client_secret: str | None = field(default=None, repr=False, validator=optional(credential))
    token: str | None = field(default=None, repr=False, validator=optional(credential))
    base_url: str = field(default="https://uapi.demandbase.com", kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Check that the credentials are for one way to sign in.

        Raises:
            InvalidArgument: If they are for none, or for both.
        """
        super().__attrs_post_init__()
        given = [name for name in _CREDENTIALS if getattr(self, name) is not None]
        if given not in (["client_id", "client_secret"], ["token"]):
            missing = "client_secret" if given == ["client_id"] else "client_id"
            reason = f"got {' and '.join(given) or 'nothing'} to sign in with"
            raise self.invalid(missing, reason, "pass client_id and client_secret, or token")

    def authenticate(self, request: Request) -> Request:
        """Return the request unchanged: the token of `sign_in` is all that it needs."""
        return request

    def sign_in(self) -> Flow[Token]:
        """Exchange the client's id and secret for a token, or return the token that was given."""
        if self.token is not None:
            return Token(self.token)
        secrets = {
            "grantType": "client_credentials",
            "clientId": self.client_id,
            "clientSecret": self.client_secret,
        }
        reply = yield Request.post("/auth/v1/token", json=secrets).repeatable()
        issued = reply.body(_Token)
        try:
            lifetime = timedelta(seconds=issued.expires_in)
        except OverflowError:
            raise MalformedResponse("expected a duration in seconds @ $.expires_in") from None
        return Token(issued.access_token, lifetime)

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Request one job's status; the answer for a finished job has new signed URLs."""
        reply = yield Request.get(path("/data/export/v1/job/{}", ref.id))
        return self._job(reply.json())

    def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Flow[tuple[ExportJob, ...]]:
        """Request many jobs, newest first, page by page until all wanted ids were listed.

        The vendor allows four times as many list requests a day as requests for one job, but the
        list has no URLs of results.
        """
        jobs: dict[str, ExportJob] = {}
        for number in count(1):
            reply = yield Request.get(
                "/data/export/v1/jobs", params={"page": number, "perPage": _PAGE}
            )
            page = reply.body(_Page)
            known = len(jobs)
            jobs |= {job.ref.id: job for job in map(self._listed, page.data)}
            listed_all = bool(wanted) and wanted <= jobs.keys()
            if listed_all or len(jobs) == known or len(jobs) >= page.total_count:
                break
        return tuple(jobs.values())

    def _submit(self, url_path: str, body: Mapping[str, object]) -> Flow[ExportJob]:
        reply = yield Request.post(url_path, json=body)
        return self._job(reply.json())

    def _listed(self, raw: object) -> ExportJob:
        return evolve(self._job(raw), brief=True)

    def _job(self, raw: object) -> ExportJob:
        body = structure(raw, _Job)
        reading = _STATUSES.read(body.job_status)
        urls = dict.fromkeys(url for url in (body.results_url, *(body.results_urls or ())) if url)
        return ExportJob(
            self.ref(body.job_id),
            reading,
            created_at=body.created_at,
            finished_at=body.updated_at if reading.status.is_terminal else None,
            artifacts=tuple(
                Artifact(url, media_type="text/csv", part=part)
                for part, url in enumerate(urls, start=1)
            ),
            error=body.message if reading.status == "failed" else None,
            raw=raw,
        )

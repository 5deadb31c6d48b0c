"""A made-up vendor, Acme: its adapters, and what tests of the loop say and do again and again."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import ClassVar, Final, TypeVar, cast

import httpx
from anyio.lowlevel import checkpoint
from attrs import field, frozen

from exportjobs import ExistingJob, Export, Finished, Poller
from exportjobs._ledger.ledger import Ledger
from exportjobs._ledger.tables import Tables
from exportjobs.adapter import (
    Adapter,
    Artifact,
    Budget,
    ConcurrencyLimitReached,
    ExportJob,
    Flow,
    JobRef,
    Limits,
    Operation,
    PollPolicy,
    Progress,
    Request,
    Response,
    StatusMap,
    Token,
    credential,
    evolve,
    export,
    path,
    structure,
)
from exportjobs.testing import ManualClock

API: Final = "https://api.acme.test/v1"
FILES: Final = "https://files.acme.test"
KEY: Final = "acme-key-do-not-tell"
SIGNATURE: Final = "signature-do-not-tell"

Answer = httpx.Response | Exception | str
"""What the vendor says once: a whole answer, a broken connection, or a job's status."""
MakePoller = Callable[..., Poller]
Work = Export | ExistingJob

_STATUSES = StatusMap(
    queued=("queued",),
    running=("running",),
    done=("done",),
    failed=("failed",),
    cancelled=("cancelled",),
)


@frozen
class ReportBody:
    """A report as the vendor describes it."""

    id: str
    status: str
    links: tuple[str, ...] = ()
    reason: str | None = None
    size: int | None = None
    percent: int | None = None


@frozen
class Acme(Adapter):
    """Acme's reports, under a key that goes along in a header of its own."""

    vendor: ClassVar[str] = "acme"
    polling: ClassVar[PollPolicy] = PollPolicy(typical_duration=timedelta(seconds=30))
    error_codes: ClassVar = {"BUSY": ConcurrencyLimitReached}
    key: str = field(default=KEY, repr=False, validator=credential)
    base_url: str = field(default=API, kw_only=True)

    def authenticate(self, request: Request) -> Request:
        """Put the key on a request."""
        return request.with_header("X-Acme-Key", self.key)

    @export
    def report(self, name: str, *, since: date | None = None) -> Flow[ExportJob]:
        """Export one report."""
        response = yield Request.post("/reports", json={"name": name, "since": since})
        return self.job(response)

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        response = yield Request.get(path("/reports/{}", ref.id))
        return self.job(response)

    def cancel(self, ref: JobRef) -> Flow[ExportJob]:
        """Stop one report."""
        response = yield Request.delete(path("/reports/{}", ref.id))
        return self.job(response)

    def job(self, response: Response) -> ExportJob:
        """Return the job that an answer describes."""
        return self.described(response.json())

    def described(self, raw: object) -> ExportJob:
        """Return the job that a body describes."""
        body = structure(raw, ReportBody)
        links = tuple(self.artifact(link, body.size) for link in body.links)
        return ExportJob(
            ref=self.ref(body.id),
            reading=_STATUSES.read(body.status),
            artifacts=links,
            progress=Progress(body.percent, 100) if body.percent is not None else None,
            error=body.reason,
            raw=raw,
        )

    def artifact(self, link: str, size: int | None) -> Artifact:
        """Return what is at a link: a path is the vendor's own, anything else is signed."""
        return Artifact(link, authenticated=link.startswith("/"), size=size)


A = TypeVar("A", bound=Acme)


@frozen
class OneAtATime(Acme):
    """Acme, for customers with one slot."""

    slots: ClassVar[int | None] = 1


@frozen
class TwoAtATime(Acme):
    """Acme, for customers with two slots."""

    slots: ClassVar[int | None] = 2


@frozen
class Listing(Acme):
    """Acme, where it lists its reports, ten to a page."""

    def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Flow[tuple[ExportJob, ...]]:
        """Ask for many reports, until all the wanted ones were seen."""
        jobs: list[ExportJob] = []
        for page in count(1):
            response = yield Request.get("/reports", params={"page": page})
            bodies = response.json()["reports"]
            jobs += [self.listed(body) for body in bodies]
            if not bodies or wanted <= {job.ref.id for job in jobs}:
                break
        return tuple(jobs)

    def listed(self, raw: object) -> ExportJob:
        """Return the job that a row of the list describes."""
        return self.described(raw)


@frozen
class BrieflyListing(Listing):
    """Acme, where its list does not tell of links."""

    def listed(self, raw: object) -> ExportJob:
        """Return what the row tells, marked as not being all."""
        return evolve(self.described(raw), brief=True, artifacts=())


@frozen
class Counted(Listing):
    """Acme, where it counts: five questions and three lists a minute, two submits a day."""

    budgets: ClassVar[tuple[Budget, ...]] = (
        Budget(requests=5, per=timedelta(minutes=1), operation=Operation.POLL),
        Budget(requests=3, per=timedelta(minutes=1), operation=Operation.LIST),
        Budget(requests=2, per=timedelta(days=1), operation=Operation.SUBMIT, calendar=True),
    )


@frozen
class FewQuestions(Listing):
    """Acme, where it allows ten times as many lists as questions: even one job is listed."""

    budgets: ClassVar[tuple[Budget, ...]] = (
        Budget(requests=100, per=timedelta(hours=1), operation=Operation.POLL),
        Budget(requests=1000, per=timedelta(hours=1), operation=Operation.LIST),
    )


@frozen
class Frank(Acme):
    """Acme, where it tells how many reports there may be."""

    def limits(self) -> Flow[Limits]:
        """Ask how many reports there may be."""
        response = yield Request.get("/limits")
        return response.body(Limits)


@frozen
class Uncancellable(Acme):
    """Acme, where it cannot stop a report."""

    cancel = Adapter.cancel


@frozen
class SignedIn(Acme):
    """Acme, where the key is traded for a token."""

    def authenticate(self, request: Request) -> Request:
        """Leave the token to the library."""
        return request

    def sign_in(self) -> Flow[Token]:
        """Trade the key for a token."""
        request = Request(method="POST", path="/token", form={"key": self.key})
        given = (yield request).json()
        lifetime = given.get("lifetime")
        return Token(given["token"], timedelta(seconds=lifetime) if lifetime else None)


def variant(acme: type[A], **members: object) -> type[A]:
    """Return Acme with other members of its class, such as `slots` and `budgets`."""
    return cast("type[A]", type(acme.__name__, (acme,), members))


def signed(name: str) -> str:
    """Return the signed URL of a file."""
    return f"{FILES}/{name}?sig={SIGNATURE}"


def status(code: int, **headers: str) -> httpx.Response:
    """Return an answer that says no."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(code, headers=named, json={"message": "no"})


def busy() -> httpx.Response:
    """Return the answer that there are too many reports at once."""
    return httpx.Response(400, json={"code": "BUSY", "message": "too many reports"})


def reports(account: Acme, *names: str) -> list[Export]:
    """Return one export for each name."""
    return [account.report(name) for name in names]


async def outstanding(ledger: Ledger) -> tuple[JobRef, ...]:
    """Return the jobs that a ledger would offer to another process."""
    entries = await ledger.read(Tables.entries)
    return tuple(one.ref for one in entries if one.ref and one.is_outstanding)


def ref_of(name: str, clock: ManualClock) -> JobRef:
    """Return the ref of a report that was submitted just now."""
    return JobRef("acme", "default", name, kind="report", submitted_at=clock.now())


async def finish(poller: Poller, work: Iterable[Work], into: Path | None = None) -> list[Finished]:
    """Run some exports in a poller and return their results as they come."""
    return [finished async for finished in poller.run(work, into=into)]


def id_of(finished: Finished) -> str:
    """Return the id of a finished job."""
    return finished.job.ref.id


async def turns() -> None:
    """Let everybody else have their turn, as often as it may take."""
    for _ in range(100):
        await checkpoint()


async def turns_until(condition: Callable[[], bool]) -> None:
    """Let everybody else have their turn until something is so."""
    while not condition():
        await turns()


class BrokenClock(ManualClock):
    """A clock that breaks whoever sleeps by it: the loop itself, that is."""

    async def sleep(self, seconds: float) -> None:
        """Fail."""
        raise ZeroDivisionError(seconds)

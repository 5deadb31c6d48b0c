"""exportjobs: a Poller, and an adapter for the benchmarks' vendor in several variants."""

import asyncio
import tempfile
from datetime import timedelta
from typing import ClassVar

from _measure import Settings, contend

from exportjobs import Poller
from exportjobs.adapter import (
    Adapter,
    Artifact,
    ConcurrencyLimitReached,
    ExportJob,
    Flow,
    JobRef,
    Limits,
    PollPolicy,
    Progress,
    Request,
    Response,
    StatusMap,
    export,
    frozen,
    path,
    structure,
)

STATUSES = StatusMap(running=("running",), done=("succeeded",), failed=("failed",))


@frozen
class Body:
    """A job as the vendor describes it."""

    id: str
    status: str
    link: str | None = None
    size: int | None = None
    processed: int | None = None
    total: int | None = None


@frozen
class Bench(Adapter):
    """The vendor, for those who can only ask for one job at a time."""

    vendor: ClassVar[str] = "bench"
    error_codes: ClassVar = {"TOO_MANY_JOBS": ConcurrencyLimitReached}

    def authenticate(self, request: Request) -> Request:
        """Return the request as it is: the vendor knows no keys."""
        return request

    @export
    def job(self, index: int) -> Flow[ExportJob]:
        """Run one job."""
        reply = yield Request.post("/jobs", json={"index": index})
        return self.described(reply.body(Body))

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one job."""
        reply: Response = yield Request.get(path("/jobs/{}", ref.id))
        return self.described(reply.body(Body))

    def described(self, body: Body) -> ExportJob:
        """Return the job that the vendor described."""
        files = (Artifact(body.link, media_type="text/csv", size=body.size),) if body.link else ()
        return ExportJob(
            self.ref(body.id),
            STATUSES.read(body.status),
            progress=Progress(body.processed, body.total) if body.total else None,
            artifacts=files,
        )


@frozen
class Listing(Bench):
    """The vendor, for those who may list their jobs."""

    def list_jobs(self, wanted: frozenset[str] = frozenset()) -> Flow[tuple[ExportJob, ...]]:  # noqa: ARG002 - all of them are on one page
        """Ask for all jobs at once."""
        reply: Response = yield Request.get("/jobs")
        return tuple(self.described(body) for body in structure(reply.json(), list[Body]))


class Limiting:
    """What an adapter has more where the vendor tells of its limits."""

    def limits(self) -> Flow[Limits]:
        """Ask how many jobs there may be."""
        reply: Response = yield Request.get("/limits")
        return reply.body(Limits)


def variant(settings: Settings) -> type[Bench]:
    """Return the adapter with what the settings ask for."""
    bases: tuple[type, ...] = (Listing if settings.get("list") else Bench,)
    if settings.get("limits"):
        bases = (Limiting, *bases)
    polling = PollPolicy(
        typical_duration=timedelta(seconds=60),
        latency_cost=settings["price"],
        min_interval=timedelta(milliseconds=50),
    )
    members = {"polling": polling, "slots": settings.get("slots")}
    return frozen(type("Variant", bases, members))


def main(base_url: str, settings: Settings) -> None:
    """See every job to its end and land its file."""
    asyncio.run(every(variant(settings)(base_url=base_url), settings))


async def every(vendor: Bench, settings: Settings) -> None:
    """Run the jobs for practice, if there are any, and then those that are measured."""
    practice, jobs = settings.get("practice", 0), settings["jobs"]
    with tempfile.TemporaryDirectory() as folder:
        async with Poller() as poller:
            for indices in (range(practice), range(practice, practice + jobs)):
                exports = [vendor.job(index) for index in indices]
                async for finished in poller.run(exports, into=folder):
                    finished.raise_for_status()


if __name__ == "__main__":
    contend(main, "exportjobs", "httpx")

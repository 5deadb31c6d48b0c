"""exportjobs: a Poller whose jobs are done as soon as they are submitted."""

from typing import ClassVar

import anyio
from _fetch import PLACEHOLDER, Wanted, fetch

from exportjobs import Poller
from exportjobs._landing.destination import Sink
from exportjobs._landing.digests import Digests
from exportjobs.adapter import (
    Adapter,
    Artifact,
    ExportJob,
    Flow,
    JobRef,
    Request,
    StatusMap,
    export,
    frozen,
)


@frozen
class Body:
    """A job as the server describes it."""

    id: str
    links: tuple[str, ...]


@frozen(kw_only=True)
class Instant(Adapter):
    """A vendor whose jobs are done at once; what describes one is at an address of its own."""

    vendor: ClassVar[str] = "instant"
    statuses: ClassVar[StatusMap] = StatusMap(done=("done",))

    job_path: str
    authenticated: bool = False
    """Whether the files are on the vendor's own API."""
    headers: tuple[tuple[str, str], ...] = ()

    def authenticate(self, request: Request) -> Request:
        """Return the request with the credentials on it."""
        for name, value in self.headers:
            request = request.with_header(name, value)
        return request

    @export
    def job(self, number: int) -> Flow[ExportJob]:
        """Run one job."""
        return (yield from self._described(str(number)))

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one job."""
        return (yield from self._described(ref.id))

    def _described(self, number: str) -> Flow[ExportJob]:
        reply = yield Request.get(self.job_path.replace(PLACEHOLDER, number))
        body = reply.body(Body)
        files = tuple(self._artifact(link) for link in body.links)
        return ExportJob(self.ref(body.id), self.statuses.read("done"), artifacts=files)

    def _artifact(self, link: str) -> Artifact:
        if self.authenticated:
            return Artifact(link, authenticated=True)
        return Artifact(f"{self.base_url}{link}")


class Nothing(Digests):
    """No digest at all: what the library would cost without any."""

    sha256 = ""

    @classmethod
    def of(cls, algorithms: object) -> "Nothing":  # noqa: ARG003 - whatever is asked for
        """Compute nothing."""
        return cls({})


async def main(wanted: Wanted) -> None:
    """Fetch the files of all jobs."""
    options = wanted.options
    if options.get("unhashed"):
        Digests.of = Nothing.of
        Sink.hashers = ()  # type: ignore[assignment, method-assign]
    adapter = Instant(
        base_url=options.get("api", wanted.base_url),
        job_path=options["job"],
        authenticated=options.get("authenticated", False),
        headers=tuple(wanted.headers.items()),
    )
    exports = [adapter.job(number) for number in range(options.get("jobs", 1))]
    async with Poller(max_downloads=wanted.at_once) as poller:
        async for finished in poller.run(exports, into=wanted.folder):
            finished.raise_for_status()


def run(wanted: Wanted) -> None:
    """Run on the loop that is wanted."""
    anyio.run(main, wanted, backend=wanted.options.get("backend", "asyncio"))


if __name__ == "__main__":
    # anyio imports what it has for a loop with the first run: this is not to be measured.
    for backend in anyio.get_available_backends():
        anyio.run(anyio.sleep, 0, backend=backend)
    fetch(run, "exportjobs", "httpx")

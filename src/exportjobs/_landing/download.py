"""The files of one finished job: each is fetched on its own, and they are concluded together."""

from datetime import datetime

from attrs import define, field

from exportjobs._http.session import Session
from exportjobs._landing.destination import Destination
from exportjobs._landing.source import Connections, Renew, Source
from exportjobs._landing.transfer import Transfer
from exportjobs._schedule.clock import Clock
from exportjobs.adapter._job import ExportJob
from exportjobs.adapter._redact import hiding
from exportjobs.events import Landed, LandedFile, Observer, SignedUrlRenewed, Subject


@define(eq=False)
class Download:
    """The files of one finished job, of which several may be fetched at once."""

    job: ExportJob
    subject: Subject
    session: Session = field(repr=False)
    destination: Destination
    connections: Connections = field(repr=False, kw_only=True)
    renew: Renew = field(repr=False, kw_only=True)
    clock: Clock = field(repr=False, kw_only=True)
    report: Observer = field(repr=False, kw_only=True)
    retries: int = field(default=0, init=False)
    """How often a file was tried again."""
    _source: Source = field(init=False, repr=False)
    _landed: dict[int, LandedFile] = field(factory=dict[int, LandedFile], init=False)

    def __attrs_post_init__(self) -> None:
        """Prepare where the files come from; nothing is sent yet."""
        renew = self._renewed
        self._source = Source(self.job, self.session, self.connections, renew, self.clock)

    def ends_at(self, index: int | None) -> datetime | None:
        """Return when an artifact's URL expires, or the first of all; None if never."""
        return self.job.expires_at if index is None else self.job.artifacts[index].url_expires_at

    async def begin(self) -> tuple[int, ...]:
        """Return which of the job's artifacts are still to be fetched.

        Raises:
            DestinationFailed: If what landed earlier cannot be read.
        """
        self._landed.update(await self.destination.landed(self.job))
        wanted = range(len(self.job.artifacts))
        return tuple(index for index in wanted if index not in self._landed)

    async def fetch(self, index: int) -> None:
        """Fetch one artifact and let it land.

        Raises:
            DownloadFailed: If the bytes cannot be fetched completely.
            DestinationFailed: If they cannot be stored.
            ExportJobsError: If the vendor refuses to renew a URL that had expired.
        """
        async with self.destination.sink(self.job, index) as sink:
            transfer = Transfer(
                index, self._source, sink, self.subject, clock=self.clock, report=self.report
            )
            try:
                with hiding(self.session.secrets):
                    file = await transfer.land()
            finally:
                self.retries += transfer.retries
        self._landed[index] = file
        self.report(Landed(self.subject, file))

    async def conclude(self) -> tuple[LandedFile, ...]:
        """Conclude the job at its destination and return its files in the order of its parts.

        Raises:
            FileError: If that is not possible.
        """
        files = tuple(file for _, file in sorted(self._landed.items()))
        return await self.destination.conclude(self.job, files)

    async def _renewed(self) -> ExportJob:
        job = await self.renew()
        self.report(SignedUrlRenewed(self.subject))
        return job

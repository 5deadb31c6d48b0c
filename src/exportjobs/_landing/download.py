"""The files of one finished job: each fetched on its own, and concluded together."""

from datetime import datetime
from functools import partial

from attrs import field, frozen

from exportjobs._http.session import Session
from exportjobs._landing.destination import Destination, Sink
from exportjobs._landing.source import Addresses, Renew, Source, Ways
from exportjobs._landing.transfer import Told, Transfer
from exportjobs._schedule.clock import Clock
from exportjobs.adapter._errors import ExportJobsError
from exportjobs.adapter._job import ExportJob
from exportjobs.adapter._redact import hiding
from exportjobs.events import (
    DownloadProgress,
    DownloadRetried,
    Landed,
    LandedFile,
    Observer,
    SignedUrlRenewed,
    Subject,
)


@frozen
class Surroundings:
    """What every download of a poller shares."""

    ways: Ways
    clock: Clock
    report: Observer


@frozen
class Delivery:
    """A finished job whose files are wanted somewhere."""

    job: ExportJob
    subject: Subject
    session: Session = field(repr=False)
    destination: Destination
    renew: Renew = field(repr=False)


class Download:
    """The files of one finished job, of which several may be fetched at once."""

    def __init__(self, delivery: Delivery, surroundings: Surroundings) -> None:
        """Take the job and where its files should land; nothing is asked for yet."""
        self.retries = 0
        self._delivery = delivery
        self._report = surroundings.report
        self._clock = surroundings.clock
        self._addresses = Addresses(delivery.job, self._renew, surroundings.clock)
        self._source = Source(surroundings.ways, delivery.session)
        self._landed: dict[int, LandedFile] = {}

    def ends_at(self, index: int | None) -> datetime | None:
        """Return when an artifact's address stops working, or the first of all; None if never."""
        job = self._delivery.job
        return job.expires_at if index is None else job.artifacts[index].lease_ends_at

    async def begin(self) -> tuple[int, ...]:
        """Return which of the job's artifacts are still to be fetched.

        Raises:
            DestinationFailed: If what landed earlier cannot be looked at.
        """
        delivery = self._delivery
        self._landed.update(await delivery.destination.landed(delivery.job))
        wanted = range(len(delivery.job.artifacts))
        return tuple(index for index in wanted if index not in self._landed)

    async def fetch(self, index: int) -> None:
        """Fetch one artifact and let it land.

        Raises:
            DownloadFailed: If the bytes cannot be had whole.
            DestinationFailed: If they cannot be stored.
            ExportJobsError: If the vendor refuses to renew an address that had expired.
        """
        delivery = self._delivery
        async with delivery.destination.sink(delivery.job, index) as sink:
            told = Told(partial(self._received, sink), partial(self._retried, index))
            transfer = Transfer(
                index, self._addresses, self._source, sink, told=told, clock=self._clock
            )
            with hiding(delivery.session.secrets):
                file = await transfer.land()
        self._landed[index] = file
        self._report(Landed(delivery.subject, file))

    async def conclude(self) -> tuple[LandedFile, ...]:
        """Say that all files are there and return them in the order of the job's parts.

        Raises:
            FileError: If that cannot be.
        """
        files = tuple(file for _, file in sorted(self._landed.items()))
        return await self._delivery.destination.conclude(self._delivery.job, files)

    async def _renew(self) -> ExportJob:
        job = await self._delivery.renew()
        self._report(SignedUrlRenewed(self._delivery.subject))
        return job

    def _received(self, sink: Sink, received: int, size: int | None) -> None:
        self._report(DownloadProgress(self._delivery.subject, sink.name, received, size))

    def _retried(self, index: int, error: ExportJobsError) -> None:
        self.retries += 1
        self._report(DownloadRetried(self._delivery.subject, index + 1, error))

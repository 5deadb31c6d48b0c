"""From a finished job to its files: leased, followed, streamed, verified and renamed."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin

import stamina
from attrs import field, frozen

from exportjobs._address import check_encrypted, no_address, same_origin
from exportjobs._clock import Clock
from exportjobs._errors import (
    DownloadFailed,
    ExportJobsError,
    LeaseRefused,
    NetworkError,
    UntrustedAddress,
    VendorError,
)
from exportjobs._events import (
    Downloading,
    DownloadRetried,
    Landed,
    LeaseRenewed,
    Observer,
    Subject,
)
from exportjobs._finished import LandedFile
from exportjobs._flow import Request
from exportjobs._job import Artifact, ExportJob
from exportjobs._names import file_name
from exportjobs._part_file import PartFile
from exportjobs._quiet import quiet
from exportjobs._redact import safe_url
from exportjobs._session import Session
from exportjobs._transport import Stream, Transport

Renew = Callable[[], Awaitable[ExportJob]]
"""Asks the vendor to describe a job again, for the sake of fresh addresses."""

_again = stamina.AsyncRetryingCaller(
    attempts=8, timeout=None, wait_initial=0.1, wait_max=10.0, wait_jitter=0.1
)
_MARGIN = timedelta(seconds=5)
_REDIRECTS = 5
_DIGITS = 18
_PLAIN = {"accept": "*/*", "accept-encoding": "identity"}
_LEASE_REFUSED = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
}
_TRANSIENT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


@frozen
class Surroundings:
    """What every download of a poller shares."""

    files: Transport
    clock: Clock
    report: Observer


@frozen
class Delivery:
    """A finished job whose files are wanted in a folder."""

    job: ExportJob
    subject: Subject
    session: Session = field(repr=False)
    folder: Path
    renew: Renew = field(repr=False)


class Download:
    """The files of one finished job, one after the other."""

    def __init__(self, delivery: Delivery, surroundings: Surroundings) -> None:
        """Take the job and where its files should land; nothing is asked for yet."""
        self.job = delivery.job
        self.retries = 0
        self._delivery = delivery
        self._files = surroundings.files
        self._clock = surroundings.clock
        self._report = surroundings.report
        self._refused: Artifact | None = None

    async def land(self) -> tuple[LandedFile, ...]:
        """Download every artifact of the job and return the files in the order of its parts.

        Raises:
            DownloadFailed: If the bytes cannot be had whole.
            DestinationFailed: If they cannot be written.
            ExportJobsError: If the vendor refuses to renew an address that had expired.
        """
        return tuple([await self._land(index) for index in range(len(self.job.artifacts))])

    async def _land(self, index: int) -> LandedFile:
        with quiet():
            file = await _again(_may_pass, self._attempt, index)
        self._report(Landed(self._delivery.subject, file))
        return file

    async def _attempt(self, index: int) -> LandedFile:
        try:
            return await self._transfer(index, await self._leased(index))
        except ExportJobsError as error:
            if _may_pass(error):
                self.retries += 1
                self._report(DownloadRetried(self._delivery.subject, index + 1, error))
            raise

    async def _leased(self, index: int) -> Artifact:
        """Return an artifact whose address is still good, asking the vendor anew if need be."""
        artifact = self._artifact(index)
        end = artifact.lease_ends_at
        over = end is not None and end <= self._clock.now() + _MARGIN
        if over or artifact == self._refused:
            self._refused = None
            self.job = await self._delivery.renew()
            self._report(LeaseRenewed(self._delivery.subject))
        return self._artifact(index)

    def _artifact(self, index: int) -> Artifact:
        try:
            return self.job.artifacts[index]
        except IndexError:
            raise DownloadFailed("the vendor offers this part of the job no more") from None

    async def _transfer(self, index: int, artifact: Artifact) -> LandedFile:
        async with self._opened(artifact) as stream:
            self._check_status(stream, artifact)
            media_type = stream.headers.get("content-type", "")
            name = file_name(self._delivery.job, index, served_as=media_type)
            size = _announced_size(stream)
            subject = self._delivery.subject
            with PartFile(self._delivery.folder / name) as part:
                self._report(Downloading(subject, name, 0, size))
                async for chunk in stream.chunks():
                    if await part.write(chunk):
                        self._report(Downloading(subject, name, part.received, size))
                _check_size(part.received, size, artifact)
                return await part.land(artifact.part)

    @asynccontextmanager
    async def _opened(self, artifact: Artifact) -> AsyncGenerator[Stream]:
        url, headers = artifact.url, _PLAIN
        if artifact.authenticated:
            session = self._delivery.session
            request, _ = await session.signed(Request.get(artifact.url))
            url = self._files.locate(request, base_url=session.adapter.base_url)
            headers = {**request.headers, **_PLAIN}
        async with self._followed(url, headers) as stream:
            yield stream

    @asynccontextmanager
    async def _followed(
        self, url: str, headers: Mapping[str, str], hops: int = 0
    ) -> AsyncGenerator[Stream]:
        """Open a URL, following redirects by hand: no credential goes along to another origin."""
        check_encrypted(url)
        async with self._files.stream(url, headers) as stream:
            target = _redirection(stream, url)
            if target is None:
                yield stream
                return
        check_encrypted(target)
        if hops == _REDIRECTS:
            raise DownloadFailed(
                f"more than {_REDIRECTS} redirects, the last to {safe_url(target)}"
            )
        along = headers if same_origin(url, target) else _PLAIN
        async with self._followed(target, along, hops + 1) as stream:
            yield stream

    def _check_status(self, stream: Stream, artifact: Artifact) -> None:
        if stream.status == HTTPStatus.OK:
            return
        said = f"the file's host answered HTTP {stream.status}"
        if stream.status in _LEASE_REFUSED:
            self._refused = artifact
            raise LeaseRefused(f"the address is refused: {said}")
        if stream.status >= HTTPStatus.INTERNAL_SERVER_ERROR or stream.status in _TRANSIENT:
            raise NetworkError(said)
        raise DownloadFailed(said)


def _may_pass(error: Exception) -> bool:
    """Whether what went wrong may go right another time: the network, a lease, a vendor's lapse."""
    return isinstance(error, NetworkError | LeaseRefused | VendorError) and not isinstance(
        error, UntrustedAddress
    )


def _redirection(stream: Stream, url: str) -> str | None:
    location = stream.headers.get("location")
    if not location or not 300 <= stream.status < 400:  # noqa: PLR2004 - the range is HTTP's
        return None
    try:
        return urljoin(url, location)
    except ValueError:
        raise no_address() from None


def _announced_size(stream: Stream) -> int | None:
    """Return the bytes to expect on disk; a transport's compression makes the header's another."""
    length = stream.headers.get("content-length", "")
    encoded = stream.headers.get("content-encoding", "identity") != "identity"
    return int(length[:_DIGITS]) if length.isdecimal() and not encoded else None


def _check_size(received: int, announced: int | None, artifact: Artifact) -> None:
    if announced is not None and received != announced:
        raise NetworkError(f"the file broke off after {received} of {announced} bytes")
    if artifact.size is not None and received != artifact.size:
        raise DownloadFailed(
            f"the file has {received} bytes, the vendor says {artifact.size}",
            remedy="ask the vendor: what came is not what the job says it made",
        )

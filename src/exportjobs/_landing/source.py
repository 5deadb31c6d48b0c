"""Opening a file where it is: with the account's credentials or none, and redirects by hand."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urljoin

import anyio
from attrs import frozen

from exportjobs._http.origins import Hosts, no_address, same_origin
from exportjobs._http.session import Session
from exportjobs._http.stream import Stream
from exportjobs._http.transport import Transport
from exportjobs._schedule.clock import Clock
from exportjobs.adapter._errors import DownloadFailed
from exportjobs.adapter._flow import Request
from exportjobs.adapter._job import Artifact, ExportJob
from exportjobs.adapter._redact import safe_url

Renew = Callable[[], Awaitable[ExportJob]]
"""Asks the vendor to describe a job again, for the sake of fresh addresses."""
_MARGIN = timedelta(seconds=5)


class Addresses:
    """Where the files of one job are, shared by all that fetch them."""

    def __init__(self, job: ExportJob, renew: Renew, clock: Clock) -> None:
        """Take the job as it was described last."""
        self.job = job
        self._renew = renew
        self._clock = clock
        self._refused: set[Artifact] = set()
        # Getting a turn that is free need not wait a round of the loop: the host is waited for.
        self._one_at_a_time = anyio.Lock(fast_acquire=True)

    async def of(self, index: int) -> Artifact:
        """Return an artifact whose address is still good, asking the vendor anew if need be.

        Raises:
            DownloadFailed: If the vendor offers this part of the job no more.
            ExportJobsError: If the vendor cannot be asked.
        """
        async with self._one_at_a_time:
            artifact = self._artifact(index)
            end = artifact.lease_ends_at
            over = end is not None and end <= self._clock.now() + _MARGIN
            if over or artifact in self._refused:
                self._refused.clear()
                self.job = await self._renew()
            return self._artifact(index)

    def refuse(self, artifact: Artifact) -> None:
        """Note that a host refuses an address; if it has been renewed since, that is past."""
        self._refused.add(artifact)

    def _artifact(self, index: int) -> Artifact:
        try:
            return self.job.artifacts[index]
        except IndexError:
            raise DownloadFailed("the vendor offers this part of the job no more") from None


_REDIRECTS = 5
_PLAIN = {"accept": "*/*", "accept-encoding": "identity"}


@frozen
class Ways:
    """The ways to the hosts that have files, shared by all downloads of a poller."""

    public: Transport
    """To public addresses only."""
    anywhere: Transport
    hosts: Hosts
    within: float
    """Seconds in which the next bytes have to come."""


class Source:
    """Opens the files of one account."""

    def __init__(self, ways: Ways, session: Session) -> None:
        """Take the ways there, and the account whose credentials open some of the files."""
        self._ways = ways
        self._session = session

    @asynccontextmanager
    async def open(
        self, artifact: Artifact, conditions: Mapping[str, str]
    ) -> AsyncGenerator[Stream]:
        """Ask for a file, or for the part of it that the conditions name.

        Raises:
            UntrustedAddress: If nothing is fetched from there.
            DownloadFailed: If there are too many redirects.
            NetworkError: If the host cannot be reached.
            ExportJobsError: If the account cannot sign in.
        """
        url, plain = artifact.url, {**_PLAIN, **conditions}
        headers: Mapping[str, str] = plain
        if artifact.authenticated:
            request, _ = await self._session.signed(Request.get(artifact.url))
            base_url = self._session.adapter.base_url
            url = self._ways.anywhere.locate(request, base_url=base_url)
            headers = {**request.headers, **plain}
        for _ in range(1 + _REDIRECTS):
            async with self._way(url).stream(url, headers, within=self._ways.within) as stream:
                target = _redirection(stream, url)
                if target is None:
                    yield stream
                    return
            # No credential goes along to another origin.
            headers = headers if same_origin(url, target) else plain
            url = target
        raise DownloadFailed(f"more than {_REDIRECTS} redirects, the last to {safe_url(url)}")

    def _way(self, url: str) -> Transport:
        private = self._ways.hosts.may_be_private(url, base_url=self._session.adapter.base_url)
        return self._ways.anywhere if private else self._ways.public


def _redirection(stream: Stream, url: str) -> str | None:
    location = stream.headers.get("location")
    if not location or not 300 <= stream.status < 400:  # noqa: PLR2004 - the range is HTTP's
        return None
    try:
        return urljoin(url, location)
    except ValueError:
        raise no_address() from None

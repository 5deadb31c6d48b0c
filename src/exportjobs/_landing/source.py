"""Where the files of a job are: signed URLs and their renewal, credentials, redirects by hand."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urljoin

import anyio
from attrs import frozen

from exportjobs._http.origins import Hosts, invalid_url, same_origin
from exportjobs._http.session import Session
from exportjobs._http.stream import Stream
from exportjobs._http.transport import Transport
from exportjobs._schedule.clock import Clock
from exportjobs.adapter._errors import DownloadFailed
from exportjobs.adapter._flow import Request
from exportjobs.adapter._job import Artifact, ExportJob
from exportjobs.adapter._redact import safe_url

Renew = Callable[[], Awaitable[ExportJob]]
"""Polls a finished job again, for fresh URLs."""
_MARGIN = timedelta(seconds=5)
"""How long before its end a signed URL is not used any more."""
_REDIRECTS = 5
_HEADERS = {"accept": "*/*", "accept-encoding": "identity"}


@frozen
class Connections:
    """Connections to the hosts that have files, shared by all downloads of a poller."""

    public: Transport
    """To public addresses only."""
    anywhere: Transport
    hosts: Hosts
    read_timeout: float
    """Seconds in which the next bytes have to come."""

    def transport(self, url: str, *, base_url: str) -> Transport:
        """Return the transport that may fetch a URL.

        Raises:
            UntrustedAddress: If none may.
        """
        is_private = self.hosts.may_be_private(url, base_url=base_url)
        return self.anywhere if is_private else self.public


class Source:
    """The files of one job at their hosts, shared by all transfers of the job.

    A signed URL works for a limited time. Before a file is opened, the vendor is polled for fresh
    URLs if the file's own is about to expire, or if its host has rejected it. One poll brings the
    URLs of all files of the job, so that transfers which need it together share one.
    """

    def __init__(
        self, job: ExportJob, session: Session, connections: Connections, renew: Renew, clock: Clock
    ) -> None:
        """Take the job as its vendor described it last; nothing is sent yet."""
        self._job = job
        self._session = session
        self._connections = connections
        self._renew = renew
        self._clock = clock
        self._rejected: set[Artifact] = set()
        # `fast_acquire`: a free lock is taken without a round of the event loop, as the host's
        # answer is waited for anyhow.
        self._renewing = anyio.Lock(fast_acquire=True)

    async def artifact(self, index: int) -> Artifact:
        """Return one of the job's artifacts with a URL that still works, as far as is known.

        Raises:
            DownloadFailed: If the vendor does not offer this part of the job any more.
            ExportJobsError: If the vendor cannot be polled.
        """
        async with self._renewing:
            artifact = self._artifact(index)
            expires_at = artifact.url_expires_at
            has_expired = expires_at is not None and expires_at <= self._clock.now() + _MARGIN
            if has_expired or artifact in self._rejected:
                self._rejected.clear()
                self._job = await self._renew()
            return self._artifact(index)

    def reject(self, artifact: Artifact) -> None:
        """Note that a host rejects an artifact's URL.

        It has no effect if the URL has been renewed meanwhile: the artifact is another one then.
        """
        self._rejected.add(artifact)

    def _artifact(self, index: int) -> Artifact:
        try:
            return self._job.artifacts[index]
        except IndexError:
            reason = "the vendor does not offer this part of the job any more"
            raise DownloadFailed(reason) from None

    @asynccontextmanager
    async def open(
        self, artifact: Artifact, conditions: Mapping[str, str]
    ) -> AsyncGenerator[Stream]:
        """Open a file, or the part of it that the conditions name.

        Raises:
            UntrustedAddress: If nothing is fetched from there.
            DownloadFailed: If there are too many redirects.
            NetworkError: If the host cannot be reached.
            ExportJobsError: If the account cannot sign in.
        """
        base_url = self._session.adapter.base_url
        url, plain = artifact.url, {**_HEADERS, **conditions}
        headers: Mapping[str, str] = plain
        if artifact.authenticated:
            request, _ = await self._session.signed(Request.get(artifact.url))
            url = self._connections.anywhere.locate(request, base_url=base_url)
            headers = {**request.headers, **plain}
        for _ in range(1 + _REDIRECTS):
            transport = self._connections.transport(url, base_url=base_url)
            timeout = self._connections.read_timeout
            async with transport.stream(url, headers, within=timeout) as stream:
                target = _redirect(stream, url)
                if target is None:
                    yield stream
                    return
            # Credentials are not sent to another origin.
            headers = headers if same_origin(url, target) else plain
            url = target
        raise DownloadFailed(f"more than {_REDIRECTS} redirects, the last to {safe_url(url)}")


def _redirect(stream: Stream, url: str) -> str | None:
    location = stream.headers.get("location")
    if not location or not 300 <= stream.status < 400:  # noqa: PLR2004 - the range is HTTP's
        return None
    try:
        return urljoin(url, location)
    except ValueError:
        raise invalid_url() from None

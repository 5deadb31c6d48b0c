"""Opening a file where it is: with the account's credentials or none, and redirects by hand."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urljoin

from attrs import frozen

from exportjobs._address import no_address, same_origin
from exportjobs._errors import DownloadFailed
from exportjobs._flow import Request
from exportjobs._hosts import Hosts
from exportjobs._job import Artifact
from exportjobs._redact import safe_url
from exportjobs._session import Session
from exportjobs._stream import Stream
from exportjobs._transport import Transport

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

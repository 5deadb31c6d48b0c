"""One file, from its host to where it is wanted: resumed where it broke off, and proven."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from http import HTTPStatus

from attrs import frozen

from exportjobs._http.answers import server_wait
from exportjobs._http.retry import Attempts, quiet
from exportjobs._http.stream import Stream
from exportjobs._landing.destination import Sink
from exportjobs._landing.digests import of_hex
from exportjobs._landing.names import suffix, suffix_of_type
from exportjobs._landing.opening import (
    ENOUGH,
    Head,
    NoContinuation,
    Opening,
    Version,
    check_no_error_page,
    may_be_error_page,
    opening,
)
from exportjobs._landing.pipeline import pour
from exportjobs._landing.source import Addresses, Source
from exportjobs._schedule.clock import Clock
from exportjobs.adapter._errors import (
    Corrupted,
    DownloadFailed,
    ExportJobsError,
    NetworkError,
    SignedUrlRejected,
    UntrustedAddress,
    VendorError,
)
from exportjobs.adapter._job import Artifact
from exportjobs.events import LandedFile

_ATTEMPTS = Attempts(attempts=8, first_pause=0.1, longest_pause=10.0, jitter=0.1)
_FILES = {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}
_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_LONGEST_WAIT = timedelta(minutes=1)
_SAID = 4096
_GROUND = 256 * 1024
"""New bytes for which the attempts are counted anew."""
_CORRUPTIONS = 2
"""Times that a file may come whole and wrong."""


class _GroundGainedError(Exception):
    """An attempt broke off, but brought the file further than any before."""


@frozen
class Told:
    """Who is told what happens to a file."""

    received: Callable[[int, int | None], None]
    """Bytes so far, and in all where that is known."""
    retried: Callable[[ExportJobsError], None]


class Transfer:
    """One artifact of a job, on its way."""

    def __init__(
        self,
        index: int,
        addresses: Addresses,
        source: Source,
        sink: Sink,
        *,
        told: Told,
        clock: Clock,
    ) -> None:
        """Take which artifact it is, where it comes from and where it goes."""
        self._clock = clock
        self._asked = timedelta()
        self._index = index
        self._addresses = addresses
        self._source = source
        self._sink = sink
        self._told = told
        self._farthest = sink.received
        self._may_continue = True
        self._corruptions = 0

    async def land(self) -> LandedFile:
        """Fetch the file, prove it and let it land.

        Raises:
            DownloadFailed: If the bytes cannot be had whole.
            DestinationFailed: If they cannot be stored.
            ExportJobsError: If the vendor refuses to renew an address that had expired.
        """
        while True:
            try:
                with quiet():
                    return await _ATTEMPTS.of(self._attempt, self._may_pass)
            except _GroundGainedError:
                continue

    async def _attempt(self) -> LandedFile:
        try:
            await self._leave_alone()
            artifact = await self._addresses.of(self._index)
            if self._is_whole:
                _check_size(self._sink.received, artifact)
                await self._sink.promise(_promises(artifact))
            else:
                await self._fetch(artifact)
            return await self._sink.land(artifact.part)
        except ExportJobsError as error:
            self._take_note(error)
            if self._may_pass(error) and self._sink.received >= self._farthest + _GROUND:
                self._farthest = self._sink.received
                raise _GroundGainedError from error
            raise

    async def _leave_alone(self) -> None:
        """Wait as long as the file's host asked for, within reason."""
        asked, self._asked = min(self._asked, _LONGEST_WAIT), timedelta()
        if asked:
            await self._clock.sleep(asked.total_seconds())

    def _take_note(self, error: ExportJobsError) -> None:
        self._corruptions += isinstance(error, Corrupted)
        self._may_continue = self._may_continue and not isinstance(error, NoContinuation)
        if isinstance(error, DownloadFailed) and not isinstance(error, SignedUrlRejected):
            # What came was no good, and would be none to another process.
            self._sink.discard()
        if self._may_pass(error):
            self._told.retried(error)

    def _may_pass(self, error: Exception) -> bool:
        """Whether what went wrong may go right another time."""
        match error:
            case UntrustedAddress():
                return False
            case Corrupted():
                return self._corruptions < _CORRUPTIONS and self._sink.may_restart
            case _:
                return isinstance(error, NetworkError | SignedUrlRejected | VendorError)

    @property
    def _is_whole(self) -> bool:
        """Whether an earlier process fetched all of it, and did not come to land it."""
        return 0 < self._sink.received == self._sink.version.size

    @property
    def _continued(self) -> Version | None:
        """The version whose rest is enough; None where the whole file is wanted."""
        sink = self._sink
        may = self._may_continue and sink.received and sink.version.condition
        return sink.version if may else None

    async def _fetch(self, artifact: Artifact) -> None:
        version, conditions = self._continued, dict[str, str]()
        if version is not None:
            conditions["range"] = f"bytes={self._sink.received}-"
            conditions["if-range"] = version.condition
        async with self._source.open(artifact, conditions) as stream:
            try:
                opened = await self._opening(stream, artifact, version)
                if may_be_error_page(opened, suffix(artifact)):
                    check_no_error_page(await stream.peek(ENOUGH, inflate=opened.compressed))
            except SignedUrlRejected:
                self._addresses.refuse(artifact)
                raise
            await self._receive(stream, opened, artifact)

    async def _opening(
        self, stream: Stream, artifact: Artifact, version: Version | None
    ) -> Opening:
        said = b"" if stream.status in _FILES else await stream.peek(_SAID)
        if stream.status in _BUSY:
            wait = server_wait(stream.headers, now=self._clock.now())
            self._asked = wait or timedelta()
        head = Head(stream.status, stream.headers, said)
        known, start = suffix(artifact), self._sink.received
        opened = opening(head, suffix=known, asked=version, start=start)
        if not opened.compressed and opened.size is not None:
            _check_size(opened.size, artifact)
        return opened

    async def _receive(self, stream: Stream, opened: Opening, artifact: Artifact) -> None:
        sink, promises = self._sink, {**opened.promises, **_promises(artifact)}
        if opened.start == 0:
            served_as = suffix_of_type(opened.media_type)
            await sink.begin(opened, promises, suffix(artifact) or served_as)
        await sink.promise(promises)
        self._told.received(sink.received, opened.size)

        async def store(view: memoryview) -> None:
            await sink.store(view)
            self._told.received(sink.received, opened.size)

        left = None if opened.size is None else opened.size - sink.received
        read = partial(stream.read_into, inflate=opened.compressed)
        await pour(read, (store, *sink.hashers), left)
        if opened.size is not None and sink.received != opened.size:
            raise NetworkError(f"the file broke off after {sink.received} of {opened.size} bytes")
        _check_size(sink.received, artifact)


def _promises(artifact: Artifact) -> Mapping[str, bytes]:
    return of_hex(md5=artifact.md5, sha256=artifact.sha256)


def _check_size(size: int, artifact: Artifact) -> None:
    if artifact.size is not None and size != artifact.size:
        raise DownloadFailed(
            f"the file has {size} bytes, the vendor says {artifact.size}",
            remedy="ask the vendor: what came is not what the job says it made",
        )

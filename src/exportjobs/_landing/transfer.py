"""One file, from its host to where it is wanted: resumed where it broke off, and verified."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from http import HTTPStatus

from attrs import define, field

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
from exportjobs._landing.pipeline import Pipeline
from exportjobs._landing.source import Source
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
from exportjobs.events import DownloadProgress, DownloadRetried, LandedFile, Observer, Subject

_ATTEMPTS = Attempts(attempts=8, first_pause=0.1, longest_pause=10.0, jitter=0.1)
_FILES = {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}
_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_LONGEST_WAIT = timedelta(minutes=1)
_ERROR_BODY = 4096
"""Bytes of an error's body that are read to find out why there is no file."""
_PROGRESS = 256 * 1024
"""New bytes for which the attempts are counted from zero again."""
_CORRUPTIONS = 2
"""Times that a file may come complete and wrong."""


class _ProgressMadeError(Exception):
    """An attempt broke off, but brought the file further than any before."""


@define(eq=False)
class Transfer:
    """One artifact of a job, on its way from its host to a sink."""

    index: int
    source: Source
    sink: Sink
    subject: Subject
    clock: Clock = field(kw_only=True)
    report: Observer = field(kw_only=True)
    retries: int = field(default=0, init=False)
    _host_wait: timedelta = field(factory=timedelta, init=False)
    """How long the file's host asked to be left alone."""
    _farthest: int = field(init=False)
    _may_resume: bool = field(default=True, init=False)
    _corruptions: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with what the sink has from an earlier process."""
        self._farthest = self.sink.received

    async def land(self) -> LandedFile:
        """Fetch the file, verify it and let it land.

        Raises:
            DownloadFailed: If the bytes cannot be fetched completely.
            DestinationFailed: If they cannot be stored.
            ExportJobsError: If the vendor refuses to renew a URL that had expired.
        """
        # A large file over a bad connection breaks off more often than `_ATTEMPTS` allows. As long
        # as each time brings it further, it goes on: what is bounded is attempts without progress.
        while True:
            try:
                with quiet():
                    return await _ATTEMPTS.of(self._attempt, self._may_retry)
            except _ProgressMadeError:
                continue

    async def _attempt(self) -> LandedFile:
        try:
            await self._wait_for_host()
            artifact = await self.source.artifact(self.index)
            if self._is_complete:
                _check_size(self.sink.received, artifact)
                await self.sink.expect(_expected_digests(artifact))
            else:
                await self._fetch(artifact)
            return await self.sink.land(artifact.part)
        except ExportJobsError as error:
            self._note(error)
            if self._may_retry(error) and self.sink.received >= self._farthest + _PROGRESS:
                self._farthest = self.sink.received
                raise _ProgressMadeError from error
            raise

    async def _wait_for_host(self) -> None:
        """Wait as long as the file's host asked for, within reason."""
        wait, self._host_wait = min(self._host_wait, _LONGEST_WAIT), timedelta()
        if wait:
            await self.clock.sleep(wait.total_seconds())

    def _note(self, error: ExportJobsError) -> None:
        self._corruptions += isinstance(error, Corrupted)
        self._may_resume = self._may_resume and not isinstance(error, NoContinuation)
        if isinstance(error, DownloadFailed) and not isinstance(error, SignedUrlRejected):
            # The bytes that came are wrong, and must not be resumed by another process either.
            self.sink.discard()
        if self._may_retry(error):
            self.retries += 1
            self.report(DownloadRetried(self.subject, self.index + 1, error))

    def _may_retry(self, error: Exception) -> bool:
        """Whether what went wrong may go right another time."""
        match error:
            case UntrustedAddress():
                return False
            case Corrupted():
                return self._corruptions < _CORRUPTIONS and self.sink.may_restart
            case _:
                return isinstance(error, NetworkError | SignedUrlRejected | VendorError)

    @property
    def _is_complete(self) -> bool:
        """Whether an earlier process fetched all of it, and ended before it landed."""
        return 0 < self.sink.received == self.sink.version.size

    @property
    def _resumed(self) -> Version | None:
        """The version whose rest is enough; None where the whole file is wanted."""
        sink = self.sink
        may = self._may_resume and sink.received and sink.version.condition
        return sink.version if may else None

    async def _fetch(self, artifact: Artifact) -> None:
        version, conditions = self._resumed, dict[str, str]()
        if version is not None:
            conditions["range"] = f"bytes={self.sink.received}-"
            conditions["if-range"] = version.condition
        async with self.source.open(artifact, conditions) as stream:
            try:
                opened = await self._opening(stream, artifact, version)
                if may_be_error_page(opened, suffix(artifact)):
                    check_no_error_page(await stream.peek(ENOUGH, inflate=opened.compressed))
            except SignedUrlRejected:
                self.source.reject(artifact)
                raise
            await self._receive(stream, opened, artifact)

    async def _opening(
        self, stream: Stream, artifact: Artifact, version: Version | None
    ) -> Opening:
        error = b"" if stream.status in _FILES else await stream.peek(_ERROR_BODY)
        if stream.status in _BUSY:
            wait = server_wait(stream.headers, now=self.clock.now())
            self._host_wait = wait or timedelta()
        head = Head(stream.status, stream.headers, error)
        known, start = suffix(artifact), self.sink.received
        opened = opening(head, suffix=known, asked=version, start=start)
        if not opened.compressed and opened.size is not None:
            _check_size(opened.size, artifact)
        return opened

    async def _receive(self, stream: Stream, opened: Opening, artifact: Artifact) -> None:
        sink, expected = self.sink, {**opened.digests, **_expected_digests(artifact)}
        if opened.start == 0:
            served_as = suffix_of_type(opened.media_type)
            await sink.begin(opened, expected, suffix(artifact) or served_as)
        await sink.expect(expected)
        self._report_progress(opened)

        async def store(view: memoryview) -> None:
            await sink.store(view)
            self._report_progress(opened)

        left = None if opened.size is None else opened.size - sink.received
        read = partial(stream.read_into, inflate=opened.compressed)
        await Pipeline((store, *sink.hashers), left).run(read)
        if opened.size is not None and sink.received != opened.size:
            raise NetworkError(f"the file broke off after {sink.received} of {opened.size} bytes")
        _check_size(sink.received, artifact)

    def _report_progress(self, opened: Opening) -> None:
        name, received = self.sink.name, self.sink.received
        self.report(DownloadProgress(self.subject, name, received, opened.size))


def _expected_digests(artifact: Artifact) -> Mapping[str, bytes]:
    return of_hex(md5=artifact.md5, sha256=artifact.sha256)


def _check_size(size: int, artifact: Artifact) -> None:
    if artifact.size is not None and size != artifact.size:
        raise DownloadFailed(
            f"the file has {size} bytes, the vendor says {artifact.size}",
            remedy="ask the vendor: what came is not what the job says it made",
        )

"""A bucket of an object store, in which the files of jobs land."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Self, TypeVarTuple

import obstore
from anyio import CapacityLimiter, move_on_after, to_thread

from exportjobs._landing.destination import Destination, Sink
from exportjobs._landing.into.folder import manifest, manifest_name
from exportjobs._landing.into.stores import Store, checked_store, failed, root, store_at
from exportjobs._landing.names import file_stem, suffix
from exportjobs._landing.opening import Opening
from exportjobs._schedule.clock import Clock
from exportjobs.adapter._errors import DestinationFailed
from exportjobs.adapter._job import ExportJob
from exportjobs.events import LandedFile

if TYPE_CHECKING:
    from obstore import WritableFile


_Args = TypeVarTuple("_Args")
_MEBIBYTE = 1024 * 1024
_PIECE = 8 * _MEBIBYTE
_PIECE_OF_UNKNOWN = 16 * _MEBIBYTE
_PIECES = 10_000
"""More than this many pieces of a file are taken by neither Amazon nor Google."""
_IN_FLIGHT = 3
"""Pieces of one file that are sent at once, while the next one fills."""
_THREADS = 40
_ABORTING = 30.0
"""Seconds."""


class Bucket(Destination):
    """A bucket, or what lies below a prefix of it.

    A file is uploaded in parts and becomes visible only when all of it was verified; a small one is
    sent in one request. An upload that does not get so far is aborted: another process begins from
    zero, with all of a job's files. Whether the bucket can be written shows with its first file, as
    only writing tells; the job can then be resumed. Archives are not checked.
    """

    def __init__(self, store: Store, place: str, clock: Clock) -> None:
        """Take a store, and what the locations of its objects begin with."""
        self._store = store
        self._place = place
        self._clock = clock
        # Threads of their own: a store that hangs must not use up those that hash bytes.
        self._threads = CapacityLimiter(_THREADS)

    @classmethod
    def at(cls, url: str, clock: Clock) -> Self:
        """Return the bucket at a URL, with the credentials that the environment has.

        Raises:
            InvalidArgument: If there is none, or the URL holds credentials.
        """
        return cls(store_at(url), url.rstrip("/"), clock)

    @classmethod
    def of(cls, store: object, clock: Clock) -> Self:
        """Return a store of obstore's that the caller has opened.

        Raises:
            InvalidArgument: If it is not one that files can be put to.
        """
        found = checked_store(store)
        return cls(found, root(found), clock)

    @property
    def identity(self) -> tuple[object, ...]:
        """Where its objects stand."""
        return (Bucket, self._place)

    def __str__(self) -> str:
        """Return where its objects stand."""
        return self._place

    def sink(self, job: ExportJob, index: int) -> "_Upload":
        """Return where one of a job's files goes; nothing is sent yet."""
        return _Upload(self, file_stem(job, index), suffix(job.artifacts[index]))

    async def conclude(
        self, job: ExportJob, files: tuple[LandedFile, ...]
    ) -> tuple[LandedFile, ...]:
        """Put the manifest of a job with several files, and return them.

        Raises:
            DestinationFailed: If it cannot be put.
        """
        if len(job.artifacts) > 1:
            text = manifest(job, files, landed_at=self._clock.now())
            name = manifest_name(job.ref)
            await self.run(name, self._put, name, text.encode())
        return files

    async def standing(self, files: tuple[LandedFile, ...]) -> tuple[LandedFile, ...] | None:
        """Return files that landed here earlier if all of them have the size they had, else None.

        Raises:
            DestinationFailed: If the store refuses, or cannot be reached.
        """
        for file in files:
            name = file.location.removeprefix(self.location(""))
            if name == file.location or await self._size(name) != file.size:
                return None
        return files

    async def _size(self, name: str) -> int | None:
        """Return the bytes that an object has, None if there is none."""
        found: list[int] = []

        def ask() -> None:
            with suppress(FileNotFoundError):
                found.append(obstore.head(self._store, name)["size"])

        await self.run(name, ask)
        return found[0] if found else None

    def location(self, name: str) -> str:
        """Return where an object stands."""
        return f"{self._place.rstrip('/')}/{name}" if self._place else name

    def writer(self, name: str, piece: int) -> "WritableFile":
        """Return what takes an object's bytes; nothing is sent yet."""
        return obstore.open_writer(self._store, name, buffer_size=piece, max_concurrency=_IN_FLIGHT)

    async def run(self, name: str, request: Callable[[*_Args], object], *args: *_Args) -> None:
        """Send the store a request about an object, in a thread: obstore's own loop is asyncio's.

        A task that is cancelled does not wait for a store that does not answer.

        Raises:
            DestinationFailed: If the store refuses, or cannot be reached.
        """
        try:
            await to_thread.run_sync(request, *args, abandon_on_cancel=True, limiter=self._threads)
        except Exception as error:  # noqa: BLE001 - they are of many kinds
            failure = failed(name, self._store, error)
        else:
            return
        # Raised here, so that the store's own error, which may hold secrets, is not its context.
        raise failure

    def _put(self, name: str, content: bytes) -> None:
        obstore.put(self._store, name, content, use_multipart=False)


class _Upload(Sink):
    """Bytes on their way to an object, which is not visible before they are all there.

    The upload stays open from one attempt of the download to the next.
    """

    def __init__(self, bucket: Bucket, stem: str, suffix: str) -> None:
        """Take where the object shall stand, and its name as far as it is known."""
        super().__init__(stem, suffix)
        self._bucket = bucket
        self._piece = _PIECE
        self._writer: WritableFile | None = None

    async def __aenter__(self) -> Self:
        """Begin with nothing: what an earlier process sent is lost."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Abort what has not landed."""
        await self._abort()

    async def land(self, part: int | None) -> LandedFile:
        """Make the object visible, in place of whatever had its name.

        Raises:
            Corrupted: If the bytes do not have the expected digests.
            DestinationFailed: If the store does not take it.
        """
        verified = self.verify()
        await self._bucket.run(self.name, self._opened().close)
        self._writer = None
        location = self._bucket.location(self.name)
        return LandedFile(location, self.received, self.digests.sha256, part, verified)

    async def _restart(self, opened: Opening) -> None:
        await self._abort()
        self._piece = _piece(opened.size)

    async def _store(self, view: memoryview) -> None:
        await self._bucket.run(self.name, _write, self._opened(), view)

    async def _note(self) -> None:
        """Record nothing: no other process could resume it."""

    def _opened(self) -> "WritableFile":
        if self._writer is None:
            self._writer = self._bucket.writer(self.name, self._piece)
        return self._writer

    async def _abort(self) -> None:
        """Abort the upload at the store; if that fails, the object is not visible either."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        with move_on_after(_ABORTING, shield=True), suppress(DestinationFailed):
            await self._bucket.run(self.name, _abort_upload, writer)


def _piece(size: int | None) -> int:
    """Return how long the pieces are that a file is sent in."""
    return _PIECE_OF_UNKNOWN if size is None else max(_PIECE, -(-size // _PIECES))


def _write(writer: "WritableFile", view: memoryview) -> None:
    # A copy: obstore keeps it until it was sent, and the ring buffer is soon filled again.
    writer.write(bytes(view))


class _AbortedError(Exception):
    """An upload is aborted."""


def _abort_upload(writer: "WritableFile") -> None:
    # A writer aborts its upload only if an error leaves its block: closing it completes the object.
    with suppress(_AbortedError), writer:
        raise _AbortedError

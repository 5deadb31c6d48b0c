"""A function of the caller's as a destination: it is called with each file as it comes."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Self, cast

import anyio
from anyio import CapacityLimiter, from_thread, to_thread
from attrs import define, field

from exportjobs._landing.destination import Destination, Sink
from exportjobs._landing.names import file_stem, suffix
from exportjobs._landing.opening import Opening
from exportjobs._landing.pipeline import together
from exportjobs.adapter._errors import DestinationFailed, DownloadFailed
from exportjobs.adapter._job import ExportJob, JobRef, JobStatus
from exportjobs.events import LandedFile

_THREADS = 40


@define(eq=False)
class FileStream:
    """The bytes of one file as they come: for `async for`, and for `for` in a function that waits.

    After the last byte the file is verified; if that fails, or the rest cannot be fetched, the loop
    ends with an error.
    """

    ref: JobRef
    """The job that made the file."""
    name: str
    """The name under which it would land in a folder."""
    size: int | None
    """Bytes, where the file's host says so."""
    part: int | None
    """The part's number, from 1, where the job has several."""
    _receive: Callable[[], Coroutine[None, None, bytes]] = field(repr=False)

    def __aiter__(self) -> Self:
        """Yield the bytes, piece by piece."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next of the bytes."""
        piece = await self._receive()
        if not piece:
            raise StopAsyncIteration
        return piece

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes, piece by piece, in a function that is not asynchronous."""
        while piece := from_thread.run(self._receive):
            yield piece


FileFunction = Callable[[FileStream], object]
"""Takes a file as it comes, and returns what it makes of it, or an awaitable of that."""


class FunctionDestination(Destination):
    """A function that is called with every file."""

    def __init__(self, take: FileFunction) -> None:
        """Take the function; one that is not asynchronous is called in a thread."""
        self._take = take
        # Threads of their own: functions that wait for bytes must not use up those that hash bytes.
        self._threads = CapacityLimiter(_THREADS)

    @property
    def identity(self) -> tuple[object, ...]:
        """The function."""
        return (FunctionDestination, self._take)

    def __str__(self) -> str:
        """Return the function's name."""
        return f"the function {getattr(self._take, '__qualname__', type(self._take).__name__)}"

    def wants(self, job: ExportJob) -> bool:
        """Return whether a job is done: a function takes whatever comes for data."""
        return job.status is JobStatus.DONE

    def sink(self, job: ExportJob, index: int) -> "_FunctionSink":
        """Return what passes one of a job's files to the function; it is not called yet."""
        return _FunctionSink(self._take, self._threads, job, index)


class _FunctionSink(Sink):
    """Passes the bytes of one file to the function, which runs in a task while they come."""

    def __init__(
        self, take: FileFunction, threads: CapacityLimiter, job: ExportJob, index: int
    ) -> None:
        artifact = job.artifacts[index]
        super().__init__(file_stem(job, index), suffix(artifact))
        self._take, self._threads = take, threads
        self._ref, self._part = job.ref, artifact.part
        self._called = False
        self._has_passed_bytes = False
        self._has_landed = False
        self._ended = anyio.Event()
        self._value: object = None
        self._error: Exception | None = None
        self._pieces, self._taken = anyio.create_memory_object_stream[bytes](0)

    @property
    def may_restart(self) -> bool:
        return not self._has_passed_bytes

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        self._tasks = await self._stack.enter_async_context(together())
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the function's loop over the bytes, if it still waits, and wait for it to return."""
        self._pieces.close()
        if not self._called:
            self._taken.close()
        await self._stack.aclose()

    async def land(self, part: int | None) -> LandedFile:
        verified = self.verify()
        self._has_landed = True
        self._pieces.close()
        await self._ended.wait()
        self._check_error()
        digest, value = self.digests.sha256, self._value
        return LandedFile(self.name, self.received, digest, part, verified, value)

    async def _restart(self, opened: Opening) -> None:
        if not self.may_restart:
            raise DownloadFailed(
                "the file broke off, and the function already has some of its bytes"
            )
        self._opened = opened

    async def _note(self) -> None:
        if not self._called:
            self._called = True
            self._tasks.start_soon(self._call)

    async def _store(self, view: memoryview) -> None:
        self._has_passed_bytes = True
        try:
            await self._pieces.send(bytes(view))
        except anyio.BrokenResourceError:
            await self._ended.wait()
            self._check_error()
            raise DestinationFailed(
                "the function that takes the file returned before its end",
                remedy="let it read the file to its end",
            ) from None

    async def _call(self) -> None:
        stream = FileStream(self._ref, self.name, self._opened.size, self._part, self._receive)
        try:
            if inspect.iscoroutinefunction(self._take):
                self._value = await self._take(stream)
            else:
                # Wrapped, as trio takes what can be awaited for a mistake.
                call = partial(_wrapped, self._take, stream)
                (value,) = await to_thread.run_sync(call, limiter=self._threads)
                self._value = await cast("Awaitable[object]", value) if _waits(value) else value
        except Exception as error:  # noqa: BLE001 - it is raised with the file that it is about
            self._error = error
        finally:
            self._taken.close()
            self._ended.set()

    async def _receive(self) -> bytes:
        try:
            return await self._taken.receive()
        except anyio.EndOfStream:
            if self._has_landed:
                return b""
            raise DownloadFailed("the rest of the file cannot be fetched") from None

    def _check_error(self) -> None:
        if self._error is not None:
            cause = f"{type(self._error).__name__}: {self._error}"
            raise DestinationFailed(
                f"the function that takes the file failed ({cause})", remedy="correct the function"
            ) from self._error


def _wrapped(take: FileFunction, stream: FileStream) -> tuple[object]:
    return (take(stream),)


def _waits(value: object) -> bool:
    return inspect.isawaitable(value)

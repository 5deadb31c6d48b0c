"""Files handed to a function as they come: every byte once, and an error where one is missing."""

import hashlib
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import anyio
import httpx
import pytest
from tests.support.acme import signed
from tests.support.errors import assert_error
from tests.support.hosts import Landing, failure, landing

from exportjobs import (
    DestinationFailed,
    DownloadFailed,
    Event,
    ExportJob,
    ExportJobsError,
    JobRef,
    JobStatus,
    LandedFile,
    NetworkError,
)
from exportjobs._http.transport import Transport
from exportjobs._landing.into.function import FileFunction, FileStream, FunctionDestination
from exportjobs.adapter import Artifact, Reading
from exportjobs.adapter._errors import Corrupted, SignedUrlRejected
from exportjobs.testing import ManualClock

from .test_transfer import FIRST, File, Host, Speech, breaking, deaf, good, rest, status

REF = JobRef("acme", "default", "q3", kind="report")
LARGE = FIRST * 70
Hand = Callable[..., Landing]


@pytest.fixture
def hand(clock: ManualClock, events: list[Event]) -> Hand:
    """Return a function that begins to hand a job's files over."""

    def make(take: FileFunction, host: Host, *artifacts: Artifact) -> Landing:
        transport = Transport(httpx.MockTransport(host.answer))
        wanted = artifacts or (Artifact(signed("q3.csv"), part=1),)
        job = ExportJob(REF, Reading(JobStatus.DONE, "done"), artifacts=wanted)
        return landing(job, FunctionDestination(take), transport, clock, events.append)

    return make


class Taking:
    """Functions of both kinds that take a file, and note what came and how it ended."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.streams: list[FileStream] = []
        self.content = bytearray()
        self.error: BaseException | None = None
        self.threads: set[int] = set()

    async def by_waiting(self, stream: FileStream) -> int:
        """Take a file in a function that is asynchronous."""
        self.streams.append(stream)
        self.threads.add(threading.get_ident())
        try:
            async for piece in stream:
                self.content += piece
        except BaseException as error:
            self.error = error
            raise
        return len(self.content)

    def in_a_thread(self, stream: FileStream) -> int:
        """Take a file in a function that is not."""
        self.streams.append(stream)
        self.threads.add(threading.get_ident())
        try:
            for piece in stream:
                self.content += piece
        except BaseException as error:
            self.error = error
            raise
        return len(self.content)

    def later(self, stream: FileStream) -> object:
        """Return what takes a file, and has to be waited for."""
        return self.by_waiting(stream)


@pytest.fixture(params=["by_waiting", "in_a_thread", "later"])
def taking(request: pytest.FixtureRequest) -> tuple[Taking, FileFunction]:
    """Return a function of any kind, and what it notes."""
    notes = Taking()
    taker: FileFunction = getattr(notes, request.param)
    return notes, taker


@pytest.fixture(params=["by_waiting", "in_a_thread"])
def either(request: pytest.FixtureRequest) -> str:
    """Return a kind of function."""
    return str(request.param)


def failing(kind: str, error: BaseException, *, after: int = 0) -> FileFunction:
    """Return a function that raises after so many pieces."""

    async def by_waiting(stream: FileStream) -> None:
        left = after
        async for _ in stream:
            if not left:
                raise error
            left -= 1

    def in_a_thread(stream: FileStream) -> None:
        left = after
        for _ in stream:
            if not left:
                raise error
            left -= 1

    return by_waiting if kind == "by_waiting" else in_a_thread


@pytest.mark.parametrize(
    "content", [b"a,b\n", b"", FIRST, LARGE], ids=["few", "none", "one-piece", "many"]
)
@pytest.mark.parametrize("known", [True, False])
async def test_a_function_gets_every_byte_in_order(
    hand: Hand, taking: tuple[Taking, FileFunction], content: bytes, *, known: bool
) -> None:
    """What it returns is the file's value, beside its size and its digest."""
    notes, take = taking
    host = Host(File(content), [partial(good, known=known)])

    (landed,) = await hand(take, host).land()

    assert bytes(notes.content) == content
    name, sha256 = "acme.default.report.q3.csv", hashlib.sha256(content).hexdigest()
    assert landed == LandedFile(name, len(content), sha256, 1, (), len(content))
    (stream,) = notes.streams
    assert (stream.ref, stream.name, stream.part) == (REF, name, 1)
    assert stream.size == (len(content) if known else None)


async def test_a_function_that_does_not_wait_has_a_thread_of_its_own(
    hand: Hand, taking: tuple[Taking, FileFunction]
) -> None:
    """It may take its time, and keeps nobody else waiting."""
    notes, take = taking

    await hand(take, Host(speeches=[good])).land()

    is_elsewhere = threading.get_ident() not in notes.threads
    assert is_elsewhere is (take == notes.in_a_thread)


async def test_nothing_is_written_anywhere(
    hand: Hand, taking: tuple[Taking, FileFunction], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function alone says what becomes of the bytes."""
    monkeypatch.chdir(tmp_path)

    await hand(taking[1], Host(speeches=[good])).land()

    assert list(tmp_path.iterdir()) == []


async def test_each_of_several_files_is_handed_over(
    hand: Hand, taking: tuple[Taking, FileFunction]
) -> None:
    """One call for each, in a name that sorts."""
    notes, take = taking
    artifacts = [Artifact(signed(f"{n}.csv"), part=n) for n in (1, 2, 3)]

    files = await hand(take, Host(File(b"ab"), [good]), *artifacts).land()

    assert [stream.part for stream in notes.streams] == [1, 2, 3]
    assert [file.location for file in files] == [stream.name for stream in notes.streams]
    assert [file.value for file in files] == [2, 4, 6]


async def test_a_promise_that_is_kept_is_told(
    hand: Hand, taking: tuple[Taking, FileFunction]
) -> None:
    """What proves the bytes is named, as for a file in a folder."""
    md5 = hashlib.md5(FIRST, usedforsecurity=False).hexdigest()

    (landed,) = await hand(
        taking[1], Host(speeches=[good]), Artifact(signed("q3.csv"), md5=md5)
    ).land()

    assert landed.verified_by == ("md5",)


@pytest.mark.parametrize(
    "file", [File(LARGE), File(LARGE, "", "Sat, 28 Feb 2026 12:00:00 GMT")], ids=["etag", "time"]
)
async def test_a_file_that_breaks_off_goes_on_for_the_function(
    hand: Hand, taking: tuple[Taking, FileFunction], file: File
) -> None:
    """It does not notice that the rest came over another connection."""
    notes, take = taking
    host = Host(file, [breaking(1_500_000), breaking(10), good])

    (landed,) = await hand(take, host).land()

    assert bytes(notes.content) == LARGE
    assert landed.value == len(LARGE)
    assert len(notes.streams) == 1


@pytest.mark.parametrize(
    ("file", "speeches"),
    [
        pytest.param(File(LARGE), [breaking(1_500_000), deaf], id="no-ranges"),
        pytest.param(File(LARGE, ""), [breaking(1_500_000), good], id="no-validator"),
        pytest.param(
            File(LARGE), [breaking(1_500_000), rest({"etag": '"v2"'}), good], id="changed"
        ),
        pytest.param(File(LARGE), [breaking(1_500_000), status(416), good], id="shrunk"),
    ],
)
async def test_what_was_handed_over_is_not_taken_back(
    hand: Hand, taking: tuple[Taking, FileFunction], file: File, speeches: list[Speech]
) -> None:
    """Where the rest cannot be had, the function's loop ends with an error, as the file does."""
    notes, take = taking

    error = await failure(hand(take, Host(file, [*speeches])).land())

    assert isinstance(error, DownloadFailed)
    assert isinstance(notes.error, ExportJobsError)
    assert LARGE.startswith(bytes(notes.content))
    assert len(notes.streams) == 1


@pytest.mark.parametrize(
    ("speeches", "kind"),
    [
        pytest.param([breaking(1_500_000), status(503)], NetworkError, id="down"),
        pytest.param([breaking(1_500_000), status(403)], SignedUrlRejected, id="refused"),
        pytest.param([breaking(1_500_000), status(400)], DownloadFailed, id="bad"),
    ],
)
async def test_a_file_that_never_comes_whole_ends_the_functions_loop(
    hand: Hand, taking: tuple[Taking, FileFunction], speeches: list[Speech], kind: type[Exception]
) -> None:
    """The function learns that there is no more; the result says why."""
    notes, take = taking

    error = await failure(hand(take, Host(File(LARGE), [*speeches])).land())

    assert isinstance(error, kind)
    assert isinstance(notes.error, DownloadFailed)


async def test_a_function_is_not_called_for_a_file_that_is_not_there(
    hand: Hand, taking: tuple[Taking, FileFunction]
) -> None:
    """There is nothing to take."""
    notes, take = taking

    error = await failure(hand(take, Host(speeches=[status(400)])).land())

    assert isinstance(error, DownloadFailed)
    assert notes.streams == []


@pytest.mark.parametrize("content", [b"a,b\n", LARGE], ids=["few", "many"])
async def test_bytes_that_are_not_those_promised_end_the_functions_loop(
    hand: Hand, taking: tuple[Taking, FileFunction], content: bytes
) -> None:
    """After the last byte comes an error, so that nothing is concluded from a wrong file."""
    notes, take = taking
    artifact = Artifact(signed("q3.csv"), sha256="0" * 64)

    error = await failure(hand(take, Host(File(content), [good]), artifact).land())

    assert isinstance(notes.error, ExportJobsError)
    assert isinstance(error, Corrupted)
    assert bytes(notes.content) == content


async def test_a_size_that_the_vendor_did_not_say_ends_the_functions_loop(
    hand: Hand, taking: tuple[Taking, FileFunction]
) -> None:
    """A file of another size is not the job's, though its host is content."""
    notes, take = taking
    artifact = Artifact(signed("q3.csv"), size=len(FIRST) + 1)

    error = await failure(hand(take, Host(speeches=[partial(good, known=False)]), artifact).land())

    assert isinstance(error, DownloadFailed)
    assert isinstance(notes.error, DownloadFailed)


@pytest.mark.parametrize("after", [0, 2])
async def test_a_function_that_raises_fails_the_file(hand: Hand, either: str, after: int) -> None:
    """Its error is the cause, and the file is not fetched again for it."""
    host = Host(File(LARGE * 4), [good])
    mistake = ZeroDivisionError("my own mistake")

    error = await failure(hand(failing(either, mistake, after=after), host).land())

    assert_error(
        error,
        DestinationFailed,
        reason="the function that takes the file failed (ZeroDivisionError: my own mistake)",
        remedy="correct the function",
    )
    assert error.__cause__ is mistake
    assert len(host.asked) == 1


async def test_a_function_that_raises_after_the_last_byte_fails_the_file(
    hand: Hand, either: str
) -> None:
    """Storing what came may fail as well."""

    async def by_waiting(stream: FileStream) -> None:
        async for _ in stream:
            pass
        raise KeyError("table")

    def in_a_thread(stream: FileStream) -> None:
        for _ in stream:
            pass
        raise KeyError("table")

    take: FileFunction = by_waiting if either == "by_waiting" else in_a_thread
    error = await failure(hand(take, Host(speeches=[good])).land())

    assert isinstance(error, DestinationFailed)
    assert "KeyError" in str(error)


async def test_a_function_that_raises_what_looks_like_the_networks_is_not_asked_again(
    hand: Hand, either: str
) -> None:
    """Its own database's broken line is not the file's."""
    host = Host(File(LARGE), [good])

    error = await failure(hand(failing(either, NetworkError("mine")), host).land())

    assert isinstance(error, DestinationFailed)
    assert len(host.asked) == 1


async def test_a_function_that_returns_early_fails_the_file(hand: Hand, either: str) -> None:
    """A file of which only a part was taken has not landed."""

    async def by_waiting(stream: FileStream) -> bytes:
        async for piece in stream:
            return piece
        return b""

    def in_a_thread(stream: FileStream) -> bytes:
        return next(iter(stream))

    take: FileFunction = by_waiting if either == "by_waiting" else in_a_thread
    host = Host(File(LARGE), [good])

    error = await failure(hand(take, host).land())

    assert_error(
        error,
        DestinationFailed,
        reason="the function that takes the file returned before its end",
        remedy="let it read the file to its end",
    )
    assert len(host.asked) == 1


async def test_a_function_that_takes_nothing_fails_the_file(hand: Hand) -> None:
    """Even where the file is small."""
    error = await failure(hand(lambda _: None, Host(speeches=[good])).land())

    assert isinstance(error, DestinationFailed)


async def test_a_function_that_goes_on_after_an_error_does_not_make_a_file_of_it(
    hand: Hand, either: str
) -> None:
    """Swallowing what its loop raised does not turn half a file into one."""

    async def by_waiting(stream: FileStream) -> str:
        try:
            async for _ in stream:
                pass
        except ExportJobsError:
            return "fine"
        return "whole"

    def in_a_thread(stream: FileStream) -> str:
        try:
            for _ in stream:
                pass
        except ExportJobsError:
            return "fine"
        return "whole"

    take: FileFunction = by_waiting if either == "by_waiting" else in_a_thread
    error = await failure(hand(take, Host(File(LARGE), [breaking(1_500_000), status(400)])).land())

    assert isinstance(error, DownloadFailed)


async def test_a_cancelled_download_leaves_neither_task_nor_thread(
    hand: Hand, taking: tuple[Taking, FileFunction]
) -> None:
    """The function is told, and waited for."""
    notes, take = taking
    came = anyio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield LARGE[:2_500_000]
        came.set()
        await anyio.sleep_forever()

    host = Host(speeches=[lambda *_: httpx.Response(200, content=stalling())])

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hand(take, host).land)
            await came.wait()
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()

    assert LARGE.startswith(bytes(notes.content))
    assert notes.error is not None


async def test_a_slow_function_holds_the_host_back(hand: Hand) -> None:
    """Bytes are fetched as they are taken: a large file is never held whole."""
    sent = 0

    async def counting() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(400):
            sent += 100_000
            yield bytes(100_000)

    ahead: list[int] = []
    taken = 0

    async def take(stream: FileStream) -> None:
        nonlocal taken
        async for piece in stream:
            taken += len(piece)
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
            ahead.append(sent - taken)

    host = Host(speeches=[lambda *_: httpx.Response(200, content=counting())])
    (landed,) = await hand(take, host).land()

    assert landed.size == taken == 40_000_000
    assert max(ahead) <= 13 * 1024 * 1024

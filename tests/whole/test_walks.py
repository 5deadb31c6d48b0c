"""How far values walk through the packages: an export to its first poll, an answer, an artifact.

A walk is counted in a real run against the sandbox. It is the list of our frames that come to hold
the value, in that order, each of them once; its length is the number of changes of package from one
to the next, and one more for the package in which it begins.

A frame is ours if its file is under src/exportjobs: vendors' adapters and libraries are not. It
holds the value if an argument or a local variable is the value or something that carries it, or if
an attribute of its `self` is. What a value's own properties do is not counted: reading a value does
not move it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import TypeAlias

import httpcore
import httpx
import pytest
from attrs import define, field
from tests.support.sandboxes import LEADING_IDS

import exportjobs
from exportjobs import Export, ExportJob, LandedFile
from exportjobs._http.connection import Connection
from exportjobs._http.stream import Stream
from exportjobs._http.transport import Transport
from exportjobs.adapter import Adapter, Artifact, Response
from exportjobs.adapter._terms import Operation
from exportjobs.sandbox import Sandbox

Adapters: TypeAlias = Callable[[Sandbox], dict[str, Adapter]]
Is: TypeAlias = Callable[[object], bool]
Moment: TypeAlias = Callable[[FrameType, object], bool]
"""Whether a frame that begins or returns, with what it returns, is the one that is waited for."""

LABELS = ["clari", "clari-wire", "clari-schema", "demandbase", "demandbase-v1", "closient", "csv"]
ROOT = Path(exportjobs.__file__).parent
POLLING = {Operation.POLL, Operation.LIST}


def is_ours(frame: FrameType) -> bool:
    """Return whether a frame runs code of the library."""
    return frame.f_code.co_filename.startswith(f"{ROOT}/")


def package_of(frame: FrameType) -> str:
    """Return the package that a frame's code is in; a module beside the packages is its own."""
    path = Path(frame.f_code.co_filename).relative_to(ROOT)
    return ".".join(path.parts[:-1]) or path.stem


def caller_of(frame: FrameType) -> FrameType | None:
    """Return the nearest frame of ours below another."""
    below = frame.f_back
    while below is not None and not is_ours(below):
        below = below.f_back
    return below


def members(owner: object) -> Iterator[object]:
    """Return the values of an object's attributes."""
    names = {name for one in type(owner).__mro__ for name in getattr(one, "__slots__", ())}
    for name in (*names, *getattr(owner, "__dict__", {})):
        yield getattr(owner, name, None)


def reads(frame: FrameType) -> bool:
    """Return whether a frame runs a property, or something that one calls."""
    below: FrameType | None = frame
    while below is not None and is_ours(below):
        kind = type(below.f_locals.get("self"))
        if isinstance(getattr(kind, below.f_code.co_name, None), property):
            return True
        below = below.f_back
    return False


@define
class Walk:
    """The frames that come to hold a value, from one moment to another."""

    carries: Is
    begins: Moment
    ends: Moment
    frames: list[FrameType] = field(factory=list[FrameType])
    """Kept, so that no other frame has the id of one of them."""
    seen: set[int] = field(factory=set[int])
    has_begun: bool = False
    has_ended: bool = False

    def watch(self, frame: FrameType, returned: object) -> None:
        """Look at a frame of ours that begins, or returns something."""
        if self.has_ended:
            return
        self.has_ended = self.has_begun and self.ends(frame, returned)
        self.has_begun = self.has_begun or self.begins(frame, returned)
        if self.has_begun:
            for one in (caller_of(frame), frame):
                if one is not None:
                    self._visit(one, returned if one is frame else None)

    def _visit(self, frame: FrameType, returned: object) -> None:
        if id(frame) in self.seen or not self._is_held(frame, returned) or reads(frame):
            return
        self.seen.add(id(frame))
        self.frames.append(frame)

    def _is_held(self, frame: FrameType, returned: object) -> bool:
        held = (returned, *frame.f_locals.values(), *members(frame.f_locals.get("self")))
        return any(map(self.carries, held))

    @property
    def stays(self) -> list[str]:
        """The packages, each named again where the value comes back to it."""
        packages = [package_of(frame) for frame in self.frames]
        return packages[:1] + [after for before, after in pairwise(packages) if before != after]


@contextmanager
def watching(walk: Walk) -> Iterator[None]:
    """Watch what runs in this thread until the block is left."""

    def profile(frame: FrameType, event: str, returned: object) -> None:
        if event in {"call", "return"} and is_ours(frame):
            walk.watch(frame, returned)

    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)


async def walked(walk: Walk, export: Export, folder: Path) -> list[str]:
    """Run an export to its end, and return in which packages a value was on its way."""
    # One file after the other, lest two walks be taken for one.
    async with exportjobs.Poller(poll_interval=0.02, max_downloads=1) as poller:
        with watching(walk):
            (finished,) = [one async for one in poller.run([export], into=folder)]
    finished.raise_for_status()
    assert walk.has_ended
    return walk.stays


@pytest.fixture(params=LABELS)
def export(request: pytest.FixtureRequest, sandbox: Sandbox, adapters: Adapters) -> Export:
    """Return one export of each account."""
    adapter = adapters(sandbox)[request.param]
    kind = min(adapter.kinds())
    made: Export = getattr(adapter, kind)(*LEADING_IDS.get(kind, ()))
    return made


def test_every_account_of_the_sandbox_is_walked(sandbox: Sandbox) -> None:
    """A vendor that is added is counted as well."""
    assert [account.label for account in sandbox.accounts] == LABELS


def is_for_a_poll(frame: FrameType) -> bool:
    """Return whether a frame sends a status request, or is called by one that does."""
    below = caller_of(frame)
    while below is not None:
        if below.f_locals.get("operation") in POLLING:
            return True
        below = caller_of(below)
    return False


def runs(frame: FrameType, function: Callable[..., object]) -> bool:
    """Return whether a frame is one of a function."""
    return frame.f_code is function.__code__


def always(_: FrameType, __: object) -> bool:
    """Begin at once."""
    return True


def sends_a_poll(frame: FrameType, _: object) -> bool:
    """Return whether a status request is about to be sent."""
    return runs(frame, Transport.send) and is_for_a_poll(frame)


async def test_an_export_has_a_short_way_to_its_first_poll(export: Export, tmp_path: Path) -> None:
    """From `run()` on: through the ledger to its vendor."""
    walk = Walk(lambda one: one is export, always, sends_a_poll)

    assert len(stays := await walked(walk, export, tmp_path)) <= 8, stays


def brings_the_answer_to_a_poll(frame: FrameType, returned: object) -> bool:
    """Return whether the first bytes of an answer to a status request came from its socket."""
    return runs(frame, Connection.read) and bool(returned) and is_for_a_poll(frame)


def carries_an_answer(one: object) -> bool:
    """Return whether something is an answer, or bytes of it; one is on its way at a time."""
    if isinstance(one, bytes | bytearray):
        return bool(one)
    return isinstance(one, httpcore.Response | httpx.Response | Response)


def has_job(frame: FrameType, returned: object) -> bool:
    """Return whether a frame has the job that an answer describes."""
    return any(isinstance(one, ExportJob) for one in (returned, *frame.f_locals.values()))


async def test_an_answer_has_a_short_way_from_its_socket_to_the_job(
    export: Export, tmp_path: Path
) -> None:
    """It is checked, read and understood, and passed about in between by nobody."""
    walk = Walk(carries_an_answer, brings_the_answer_to_a_poll, has_job)

    assert len(stays := await walked(walk, export, tmp_path)) <= 16, stays


@define
class First:
    """The first artifact of a job, and what carries it."""

    artifact: Artifact | None = None

    def comes(self, frame: FrameType, returned: object) -> bool:
        """Return whether it is there for the first time."""
        everything = (returned, *frame.f_locals.values())
        jobs = (one for one in everything if isinstance(one, ExportJob) and one.artifacts)
        if self.artifact is None and (job := next(jobs, None)) is not None:
            self.artifact = job.artifacts[0]
        return self.artifact is not None

    def is_carried_by(self, one: object) -> bool:
        """Return whether something is the artifact, its job, its URL, or its bytes as they come."""
        match one:
            case Artifact():
                return one == self.artifact
            case ExportJob():
                return self.artifact in one.artifacts
            case str():
                return self.artifact is not None and one == self.artifact.url
            case _:
                return isinstance(one, Stream)


def has_landed(frame: FrameType, returned: object) -> bool:
    """Return whether a frame has the file that an artifact became."""
    return any(isinstance(one, LandedFile) for one in (returned, *frame.f_locals.values()))


async def test_an_artifact_has_a_short_way_to_its_file(export: Export, tmp_path: Path) -> None:
    """From the answer that names it, through the loop and the ledger, to the folder."""
    first = First()
    walk = Walk(first.is_carried_by, first.comes, has_landed)

    assert len(stays := await walked(walk, export, tmp_path)) <= 24, stays

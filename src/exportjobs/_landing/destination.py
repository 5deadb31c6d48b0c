"""What every destination can do: a place for jobs' files, and a sink for the bytes of one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Self

from anyio import to_thread

from exportjobs._landing.digests import ALWAYS, Digests, Hash
from exportjobs._landing.opening import Opening, Version
from exportjobs._landing.pipeline import Consume
from exportjobs.adapter._errors import Corrupted
from exportjobs.adapter._job import ExportJob
from exportjobs.events import LandedFile

_TOO_SMALL_FOR_A_THREAD = 128 * 1024
"""Bytes that are hashed in less time than a thread takes to begin."""


class Sink(ABC):
    """One file on its way to a destination. It is not visible there before it has landed."""

    def __init__(self, stem: str, suffix: str) -> None:
        """Take the file's name, as far as it is known before its host is asked.

        Args:
            stem: The name without its suffix.
            suffix: May turn out to be another when the file is begun.
        """
        self.stem: str = stem
        self.suffix: str = suffix
        self.received: int = 0
        """Bytes that are stored, from the file's first on."""
        self.hashed: int = 0
        """Bytes that its SHA-256 is of, from the file's first on."""
        self.version: Version = Version()
        """The version that they are of."""
        self.expected: Mapping[str, bytes] = {}
        """Digests that the whole file must have, by algorithm."""
        self.digests: Digests = Digests.of({})

    @property
    def may_restart(self) -> bool:
        """Whether the bytes that are stored can be forgotten."""
        return True

    @property
    def name(self) -> str:
        """The file's name, as far as it is known."""
        return f"{self.stem}{self.suffix}"

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Open it, with what an earlier attempt left, if anything.

        Raises:
            DestinationFailed: If nothing can be written.
        """

    @abstractmethod
    async def __aexit__(self, *_: object) -> None:
        """Close it; what has not landed may stay for another attempt, under another name."""

    async def begin(self, opened: Opening, expected: Mapping[str, bytes], suffix: str) -> None:
        """Begin with the file's first byte, and forget what was stored before.

        Raises:
            DestinationFailed: If that cannot be.
        """
        self.received = self.hashed = 0
        self.version = Version()
        await self._restart(opened)
        self.version, self.suffix = opened.version, suffix
        self.expected, self.digests = expected, Digests.of(expected)
        await self._note()

    async def store(self, view: memoryview) -> None:
        """Store the next bytes, also while others are hashed.

        Raises:
            DestinationFailed: If they cannot be stored.
        """
        await self._store(view)
        self.received += len(view)

    @property
    def hashers(self) -> tuple[Consume, ...]:
        """What hashes the next bytes, each on its own: by SHA-256, and as is expected."""
        others = (one for name, one in self.digests.hashes.items() if name != ALWAYS)
        return (self._record, *(partial(_hash, one) for one in others))

    async def expect(self, expected: Mapping[str, bytes]) -> None:
        """Expect more digests, as far as they can be computed after the first bytes came.

        Raises:
            DestinationFailed: If those bytes cannot be read again.
        """
        known = {name: expected[name] for name in self.digests.checkable(expected)}
        self.expected = {**self.expected, **known}

    def verify(self) -> tuple[str, ...]:
        """Check the bytes against the expected digests, and return the names of those that match.

        Raises:
            Corrupted: If one does not match.
        """
        mismatched = self.digests.mismatched(self.expected)
        if mismatched:
            raise Corrupted(f"the bytes do not have the expected digest ({', '.join(mismatched)})")
        return self.digests.checkable(self.expected)

    def discard(self) -> None:
        """Make sure that no other attempt uses any of it."""
        self.version = Version()

    @abstractmethod
    async def land(self, part: int | None) -> LandedFile:
        """Make the file visible at its destination, complete and for good.

        Raises:
            DownloadFailed: If it is not what its suffix says.
            DestinationFailed: If that cannot be.
        """

    async def _record(self, view: memoryview) -> None:
        await _hash(self.digests.hashes[ALWAYS], view)
        self.hashed += len(view)
        await self._note()

    @abstractmethod
    async def _restart(self, opened: Opening) -> None:
        """Forget all bytes."""

    @abstractmethod
    async def _store(self, view: memoryview) -> None:
        """Put the next bytes behind the others."""

    @abstractmethod
    async def _note(self) -> None:
        """Record how far it has come, where another process can resume it."""


async def _hash(algorithm: Hash, view: memoryview) -> None:
    if len(view) <= _TOO_SMALL_FOR_A_THREAD:
        algorithm.update(view)
    else:
        await to_thread.run_sync(algorithm.update, view)


class Destination(ABC):
    """Where the files of any number of jobs land."""

    @property
    def identity(self) -> tuple[object, ...]:
        """What tells the place from others: two that have the same are one."""
        return (id(self),)

    def __str__(self) -> str:
        """Return what to call the place in a message."""
        return type(self).__name__

    def prepare(self) -> None:  # noqa: B027 - most places need nothing
        """Make sure that files can be put here. It may block: call it in a thread.

        Raises:
            DestinationFailed: If they cannot.
        """

    def wants(self, job: ExportJob) -> bool:  # noqa: ARG002 - for overrides
        """Return whether the files of an ended job are to come here, however it ended."""
        return True

    @abstractmethod
    def sink(self, job: ExportJob, index: int) -> Sink:
        """Return where one of a job's files goes; nothing is opened yet."""

    async def landed(self, job: ExportJob) -> Mapping[int, LandedFile]:  # noqa: ARG002 - for overrides
        """Return which of a job's files landed earlier, by their index.

        Raises:
            DestinationFailed: If the destination cannot be read.
        """
        return {}

    async def standing(self, files: tuple[LandedFile, ...]) -> tuple[LandedFile, ...] | None:
        """Return files that landed here earlier, all of a job's, if they are what they were.

        None if one is not, or landed elsewhere: they are fetched again then.

        Raises:
            DestinationFailed: If the destination cannot be read.
        """
        return files

    async def conclude(
        self, job: ExportJob, files: tuple[LandedFile, ...]
    ) -> tuple[LandedFile, ...]:
        """Conclude a job of which all files are there, and return the files to report for it.

        Raises:
            FileError: If that cannot be.
        """
        del job
        return files

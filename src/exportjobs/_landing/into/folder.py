"""A folder on this machine, in which the files of jobs land."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePath
from typing import Any, Self

from anyio import to_thread
from attrs import frozen

from exportjobs._landing.destination import Destination
from exportjobs._landing.into.archive import unpack
from exportjobs._landing.into.disk import append, make_rename_last, prepare_folder, writing
from exportjobs._landing.into.part_file import PartFile
from exportjobs._landing.names import file_stem, job_stem, stem_of, suffix
from exportjobs._schedule.clock import Clock
from exportjobs.adapter._errors import DestinationFailed
from exportjobs.adapter._job import Artifact, ExportJob, JobRef
from exportjobs.events import LandedFile

_VERSION = 1
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


def manifest(job: ExportJob, files: Iterable[LandedFile], *, landed_at: datetime) -> str:
    """Return a manifest: sizes are in bytes, times ISO 8601 in UTC, names without a folder."""
    written = {
        "exportjobs": _VERSION,
        "job": json.loads(job.ref.to_json()),
        "created_at": _time(job.created_at),
        "finished_at": _time(job.finished_at),
        "landed_at": _time(landed_at),
        "files": [_entry(file) for file in files],
    }
    return json.dumps(written, indent=2, ensure_ascii=False) + "\n"


def manifest_name(ref: JobRef) -> str:
    """Return what the manifest of a job is called."""
    return f"{job_stem(ref)}.manifest.json"


def line(file: LandedFile) -> str:
    """Return the line that notes a file of a job of which others are still to come."""
    return json.dumps(_entry(file)) + "\n"


@frozen
class Noted:
    """A file as a manifest or a line has it."""

    name: str
    sha256: str
    verified_by: tuple[str, ...]

    @classmethod
    def of(cls, entry: Any) -> Self:  # noqa: ANN401 - whatever JSON holds
        """Return what an entry says.

        Raises:
            TypeError: If it is not an entry; or one of the others of `_UNREADABLE`.
        """
        verified_by = tuple(str(name) for name in entry.get("verified_by", ()))
        return cls(PurePath(str(entry["name"])).name, str(entry["sha256"]), verified_by)


def noted(text: str) -> Iterator[Noted]:
    """Yield the files in some lines, except for one that a dying process cut off."""
    for one in text.splitlines():
        with suppress(*_UNREADABLE):
            yield Noted.of(json.loads(one))


def listed(text: str) -> Iterator[Noted]:
    """Yield the files in a manifest, none if the text is not a manifest."""
    with suppress(*_UNREADABLE):
        for entry in json.loads(text)["files"]:
            yield Noted.of(entry)


def _entry(file: LandedFile) -> dict[str, object]:
    return {
        "name": file.path.name,
        "part": file.part,
        "size": file.size,
        "sha256": file.sha256,
        "verified_by": list(file.verified_by),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


_ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")


class Folder(Destination):
    """A folder, and whether archives are unpacked in it.

    The files of a job that has several are followed by a manifest. Until that is there, each file
    that is about to land is a line in `….manifest.json.part`: a file that has its name and its
    digest is not fetched again by another process. A job's only file has landed when it has its
    name, and is fetched again whenever the job is.
    """

    def __init__(self, path: Path, clock: Clock, *, unpacks: bool) -> None:
        """Take a folder; `prepare` makes it, if there is none."""
        self._path = path
        self._clock = clock
        self._unpacks = unpacks

    @property
    def identity(self) -> tuple[object, ...]:
        """The folder, wherever the process stands, and whether archives are unpacked in it."""
        return (Folder, self._path.absolute(), self._unpacks)

    def __str__(self) -> str:
        """Return the folder's path."""
        return str(self._path)

    def prepare(self) -> None:
        """Make the folder, if there is none.

        Raises:
            DestinationFailed: If that cannot be, or it cannot be written.
        """
        prepare_folder(self._path)

    def sink(self, job: ExportJob, index: int) -> PartFile:
        """Return where one of a job's files goes; nothing is opened yet."""
        note = partial(self._note, job) if len(job.artifacts) > 1 else None
        return PartFile(self._path, file_stem(job, index), suffix(job.artifacts[index]), note)

    async def landed(self, job: ExportJob) -> Mapping[int, LandedFile]:
        """Return which of a job's files landed earlier and are as they were, by their index.

        Raises:
            DestinationFailed: If the folder cannot be read.
        """
        if len(job.artifacts) == 1:
            return {}
        return await to_thread.run_sync(self._landed, job)

    async def standing(self, files: tuple[LandedFile, ...]) -> tuple[LandedFile, ...] | None:
        """Return files that landed here earlier if all of them are what they were, else None."""
        found = await to_thread.run_sync(lambda: [self._still(one) for one in files])
        return None if None in found else tuple(one for one in found if one)

    async def conclude(
        self, job: ExportJob, files: tuple[LandedFile, ...]
    ) -> tuple[LandedFile, ...]:
        """Write the manifest, unpack archives if that is wanted, and return the files.

        Raises:
            DownloadFailed: If an archive is not safe to unpack.
            DestinationFailed: If something cannot be written.
        """
        return await to_thread.run_sync(self._conclude, job, files)

    def _conclude(self, job: ExportJob, files: tuple[LandedFile, ...]) -> tuple[LandedFile, ...]:
        with writing(self._path):
            if len(job.artifacts) > 1:
                self._write_manifest(job, files)
            if files:
                make_rename_last(self._path)
        if not self._unpacks:
            return files
        return tuple(member for file in files for member in _members(file))

    def _write_manifest(self, job: ExportJob, files: tuple[LandedFile, ...]) -> None:
        target, part = self._manifest(job), self._notes(job)
        text = manifest(job, files, landed_at=self._clock.now())
        whole = target.with_name(f"{target.name}.whole.part")
        whole.write_text(text, encoding="utf-8")
        # The files' names must be on the disk for good before the manifest that lists them.
        make_rename_last(self._path)
        whole.replace(target)
        part.unlink(missing_ok=True)

    def _note(self, job: ExportJob, file: LandedFile) -> None:
        # The line begins with a newline of its own: the one before it may have been cut off.
        append(self._notes(job), f"\n{line(file)}".encode())

    def _landed(self, job: ExportJob) -> Mapping[int, LandedFile]:
        manifest, notes = _text(self._manifest(job)), _text(self._notes(job))
        known = {stem_of(one.name): one for one in (*listed(manifest), *noted(notes))}
        found: dict[int, LandedFile] = {}
        for index, artifact in enumerate(job.artifacts):
            note = known.get(file_stem(job, index))
            file = None if note is None else self._as_noted(note, artifact)
            if file is not None:
                found[index] = file
                self.sink(job, index).forget()
        return found

    def _as_noted(self, note: Noted, artifact: Artifact) -> LandedFile | None:
        """Return a file that landed earlier, if it is still what it was."""
        file = _standing(self._path / note.name, artifact.part, note.verified_by)
        return file if file and file.sha256 == note.sha256 else None

    def _still(self, file: LandedFile) -> LandedFile | None:
        """Return a file that landed below this folder, if it is still what it was."""
        folder, place = self._path.resolve(), file.path.resolve()
        if not place.is_relative_to(folder):
            return None
        path = self._path / place.relative_to(folder)
        found = _standing(path, file.part, file.verified_by)
        return found if found and found.sha256 == file.sha256 else None

    def _manifest(self, job: ExportJob) -> Path:
        return self._path / manifest_name(job.ref)

    def _notes(self, job: ExportJob) -> Path:
        return self._path / f"{manifest_name(job.ref)}.part"


def _text(path: Path) -> str:
    """Return what a file holds, nothing if there is none that can be read."""
    with suppress(OSError, ValueError):
        return path.read_text(encoding="utf-8")
    return ""


def _standing(path: Path, part: int | None, verified_by: tuple[str, ...] = ()) -> LandedFile | None:
    """Return the file at a path, None if there is none that can be read."""
    with suppress(OSError), path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return LandedFile(path, file.tell(), digest, part, verified_by)
    return None


def _members(file: LandedFile) -> Iterator[LandedFile]:
    """Unpack a file, if it is an archive, and yield what is in it."""
    archive = file.path
    suffix = next((one for one in _ARCHIVES if archive.name.endswith(one)), None)
    if suffix is None:
        yield file
        return
    for path in unpack(archive, archive.with_name(archive.name.removesuffix(suffix))):
        member = _standing(path, file.part)
        if member is None:
            raise DestinationFailed(f"cannot be read: {path}")
        yield member

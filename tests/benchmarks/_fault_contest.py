"""What came of a downloader before a fault, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from _downloader import Outcome
from _fault_plays import File, Files, Run

SILENT = "SILENT"
MISSING = "not installed"
NOT_FOLLOWED = "not followed"
_NOTHING, _EMPTY, _PART, _OTHER = (
    f"error, {left}" for left in ("clean", "0 B left", "partial left", "wrong file left")
)
REMAINS = frozenset({_EMPTY, _PART, _OTHER})
"""What an error may leave under the file's own name."""


@dataclass(frozen=True)
class Verdict:
    """What one downloader made of one fault."""

    words: str
    served: float = 0.0
    """Bytes that the host sent, in times of the file's."""
    aside: tuple[str, ...] = ()
    """Endings of the names of what it left beside the file's own place after an error."""
    error: str | None = field(default=None, compare=False)


def verdict(outcome: Outcome, run: Run, folder: Path, suffix: str) -> Verdict:
    """Return what came of it: what was claimed, against what is there."""
    left = [path for path in folder.rglob("*") if path.is_file()]
    final = [path for path in left if path.name.endswith(suffix)]
    served = run.served / len(run.files.old.content)
    if outcome.error is None:
        return Verdict(_claimed(final, run), served)
    aside = tuple(sorted(_ending(path, suffix) for path in left if path not in final))
    return Verdict(_left(final, run.files), served, aside, outcome.error)


def leaks(outcome: Outcome, run: Run) -> Verdict:
    """Return which of the planted secrets arrived at another origin."""
    if run.arrived is None:
        return Verdict(NOT_FOLLOWED, error=outcome.error)
    return Verdict(", ".join(run.arrived) or "none", error=outcome.error)


def _claimed(final: Sequence[Path], run: Run) -> str:
    """Return what a success is worth: right is any version, as long as it is one and whole."""
    if len(final) != 1 or not _is_one_of(final[0].read_bytes(), _versions(run)):
        return SILENT
    return "ok" if run.asked == 1 else f"ok ({run.asked} requests)"


def _versions(run: Run) -> list[File]:
    return [run.files.old, run.current]


def _is_one_of(content: bytes, versions: Sequence[File]) -> bool:
    return any(content == version.content for version in versions)


def _left(final: Sequence[Path], files: Files) -> str:
    """Return what an error has left where the file was wanted."""
    length = sum(path.stat().st_size for path in final)
    if not final:
        return _NOTHING
    if not length:
        return _EMPTY
    return _PART if length < len(files.old.content) else _OTHER


def _ending(path: Path, suffix: str) -> str:
    """Return how a name ends that says that it is not the file's own."""
    _, found, ending = path.name.rpartition(suffix)
    return ending if found else "another name"

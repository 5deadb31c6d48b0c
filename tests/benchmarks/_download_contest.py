"""Files to fetch, who fetches them, and what that took: values only."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from _downloader import Downloader
from _nginx import BIG, MEDIUM, SMALL, SMALL_FILES

AT_ONCE = 16
"""Of the small files."""
RAW = "raw loop"
HASHED = "raw loop, SHA-256"
ASIDE = "raw loop, hashing in threads"
NAIVE = "httpx, naive"
OURS = "exportjobs"
OURS_TRIO = "exportjobs on trio"
OURS_UNHASHED = "exportjobs, hashing taken out"
OURS_JOBS = "exportjobs, 1,000 jobs"
OURS_JOBS_TRIO = "exportjobs on trio, 1,000 jobs"
MD5_ALONE = "MD5 alone, nothing fetched"


@dataclass(frozen=True)
class Task:
    """Files to fetch."""

    name: str
    path: str
    size: int
    """Of all of them, in bytes."""
    job: str
    """Where ours finds them described."""
    count: int = 1
    at_once: int = 1
    encrypted: bool = False
    base: str = RAW
    """Whose time the others' are divided by."""


@dataclass(frozen=True)
class Sample:
    """What one run took."""

    wall: float = 0.0
    """Seconds, without starting and importing."""
    cpu: float = 0.0
    """Seconds of the client's process, without starting and importing."""
    rss: float = 0.0
    """MB that the process held at the most."""
    error: str | None = None


Figures = Mapping[tuple[str, str], list[Sample]]
"""Of each downloader at each task: one sample for each round."""


@dataclass(frozen=True)
class Contest:
    """All that was found."""

    tasks: Sequence[Task]
    figures: Figures
    rounds: int
    command: str
    versions: Mapping[str, str] = field(default_factory=dict)

    def names(self, task: Task) -> list[str]:
        """Return who took part in a task."""
        return [name for where, name in self.figures if where == task.name]

    def samples(self, task: Task, name: str) -> list[Sample]:
        """Return what a downloader took for a task."""
        return self.figures.get((task.name, name), [])

    def error(self, task: Task, name: str) -> str | None:
        """Return why a run did not finish, if one did not."""
        return next((one.error for one in self.samples(task, name) if one.error), None)

    def median(self, task: Task, name: str, figure: Callable[[Sample], float]) -> float:
        """Return the median of the rounds."""
        return statistics.median(figure(one) for one in self.samples(task, name))

    def ratios(self, task: Task, name: str, base: str | None = None) -> list[float]:
        """Return a downloader's wall time over the base's in the same round."""
        pairs = zip(self.samples(task, name), self.samples(task, base or task.base), strict=False)
        return [one.wall / other.wall for one, other in pairs if not (one.error or other.error)]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        kept = [[*key, [asdict(one) for one in found]] for key, found in self.figures.items()]
        told = {"rounds": self.rounds, "command": self.command, "versions": dict(self.versions)}
        return {"tasks": [one.name for one in self.tasks], "figures": kept, **told}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> "Contest":
        """Return the contest that `to_json` wrote."""
        figures = {
            (where, name): [Sample(**one) for one in found]
            for where, name, found in written["figures"]
        }
        tasks = [task for task in TASKS if task.name in written["tasks"]]
        return cls(tasks, figures, written["rounds"], written["command"], written["versions"])


ONE_BIG = Task("1 GiB", "/big.bin", BIG, "/jobs/big.json")
ONE_MEDIUM = Task("64 MiB", "/medium.bin", MEDIUM, "/jobs/medium.json")
MANY = Task(
    "1,000 files of 64 KiB",
    "/small/{}.bin",
    SMALL * SMALL_FILES,
    "/jobs/parts.json",
    count=SMALL_FILES,
    at_once=AT_ONCE,
    base=NAIVE,
)
OVER_TLS = Task("1 GiB over TLS", "/big.bin", BIG, "/jobs/big.json", encrypted=True)
WITH_MD5 = Task("1 GiB with Content-MD5", "/md5/big.bin", BIG, "/jobs/md5-big.json", base=MD5_ALONE)
TASKS = (ONE_BIG, ONE_MEDIUM, MANY, OVER_TLS, WITH_MD5)


@dataclass(frozen=True)
class Entry:
    """A downloader and what it takes part in."""

    downloader: Downloader
    tasks: tuple[Task, ...]
    quick: bool = False
    """Whether it is one of the few of a quick run."""

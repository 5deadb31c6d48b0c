"""What kills a run at a moment, runs it once more, and looks at what came of it all."""

import json
import random
import signal
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

from attrs import Factory, define, field, frozen

from .nursery import Nursery
from .stage import Account, Stage, Told

LABELS = ("clari", "clari-wire", "clari-schema", "demandbase", "demandbase-v1", "closient", "csv")
SOME = ("clari", "demandbase", "closient")
"""One with a list that is whole, one with a list in pages and a single slot, one without a list."""
"""The sandbox's accounts."""
LISTLESS = frozenset({"closient", "csv"})
"""Those of which nobody can be asked what became of a submit."""
CHOICES = ("adopt", "resubmit", "abandon")

_BACKENDS = ("asyncio", "trio")
_WITHIN = 60.0
_RUN_KEY = "night"
_DOUBT = "SubmitOutcomeUnknown"

Dies: TypeAlias = Mapping[str, Any]
Decisions: TypeAlias = Sequence[tuple[Any, ...]]


@frozen
class Report:
    """What a process that lived to its end wrote down."""

    ends: Sequence[Mapping[str, Any]]
    seen: Mapping[str, int]
    missed: Sequence[str]
    left: Sequence[str]

    @property
    def doubts(self) -> list[int]:
        """The numbers of the exports of which nobody knows what became of them."""
        return [end["number"] for end in self.ends if end["error"] == _DOUBT]

    @property
    def jobs(self) -> set[str]:
        """The jobs that are known."""
        return {end["job"] for end in self.ends if end["job"]}


@define
class Night:
    """One ledger, one folder and one sandbox; an account's exports are to be run once."""

    stage: Stage
    root: Path
    label: str
    chance: random.Random
    began_at: float = field(factory=time.time)
    account: Account = field(init=False)
    _reports: Iterator[int] = Factory(lambda: count(1))

    def __attrs_post_init__(self) -> None:
        """Open the sandbox."""
        self.account = self.stage.begin(self.began_at)[self.label]
        self.root.mkdir(parents=True)

    @property
    def folder(self) -> Path:
        """Where files land."""
        return self.root / "landing"

    @property
    def told(self) -> Told:
        """What the vendor knows."""
        return self.stage.tell(self.label)

    def begin(
        self,
        nursery: Nursery,
        *,
        dies: Dies | None = None,
        decisions: Decisions = (),
        run_key: str = _RUN_KEY,
    ) -> Path:
        """Start a process, and return where it will write down what came of it."""
        report = self.root / f"report-{next(self._reports)}.json"
        nursery.begin(
            backend=self.chance.choice(_BACKENDS),
            report=str(report),
            dies=dies or {},
            account=self.account,
            ledger=str(self.root / "ledger.db"),
            folder=str(self.folder),
            began_at=self.began_at,
            run_key=run_key,
            decisions=decisions,
        )
        return report

    def live(self, nursery: Nursery, decisions: Decisions = ()) -> Report:
        """See a process to its end."""
        return self.end(nursery, self.begin(nursery, decisions=decisions))

    def end(self, nursery: Nursery, report: Path) -> Report:
        """Wait for a process to end, and return what it wrote down."""
        assert nursery.wait(_WITHIN) == 0
        return Report(**json.loads(report.read_text()))

    def die(self, nursery: Nursery, dies: Dies) -> bool:
        """See a process to its death; return False if it came to its end before."""
        self.begin(nursery, dies=dies)
        code = nursery.wait(_WITHIN)
        assert code in {0, -signal.SIGKILL}
        return code != 0

    def check(self, report: Report, *, wanted: int, submits: int | None = None) -> None:
        """Check that every export has landed once, that all is right, and nothing remains."""
        told = self.told
        landed = [end for end in report.ends if end["job"]]
        abandoned = [end for end in report.ends if end["error"] == "JobCancelled"]
        assert len(report.ends) == wanted
        assert [end["said"] for end in landed] == [""] * (wanted - len(abandoned))
        assert len(report.jobs) == len(landed)
        for end in landed:
            _check_files(end, told)
        assert len(told.files) == (wanted if submits is None else submits)
        assert report.left == [], report.left
        assert self.odd_names(landed) == set()

    def odd_names(self, landed: Sequence[Mapping[str, Any]]) -> set[str]:
        """Return what is beside the ledger and the files, or missing there."""
        names = {path.name for path in self.root.iterdir()}
        wanted = {"ledger.db", "landing", *(name for name in names if name.startswith("report-"))}
        files = {path.name for path in self.folder.iterdir()}
        known = {Path(path).name for end in landed for path, _ in end["files"]}
        manifests = {name for name in files if name.endswith(".manifest.json")}
        return (names ^ wanted) | (files - manifests) ^ known


def _check_files(end: Mapping[str, Any], told: Told) -> None:
    """Check that the files of an export are those that its vendor served for its job."""
    assert sorted(digest for _, digest in end["files"]) == sorted(told.files[end["job"]])
    for path, digest in end["files"]:
        assert sha256(Path(path).read_bytes()).hexdigest() == digest


@define
class Nights:
    """One kill after the other, each on a ledger of its own."""

    stage: Stage
    nursery: Nursery
    root: Path
    chance: random.Random
    _numbers: Iterator[int] = Factory(lambda: count(1))
    _moments: dict[str, tuple[int, Mapping[str, int]]] = Factory(dict)

    @classmethod
    @contextmanager
    def open(cls, root: Path, chance: random.Random) -> Generator["Nights"]:
        """Start what starts processes, and the sandbox."""
        with Stage.open() as stage, Nursery.open("night") as nursery:
            yield cls(stage, nursery, root, chance)

    def night(self, label: str) -> Night:
        """Return a night of which nothing has happened yet."""
        root = self.root / f"{label}-{next(self._numbers)}"
        return Night(self.stage, root, label, self.chance)

    def moments(self, label: str) -> tuple[int, Mapping[str, int]]:
        """Return how many exports an account has, and what a process that nobody kills sees."""
        if label not in self._moments:
            night = self.night(label)
            report = night.live(self.nursery)
            night.check(report, wanted=len(report.ends))
            self._moments[label] = len(report.ends), report.seen
        return self._moments[label]

    def survive(self, label: str, wanted: int, dies: Dies, choice: str) -> str:
        """Kill a process at a moment, run it again, and check that nothing is lost or twice.

        Args:
            label: The account's.
            wanted: How many exports it has.
            dies: When.
            choice: What is said where nobody can be asked what became of a submit.

        Returns:
            What it came to: "alive", "landed", or the choice.
        """
        night = self.night(label)
        died = night.die(self.nursery, dies)
        report = night.live(self.nursery)
        came_to = "landed" if died else "alive"
        submits = wanted
        if report.doubts:
            assert label in LISTLESS
            decisions = _decisions(report, night.told, choice)
            came_to = decisions[0][0]
            submits = len(night.told.files) + sum(one[0] == "resubmit" for one in decisions)
            report = night.live(self.nursery, decisions)
        night.check(report, wanted=wanted, submits=submits)
        return came_to


def _decisions(report: Report, told: Told, choice: str) -> Decisions:
    """Return what a person would say who has looked: only what is there can be adopted."""
    if choice != "adopt":
        return [(choice, number) for number in report.doubts]
    strays = sorted(told.files.keys() - report.jobs)
    found = [("adopt", *pair) for pair in zip(report.doubts, strays, strict=False)]
    return found + [("resubmit", number) for number in report.doubts[len(found) :]]

"""What kills a download again and again, and looks at what each time leaves behind."""

import json
import random
import signal
import time
from hashlib import sha256
from pathlib import Path

from attrs import Factory, define, frozen

from exportjobs import JobRef

from .nursery import Nursery
from .vendor import Vendor

_BACKENDS = ("asyncio", "trio")
_STEM = "acme.default..q3"
_UNFINISHED = (".part", ".part.json")
_MOST = 3 * 2**20
"""Bytes that a process lives to see, at the most."""
_EARLY = 0.1
"""How many of the kills come while a process takes up what is there, or asks for more."""
_IS_EARLY = 0.2
"""Seconds after a process began."""
_LANDING = 0.25
"""How many of the kills come about when a file lands."""
_LANDS_WITHIN = 0.05
"""Seconds after the last byte of a file was sent."""


@frozen
class Kill:
    """One death, and what it cost."""

    moment: str
    sent: int
    """Bytes that the vendor had sent since the process began."""
    lost: int
    """Those of them that are not on the disk."""
    unnoted: int
    """Bytes of files that had landed, which nothing tells another process."""


@frozen
class Round:
    """One folder, from the first byte to the last."""

    sent: int
    kills: tuple[Kill, ...]


@define
class Rig:
    """A vendor whose job lands in one folder after the other, however often it is killed."""

    vendor: Vendor
    root: Path
    chance: random.Random
    kills: list[Kill] = Factory(list[Kill])
    rounds: list[Round] = Factory(list[Round])

    def run(self, kills: int) -> None:
        """Kill so many times, and let the last folder come to its end."""
        while len(self.kills) < kills:
            with Nursery.open() as nursery:
                self._fill(nursery, self.root / f"round-{len(self.rounds) + 1}", kills)

    def _fill(self, nursery: Nursery, folder: Path, kills: int) -> None:
        sent, before = self.vendor.sent, len(self.kills)
        folder.mkdir()
        while self.see(nursery, folder, deadly=len(self.kills) < kills):
            self.check(folder)
        self.check_landed(folder)
        self.rounds.append(Round(self.vendor.sent - sent, tuple(self.kills[before:])))

    def see(
        self,
        nursery: Nursery,
        folder: Path,
        *,
        deadly: bool = False,
        downloads: int = 4,
        dies_at: int = 0,
    ) -> bool:
        """See a process to its end, or kill it at some moment; return whether it was killed."""
        sent, had = self.vendor.sent, self._bytes_in(folder)
        nursery.begin(
            backend=self.chance.choice(_BACKENDS),
            base_url=self.vendor.base,
            ref=JobRef("acme", "default", "q3").to_json(),
            folder=str(folder),
            downloads=downloads,
            dies_at=dies_at,
        )
        moment = self._await(nursery) if deadly else self._await_end(nursery)
        code = nursery.kill()
        self.vendor.wait_for_silence()
        assert code in {0, -signal.SIGKILL}
        if code:
            sent = self.vendor.sent - sent
            lost = sent - (self._bytes_in(folder) - had)
            self.kills.append(Kill(moment, sent, lost, self._unnoted_in(folder)))
        return code != 0

    def _await_end(self, nursery: Nursery) -> str:
        self.vendor.wait(lambda: False, unless=lambda: nursery.has_ended)
        return "never"

    def _await(self, nursery: Nursery) -> str:
        """Wait for the moment to kill: early, after some bytes, or about when a file lands."""
        vendor, chance = self.vendor, self.chance
        drawn = chance.random()
        if drawn < _EARLY:
            time.sleep(chance.uniform(0, _IS_EARLY))
            return "early"
        if drawn < _EARLY + _LANDING:
            ended = vendor.ended
            vendor.wait(lambda: vendor.ended > ended, unless=lambda: nursery.has_ended)
            time.sleep(chance.uniform(0, _LANDS_WITHIN))
            return "landing"
        enough = vendor.sent + chance.randrange(_MOST)
        vendor.wait(lambda: vendor.sent > enough, unless=lambda: nursery.has_ended)
        return "amid"

    def check(self, folder: Path) -> None:
        """Check that what has a final name is whole, and what is to be gone on with is right."""
        for path in folder.iterdir():
            if path.name.endswith(".manifest.json"):
                self._check_manifest(path)
            elif not path.name.endswith(_UNFINISHED):
                assert path.read_bytes() == self._content(path), f"{path.name} is not whole"
            elif path.name.endswith(".csv.part"):
                assert self._content(path).startswith(path.read_bytes()), f"{path.name} is wrong"

    def check_landed(self, folder: Path) -> None:
        """Check that all files are there, and nothing else."""
        self.check(folder)
        assert self.odd_names_in(folder) == set()

    def odd_names_in(self, folder: Path) -> set[str]:
        """Return the names that are missing or too many where everything has landed."""
        count = len(self.vendor.parts)
        names = {f"{_STEM}.part-{number:05}.csv" for number in range(1, count + 1)}
        wanted = {*names, f"{_STEM}.manifest.json"} if count > 1 else {f"{_STEM}.csv"}
        return {path.name for path in folder.iterdir()} ^ wanted

    def _bytes_in(self, folder: Path) -> int:
        """Return how many bytes of files a folder has, none of them twice."""
        paths = {path.name.removesuffix(".part"): path for path in folder.glob("*.csv.part")}
        paths |= {path.name: path for path in folder.glob("*.csv")}
        return sum(path.stat().st_size for path in paths.values())

    def _unnoted_in(self, folder: Path) -> int:
        notes = "".join(path.read_text() for path in folder.glob("*.manifest.json*"))
        landed = (path for path in folder.glob("*.csv") if f'"{path.name}"' not in notes)
        return sum(path.stat().st_size for path in landed)

    def _check_manifest(self, path: Path) -> None:
        files = json.loads(path.read_text())["files"]
        told = [(one["part"], one["size"], one["sha256"]) for one in files]
        contents = [part.content for part in self.vendor.parts]
        served = [(n, len(c), sha256(c).hexdigest()) for n, c in enumerate(contents, 1)]
        assert told == served
        assert all((path.parent / one["name"]).is_file() for one in files)

    def _content(self, path: Path) -> bytes:
        number = int(path.name.partition(".part-")[2].partition(".")[0] or 1)
        return self.vendor.parts[number - 1].content

"""A process that is killed again and again lands every file whole, and fetches little twice."""

import os
import random
import statistics
import sys
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from attrs import frozen

from .nursery import Nursery
from .rig import Rig
from .vendor import parts, serving

KILLS = int(os.environ.get("EXPORTJOBS_CRASH_KILLS", "100"))
SEED = int(os.environ.get("EXPORTJOBS_CRASH_SEED", "20240917"))
RATE = 4_000_000
MOST_SENT = 1.3


@frozen
class Aftermath:
    """What became of a download that died and was resumed."""

    died: str
    """Before what."""
    cost: float
    """Bytes sent in all, in sizes of the job."""
    odd: set[str]
    """Names that are missing, or too many."""
    files: int
    """That the job has."""


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and looks into /proc")


@pytest.mark.timeout(120 + 3 * KILLS)
def test_a_download_that_is_killed_a_hundred_times_lands_whole(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """No final name ever holds a part, the end is right, and few bytes were sent in vain.

    `EXPORTJOBS_CRASH_KILLS` and `EXPORTJOBS_CRASH_SEED` make it longer and another.
    """
    chance = random.Random(SEED)  # noqa: S311 - chance that has to come out the same each time
    with serving(parts(8, SEED), RATE) as vendor:
        rig = Rig(vendor, tmp_path, chance)

        rig.run(KILLS)

    lost = [kill.lost for kill in rig.kills]
    report = {
        "kills": len(lost),
        "folders": len(rig.rounds),
        "size": vendor.size,
        "sent": [round(one.sent / vendor.size, 3) for one in rig.rounds],
        "lost_by_a_kill": [min(lost), round(statistics.mean(lost)), *_quartiles(lost), max(lost)],
        "kinds": dict(Counter(str(kill.moment) for kill in rig.kills)),
        "unnoted": [sum(kill.unnoted for kill in one.kills) for one in rig.rounds],
        "continued": vendor.ranges,
    }
    record_property("crash", str(report))
    print(report)  # noqa: T201 - what it is for, besides
    assert len(lost) == KILLS
    assert vendor.ranges > KILLS
    assert sum(one.sent for one in rig.rounds) <= MOST_SENT * vendor.size * len(rig.rounds)


def _is_final(name: str) -> bool:
    return name.endswith((".csv", ".manifest.json"))


def _quartiles(lost: list[int]) -> list[int]:
    return [round(one) for one in statistics.quantiles(lost)]


@pytest.fixture(scope="module", params=[1, 3], ids=["one-file", "three-files"])
def aftermath(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[Aftermath]:
    """Let a download die before each time that it touches a name, and be resumed once."""
    chance, root = random.Random(SEED), tmp_path_factory.mktemp("steps")  # noqa: S311 - as above
    found, served = list[Aftermath](), parts(request.param, SEED, least=2, most=2)
    with serving(served, 4 * RATE) as vendor, Nursery.open() as nursery:
        rig = Rig(vendor, root, chance)
        for step in count(1):
            folder, sent = root / f"step-{step:03}", vendor.sent
            folder.mkdir()
            if not rig.see(nursery, folder, downloads=1, dies_at=step):
                break
            rig.check(folder)
            rig.see(nursery, folder, downloads=1)
            rig.check(folder)
            died = folder.with_name(f"{folder.name}.died").read_text()
            sent = vendor.sent - sent
            odd = rig.odd_names_in(folder)
            found.append(Aftermath(f"{step}: {died}", sent / vendor.size, odd, request.param))
    return found


def test_a_download_that_dies_over_any_name_lands_whole(aftermath: list[Aftermath]) -> None:
    """Whichever name was about to be touched, resuming lands all files, and they are right."""
    missing = {one.died: one.odd for one in aftermath if any(map(_is_final, one.odd))}

    assert len(aftermath) > 8
    assert missing == {}


def test_a_download_that_dies_over_any_name_leaves_nothing_behind(
    aftermath: list[Aftermath],
) -> None:
    """After resuming there is nothing in the folder but the files and their manifest."""
    assert {one.died: one.odd for one in aftermath if one.odd} == {}


def test_a_download_that_dies_over_any_name_is_taken_up_where_it_was(
    aftermath: list[Aftermath],
) -> None:
    """No file is fetched again that something beside it says has landed; a job's only one may."""
    dear = {
        one.died: round(one.cost, 2)
        for one in aftermath
        if one.cost > (MOST_SENT if one.files > 1 else 2.0)
    }

    assert dear == {}

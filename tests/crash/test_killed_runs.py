"""A run that is killed and run again has submitted every export once and landed it once."""

import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from .nights import CHOICES, LISTLESS, SOME, Nights

POINTS = int(os.environ.get("EXPORTJOBS_CRASH_POINTS", "1"))
"""At how many of the moments of each kind a run is killed; `every_point` kills at all of them."""
SEED = int(os.environ.get("EXPORTJOBS_CRASH_SEED", "20240917"))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and looks into /proc")


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    """Start what starts processes, and the sandbox."""
    with Nights.open(tmp_path_factory.mktemp("nights"), random.Random(SEED)) as season:  # noqa: S311 - it is no secret
        yield season


@pytest.fixture
def nights(season: Nights) -> Nights:
    """Let chance come out the same for each test, whichever come before it."""
    season.chance.seed(SEED)
    return season


@pytest.mark.timeout(200 + 100 * POINTS)
@pytest.mark.parametrize("label", SOME)
def test_a_run_that_is_killed_loses_nothing_and_submits_nothing_twice(
    nights: Nights, label: str, record_property: Callable[[str, object], None]
) -> None:
    """At whatever write, request or name it dies: what is started again lands everything once."""
    wanted, seen = nights.moments(label)
    came_to = Counter[str]()

    for kind, times in seen.items():
        for step in nights.chance.sample(range(1, times + 1), min(POINTS, times)):
            choice = nights.chance.choice(CHOICES)
            came_to[nights.survive(label, wanted, {"kind": kind, "step": step}, choice)] += 1

    record_property("crash", str(came_to))
    assert came_to["landed"] > came_to["alive"]
    assert came_to.total() >= len(seen)


@pytest.mark.parametrize(
    ("moment", "choice"),
    [
        ("POST to be sent", "resubmit"),
        ("POST to be sent", "abandon"),
        ("POST answered", "adopt"),
        ("POST answered", "resubmit"),
        ("POST answered", "abandon"),
    ],
)
@pytest.mark.parametrize("label", sorted(LISTLESS))
def test_where_nobody_can_be_asked_a_person_decides(
    nights: Nights, label: str, moment: str, choice: str
) -> None:
    """Killed between the intent and the ref: each of the three choices leads to an end."""
    wanted, _ = nights.moments(label)

    came_to = nights.survive(label, wanted, {"kind": moment, "step": 1}, choice)

    assert came_to == choice


@pytest.mark.parametrize("label", ["clari", "demandbase", "demandbase-v1"])
def test_where_the_vendor_lists_its_jobs_nobody_has_to_decide(nights: Nights, label: str) -> None:
    """Killed when the answer was there and the ref not written: the job is found in the list."""
    wanted, _ = nights.moments(label)

    came_to = nights.survive(label, wanted, {"kind": "POST answered", "step": wanted}, "abandon")

    assert came_to == "landed"

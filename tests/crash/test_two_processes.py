"""Two processes on one ledger submit every export once, land it once, and do not wait for long."""

import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .nights import SOME, Night
from .nursery import Nursery
from .stage import Stage

WITHIN = 60.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and looks into /proc")


@pytest.fixture(scope="module")
def nurseries() -> Iterator[tuple[Nursery, Nursery]]:
    """Start what starts processes, twice."""
    with Nursery.open("night") as one, Nursery.open("night") as other:
        yield one, other


@pytest.fixture
def night(stage: Stage, tmp_path: Path, request: pytest.FixtureRequest) -> Night:
    """Return a night of Clari's, or of the account that a test names."""
    label: str = getattr(request, "param", "clari")
    chance = random.Random(request.node.name)  # noqa: S311 - to come out the same each time
    return Night(stage, tmp_path / "night", label, chance)


def stops(kind: str, step: int = 1) -> dict[str, object]:
    """Return that a process stops at a moment, in place of dying."""
    return {"kind": kind, "step": step, "signal": signal.SIGSTOP}


@pytest.mark.parametrize("night", SOME, indirect=True)
def test_two_that_run_the_same_submit_once_and_land_once(
    night: Night, nurseries: tuple[Nursery, Nursery]
) -> None:
    """Both have every file, and none was asked for twice."""
    reports = [night.begin(nursery) for nursery in nurseries]
    one, other = (night.end(*pair) for pair in zip(nurseries, reports, strict=True))

    night.check(one, wanted=len(one.ends))
    night.check(other, wanted=len(one.ends))
    fetched = night.told.fetched
    assert len(fetched) == len(set(fetched)) >= len(one.ends)
    assert one.missed == other.missed == []


@pytest.mark.parametrize("moment", ["POST to be sent", "POST answered", "file begun", "renamed"])
def test_one_that_stands_still_does_not_keep_the_other_from_its_own(
    night: Night, nurseries: tuple[Nursery, Nursery], moment: str
) -> None:
    """Whatever it stands still over but a write, the other's run goes through."""
    one, other = nurseries
    report = night.begin(one, dies=stops(moment))
    one.await_stop(WITHIN)

    own = night.end(other, night.begin(other, run_key="another"))
    one.go_on()
    stood = night.end(one, report)

    assert [end["error"] for end in own.ends] == [None] * len(own.ends)
    assert [end["error"] for end in stood.ends] == [None] * len(own.ends)
    assert len(night.told.files) == len(own.jobs | stood.jobs) == 2 * len(own.ends)


def test_one_that_stands_still_over_a_write_is_waited_for(
    night: Night, nurseries: tuple[Nursery, Nursery]
) -> None:
    """For as long as the write takes, and no error comes of it."""
    one, other = nurseries
    report = night.begin(one, dies=stops("to be committed", 6))
    one.await_stop(WITHIN)

    others = night.begin(other)
    with pytest.raises(AssertionError, match="not within"):
        other.wait(1.0)
    one.go_on()
    ends = [night.end(one, report), night.end(other, others)]

    for end in ends:
        night.check(end, wanted=len(end.ends))
        assert end.missed == []


@pytest.mark.parametrize("moment", ["POST answered", "GET answered", "file begun", "renamed"])
@pytest.mark.parametrize("night", ["clari", "demandbase-v1"], indirect=True)
def test_one_that_dies_is_taken_over_by_the_other(
    night: Night, nurseries: tuple[Nursery, Nursery], moment: str
) -> None:
    """Without being started again: the lock dies with its process."""
    one, other = nurseries
    night.begin(one, dies=stops(moment))
    one.await_stop(WITHIN)
    report = night.begin(other)
    with pytest.raises(AssertionError, match="not within"):
        other.wait(1.0)

    one.kill()
    end = night.end(other, report)

    night.check(end, wanted=len(end.ends))

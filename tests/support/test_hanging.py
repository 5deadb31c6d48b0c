"""A test that hangs fails, on either event loop, and the others go on."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.pollers import clock

from exportjobs.testing import ManualClock

__all__ = ["clock"]

ROOT = Path(__file__).parents[2]
LOOPS = Path(__file__).with_name("hanging_loops.py").relative_to(ROOT)
BACKENDS = ["asyncio", "trio"]


def run(*names: str) -> subprocess.CompletedProcess[str]:
    """Run some of the tests that hang, in a process of their own."""
    chosen = [f"{LOOPS}::{name}" for name in names]
    options = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-n", "0"]
    return subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", "pytest", *options, *chosen],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


PLACES = {
    "test_idle": r"waits at src/exportjobs/_poller/\S+:\d+ in ",
    "test_busy": r"runs at tests/support/hanging_loops\.py:\d+ in test_busy\.<locals>\.spin",
    "test_round": r"waits at src/exportjobs/testing/_manual_clock\.py:\d+ in ManualClock\.sleep",
}
"""What is said of each loop that hangs, among other things."""


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_loop_that_hangs_fails_its_test_and_no_other(backend: str) -> None:
    """It is said which test, and where everything stood."""
    done = run(*(f"{name}[{backend}]" for name in (*PLACES, "test_sound")))

    assert "3 failed, 1 passed" in done.stdout
    for name, place in PLACES.items():
        told = f"{name}[{backend}] hangs: it did not end in 1 s of wall-clock time\n"
        assert re.search(rf"{re.escape(told)}(  .*\n)*  {place}", done.stdout)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["test_shielded", "test_stubborn"])
def test_what_cannot_be_cancelled_does_not_hang_the_others(backend: str, name: str) -> None:
    """It is broken off, or its process ended: a worker, which is replaced by another."""
    done = run(f"{name}[{backend}]")

    assert done.returncode == 1
    assert f"{name}[{backend}] hangs: " in done.stdout + done.stderr


async def test_what_goes_by_a_clock_has_thirty_seconds(
    request: pytest.FixtureRequest,
    clock: ManualClock,  # noqa: ARG001 - it is there
) -> None:
    """Other tests may take as long as `pyproject.toml` says."""
    marker = request.node.get_closest_marker("timeout")

    assert marker is not None
    assert marker.args == (30,)

"""Whichever way a poller is left, no task, thread, socket or file outlives it that has no use."""

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .nights import Night
from .nursery import Nursery
from .remains import useless
from .stage import Stage

WITHIN = 60.0
WAYS = ("end", "unasked", "break", "error", "cancel", "sync-end", "sync-break", "sync-interrupt")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and looks into /proc")


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Start what starts processes."""
    with Nursery.open("leaving") as nursery:
        yield nursery


@pytest.mark.parametrize("ledger", ["ledger.db", "."], ids=["ledger", "no-ledger"])
@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("label", ["demandbase-v1"])
def test_nothing_remains(
    stage: Stage,
    nursery: Nursery,
    tmp_path: Path,
    anyio_backend: str,
    *,
    label: str,
    how: str,
    ledger: str,
) -> None:
    """Not even where the ledger cannot be opened."""
    night = Night(stage, tmp_path / "night", label, random.Random(0))  # noqa: S311 - not drawn from
    report = tmp_path / "report.json"

    nursery.begin(
        backend=anyio_backend,
        how=how,
        account=night.account,
        ledger=str(night.root / ledger),
        folder=str(night.folder),
        began_at=night.began_at,
        report=str(report),
    )
    code = nursery.wait(WITHIN)

    assert code == 0
    assert json.loads(report.read_text()) == {"tasks": 0, "left": []}
    assert useless(night.root / "ledger.db", night.folder) == []

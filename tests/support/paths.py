"""Where a test keeps its ledger, and where its files land."""

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where the ledger is kept."""
    return tmp_path / "ledger.db"


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """Return where files land."""
    return tmp_path / "landing"

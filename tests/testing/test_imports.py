"""An adapter takes nothing of the library but its contract, whoever wrote it."""

import importlib
import secrets
from pathlib import Path

import pytest
from tests.testing.broken.sound import Acme, recording

from exportjobs.testing import AdapterContract, Recorded

check = AdapterContract().test_the_adapter_imports_nothing_else_of_the_library


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder from which modules are imported."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def written(folder: Path, ending: str) -> Recorded:
    """Return a recording of an adapter whose module ends in some way."""
    name = f"acme_{secrets.token_hex(4)}"
    sound = (Path(__file__).parent / "broken" / "sound.py").read_text()
    (folder / f"{name}.py").write_text(f"{sound}\n\n{ending}\n")
    adapter: type[Acme] = importlib.import_module(name).Acme
    return recording(adapter("k-7f3a91"))


@pytest.mark.parametrize(
    ("ending", "taken"),
    [
        ("import exportjobs", "exportjobs"),
        ("from exportjobs import Poller", "exportjobs"),
        ("import exportjobs.events as events", "exportjobs.events"),
        ("from exportjobs.adapter._job import JobRef", "exportjobs.adapter._job"),
        ("def late():\n    from exportjobs._http import answers", "exportjobs._http"),
        (
            "import typing\nif typing.TYPE_CHECKING: pass\nelse: import exportjobs.events",
            "exportjobs.events",
        ),
    ],
)
def test_what_reaches_past_the_contract_is_told(folder: Path, ending: str, taken: str) -> None:
    """In every form and at every depth, with its line."""
    recorded = written(folder, ending)

    with pytest.raises(pytest.fail.Exception) as caught:
        check(recorded)

    name = type(recorded.adapter).__module__
    source = (folder / f"{name}.py").read_text().splitlines()
    line = max(n for n, text in enumerate(source, start=1) if "import" in text)
    remedy = "import from exportjobs.adapter: everything else may change at any time"
    assert str(caught.value) == f"{name} imports {taken} in line {line}; {remedy}"


@pytest.mark.parametrize(
    "ending",
    [
        "import exportjobs.adapter",
        "from exportjobs import adapter",
        "from exportjobs.testing import Recorded",
        "from exportjobs.adapter import Adapter, JobRef",
        "import json, exportjobs_other",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from exportjobs import Event",
        "import typing\nif typing.TYPE_CHECKING:\n    import exportjobs.events",
    ],
)
def test_what_keeps_to_the_contract_is_not(folder: Path, ending: str) -> None:
    """Neither are other packages, nor what only type checkers read."""
    (folder / "exportjobs_other.py").touch()

    check(written(folder, ending))

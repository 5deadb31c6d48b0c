"""What an adapter may import: the standard library, itself and exportjobs.adapter."""

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADAPTERS = ROOT / "adapters"
ROOMS = sorted(
    f"exportjobs.{room.stem}"
    for room in (ROOT / "src" / "exportjobs").glob("_*")
    if room.stem != "__init__" and (room.suffix == ".py" or (room / "__init__.py").exists())
)
FORBIDDEN = ["httpx", "anyio", "asyncio", "trio", "stamina", "cattrs", "attrs", "time", *ROOMS]


def reported(source: str) -> dict[int, str]:
    """Return what ruff says about a module of an adapter, by line."""
    command = [sys.executable, "-m", "ruff", "check", "--config", "adapters/ruff.toml"]
    options = ["--select", "TID251", "--no-cache", "--output-format", "json"]
    name = ["--stdin-filename", "adapters/exportjobs_bad/_bad.py", "-"]
    done = subprocess.run(  # noqa: S603 - every argument is written here
        [*command, *options, *name],
        cwd=ROOT,
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    assert done.stdout, f"ruff did not run: {done.stderr}"
    return {found["location"]["row"]: found["message"] for found in json.loads(done.stdout)}


def test_every_private_room_is_on_the_ban_list() -> None:
    """A new room is banned when it is built, and one that is gone is taken off."""
    config = tomllib.loads((ADAPTERS / "ruff.toml").read_text())

    banned = config["lint"]["flake8-tidy-imports"]["banned-api"]

    assert sorted(name for name in banned if name.startswith("exportjobs.")) == ROOMS


@pytest.mark.parametrize(
    "form",
    ["import {0}", "import {0} as other", "from {0} import anything"],
    ids=["import", "alias", "from"],
)
def test_an_adapter_that_reaches_past_its_contract_is_reported(form: str) -> None:
    """Neither I/O nor the library's own rooms, in whatever words."""
    source = "\n".join(form.format(name) for name in FORBIDDEN)

    found = reported(source)

    missed = [name for line, name in enumerate(FORBIDDEN, start=1) if line not in found]
    assert missed == []
    assert all("is banned" in message for message in found.values())


def test_a_room_taken_from_the_package_is_reported() -> None:
    """`from exportjobs import _job` is another way to the same room."""
    source = "\n".join(f"from exportjobs import {name.partition('.')[2]}" for name in ROOMS)

    found = reported(source)

    missed = [name for line, name in enumerate(ROOMS, start=1) if line not in found]
    assert missed == []


def test_an_adapter_that_keeps_to_its_contract_is_not_reported() -> None:
    """What the shipped ones import is allowed."""
    source = (
        "import re\n"
        "from collections.abc import Mapping\n"
        "from datetime import datetime, timedelta\n"
        "from urllib.parse import urlsplit\n"
        "from exportjobs.adapter import Adapter, Request, export, frozen\n"
        "from exportjobs_bad._other import thing\n"
    )

    assert reported(source) == {}


def test_a_clock_is_reported() -> None:
    """A flow that reads the time cannot be told again."""
    assert list(reported("from datetime import datetime\n\nx = datetime.now()\n")) == [3]


def strangers(source: str, package: str) -> list[str]:
    """Return the modules that an adapter imports and may not."""
    return [
        name
        for name in imported(ast.parse(source))
        if name.partition(".")[0] not in {*sys.stdlib_module_names, package}
        and name != "exportjobs.adapter"
    ]


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the name of every module that is imported, wherever it is; a dot stands for itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


MODULES = sorted(ADAPTERS.glob("exportjobs_*/**/*.py"))


def test_the_shipped_adapters_are_found() -> None:
    """A check of nothing would pass."""
    packages = {module.relative_to(ADAPTERS).parts[0] for module in MODULES}

    assert packages == {
        "exportjobs_clari",
        "exportjobs_closient",
        "exportjobs_csv",
        "exportjobs_demandbase",
    }


@pytest.mark.parametrize("module", MODULES, ids=lambda path: "/".join(path.parts[-2:]))
def test_a_shipped_adapter_imports_nothing_but_its_contract(module: Path) -> None:
    """It is the shape that a third party's adapter has."""
    package = module.relative_to(ADAPTERS).parts[0]

    assert strangers(module.read_text(), package) == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import exportjobs", "exportjobs"),
        ("from exportjobs import Poller", "exportjobs"),
        ("from exportjobs.adapter._job import JobRef", "exportjobs.adapter._job"),
        ("from exportjobs.testing import ManualClock", "exportjobs.testing"),
        ("import httpx", "httpx"),
        ("import attrs", "attrs"),
        ("from exportjobs_csv import CsvExport", "exportjobs_csv"),
        ("def late():\n    import yaml", "yaml"),
    ],
)
def test_a_stranger_would_be_noticed(source: str, name: str) -> None:
    """In every form and at every depth."""
    assert strangers(source, "exportjobs_clari") == [name]

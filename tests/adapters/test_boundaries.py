"""What an adapter may import: the standard library, itself and exportjobs.adapter.

import-linter checks which packages import which, ruff what no list of packages can say.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADAPTERS = ROOT / "adapters"
ROOMS = sorted(
    f"exportjobs.{room.stem}"
    for room in (ROOT / "src" / "exportjobs").glob("*")
    if room.stem not in {"__init__", "adapter"}
    and (room.suffix == ".py" or (room / "__init__.py").exists())
)
TOOLS = ["anyio", "asyncio", "attr", "attrs", "cattrs", "httpx", "requests", "stamina", "trio"]
FORBIDDEN = [*TOOLS, "exportjobs.adapter._job", *ROOMS]
FORMS = ("import {0}", "import {0} as other", "from {0} import anything", "from {1} import {2}")
WANTED = [
    (name, form.format(name, *name.rsplit(".", 1)))
    for form in FORMS
    for name in FORBIDDEN
    if "." in name or "{1}" not in form
]
"""What an adapter must not import, and each way to write it."""

MISTAKES: Mapping[str, tuple[str, str]] = {
    "layers": ("exportjobs/_landing/names.py", "import exportjobs._poller.run"),
    "facade": ("exportjobs/_poller/run.py", "from exportjobs import Poller"),
    "sandbox": ("exportjobs/sandbox/_jobs.py", "import exportjobs._schedule.plan"),
    "no-sandbox": ("exportjobs/_poller/poller.py", "import exportjobs.sandbox"),
    "stages": ("exportjobs/_poller/loop/land.py", "import exportjobs._poller.loop.submit"),
    "adapters": ("exportjobs_csv/_csv.py", "from exportjobs.adapter._job import JobRef"),
    "adapters-tools": ("exportjobs_clari/_clari.py", "import attrs"),
    "vendors": ("exportjobs_closient/_closient.py", "import exportjobs_csv"),
    "httpx": ("exportjobs/_landing/opening.py", "import httpx"),
    "pure": ("exportjobs/_schedule/plan.py", "import anyio"),
}
"""For each of import-linter's contracts a line that breaks it, and where."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of all packages, in which each contract is broken by a line."""
    folder = tmp_path_factory.mktemp("house")
    for packages in (ROOT / "src", ADAPTERS):
        shutil.copytree(
            packages, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    for module, line in MISTAKES.values():
        with (folder / module).open("a") as file:
            file.write(f"\ndef late():\n    {line}\n")
    bad = "\n".join(line for _, line in WANTED)
    (folder / "exportjobs_demandbase" / "_bad.py").write_text(bad)
    return folder


@pytest.fixture(scope="module")
def linted(house: Path) -> str:
    """Return what import-linter says of the broken house."""
    code, told = lint_imports(house, house)
    assert code == 1, told
    return told


def lint_imports(folder: Path, *packages: Path) -> tuple[int, str]:
    """Return import-linter's exit code and report on the packages that lie in some folders."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, packages)), "COLUMNS": "200"}
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(  # noqa: S603 - every argument is written here
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def names() -> Mapping[str, str]:
    """Return the contracts' names by their ids."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = config["tool"]["importlinter"]["contracts"]
    return {contract["id"]: contract["name"] for contract in contracts}


def test_every_contract_is_kept() -> None:
    """The packages import each other as the house says."""
    code, told = lint_imports(ROOT, ROOT / "src", ADAPTERS)

    assert code == 0, told
    assert told.count(" KEPT") == len(names())


def test_every_contract_is_broken_by_a_mistake_here() -> None:
    """A contract that nothing breaks would check nothing."""
    assert sorted(MISTAKES) == sorted(names())


@pytest.mark.parametrize("contract", MISTAKES)
def test_a_mistake_breaks_its_contract(linted: str, contract: str) -> None:
    """Even if it is made inside a function."""
    assert f"{names()[contract]} BROKEN" in linted


def test_an_adapter_that_reaches_past_its_contract_is_reported(linted: str) -> None:
    """Neither I/O nor the library's own packages, in whatever words."""
    found = {
        (name, int(line))
        for name, lines in re.findall(r"exportjobs_demandbase\._bad -> (\S+) \((.*?)\)", linted)
        for line in re.findall(r"\d+", lines)
    }

    missed = [one for line, one in enumerate(WANTED, start=1) if (one[0], line) not in found]
    assert missed == []


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


@pytest.mark.parametrize("form", FORMS[:3], ids=["import", "alias", "from"])
@pytest.mark.parametrize("name", ["time", "urllib.request"])
def test_a_part_of_the_standard_library_that_does_io_is_reported(form: str, name: str) -> None:
    """import-linter knows packages of the standard library, not their modules."""
    assert ["is banned" in message for message in reported(form.format(name)).values()] == [True]


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


@pytest.mark.parametrize(
    ("imports", "call"),
    [
        ("from datetime import datetime", "datetime.now()"),
        ("from datetime import datetime", "datetime.utcnow()"),
        ("from datetime import date", "date.today()"),
        ("import datetime", "datetime.datetime.now()"),
    ],
)
def test_a_clock_is_reported(imports: str, call: str) -> None:
    """A flow that reads the time cannot be told again."""
    assert list(reported(f"{imports}\n\nx = {call}\n")) == [3]


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

"""The tests of a module are found without a search: files and folders are called after it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

import exportjobs

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "adapter": "adapter",
    "schedule": "_schedule",
    "http": "_http",
    "landing": "_landing",
    "ledger": "_ledger",
    "poller": "_poller",
    "cli": "cli",
    "sandbox": "sandbox",
    "testing": "testing",
}
"""The folders of tests, and the packages that they are about."""
OF_NO_MODULE: Final[Mapping[str, set[str]]] = {
    # Whole nights, with whatever may happen in one.
    "poller": {"any_crash", "any_interleaving"},
    "cli": {"commands"},
    "testing": {"names"},
}
"""What is about a package as a whole."""
TESTED_WITH: Final[Mapping[str, Mapping[str, str]]] = {
    "schedule": {"optimum": "schedule"},
    "http": {"connect": "network", "connection": "network_pool", "stream": "transport_wire"},
    "landing": {
        "archive_members": "archive",
        "destination": "folder",
        "disk": "part_file",
        "stores": "bucket",
    },
    "ledger": dict.fromkeys(("entry", "matching", "owner", "schema", "tables"), "ledger"),
    "poller": {"tracked": "answered"},
}
"""Modules of the core whose tests are those of another, as they are parts of it."""
ELSEWHERE: Final[Mapping[str, Mapping[str, str]]] = {
    # What the records of a ledger change is seen by the next run.
    "ledger": {"records": "tests/poller/test_recover.py"},
}


def modules(package: str) -> set[str]:
    """Return the names of a package's modules, and of the packages in it."""
    root = Path(exportjobs.__path__[0], PACKAGES[package])
    found = {path.parent if path.stem == "__init__" else path for path in root.rglob("*.py")}
    return {path.stem.removeprefix("_") for path in found - {root}}


def subjects(package: str) -> set[str]:
    """Return what the files with tests of a package are called after."""
    files = (ROOT / "tests" / package).glob("test_*.py")
    return {path.stem.removeprefix("test_") for path in files}


def begins_with(name: str, names: set[str]) -> bool:
    """Return whether one of some names is a name's beginning."""
    return any(name == one or name.startswith(f"{one}_") for one in names)


def core() -> Iterator[tuple[str, str]]:
    """Yield the modules of the core; the other packages go by commands, vendors and checks."""
    for package in PACKAGES.keys() - {"cli", "sandbox", "testing"}:
        for module in modules(package):
            yield package, module


@pytest.mark.parametrize("package", PACKAGES)
def test_a_file_with_tests_is_called_after_a_module(package: str) -> None:
    """What it begins with says where what it tests stands."""
    known = modules(package) | OF_NO_MODULE.get(package, set())

    assert [name for name in sorted(subjects(package)) if not begins_with(name, known)] == []


@pytest.mark.parametrize(("package", "module"), sorted(core()))
def test_a_module_of_the_core_has_tests(package: str, module: str) -> None:
    """In a file that begins with its name, or in another's, as is said here."""
    elsewhere = ELSEWHERE.get(package, {}).get(module)
    name = TESTED_WITH.get(package, {}).get(module, module)

    assert (elsewhere and (ROOT / elsewhere).is_file()) or any(
        begins_with(test, {name}) for test in subjects(package)
    )


def test_no_exception_is_one_of_a_module_that_is_gone_or_has_tests_of_its_own() -> None:
    """They are few."""
    for exceptions in (TESTED_WITH, ELSEWHERE):
        for package, named in exceptions.items():
            assert named.keys() <= modules(package) - subjects(package)
    for package, wholes in OF_NO_MODULE.items():
        assert wholes <= subjects(package) - modules(package)

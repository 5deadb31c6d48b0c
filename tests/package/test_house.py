"""The house is as easy to find one's way in as it was planned: sizes, and names that are one's own.

The sizes are signs that the packages are cut well. A package that outgrows them is one to think
about, not one to cut at the next line.
"""

import ast
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import pytest

import exportjobs

HOUSE = Path(exportjobs.__file__).parent
NOT_COUNTED = {"__init__.py", "__main__.py", "__pycache__", "py.typed"}
PRIVATE = {"_schedule", "_http", "_landing", "_ledger", "_poller"}
CORE = [
    HOUSE / "events.py",
    *(file for name in ("adapter", *sorted(PRIVATE)) for file in (HOUSE / name).rglob("*.py")),
]
PACKAGES = sorted(file.parent for file in HOUSE.rglob("__init__.py"))
SMALL = [
    package
    for package in PACKAGES
    if package.relative_to(HOUSE).parts[:1] in {(name,) for name in ("adapter", *PRIVATE)}
]

MOST_ENTRIES = 14
MOST_MODULES = 10
MOST_LINES = 400
MEDIAN_LINES = (150, 250)


def name_of(path: Path) -> str:
    """Return where a file or folder of the library is."""
    return str(path.relative_to(HOUSE.parent))


def lines(file: Path) -> int:
    """Return how many lines a file has."""
    return len(file.read_text().splitlines())


def test_ls_shows_a_house_not_a_heap() -> None:
    """Whoever looks for something begins here."""
    entries = {entry.name for entry in HOUSE.iterdir()} - NOT_COUNTED

    assert len(entries) <= MOST_ENTRIES, sorted(entries)
    assert {name for name in entries if name.startswith("_")} == PRIVATE


@pytest.mark.parametrize("package", SMALL, ids=name_of)
def test_a_package_has_few_modules(package: Path) -> None:
    """Those of the command line, the sandbox and the contract are as many as what they serve."""
    modules = [file.name for file in package.glob("*.py") if file.name != "__init__.py"]

    assert len(modules) <= MOST_MODULES, sorted(modules)


def test_no_module_is_long() -> None:
    """It is read from its beginning to its end."""
    long = {name_of(file): n for file in HOUSE.rglob("*.py") if (n := lines(file)) > MOST_LINES}

    assert long == {}


def test_a_module_of_the_core_is_a_whole_thought() -> None:
    """Neither a fragment of one nor several: the median tells; what only exports is not counted."""
    found = median(lines(file) for file in CORE if file.name != "__init__.py")

    assert MEDIAN_LINES[0] <= found <= MEDIAN_LINES[1]


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_a_package_says_in_one_sentence_what_it_is_for(package: Path) -> None:
    """The page about the architecture shows it; a public package goes on to say how it is used."""
    told = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""

    sentence, *more = told.split("\n\n")
    words = " ".join(sentence.split())
    assert not more or not package.name.startswith("_")
    assert words.endswith(".")
    assert ". " not in words


def test_no_class_of_the_core_has_the_name_of_another() -> None:
    """A name means one thing."""
    found: dict[str, list[str]] = {}
    for file in CORE:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(name_of(file))

    assert twice(found) == {}


def twice(found: Mapping[str, list[str]]) -> Mapping[str, Mapping[str, int]]:
    """Return the names that are there more than once, and where."""
    return {name: Counter(files) for name, files in found.items() if len(files) > 1}

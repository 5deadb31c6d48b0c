"""What `import exportjobs` offers: every public name, each with its explanation, and no more."""

import ast
import importlib
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import exportjobs

FACADE = Path(exportjobs.__file__)
DOORS = {
    "Finished": "exportjobs.events",
    "LedgerEntry": "exportjobs._ledger",
    "Poller": "exportjobs._poller",
    "installed": "exportjobs.adapter._registry",
    "run": "exportjobs._poller.run",
}


def imported(facade: Path) -> dict[str, str]:
    """Return the names that the façade takes from the library's own rooms, and from which."""
    statements = [
        node
        for node in ast.walk(ast.parse(facade.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("exportjobs.")
    ]
    return {
        alias.asname or alias.name: node.module or "" for node in statements for alias in node.names
    }


def explained(room: str) -> set[str]:
    """Return the names of a room that have a docstring: definitions, and values before one."""
    body = ast.parse(Path(importlib.import_module(room).__file__ or "").read_text()).body
    found = {
        node.name
        for node in body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and ast.get_docstring(node)
    }
    for node, following in pairwise(body):
        if isinstance(node, ast.Assign) and is_docstring(following):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def is_docstring(node: ast.stmt) -> bool:
    """Return whether a statement is nothing but a text."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def python(code: str) -> list[object]:
    """Run some code in a Python of its own and return the JSON list that it printed."""
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)  # noqa: S603 - ours
    told: list[object] = json.loads(printed)
    return told


def test_all_is_sorted_and_says_nothing_twice() -> None:
    """A name's place is never in doubt."""
    assert exportjobs.__all__ == sorted(set(exportjobs.__all__))


def test_all_is_what_the_facade_takes_from_the_rooms() -> None:
    """No name is exported by accident, and none was forgotten."""
    assert exportjobs.__all__ == sorted(imported(FACADE))


def test_every_public_name_is_there() -> None:
    """The doors that open late are no exception."""
    missing = [name for name in exportjobs.__all__ if not hasattr(exportjobs, name)]

    assert missing == []


def test_every_public_name_is_the_rooms_own() -> None:
    """The façade only hands on."""
    rooms = imported(FACADE)

    strange = [
        name
        for name, room in rooms.items()
        if getattr(exportjobs, name) is not getattr(importlib.import_module(room), name)
    ]

    assert strange == []


def test_no_other_name_of_the_library_is_lying_about() -> None:
    """What can be reached without an underscore is meant to be used, or is a module."""
    ours = {
        name
        for name, value in vars(exportjobs).items()
        if not name.startswith("_")
        and str(getattr(value, "__module__", "")).startswith("exportjobs")
    }

    assert ours <= set(exportjobs.__all__)


def test_every_public_name_has_a_docstring() -> None:
    """A value that is no definition is followed by its explanation."""
    rooms = imported(FACADE)
    documented = {room: explained(room) for room in set(rooms.values())}

    bare = [name for name, room in rooms.items() if name not in documented[room]]

    assert bare == []
    assert (exportjobs.__doc__ or "").strip()


@pytest.mark.parametrize("name", ["nothing", "_nothing", "Pollers", "httpx", "__version_info__"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    """The message is Python's own."""
    with pytest.raises(AttributeError, match=f"^module 'exportjobs' has no attribute '{name}'$"):
        getattr(exportjobs, name)


@pytest.mark.parametrize(("door", "room"), DOORS.items(), ids=DOORS)
def test_a_door_is_opened_when_it_is_first_used(door: str, room: str) -> None:
    """Until then, what is behind it is not imported; after that, it stays open."""
    code = (
        "import json, sys, exportjobs\n"
        f"before = {room!r} in sys.modules\n"
        f"first = exportjobs.{door}\n"
        f"print(json.dumps([before, {room!r} in sys.modules, exportjobs.{door} is first,"
        f" {door!r} in vars(exportjobs)]))"
    )

    assert python(code) == [False, True, True, True]


def test_a_star_gives_every_public_name() -> None:
    """The doors as well, although they are closed."""
    code = (
        "import json\n"
        "names = {}\n"
        "exec('from exportjobs import *', names)\n"
        "print(json.dumps(sorted(names)))"
    )

    assert set(exportjobs.__all__) <= set(python(code))


def test_importing_the_library_imports_no_adapter() -> None:
    """Not even by its doors: vendors that are installed but not used cost nothing."""
    code = (
        "import json, sys, exportjobs, exportjobs.adapter\n"
        "doors = [exportjobs.run, exportjobs.Poller]\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('exportjobs_')]))"
    )

    assert python(code) == []

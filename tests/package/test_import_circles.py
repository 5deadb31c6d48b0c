"""No module needs, to be imported, one that needs it."""

import json
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest


def needed() -> dict[str, set[str]]:
    """Return which modules of the library each imports, type checkers' imports left out.

    Imports in functions count: a circle that is closed later is one all the same.
    """
    graph = grimp.build_graph("exportjobs", exclude_type_checking_imports=True, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


MODULES = needed()

EACH_FIRST = """
import importlib, json, sys

failed = {}
for name in json.loads(sys.argv[1]):
    for loaded in [one for one in sys.modules if one.partition(".")[0] == "exportjobs"]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed[name] = str(error)
print(json.dumps(failed))
"""


def test_no_modules_import_each_other() -> None:
    """Neither at once nor by way of others."""
    try:
        TopologicalSorter(MODULES).prepare()
    except CycleError as found:
        _, circle = found.args
        pytest.fail(" imports ".join(reversed(circle)))


def test_every_package_can_be_imported_first() -> None:
    """Whatever anyone begins with: a package's first lines are run before those of its modules."""
    names = sorted({module.rpartition(".")[0] for module in MODULES} - {""})

    printed = subprocess.check_output(  # noqa: S603 - our own code
        [sys.executable, "-c", EACH_FIRST, json.dumps(names)], text=True
    )

    assert len(names) > 10
    assert json.loads(printed) == {}

"""The built pages: every public name is defined there, and every option of every command."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile

from .blocks import ROOT

# It lies beside the pages.
sys.path.insert(0, str(ROOT / "docs" / "_ext"))
commands = import_module("cli_reference").commands

PUBLIC = (
    "exportjobs",
    "exportjobs.adapter",
    "exportjobs.events",
    "exportjobs.sandbox",
    "exportjobs.testing",
)


@pytest.fixture(scope="session")
def defined(site: Path) -> dict[str, set[str]]:
    """Return what the pages define, by its kind, as other sites' references see it."""
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data
    python = {name for kind in inventory if kind.startswith("py:") for name in inventory[kind]}
    return {"python": python, "option": set(inventory["std:cmdoption"])}


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_documented(module: str, defined: dict[str, set[str]]) -> None:
    """By that name, or by the one under which the same thing is exported elsewhere."""
    missing = [
        name
        for name in import_module(module).__all__
        if not any(f"{home}.{name}" in defined["python"] for home in homes(module, name))
    ]

    assert missing == []


def homes(module: str, name: str) -> Iterator[str]:
    """Yield the public modules that export the very thing."""
    wanted = getattr(import_module(module), name)
    yield from (home for home in PUBLIC if getattr(import_module(home), name, None) is wanted)


def test_every_option_of_every_command_is_documented(defined: dict[str, set[str]]) -> None:
    """Those that all the exports share stand with `exportjobs run`."""
    wanted = {
        f"exportjobs {' '.join(command.words)}".replace(" ", "-") + f".{name}"
        for command in commands()
        for option in command.own
        for name in option.names
    } | {
        f"exportjobs-run.{name}"
        for command in commands()
        for option in command.shared
        for name in option.names
    }

    assert len(wanted) > 100
    assert wanted - defined["option"] == set()

"""Vendors of any shape are written with the public API alone, and in few lines."""

from pathlib import Path

import pytest
from tests.adapters.test_boundaries import strangers

ROOT = Path(__file__).parents[2]
EXAMPLES = {
    "plugin_template/src/exportjobs_acme": 80,
    "salesforce_bulk": 200,
    "amazon_reports": 200,
}
"""Where each example's package is, and the lines that its adapter may take."""


def modules(package: str) -> list[Path]:
    """Return the modules of an example's package."""
    return sorted((ROOT / "examples" / package).glob("*.py"))


@pytest.mark.parametrize("package", EXAMPLES)
def test_an_example_imports_nothing_but_the_contract(package: str) -> None:
    """The standard library, itself and exportjobs.adapter."""
    taken = {
        module.name: strangers(module.read_text(), Path(package).name)
        for module in modules(package)
    }

    assert len(taken) == 2
    assert not any(taken.values()), taken


@pytest.mark.parametrize(("package", "most"), EXAMPLES.items(), ids=EXAMPLES)
def test_an_examples_adapter_is_short(package: str, most: int) -> None:
    """With its docstrings."""
    (adapter,) = (module for module in modules(package) if module.name != "__init__.py")

    assert len(adapter.read_text().splitlines()) <= most


@pytest.mark.parametrize(
    "module", sorted(ROOT.glob("adapters/*/*.py")), ids=lambda module: "/".join(module.parts[-2:])
)
def test_a_module_of_a_built_in_vendor_is_not_long(module: Path) -> None:
    """What does not fit into one room has two."""
    assert len(module.read_text().splitlines()) <= 300


@pytest.mark.parametrize("package", EXAMPLES)
def test_an_example_is_typed(package: str) -> None:
    """Its users' checkers are told so."""
    assert (ROOT / "examples" / package / "py.typed").exists()

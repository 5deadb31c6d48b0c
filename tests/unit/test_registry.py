"""Which adapters are installed, and how to get at one without importing the others."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportjobs import BrokenAdapter, UnknownVendor, installed, load_adapter
from exportjobs._registry import GROUP, collect
from exportjobs.adapter import Adapter
from exportjobs_clari import Clari

BUILT_IN = ["clari", "closient", "csv", "demandbase", "demandbase-v1"]
Install = Callable[..., None]


class Wheel(Distribution):
    """A distribution that is nowhere on disk."""

    def __init__(self, name: str, adapters: dict[str, str]) -> None:
        """Take its name and what it announces: vendor names and objects."""
        self._texts = texts_of(name, adapters)

    def read_text(self, filename: str) -> str | None:
        """Return one of the texts that an installed distribution has."""
        return self._texts.get(filename)

    def locate_file(self, path: object) -> Path:
        """Return where a file would be."""
        return Path(str(path))


def texts_of(name: str, adapters: dict[str, str]) -> dict[str, str]:
    """Return the texts by which a distribution is known to be installed."""
    lines = "".join(f"{vendor} = {value}\n" for vendor, value in adapters.items())
    return {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n",
        "entry_points.txt": f"[{GROUP}]\n{lines}",
    }


def points(name: str, **adapters: str) -> list[EntryPoint]:
    """Return the entry points of a made-up distribution."""
    return [*Wheel(name, adapters).entry_points]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that installs a distribution of one module for the time of a test."""

    def write(name: str, source: str = "", **adapters: str) -> None:
        module = name.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.2.3.dist-info"
        info.mkdir()
        for file, text in texts_of(name, adapters).items():
            (info / file).write_text(text)
        monkeypatch.syspath_prepend(tmp_path)

    return write


def test_an_adapter_is_announced_by_its_distribution() -> None:
    """Name, distribution and version are known before anything is imported."""
    (acme,) = collect(points("acme-exports", acme="no_such_module:Acme")).values()

    assert (acme.vendor, acme.distribution, acme.version) == ("acme", "acme-exports", "1.2.3")
    assert acme.entry_point.value == "no_such_module:Acme"


def test_an_adapter_without_a_distribution_is_listed_all_the_same() -> None:
    """An entry point need not know where it comes from."""
    (acme,) = collect([EntryPoint("acme", "acme:Acme", GROUP)]).values()

    assert (acme.distribution, acme.version) == ("unknown", "unknown")


@given(st.permutations(["b", "a-2", "a", "c", "B"]))
def test_adapters_are_sorted_by_vendor(names: list[str]) -> None:
    """In whatever order the distributions are found."""
    found = collect(EntryPoint(name, "acme:Acme", GROUP) for name in names)

    assert list(found) == sorted(names)
    assert [adapter.vendor for adapter in found.values()] == sorted(names)


@pytest.mark.parametrize("rival", ["acme:Acme", "other:Acme"], ids=["same-object", "another"])
def test_two_distributions_of_one_name_are_both_named(rival: str) -> None:
    """Which of them is meant is nobody's guess."""
    found = [*points("acme-exports", acme="acme:Acme"), *points("rival-exports", acme=rival)]

    with pytest.raises(BrokenAdapter) as caught:
        collect(found)

    assert caught.value.vendor == "acme"
    assert "'acme-exports' and 'rival-exports'" in str(caught.value)
    assert caught.value.remedy == "uninstall one of them"


def test_an_adapter_is_imported_on_demand() -> None:
    """Loading gives the class that the entry point names."""
    found = collect(points("acme-exports", acme="exportjobs_clari:Clari", b="no_such_module:B"))

    assert found["acme"].load() is Clari


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("no_such_module:Acme", ModuleNotFoundError),
        ("exportjobs_clari:Nothing", AttributeError),
        ("this is:: no reference", Exception),
    ],
    ids=["module", "attribute", "reference"],
)
def test_a_broken_import_names_its_distribution(value: str, cause: type[Exception]) -> None:
    """The cause is chained, and what to do is said."""
    acme = collect(points("acme-exports", acme=value))["acme"]

    with pytest.raises(BrokenAdapter, match=r"^acme: .*cannot be imported") as caught:
        acme.load()

    assert isinstance(caught.value.__cause__, cause)
    assert type(caught.value.__cause__).__name__ in str(caught.value)
    assert "'acme-exports'" in caught.value.reason
    assert caught.value.remedy == "upgrade or uninstall 'acme-exports'"


@pytest.mark.parametrize(
    "value",
    ["json:dumps", "json:JSONDecoder", "exportjobs_clari", "exportjobs.adapter:export"],
    ids=["function", "class", "module", "decorator"],
)
def test_what_is_no_adapter_is_refused(value: str) -> None:
    """A class counts, and only a subclass of the contract."""
    acme = collect(points("acme-exports", acme=value))["acme"]

    with pytest.raises(BrokenAdapter, match=r"is not a subclass of exportjobs\.adapter") as caught:
        acme.load()

    assert caught.value.vendor == "acme"
    assert "'acme-exports'" in str(caught.value)


def test_a_third_partys_adapter_is_found(install: Install) -> None:
    """It comes through the same door as the built-in ones."""
    source = "from exportjobs_clari import Clari\nclass Acme(Clari):\n    vendor = 'acme'\n"
    install("third-party-acme", source, acme="third_party_acme:Acme")

    adapter = load_adapter("acme")

    assert issubclass(adapter, Adapter)
    assert adapter.vendor == "acme"
    assert installed()["acme"].distribution == "third-party-acme"
    assert list(installed()) == sorted(installed())


def test_a_broken_adapter_leaves_the_others_alone(install: Install) -> None:
    """It is an error only for those who ask for it."""
    install("broken-acme", "raise RuntimeError('gone to seed')\n", acme="broken_acme:Acme")

    assert load_adapter("clari") is Clari
    with pytest.raises(BrokenAdapter, match="gone to seed") as caught:
        load_adapter("acme")

    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_rival_of_a_built_in_is_not_taken_for_it(install: Install) -> None:
    """A distribution cannot slip in under a vendor's name and be given the credentials."""
    install("rival-clari", "", clari="rival_clari:Clari")

    with pytest.raises(BrokenAdapter) as caught:
        load_adapter("clari")

    assert "'exportjobs'" in str(caught.value)
    assert "'rival-clari'" in str(caught.value)


@pytest.mark.parametrize("vendor", ["klari", "", "Clari"])
def test_an_unknown_vendor_lists_the_installed(vendor: str) -> None:
    """Whoever mistypes a name sees the right one."""
    with pytest.raises(UnknownVendor) as caught:
        load_adapter(vendor)

    assert repr(vendor) in caught.value.reason
    assert caught.value.remedy == f"installed are: {', '.join(installed())}"
    assert set(BUILT_IN) <= set(installed())


def test_the_built_in_adapters_are_listed_without_being_imported() -> None:
    """All five, sorted, and their packages stay on disk."""
    code = (
        "import json, sys\n"
        "from exportjobs import installed\n"
        "found = [a.vendor for a in installed().values() if a.distribution == 'exportjobs']\n"
        "imported = [name for name in sys.modules if name.startswith('exportjobs_')]\n"
        "print(json.dumps([found, imported]))"
    )

    printed = subprocess.check_output([sys.executable, "-c", code], text=True)  # noqa: S603 - ours

    assert json.loads(printed) == [BUILT_IN, []]


def test_loading_one_adapter_imports_no_other() -> None:
    """A vendor that is not used costs nothing, and cannot break what is."""
    code = (
        "import json, sys\n"
        "from exportjobs import load_adapter\n"
        "load_adapter('clari')\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(json.dumps([name for name in names if name.startswith('exportjobs_')]))"
    )

    printed = subprocess.check_output([sys.executable, "-c", code], text=True)  # noqa: S603 - ours

    assert json.loads(printed) == ["exportjobs_clari"]


@pytest.mark.parametrize("vendor", BUILT_IN)
def test_a_built_in_adapter_is_called_what_it_is_registered_as(vendor: str) -> None:
    """Refs name the vendor, and the registry finds the adapter by that name."""
    assert load_adapter(vendor).vendor == vendor

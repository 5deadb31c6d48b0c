"""Which adapters are installed, and how to get at one without importing the others."""

import json
import subprocess
import sys
from importlib.metadata import EntryPoint, version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.distributions import Install, installer, points, source
from tests.support.errors import assert_error, raises_error

from exportjobs import BrokenAdapter, UnknownVendor, installed, load_adapter
from exportjobs.adapter import API_VERSION, Adapter
from exportjobs.adapter._registry import GROUP, OLDEST_API_VERSION, collect
from exportjobs_clari import Clari

BUILT_IN = ["clari", "closient", "csv", "demandbase", "demandbase-v1"]
NAMED = "the adapter 'acme' of the distribution 'acme-exports'"
OURS = version("exportjobs")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that installs a distribution for the time of a test."""
    return installer(tmp_path, monkeypatch)


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
def test_a_name_that_two_distributions_claim_is_nobodys(rival: str) -> None:
    """Which of them is meant is nobody's guess: both are named, and neither is imported."""
    found = collect(
        [*points("rival-exports", acme=rival), *points("acme-exports", acme="acme:Acme")]
    )

    with raises_error(
        BrokenAdapter,
        reason="the distributions 'acme-exports' and 'rival-exports' offer an adapter of the same "
        "name",
        remedy="uninstall all but one of them",
        vendor="acme",
    ):
        found["acme"].load()


def test_a_name_that_is_claimed_twice_leaves_the_others_alone() -> None:
    """Everything else is listed and loaded as ever."""
    found = collect(
        [
            *points("acme-exports", acme="acme:Acme", clari="exportjobs_clari:Clari"),
            *points("rival-exports", acme="acme:Acme"),
            *points("third-exports", acme="acme:Acme"),
        ]
    )

    assert list(found) == ["acme", "clari"]
    assert (found["acme"].distribution, found["acme"].rivals) == (
        "acme-exports",
        ("rival-exports", "third-exports"),
    )
    assert found["clari"].rivals == ()
    assert found["clari"].load() is Clari


def test_a_distribution_that_is_seen_twice_is_no_rival_of_itself() -> None:
    """Two entries of one environment may point to the same installation."""
    twice = points("acme-exports", clari="exportjobs_clari:Clari") * 2

    assert collect(twice)["clari"].load() is Clari


def test_an_adapter_is_imported_on_demand() -> None:
    """Loading gives the class that the entry point names."""
    found = collect(points("acme-exports", clari="exportjobs_clari:Clari", b="no_such_module:B"))

    assert found["clari"].load() is Clari


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

    with pytest.raises(BrokenAdapter) as caught:
        acme.load()

    below = caught.value.__cause__
    assert isinstance(below, cause)
    assert_error(
        caught.value,
        BrokenAdapter,
        reason=f"{NAMED} cannot be imported ({type(below).__name__}: {below})",
        remedy="upgrade or uninstall 'acme-exports'",
        vendor="acme",
    )


@pytest.mark.parametrize(
    "value",
    ["json:dumps", "json:JSONDecoder", "exportjobs_clari", "exportjobs.adapter:export"],
    ids=["function", "class", "module", "decorator"],
)
def test_what_is_no_adapter_is_refused(value: str) -> None:
    """A class counts, and only a subclass of the contract."""
    acme = collect(points("acme-exports", acme=value))["acme"]

    with raises_error(
        BrokenAdapter,
        reason=f"{NAMED} is not a subclass of exportjobs.adapter.Adapter",
        remedy="upgrade or uninstall 'acme-exports'",
        vendor="acme",
    ):
        acme.load()


def test_a_third_partys_adapter_is_found(install: Install) -> None:
    """It comes through the same door as the built-in ones."""
    install("third-party-acme", source("vendor = 'acme'"), acme="third_party_acme:Acme")

    adapter = load_adapter("acme")

    assert issubclass(adapter, Adapter)
    assert adapter.vendor == "acme"
    assert installed()["acme"].distribution == "third-party-acme"
    assert list(installed()) == sorted(installed())


@pytest.mark.parametrize(
    ("version", "said", "remedy"),
    [
        pytest.param(
            API_VERSION + 1,
            f"is too new: written for version {API_VERSION + 1} of exportjobs.adapter, of which "
            f"exportjobs {OURS} has version {API_VERSION}",
            "upgrade exportjobs",
            id="too-new",
        ),
        pytest.param(
            OLDEST_API_VERSION - 1,
            f"is too old: written for version {OLDEST_API_VERSION - 1} of exportjobs.adapter, of "
            f"which exportjobs {OURS} supports none before {OLDEST_API_VERSION}: "
            "see docs/how-to/upgrade.md",
            "upgrade or uninstall 'acme-exports'",
            id="too-old",
        ),
        pytest.param(
            "'1'",
            "has an api_version that is not an integer",
            "upgrade or uninstall 'acme-exports'",
            id="no-integer",
        ),
    ],
)
def test_an_adapter_of_another_api_version_is_explained(
    install: Install, version: object, said: str, remedy: str
) -> None:
    """Both versions are told, and which of the two distributions is to be upgraded."""
    body = f"vendor = 'acme'\n    api_version = {version}"
    install("acme-exports", source(body), acme="acme_exports:Acme")

    with raises_error(BrokenAdapter, reason=f"{NAMED} {said}", remedy=remedy, vendor="acme"):
        load_adapter("acme")


@pytest.mark.parametrize("version", range(OLDEST_API_VERSION, API_VERSION + 1))
def test_an_adapter_of_any_supported_api_version_is_taken(install: Install, version: int) -> None:
    """From the oldest one on that is still supported."""
    body = f"vendor = 'acme'\n    api_version = {version}"
    install("acme-exports", source(body), acme="acme_exports:Acme")

    assert load_adapter("acme").api_version == version


def test_an_adapter_that_takes_a_name_we_lack_is_told_to_be_of_another_version(
    install: Install,
) -> None:
    """It cannot even be imported, so it cannot say which version it was written for."""
    text = "from exportjobs.adapter import Wormhole\n"
    install("acme-exports", text, acme="acme_exports:Acme")

    with pytest.raises(BrokenAdapter, match="Wormhole") as caught:
        load_adapter("acme")

    assert f"version {API_VERSION} of exportjobs.adapter lacks a name" in caught.value.reason
    assert caught.value.remedy == "upgrade exportjobs or 'acme-exports', whichever is older"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "from exportjobs.adapter import Adapter\nclass Acme(Adapter):\n    vendor = 'acme'\n",
            "is incomplete: it lacks authenticate, poll",
            id="no-poll",
        ),
        pytest.param("vendor = 'akme'", "names its vendor 'akme'", id="other-name"),
        pytest.param(
            "vendor = 'acme'\n    @export\n    def report(self, since: Nowhere): yield",
            "has a kind of export that cannot be read (NameError: ",
            id="annotation",
        ),
    ],
)
def test_an_adapter_that_would_fail_later_is_refused_at_once(
    install: Install, text: str, said: str
) -> None:
    """A class that cannot be made, found again by its refs, or put on the command line."""
    whole = text if text.startswith("from") else source(text)
    install(
        "acme-exports", f"from __future__ import annotations\n{whole}", acme="acme_exports:Acme"
    )

    with pytest.raises(BrokenAdapter) as caught:
        load_adapter("acme")

    assert f"the adapter 'acme' of the distribution 'acme-exports' {said}" in caught.value.reason


@pytest.mark.parametrize("wreck", ["raise RuntimeError('gone')", "raise SystemExit('gone')"])
def test_a_broken_adapter_leaves_the_others_alone(install: Install, wreck: str) -> None:
    """It is an error only for those who ask for it, even if it wants the interpreter to end."""
    install("broken-acme", wreck, acme="broken_acme:Acme")

    assert load_adapter("clari") is Clari
    assert set(installed()) == {*BUILT_IN, "acme"}
    with pytest.raises(BrokenAdapter, match="gone") as caught:
        load_adapter("acme")

    assert "'broken-acme'" in caught.value.reason


def test_a_rival_of_a_built_in_is_not_taken_for_it(install: Install) -> None:
    """A distribution cannot slip in under a vendor's name and be given the credentials."""
    install("rival-clari", "", clari="rival_clari:Clari")

    with pytest.raises(BrokenAdapter) as caught:
        load_adapter("clari")

    assert "'exportjobs' and 'rival-clari'" in str(caught.value)


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

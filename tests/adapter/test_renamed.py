"""Whoever uses a name of version 1 is told the new one; nothing is ignored silently."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import pytest
from attrs import frozen
from tests.support.distributions import Install, installer

from exportjobs.adapter import Adapter, Budget, ExportJob, Flow, JobRef, PollPolicy, Request
from exportjobs.adapter._errors import BrokenAdapter
from exportjobs.adapter._registry import load_adapter
from exportjobs.adapter._renamed import MEMBERS, NAMES, REMOVED, UPGRADE_PAGE

ROOT = Path(__file__).parents[2]
MODULES = ("exportjobs", "exportjobs.adapter", "exportjobs.events")
OLD = [
    (module, old, new)
    for module in MODULES
    for old, new in NAMES.items()
    if new in import_module(module).__all__
]


@frozen
class Base(Adapter):
    """What every adapter has to have."""

    vendor: ClassVar[str] = "acme"

    def authenticate(self, request: Request) -> Request:
        """Return the request as it is."""
        return request

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Poll nothing."""
        raise NotImplementedError


@pytest.mark.parametrize(("module", "old", "new"), OLD)
def test_importing_an_old_name_says_the_new_one(module: str, old: str, new: str) -> None:
    """In the text that `from module import name` ends with."""
    with pytest.raises(ImportError) as caught:
        exec(f"from {module} import {old}", {})  # noqa: S102 - the statement itself is the test

    assert str(caught.value) == f"{old} is now {new} (API version 2): see {UPGRADE_PAGE}"
    assert caught.value.name == module


def test_every_new_name_is_somewhere() -> None:
    """The table has no name that no module has, and none that still exists."""
    assert {new for _, _, new in OLD} == set(NAMES.values())
    assert not any(old in import_module(module).__all__ for module in MODULES for old in NAMES)


@pytest.mark.parametrize("name", sorted(REMOVED))
def test_importing_a_removed_name_says_so(name: str) -> None:
    """There is no new one."""
    with pytest.raises(ImportError, match=rf"{name} was removed \(API version 2\): see docs/"):
        exec(f"from exportjobs.adapter import {name}", {})  # noqa: S102 - as above


@pytest.mark.parametrize(
    ("module", "name"),
    [
        *((module, "Nothing") for module in MODULES),
        ("exportjobs.events", "Pace"),
        ("exportjobs", "unwrapped"),
    ],
)
def test_any_other_name_is_missing_as_usual(module: str, name: str) -> None:
    """A name that another module had is no old name of this one."""
    with pytest.raises(AttributeError, match=f"^module '{module}' has no attribute '{name}'$"):
        getattr(import_module(module), name)


@pytest.mark.parametrize(("old", "new"), MEMBERS.items())
@pytest.mark.parametrize("value", [lambda *_: None, PollPolicy(), None], ids=["method", "a", "no"])
def test_a_class_with_an_old_attribute_is_refused(old: str, new: str, value: object) -> None:
    """At its definition, with class, old name, new name and page."""
    with pytest.raises(BrokenAdapter) as caught:
        type("Acme", (Base,), {old: value})

    assert caught.value.reason == f"Acme.{old} is now {new} (API version 2)"
    assert caught.value.remedy == f"see {UPGRADE_PAGE}"
    assert caught.value.vendor == "acme"


def test_a_field_of_an_old_name_is_refused_too() -> None:
    """It may mean something else, but that cannot be told."""
    with pytest.raises(BrokenAdapter, match=r"^acme: Paced\.pace is now polling"):

        @frozen
        class Paced(Base):  # pyright: ignore[reportUnusedClass]
            pace: int


def test_an_old_method_of_a_mixin_is_refused_too() -> None:
    """It would be ignored just as well."""
    mixin = type("Bearing", (), {"bear": lambda _, request: request})

    with pytest.raises(BrokenAdapter, match=r"Acme\.bear is now apply_token"):
        type("Acme", (mixin, Base), {})


@pytest.mark.parametrize(
    ("make", "old", "new"),
    [
        pytest.param(PollPolicy, "typical", "typical_duration", id="typical"),
        pytest.param(PollPolicy, "price", "latency_cost", id="price"),
        pytest.param(PollPolicy, "floor", "min_interval", id="floor"),
        pytest.param(PollPolicy, "ceiling", "max_interval", id="ceiling"),
        pytest.param(PollPolicy, "slow", "unknown_status_interval", id="slow"),
        pytest.param(Budget, "of", "operation", id="of"),
    ],
)
def test_an_old_argument_is_a_type_error_with_the_new_one(
    make: Callable[..., object], old: str, new: str
) -> None:
    """In place of one about an unexpected argument."""
    given: dict[str, Any] = {old: timedelta(minutes=1)}

    with pytest.raises(TypeError) as caught:
        make(**given)

    said = f"({old}=) is now {new}= (API version 2): see {UPGRADE_PAGE}"
    assert str(caught.value).endswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "from exportjobs.adapter import Adapter, Pace",
            "is too old: Pace is now PollPolicy (API version 2): see docs/how-to/upgrade.md",
            id="name",
        ),
        pytest.param(
            "from exportjobs_clari import Clari\nclass Acme(Clari):\n    pace = None",
            "Acme.pace is now polling (API version 2); see docs/how-to/upgrade.md)",
            id="attribute",
        ),
        pytest.param(
            "from datetime import timedelta\nfrom exportjobs.adapter import Budget\n"
            "Budget(requests=1, per=timedelta(1), of=None)",
            "Budget(of=) is now operation= (API version 2): see docs/how-to/upgrade.md)",
            id="argument",
        ),
        pytest.param(
            "from exportjobs_clari import Clari\n"
            "class Acme(Clari):\n    vendor = 'acme'\n    api_version = 1",
            "supports none before 2: see docs/how-to/upgrade.md",
            id="version",
        ),
    ],
)
def test_an_installed_adapter_of_version_1_is_refused_with_what_was_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    """Whoever installed it sees what its author has to change, and where that is explained."""
    install: Install = installer(tmp_path, monkeypatch)
    install("acme-exports", text, acme="acme_exports:Acme")

    with pytest.raises(BrokenAdapter) as caught:
        load_adapter("acme")

    assert caught.value.reason.endswith(said)
    assert caught.value.vendor == "acme"
    assert caught.value.remedy == "upgrade or uninstall 'acme-exports'"


def test_the_page_has_every_renamed_name() -> None:
    """Each old name with its new one, in one row."""
    page = (ROOT / UPGRADE_PAGE).read_text()
    rows = [line for line in page.splitlines() if line.startswith("|")]

    for old, new in [*NAMES.items(), *MEMBERS.items()]:
        assert any(f"`{old}`" in row and f"`{new}`" in row for row in rows), old
    assert all(f"`{name}`" in page for name in REMOVED)

"""An adapter is imported by its name, by an interpreter that knows nothing else of it."""

import importlib.util
import sys
from pathlib import Path

import pytest
from tests.testing.broken.sound import Acme, recording

from exportjobs.testing import AdapterContract, Recorded, _importing

check = AdapterContract().test_importing_the_adapter_does_nothing_else


def written(folder: Path, name: str, beginning: str) -> Recorded:
    """Return a recording of an adapter whose module begins in some way."""
    sound = (Path(__file__).parent / "broken" / "sound.py").read_text()
    docstring, _, code = sound.partition("\n")
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(f"{docstring}\n{beginning}\n{code}")
    adapter: type[Acme] = importlib.import_module(name).Acme
    return recording(adapter("k-7f3a91"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder from which modules are imported."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_module_that_only_defines_may_be_anywhere(folder: Path) -> None:
    """On the path that the tests have."""
    check(written(folder, "acme_that_is_well", ""))


def test_a_module_that_needs_something_set_up_before_is_told(folder: Path) -> None:
    """With the last line of what went wrong."""
    sys.modules["set_up"] = sys
    recorded = written(folder, "acme_that_needs_help", "import set_up")
    del sys.modules["set_up"]

    with pytest.raises(pytest.fail.Exception) as caught:
        check(recorded)

    reason = "ModuleNotFoundError: No module named 'set_up'"
    assert str(caught.value).startswith(
        f"acme_that_needs_help cannot be imported on its own ({reason}); "
    )


def test_a_module_whose_import_does_not_end_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hold up whoever lists the vendors."""
    sys.modules["set_up"] = sys
    hangs = "import sys\nwhile 'set_up' not in sys.modules: pass"
    recorded = written(folder, "acme_that_hangs", hangs)
    del sys.modules["set_up"]
    monkeypatch.setattr(_importing, "_WITHIN", 2.0)

    with pytest.raises(
        pytest.fail.Exception, match=r"^importing acme_that_hangs takes more than 2 s"
    ):
        check(recorded)


def test_a_module_that_cannot_be_found_by_its_name_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry point would not find it either."""
    recorded = written(folder, "acme_by_its_name", "")
    module = sys.modules["acme_by_its_name"]
    monkeypatch.setitem(sys.modules, "acme.elsewhere", module)
    monkeypatch.setattr(module, "__name__", "acme.elsewhere")
    monkeypatch.setattr(type(recorded.adapter), "__module__", "acme.elsewhere")

    with pytest.raises(
        pytest.fail.Exception, match=r"^the adapter's module acme\.elsewhere cannot"
    ):
        check(recorded)

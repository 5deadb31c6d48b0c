"""What `exportjobs.testing` offers, and what it needs for which of it."""

import subprocess
import sys

import pytest
from tests.testing.broken.careless_terms import Greedy
from tests.testing.broken.sound import recording

from exportjobs import testing
from exportjobs.testing import AdapterContract

WITHOUT = "import sys; sys.modules['{}'] = None; from exportjobs.testing import {}"


def python(code: str) -> "subprocess.CompletedProcess[str]":
    """Run some code in a Python of its own."""
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )


def test_every_name_is_there() -> None:
    """Even before it was used, and in the order of the alphabet."""
    assert testing.__all__ == sorted(testing.__all__)
    assert set(testing.__all__) <= set(dir(testing))
    assert all(getattr(testing, name) is not None for name in testing.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """As with any module."""
    with pytest.raises(AttributeError, match=r"'exportjobs\.testing' has no attribute 'Nothing'"):
        _ = testing.Nothing  # type: ignore[attr-defined]


def test_the_doubles_need_nothing_but_the_library() -> None:
    """Neither pytest nor hypothesis, nor the HTTP client."""
    blocked = "import sys; sys.modules |= dict.fromkeys(['pytest', 'hypothesis', 'httpx']); "

    done = python(blocked + "from exportjobs.testing import ManualClock, Recorded, ScriptedVendor")

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("missing", ["pytest", "hypothesis"])
def test_the_contract_says_in_one_line_what_it_needs(missing: str) -> None:
    """And how to get it."""
    done = python(WITHOUT.format(missing, "AdapterContract"))

    told = f"exportjobs.testing.AdapterContract needs {missing}: pip install pytest hypothesis"
    assert done.stderr.splitlines()[-1] == f"ImportError: {told}"


def test_the_contract_needs_no_extra_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the command line, its options are not tried: a name that is taken is not found."""
    for module in ("exportjobs.testing._options", "exportjobs.cli._run"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "cyclopts", None)

    AdapterContract().test_every_kind_can_be_given_on_the_command_line(
        recording(Greedy("k-7f3a91"))
    )


def test_an_import_that_fails_for_another_reason_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the extra may be missing."""
    monkeypatch.setitem(sys.modules, "exportjobs.testing._options", None)

    with pytest.raises(ModuleNotFoundError):
        AdapterContract().test_every_kind_can_be_given_on_the_command_line(
            recording(Greedy("k-7f3a91"))
        )

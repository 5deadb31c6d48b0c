"""Ten adapters, each broken in one way: each fails the contract with the name of its mistake.

They are run as a third party runs them: a package of its own, its tests in a process of their own.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.testing.broken.mistakes import MISTAKES

BROKEN = Path(__file__).parent / "broken"
Failures = Mapping[str, Mapping[str, str]]
"""What each adapter's contract says: the words of each test that fails, by its name."""


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> Failures:
    """Return what the contract says of each of the adapters."""
    home = tmp_path_factory.mktemp("author")
    package, report = home / "acme", home / "report.xml"
    shutil.copytree(BROKEN, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").touch()
    (home / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    options = ["-q", "--tb=short", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"]
    done = subprocess.run(  # noqa: S603 - our own adapters
        [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", "acme/contracts.py"],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    return read(report)


def read(report: Path) -> Failures:
    """Return the failures of a report, by adapter and test."""
    found: dict[str, dict[str, str]] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        test, _, params = case.attrib["name"].rstrip("]").partition("[")
        named = {*params.split("-")} & {*MISTAKES, "Acme"}
        _, _, contract = case.attrib["classname"].rpartition(".")
        said = found.setdefault(next(iter(named), contract), {})
        for failure in (*case.iter("failure"), *case.iter("error")):
            said[test] = failure.attrib["message"]
    return found


@pytest.mark.parametrize("adapter", MISTAKES)
def test_a_broken_adapter_is_told_its_mistake(failures: Failures, adapter: str) -> None:
    """In one sentence, with the remedy."""
    mistake = MISTAKES[adapter]

    assert failures[adapter][mistake.test] == f"Failed: {mistake.words}"


@pytest.mark.parametrize("adapter", MISTAKES)
def test_whatever_else_fails_is_told_in_the_contracts_words(
    failures: Failures, adapter: str
) -> None:
    """No test of the contract breaks down over an adapter that is broken."""
    assert [words for words in failures[adapter].values() if not words.startswith("Failed: ")] == []


def test_the_sound_adapter_keeps_the_contract(failures: Failures) -> None:
    """Each of the broken ones differs from it by its mistake alone."""
    assert failures["Acme"] == {}


def test_a_contract_without_a_recording_says_what_to_write(failures: Failures) -> None:
    """A class that forgot the fixture does not pass."""
    told = "TestForgotten does not say what to test; define a fixture `recorded` in it"

    assert set(failures["TestForgotten"].values()) == {f'failed on setup with "Failed: {told}"'}

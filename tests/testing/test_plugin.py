"""The four vendors as a pytest fixture: ETL code is tested against them in one line."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

import exportjobs
from exportjobs.adapter import Export
from exportjobs.sandbox import Fault
from exportjobs.testing import ExportSandbox


def exports_of(sandbox: ExportSandbox) -> list[Export]:
    """Return an export of each vendor."""
    return [
        sandbox.clari.forecast("deal_owner"),
        sandbox.demandbase.accounts(),
        sandbox.demandbase_v1.people(),
        sandbox.closient.organization("vytxeTZskVKR7C7WgdSP3d"),
        sandbox.csv.clients(),
    ]


def landed(exports: list[Export], into: Path) -> set[str]:
    """Return the digests of the files that exports land, as a user's own code would land them."""
    for finished in exportjobs.run(exports, into=into, poll_interval=0.05):
        finished.raise_for_status()
    return {sha256(file.read_bytes()).hexdigest() for file in into.iterdir()}


def test_the_fixture_serves_the_four_vendors(export_sandbox: ExportSandbox, tmp_path: Path) -> None:
    """Each has an adapter at hand, in a hurry."""
    found = landed(exports_of(export_sandbox), tmp_path)

    assert found >= {file.sha256 for file in export_sandbox.served}
    assert {one.fault for one in export_sandbox.requests} == {None}


@pytest.mark.export_sandbox(faults="all", speed=30)
def test_every_fault_is_a_word_away(export_sandbox: ExportSandbox, tmp_path: Path) -> None:
    """The library gets over all of them."""
    found = landed(exports_of(export_sandbox), tmp_path)

    assert found >= {file.sha256 for file in export_sandbox.served}
    assert {one.fault for one in export_sandbox.requests} > {None}


@pytest.mark.export_sandbox(faults=["throttle"])
def test_single_faults_are_chosen_by_name(export_sandbox: ExportSandbox, tmp_path: Path) -> None:
    """Those and no others."""
    landed([export_sandbox.csv.clients()], tmp_path)

    assert {one.fault for one in export_sandbox.requests} == {None, Fault.throttle}


@pytest.mark.export_sandbox(faults=["throttle"], seed=7)
class TestMarkers:
    """A class's marker."""

    @pytest.mark.export_sandbox(faults=[])
    def test_the_nearest_marker_counts(self, export_sandbox: ExportSandbox, tmp_path: Path) -> None:
        """What it does not say is taken from the one around it."""
        landed([export_sandbox.csv.clients()], tmp_path)

        assert {one.fault for one in export_sandbox.requests} == {None}


def test_a_program_finds_the_accounts_in_its_environment(export_sandbox: ExportSandbox) -> None:
    """By the names that the command line knows."""
    environment = export_sandbox.environment

    assert environment["CSV_BASE_URL"] == export_sandbox.csv.base_url
    assert environment["DEMANDBASE_V1_TOKEN"] == export_sandbox.demandbase_v1.token
    assert {name.rpartition("_BASE_URL")[0] for name in environment} >= {"CLARI", "CLOSIENT"}


def test_the_adapters_are_the_vendors_own_and_as_silent(export_sandbox: ExportSandbox) -> None:
    """A hurried one is named and shown like any other, and still cannot be changed."""
    clari = export_sandbox.clari

    assert clari.account == ("clari", "default")
    assert repr(clari) == f"Clari(name='default', base_url={clari.base_url!r})"
    with pytest.raises(AttributeError):
        clari.__setattr__("api_key", "other")


def test_loading_the_plugin_imports_nothing_that_is_not_asked_for() -> None:
    """It is loaded in every test run where the library is installed."""
    heavy = {"anyio", "exportjobs_clari", "httpx", "hypothesis", "starlette"}
    code = f"import sys, exportjobs.testing._plugin; sys.exit(str({heavy} & sys.modules.keys()))"

    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert done.stderr == "set()\n"


def test_a_missing_extra_is_told_in_one_line(tmp_path: Path) -> None:
    """With what to install."""
    (tmp_path / "conftest.py").write_text("import sys\nsys.modules['starlette'] = None\n")
    (tmp_path / "test_it.py").write_text("def test_it(export_sandbox):\n    pass\n")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    remedy = 'exportjobs.sandbox needs starlette and uvicorn: pip install "exportjobs[sandbox]"'
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert done.stdout.splitlines().count(remedy) == 1
    assert "Traceback" not in done.stdout

"""Fixtures that run the pages' code, and build the site."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from exportjobs.testing import ExportSandbox

from .blocks import ROOT, blocks
from .reader import Reader
from .world import BucketServer, bucket, lead_to

_PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
_NOT_THE_READERS = (
    "EXPORTJOBS_LEDGER",
    "PYTEST_ADDOPTS",
    "PYTHONPATH",
    "UV_NO_SYNC",
    "UV_PROJECT_ENVIRONMENT",
    "VIRTUAL_ENV",
)
"""Variables of the person who runs the tests, which must not affect the pages' code."""


@pytest.fixture
def sandbox() -> Iterator[ExportSandbox]:
    """Serve the vendors as slowly as `exportjobs sandbox` does."""
    with ExportSandbox() as running:
        yield running


@pytest.fixture
def store() -> Iterator[BucketServer]:
    """Serve a bucket."""
    with bucket() as running:
        yield running


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the library's wheel, and return the folder that it is in."""
    folder = tmp_path_factory.mktemp("wheels")
    command = ["uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True)  # noqa: S603 - our own project
    return folder


@pytest.fixture
def read(
    tmp_path: Path, given: Callable[[Path], Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Path], None]:
    """Return a function that runs all blocks of a page in an empty folder."""

    def follow(page: Path) -> None:
        for name in _NOT_THE_READERS:
            monkeypatch.delenv(name, raising=False)
        for name, value in given(page).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        with Reader(tmp_path, os.environ) as reader:
            for block in blocks(page):
                if block.not_run is None:
                    reader.follow(block)

    return follow


@pytest.fixture
def given(
    request: pytest.FixtureRequest,
    sandbox: ExportSandbox,
    store: BucketServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Path], Mapping[str, str]]:
    """Return a function that returns the environment variables for a page."""
    lead_to(sandbox, monkeypatch)

    def of_page(page: Path) -> Mapping[str, str]:
        variables = {"PATH": _PATH, "UV_PYTHON": sys.executable, **store.environment}
        if page.name != "tutorial.md":
            # The tutorial has its reader start the sandbox and set the variables.
            variables |= sandbox.environment
        if "uv sync" in page.read_text():
            # A reader's uv finds the library on an index.
            variables["UV_FIND_LINKS"] = str(request.getfixturevalue("wheels"))
        return variables

    return of_page


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    """Restore the library's logger after a page has changed it."""
    logger = logging.getLogger("exportjobs")
    kept = logger.level, list(logger.handlers)
    yield
    logger.level, logger.handlers = kept


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the pages, with each warning as an error, and return the folder of the site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-q"]
    built = subprocess.run(  # noqa: S603 - our own pages
        [*command, "-d", str(folder / "doctrees"), str(ROOT / "docs"), str(folder / "html")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder / "html"

"""The emulators install themselves: once, whoever needs them first, or with a clear message."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from . import installing


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have emulators installed in a folder of the test's own, with what no cache has."""
    folder = tmp_path / "emulators"
    monkeypatch.setenv("EXPORTJOBS_EMULATORS", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return folder


def test_of_many_that_need_an_emulator_one_installs_it() -> None:
    """The others wait until it is there."""
    begun: list[Path] = []

    def install(folder: Path) -> None:
        begun.append(folder)
        time.sleep(0.05)
        folder.mkdir()

    with ThreadPoolExecutor(8) as workers:
        found = set(workers.map(lambda _: installing.installed("Any", "1", install), range(16)))

    assert found == set(begun)
    assert len(begun) == 1


def test_an_installation_that_was_broken_off_is_done_again(home: Path) -> None:
    """What it left behind is removed first."""
    (home / "any-1" / "half").mkdir(parents=True)

    folder = installing.installed("Any", "1", Path.mkdir)

    assert [file.name for file in folder.iterdir()] == ["complete"]


def test_an_installation_whose_python_is_gone_is_done_again() -> None:
    """A system that was upgraded has another one."""
    begun: list[Path] = []

    def install(folder: Path) -> None:
        begun.append(folder)
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").symlink_to(folder / "gone")

    installing.installed("Any", "1", install)
    installing.installed("Any", "1", install)

    assert len(begun) == 2


def test_another_version_is_installed_beside_it() -> None:
    """Another session may have the first one running."""
    folders = [installing.installed("Any", version, Path.mkdir) for version in ("1", "2")]

    assert [folder.exists() for folder in folders] == [True, True]


@pytest.mark.parametrize("emulator", [installing.azurite, installing.localstack])
def test_without_uv_a_test_says_how_to_get_it(
    emulator: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails: it is not skipped."""
    monkeypatch.setenv("UV", "/nowhere/uv")

    told = refusal(emulator)

    assert told.endswith(
        "cannot be installed: /nowhere/uv is missing; install it with: pip install uv"
    )


@pytest.mark.parametrize("emulator", [installing.azurite, installing.localstack])
def test_without_a_network_a_test_says_what_it_needs(
    emulator: object, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """The next test tries again."""
    monkeypatch.setenv("UV_OFFLINE", "1")

    told = refusal(emulator)

    assert "connect this machine to PyPI and npm, or set EXPORTJOBS_EMULATORS to a folder" in told
    assert not list(home.glob("*/complete"))


def test_an_installation_that_takes_too_long_is_given_up() -> None:
    """The message names the command."""

    def install(folder: Path) -> None:
        raise subprocess.TimeoutExpired(["uv", "venv", str(folder)], 600.0)

    with pytest.raises(
        pytest.fail.Exception, match=r"`uv venv .*` took more than 600 s; try again"
    ):
        installing.installed("Any", "1", install)


def refusal(emulator: object) -> str:
    """Return the words with which a test ends that needs an emulator."""
    assert callable(emulator)
    with pytest.raises(pytest.fail.Exception) as caught:
        emulator()
    return str(caught.value)

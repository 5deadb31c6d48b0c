"""Memory: how large a file is makes no difference to what it takes to fetch it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import create_server, socket
from threading import Thread
from typing import Final

_LARGE: Final = 512 * 1024 * 1024
_SMALL: Final = 1024 * 1024
_PIECE: Final = bytes(_SMALL)
_LANDING: Final = """
import resource, sys
from pathlib import Path
from typing import ClassVar
import anyio
from exportjobs import Poller
from exportjobs.adapter import Adapter, Artifact, ExportJob, Request, StatusMap, frozen

@frozen
class Plain(Adapter):
    vendor: ClassVar[str] = "plain"
    def authenticate(self, request):
        return request
    def poll(self, ref):
        yield Request.get(f"/jobs/{ref.id}")
        reading = StatusMap(done=("done",)).read("done")
        return ExportJob(ref, reading, artifacts=(Artifact(f"{self.base_url}/files/{ref.id}"),))

async def main(base_url, folder, sizes):
    vendor = Plain(base_url=base_url)
    async with Poller(accounts=[vendor]) as poller:
        for size in sizes:
            finished = await poller.resume(vendor.ref(size), into=folder)
            finished.raise_for_status()
            assert finished.files[0].size == int(size)
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

anyio.run(main, sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
"""


@contextmanager
def serving() -> Iterator[str]:
    """Serve files of as many bytes as their names say, on this machine."""
    with create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_accept, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _accept(listener: socket) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket) -> None:
    with suppress(OSError), connection, connection.makefile("rb") as asked:
        while line := asked.readline():
            kind, _, size = line.split()[1].decode().strip("/").partition("/")
            while asked.readline().strip():
                pass
            length = int(size) if kind == "files" else 2
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length)
            if kind == "jobs":
                connection.sendall(b"{}")
                continue
            for _ in range(length // _SMALL):
                connection.sendall(_PIECE)


def test_a_large_file_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    """Half a gibibyte lands within a few mebibytes beyond what a single one takes."""
    with serving() as base_url:
        ran = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-c", _LANDING, base_url, str(tmp_path), str(_SMALL), str(_LARGE)],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    assert ran.returncode == 0, ran.stderr
    small, large = (int(line) * 1024 for line in ran.stdout.split())
    assert large - small < 16 * 1024 * 1024

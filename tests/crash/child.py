"""What is killed: processes that resume a job and land its files, as a user's would.

It is run, not imported.
"""

import os
import signal
import sys
from pathlib import Path
from typing import ClassVar

import anyio
import trio  # noqa: F401 - to be there when it is chosen

from exportjobs import Finished, JobRef, Poller
from exportjobs.adapter import (
    Adapter,
    Artifact,
    ExportJob,
    Flow,
    JobStatus,
    Reading,
    Request,
    frozen,
    path,
)

from .forking import fork_for_each_line

_TOUCHING = {"open", "os.rename", "os.remove"}
"""What the interpreter says that it is about to do (its audit events)."""


@frozen
class Acme(Adapter):
    """A vendor whose job is done."""

    vendor: ClassVar[str] = "acme"

    def authenticate(self, request: Request) -> Request:
        """Leave the request as it is."""
        return request

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask where the files are."""
        body = (yield Request.get(path("/v1/reports/{}", ref.id))).json()
        links = enumerate(zip(body["links"], body["sizes"], strict=True), 1)
        return ExportJob(
            ref=self.ref(body["id"]),
            reading=Reading(JobStatus.DONE, body["status"]),
            artifacts=tuple(Artifact(url, size=size, part=part) for part, (url, size) in links),
        )


async def land(base_url: str, ref: JobRef, folder: Path, downloads: int) -> Finished:
    """Land a job's files in a folder."""
    async with Poller(accounts=[Acme(base_url=base_url)], max_downloads=downloads) as poller:
        return await poller.resume(ref, into=folder)


def die_at(step: int, folder: str) -> None:
    """Die as if killed just before some name in the folder is touched, and tell which."""
    left = step

    def watch(event: str, touched: tuple[object, ...]) -> None:
        nonlocal left
        if event in _TOUCHING and any(str(name).startswith(folder) for name in touched):
            left -= 1
            if left == 0:
                Path(f"{folder}.died").write_text(f"{event} {Path(str(touched[0])).name}")
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def run(
    *, backend: str, base_url: str, ref: str, folder: str, downloads: int, dies_at: int
) -> None:
    """Land a job's files, and raise if that cannot be."""
    if dies_at:
        die_at(dies_at, folder)
    told = (base_url, JobRef.from_json(ref), Path(folder), downloads)
    finished = anyio.run(land, *told, backend=backend)
    finished.raise_for_status()


if __name__ == "__main__":
    fork_for_each_line(run)

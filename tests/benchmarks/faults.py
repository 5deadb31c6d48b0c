"""Faults against peers: what downloaders make of a host that misbehaves at the level of bytes.

Each fetches the same file from a host on loopback that plays one fault after another; see the
README beside this file.
"""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from _downloader import Downloader, Outcome, interpreters, run
from _environments import OURS, OURS_ON_TRIO
from _fault_contest import MISSING, Verdict, leaks, verdict
from _fault_plays import FAULTS, LEAK, SECRETS, Files
from _fault_report import MIB, Contest, report
from _fault_server import NAME, FaultServer
from _program import DOCS, display, interruptible
from rich.console import Console

SIZES = (1 * MIB, 30 * MIB)
_HASH = "hash"

DOWNLOADERS = (
    Downloader("exportjobs", "exportjobs_download", OURS, ours=True),
    Downloader(
        "exportjobs on trio", "exportjobs_download", OURS_ON_TRIO, {"backend": "trio"}, ours=True
    ),
    Downloader("requests, naive", "requests_download", "requests"),
    Downloader("httpx, naive", "httpx_download", "httpx"),
    Downloader("aiohttp, naive", "aiohttp_download", "aiohttp"),
    Downloader("pooch", "pooch_download", "pooch"),
    Downloader("pooch, hash known", "pooch_download", "pooch", {_HASH: True}),
    Downloader("fsspec", "fsspec_download", "fsspec"),
    Downloader("smart_open", "smart_open_download", "smart_open"),
    Downloader("huggingface_hub, http_get", "huggingface_download", "huggingface_hub"),
    Downloader("obstore", "obstore_download", "obstore"),
    Downloader("google-resumable-media", "google_download", "google-resumable-media"),
    Downloader("azure-core, pipeline", "azure_download", "azure-core"),
    Downloader("azure-storage-blob", "azure_blob_download", "azure-storage-blob"),
    Downloader("dlt, requests client", "dlt_download", "dlt"),
    Downloader(
        "curl -C - --retry",
        "program_download",
        options={"program": "curl", "resumes": True, "retries": True},
        program="curl",
    ),
    Downloader(
        "curl -C -, run again",
        "program_download",
        options={"program": "curl", "resumes": True, "again": True},
        program="curl",
    ),
    Downloader("wget -c", "program_download", options={"program": "wget"}, program="wget"),
    Downloader("aria2", "program_download", options={"program": "aria2c"}, program="aria2c"),
)
QUICK = {"exportjobs", "requests, naive", "huggingface_hub, http_get", "google-resumable-media"}


@dataclass(frozen=True)
class Trial:
    """One downloader that is to meet one fault."""

    downloader: Downloader
    fault: str
    size: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What it is found by."""
        return self.downloader.name, self.fault, self.size


class Ring:
    """Where downloaders meet faults."""

    def __init__(self, downloaders: Sequence[Downloader], sizes: Sequence[int]) -> None:
        """Make what is missing of their environments, and the files."""
        self.versions: dict[str, str] = {}
        self._pythons = interpreters(downloaders)
        self._files = {size: Files.of(size) for size in sizes}

    def verdict(self, trial: Trial, server: FaultServer) -> Verdict:
        """Let a downloader meet a fault, and return what came of it."""
        if not trial.downloader.is_installed:
            return Verdict(MISSING)
        number, known = server.begin(trial.fault, self._files[trial.size])
        with tempfile.TemporaryDirectory() as folder:
            outcome = self._met(trial, server.origin, number, Path(folder))
            self.versions.update(outcome.figures.get("versions", {}))
            if trial.fault == LEAK:
                return leaks(outcome, known)
            return verdict(outcome, known, Path(folder), Path(NAME).suffix)

    def _met(self, trial: Trial, origin: str, number: int, folder: Path) -> Outcome:
        base_url = f"{origin}/runs/{number}"
        settings = {
            "folder": str(folder),
            "path": f"/links/1/{NAME}",
            "headers": SECRETS if trial.fault == LEAK else {},
            "options": self._options(trial, origin, number),
        }
        python = self._pythons[trial.downloader.environment]
        return run(trial.downloader, python, base_url, settings)

    def _options(self, trial: Trial, origin: str, number: int) -> Mapping[str, Any]:
        if trial.downloader.ours:
            leased = {"api": origin, "job": f"/runs/{number}/job"}
            return {**leased, "authenticated": trial.fault == LEAK}
        if _HASH in trial.downloader.options:
            return {_HASH: f"sha256:{self._files[trial.size].old.sha256}"}
        return {}


def held(downloaders: Sequence[Downloader], sizes: Sequence[int], at_once: int) -> Contest:
    """Let all downloaders meet all faults, and return what was found."""
    console = Console(stderr=True)
    with console.status("making the environments and the files"):
        ring = Ring(downloaders, sizes)
    trials = [Trial(*one) for one in product(downloaders, FAULTS, sizes)]
    trials += [Trial(one, LEAK, min(sizes)) for one in downloaders]
    verdicts: dict[tuple[str, str, int], Verdict] = {}
    with display(console) as bars:
        bar = bars.add_task("", total=len(trials))
        for trial, found in _verdicts(ring, trials, at_once):
            verdicts[trial.key] = found
            bars.update(bar, advance=1, description=f"{trial.downloader.name}, {trial.fault}")
            if found.error:
                what = f"{trial.downloader.name}, {trial.fault}, {trial.size // MIB} MiB"
                said = f"{what}: {found.words}; {found.error}"
                console.print(said, markup=False, soft_wrap=True)
    names = [one.name for one in downloaders]
    ours = frozenset(one.name for one in downloaders if one.ours)
    return Contest(names, ours, sizes, verdicts, ring.versions, _command())


def _verdicts(ring: Ring, trials: Sequence[Trial], at_once: int) -> Iterator[tuple[Trial, Verdict]]:
    with FaultServer() as server, ThreadPoolExecutor(at_once) as pool:
        waiting = {pool.submit(ring.verdict, trial, server): trial for trial in trials}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _command() -> str:
    return shlex.join(
        ["uv", "run", "--group", "benchmarks", "tests/benchmarks/faults.py", *sys.argv[1:]]
    )


def main() -> None:
    """Hold the contest and report it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few downloaders and the small file")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="downloaders with this in them"
    )
    parser.add_argument("--at-once", type=int, default=4, metavar="N", help="side by side; 4")
    parser.add_argument("--into", type=Path, help="folder for the report; docs/benchmarks if whole")
    asked = parser.parse_args()
    downloaders = [one for one in DOWNLOADERS if not asked.quick or one.name in QUICK]
    if asked.only:
        downloaders = [one for one in DOWNLOADERS if any(name in one.name for name in asked.only)]
    contest = held(downloaders, SIZES[:1] if asked.quick else SIZES, asked.at_once)
    text = report(contest)
    sys.stdout.write(text)
    folder = asked.into or (None if asked.quick or asked.only else DOCS)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "faults.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    interruptible(main)

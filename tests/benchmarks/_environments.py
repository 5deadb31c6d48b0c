"""An environment for each contender, outside of the repository, with pinned versions."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTENDERS = Path(__file__).parent / "contenders"
OURS = "exportjobs"
OURS_ON_TRIO = "exportjobs-trio"

# The versions that were studied; what they depend on is whatever was current.
PINS = {
    "airbyte-cdk": ["airbyte-cdk==7.39.1"],
    "azure-core": ["azure-core==1.41.0"],
    "botocore": ["botocore==1.44.5"],
    "dlt": ["dlt==1.31.0"],
    "google-api-core": ["google-api-core==2.44.0"],
    "stamina": ["stamina==26.1.0", "httpx==0.28.1"],
    "aiohttp": ["aiohttp==3.14.5"],
    "azure-storage-blob": ["azure-storage-blob==12.31.1", "azure-core==1.41.0"],
    "fsspec": ["fsspec==2026.9.0", "aiohttp==3.14.5"],
    "google-resumable-media": ["google-resumable-media==2.11.0", "requests==2.32.5"],
    "httpx": ["httpx==0.28.1"],
    "huggingface_hub": ["huggingface_hub==2.4.0"],
    "obstore": ["obstore==0.12.1"],
    "pooch": ["pooch==1.9.0"],
    "requests": ["requests==2.32.5"],
    "smart_open": ["smart-open[http]==9.0.2"],
    OURS: ["--editable", str(ROOT)],
    OURS_ON_TRIO: ["--editable", str(ROOT), "trio==0.35.0"],
}


def cache() -> Path:
    """Return the folder that keeps environments and raw figures between runs."""
    above = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(above).expanduser() / "exportjobs-benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def environments(names: Iterable[str]) -> dict[str, Path]:
    """Make the environments that are missing and return each one's interpreter."""
    return {name: _environment(name) for name in sorted(set(names))}


def _environment(name: str) -> Path:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache() / f"{name}-{version}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        _uv("venv", "--python", sys.executable, str(folder))
    # Takes no time where everything is there already, and mends what was interrupted.
    _uv("pip", "install", "--python", str(python), *PINS[name])
    return python


def _uv(*arguments: str) -> None:
    subprocess.run(["uv", *arguments, "--quiet"], check=True)

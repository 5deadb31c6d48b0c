"""Distributions that offer adapters: made up, or installed for the time of a test."""

import sys
from collections.abc import Callable
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest

from exportjobs.adapter._registry import GROUP

Install = Callable[..., None]


class Wheel(Distribution):
    """A distribution that is nowhere on disk."""

    def __init__(self, name: str, adapters: dict[str, str]) -> None:
        """Take its name and what it announces: vendor names and objects."""
        self._texts = texts_of(name, adapters)

    def read_text(self, filename: str) -> str | None:
        """Return one of the texts that an installed distribution has."""
        return self._texts.get(filename)

    def locate_file(self, path: object) -> Path:
        """Return where a file would be."""
        return Path(str(path))


def texts_of(name: str, adapters: dict[str, str]) -> dict[str, str]:
    """Return the texts by which a distribution is known to be installed."""
    lines = "".join(f"{vendor} = {value}\n" for vendor, value in adapters.items())
    return {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n",
        "entry_points.txt": f"[{GROUP}]\n{lines}",
    }


def points(name: str, **adapters: str) -> list[EntryPoint]:
    """Return the entry points of a made-up distribution."""
    return [*Wheel(name, adapters).entry_points]


def source(body: str) -> str:
    """Return a module with an adapter that has some more in its body."""
    imports = "from exportjobs.adapter import export\nfrom exportjobs_clari import Clari\n"
    return f"{imports}class Acme(Clari):\n    {body}\n"


def installer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that installs a distribution of one module for the time of a test."""

    def install(name: str, text: str = "", **adapters: str) -> None:
        module = name.replace("-", "_")
        (folder / f"{module}.py").write_text(text)
        info = folder / f"{module}-1.2.3.dist-info"
        info.mkdir()
        for file, content in texts_of(name, adapters).items():
            (info / file).write_text(content)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install

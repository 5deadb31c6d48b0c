"""fsspec: `get_file` of its HTTP file system."""

from pathlib import Path

import fsspec
from _fetch import Wanted, each, fetch


def main(wanted: Wanted) -> None:
    """Fetch the files."""
    system = fsspec.filesystem("http", headers=dict(wanted.headers))

    def one(url: str, target: Path) -> None:
        system.get_file(url, str(target))

    each(one, wanted)


if __name__ == "__main__":
    fetch(main, "fsspec", "aiohttp")

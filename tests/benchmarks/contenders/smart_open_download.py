"""smart_open: a file copied from `open` of a URL."""

import shutil
from pathlib import Path

from _fetch import CHUNK, Wanted, each, fetch
from smart_open import open as smart_open


def main(wanted: Wanted) -> None:
    """Fetch the files."""
    parameters = {"headers": dict(wanted.headers)}

    def one(url: str, target: Path) -> None:
        with (
            smart_open(url, "rb", transport_params=parameters) as remote,
            target.open("wb") as file,
        ):
            shutil.copyfileobj(remote, file, CHUNK)

    each(one, wanted)


if __name__ == "__main__":
    fetch(main, "smart-open")

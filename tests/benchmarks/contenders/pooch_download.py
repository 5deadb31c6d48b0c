"""pooch: `retrieve`, with a known hash if the options hold one."""

from pathlib import Path

import pooch
from _fetch import Wanted, each, fetch


def main(wanted: Wanted) -> None:
    """Fetch the files."""
    downloader = pooch.HTTPDownloader(headers=dict(wanted.headers))

    def one(url: str, target: Path) -> None:
        pooch.retrieve(
            url,
            known_hash=wanted.options.get("hash"),
            fname=target.name,
            path=target.parent,
            downloader=downloader,
        )

    each(one, wanted)


if __name__ == "__main__":
    fetch(main, "pooch")

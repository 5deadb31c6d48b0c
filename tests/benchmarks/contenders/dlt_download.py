"""dlt: its requests client, streamed to a file."""

from pathlib import Path

from _fetch import CHUNK, Wanted, each, fetch
from dlt.sources.helpers.requests import Client


def main(wanted: Wanted) -> None:
    """Fetch the files."""
    client = Client()

    def one(url: str, target: Path) -> None:
        with client.get(url, headers=dict(wanted.headers), stream=True) as response:
            response.raise_for_status()
            with target.open("wb") as file:
                file.writelines(response.iter_content(CHUNK))

    each(one, wanted)


if __name__ == "__main__":
    fetch(main, "dlt")

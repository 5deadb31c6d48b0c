"""requests: the loop that everyone writes."""

from pathlib import Path

import requests
from _fetch import CHUNK, Wanted, each, fetch
from requests.adapters import HTTPAdapter


def main(wanted: Wanted) -> None:
    """Fetch the files, in threads where there are several."""
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=wanted.at_once))

        def one(url: str, target: Path) -> None:
            with session.get(url, headers=wanted.headers, stream=True) as response:
                response.raise_for_status()
                with target.open("wb") as file:
                    file.writelines(response.iter_content(CHUNK))

        each(one, wanted)


if __name__ == "__main__":
    fetch(main, "requests")

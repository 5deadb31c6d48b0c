"""google-resumable-media: `Download`, with its checksum where the server promises one."""

from pathlib import Path

import requests
from _fetch import Wanted, each, fetch
from google.resumable_media.requests import Download
from requests.adapters import HTTPAdapter


def main(wanted: Wanted) -> None:
    """Fetch the files."""
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=wanted.at_once))

        def one(url: str, target: Path) -> None:
            with target.open("wb") as file:
                headers = dict(wanted.headers)
                Download(url, stream=file, headers=headers, checksum="md5").consume(session)

        each(one, wanted)


if __name__ == "__main__":
    fetch(main, "google-resumable-media")

"""azure-storage-blob: `download_blob` from a server that speaks as much of its protocol as HTTP."""

from pathlib import Path

from _fetch import Wanted, each, fetch
from azure.storage.blob import BlobClient


def main(wanted: Wanted) -> None:
    """Fetch the files."""

    def one(url: str, target: Path) -> None:
        with BlobClient.from_blob_url(url) as client, target.open("wb") as file:
            client.download_blob(headers=dict(wanted.headers)).readinto(file)

    each(one, wanted)


if __name__ == "__main__":
    fetch(main, "azure-storage-blob")

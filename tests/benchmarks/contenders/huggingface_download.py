"""huggingface_hub: `http_get`, which fetches a file with everything that it has for resuming."""

from pathlib import Path

from _fetch import Wanted, each, fetch
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import disable_progress_bars


def main(wanted: Wanted) -> None:
    """Fetch the files."""
    disable_progress_bars()

    def one(url: str, target: Path) -> None:
        with target.open("wb") as file:
            http_get(url, file, headers=dict(wanted.headers))

    each(one, wanted)


if __name__ == "__main__":
    fetch(main, "huggingface_hub")

"""azure-core: a pipeline with its usual policies, streamed to a file."""

from pathlib import Path

from _fetch import Wanted, each, fetch
from azure.core import PipelineClient
from azure.core.rest import HttpRequest


def main(wanted: Wanted) -> None:
    """Fetch the files."""
    with PipelineClient(wanted.base_url) as client:

        def one(url: str, target: Path) -> None:
            request = HttpRequest("GET", url, headers=dict(wanted.headers))
            response = client.send_request(request, stream=True)
            response.raise_for_status()
            with target.open("wb") as file:
                file.writelines(response.iter_bytes())

        each(one, wanted)


if __name__ == "__main__":
    fetch(main, "azure-core")

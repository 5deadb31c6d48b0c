"""dlt: its requests helper with a retry condition, in the worker threads of its extraction."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dlt
from _measure import Settings, contend
from dlt.sources.helpers.requests import Client, Response


def main(base_url: str, settings: Settings) -> None:
    """See every job to its end and land its file, as many at once as dlt has workers."""
    if "workers" in settings:
        os.environ["EXTRACT__WORKERS"] = str(settings["workers"])
        os.environ["EXTRACT__MAX_PARALLEL_ITEMS"] = str(settings["workers"])
    polls = Client(retry_condition=goes_on, **settings.get("polls", {}))
    plain = Client()
    with tempfile.TemporaryDirectory() as folder:

        @dlt.resource
        def indices() -> Iterator[int]:
            yield from range(settings["jobs"])

        @dlt.transformer(data_from=indices)
        @dlt.defer
        def exports(index: int) -> dict:
            job = plain.post(f"{base_url}/jobs", json={"index": index}).json()
            # After so many attempts the helper hands out the last answer as it is.
            while job["status"] == "running":
                job = polls.get(f"{base_url}/jobs/{job['id']}").json()
            with (Path(folder) / str(index)).open("wb") as file:
                file.write(plain.get(job["link"]).content)
            return {"index": index}

        if len(list(exports)) != settings["jobs"]:
            raise RuntimeError("a job is missing")


def goes_on(response: Response | None, _: BaseException | None) -> bool:
    """Return whether the job goes on."""
    return response is not None and response.ok and response.json()["status"] == "running"


if __name__ == "__main__":
    contend(main, "dlt")

"""google-api-core: an Operation for each job, polled in a thread of its own."""

import tempfile
from pathlib import Path

from _measure import Settings, contend, in_threads
from google.api_core.future.polling import DEFAULT_POLLING
from google.api_core.operation import from_http_json
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from google.protobuf.wrappers_pb2 import StringValue
from requests.adapters import HTTPAdapter


def main(base_url: str, settings: Settings) -> None:
    """See every job to its end and land its file."""
    session = AuthorizedSession(AnonymousCredentials())
    session.mount("http://", HTTPAdapter(pool_maxsize=settings["jobs"]))
    polling = DEFAULT_POLLING
    if "initial" in settings:
        polling = polling.with_delay(
            settings["initial"], settings["maximum"], settings.get("multiplier")
        )

    def api_request(method: str, path: str, data: dict | None = None) -> dict:
        where = path.replace("operations/", "jobs/")
        response = session.request(method, f"{base_url}/{where}", json=data)
        response.raise_for_status()
        return operation(response.json())

    with tempfile.TemporaryDirectory() as folder:

        def one(index: int) -> None:
            submitted = api_request("POST", "jobs", {"index": index})
            future = from_http_json(submitted, api_request, StringValue, polling=polling)
            link = future.result().value
            with (
                session.get(link, stream=True) as response,
                (Path(folder) / str(index)).open("wb") as file,
            ):
                response.raise_for_status()
                file.writelines(response.iter_content(1 << 16))

        in_threads(one, settings)


def operation(job: dict) -> dict:
    """Return a job in the words of Google's long-running operations."""
    if "link" not in job:
        return {"name": job["id"], "done": False}
    kind = "type.googleapis.com/google.protobuf.StringValue"
    return {"name": job["id"], "done": True, "response": {"@type": kind, "value": job["link"]}}


if __name__ == "__main__":
    contend(main, "google-api-core")

"""azure-core: an LROPoller for each job, each of which has a thread of its own."""

import tempfile
from pathlib import Path

from _measure import Settings, contend
from azure.core import PipelineClient
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.transport import RequestsTransport
from azure.core.polling import LROPoller
from azure.core.polling.base_polling import LROBasePolling
from azure.core.rest import HttpRequest
from requests import Session
from requests.adapters import HTTPAdapter


def main(base_url: str, settings: Settings) -> None:
    """Submit all jobs, then wait for each and land its file."""
    session = Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=settings["jobs"]))
    transport = RequestsTransport(session=session, session_owner=False)
    # The polling interval is what `polling_interval=` of the service clients becomes.
    interval = {"timeout": settings["interval"]} if "interval" in settings else {}
    client = PipelineClient(base_url, transport=transport)
    with tempfile.TemporaryDirectory() as folder, client:
        pollers = []
        for index in range(settings["jobs"]):
            polling = LROBasePolling(**interval)
            submitted = submit(client, base_url, index)
            poller = LROPoller(client, submitted, lambda answer: answer, polling)
            poller.add_done_callback(lambda method: land(client, method, Path(folder)))
            pollers.append(poller)
        for poller in pollers:
            poller.wait()


def submit(client: PipelineClient, base_url: str, index: int) -> PipelineResponse:
    """Submit a job and return the answer as the poller wants it."""
    request = HttpRequest("POST", f"{base_url}/jobs", json={"index": index})
    return client.send_request(request, _return_pipeline_response=True)


def land(client: PipelineClient, method: LROBasePolling, folder: Path) -> None:
    """Fetch a job's file, in the poller's own thread."""
    job = method.resource().http_response.json()
    with client.send_request(HttpRequest("GET", job["link"]), stream=True) as response:
        response.raise_for_status()
        with (folder / job["id"]).open("wb") as file:
            file.writelines(response.iter_bytes())


if __name__ == "__main__":
    contend(main, "azure-core")

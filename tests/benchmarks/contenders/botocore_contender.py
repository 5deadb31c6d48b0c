"""botocore: a Waiter for each job, over botocore's own HTTP session, in a thread of its own."""

import json
import tempfile
from pathlib import Path

from _measure import Settings, contend, in_threads
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from botocore.waiter import Waiter, WaiterModel

# As most of the waiters that botocore ships: every 15 seconds, 40 times.
MODEL = {
    "version": 2,
    "waiters": {
        "JobEnded": {
            "operation": "DescribeJob",
            "delay": 15,
            "maxAttempts": 40,
            "acceptors": [
                {
                    "state": "success",
                    "matcher": "path",
                    "argument": "status",
                    "expected": "succeeded",
                },
                {"state": "failure", "matcher": "path", "argument": "status", "expected": "failed"},
            ],
        }
    },
}


def main(base_url: str, settings: Settings) -> None:
    """See every job to its end and land its file."""
    session = URLLib3Session(max_pool_connections=settings["jobs"])
    config = WaiterModel(MODEL).get_waiter("JobEnded")
    # A waiter gives nothing back: whoever wants the last answer keeps it.
    answers: dict[str, dict] = {}

    def describe(*, JobId: str) -> dict:  # noqa: N803 - the operations' arguments are named so
        answers[JobId] = call(session, "GET", f"{base_url}/jobs/{JobId}")
        return answers[JobId]

    waiter = Waiter("JobEnded", config, describe)
    wish = {"Delay": settings["delay"], "MaxAttempts": 10_000} if "delay" in settings else {}
    with tempfile.TemporaryDirectory() as folder:

        def one(index: int) -> None:
            job = call(session, "POST", f"{base_url}/jobs", {"index": index})
            waiter.wait(JobId=job["id"], WaiterConfig=wish)
            link = answers[job["id"]]["link"]
            with (Path(folder) / job["id"]).open("wb") as file:
                file.write(send(session, "GET", link).content)

        in_threads(one, settings)


def call(session: URLLib3Session, method: str, url: str, body: dict | None = None) -> dict:
    """Make a request and return the JSON that comes back."""
    return json.loads(send(session, method, url, body).content)


def send(session: URLLib3Session, method: str, url: str, body: dict | None = None) -> AWSResponse:
    """Make a request."""
    data = None if body is None else json.dumps(body).encode()
    response = session.send(AWSRequest(method=method, url=url, data=data).prepare())
    if response.status_code >= 400:
        raise RuntimeError(response.status_code)
    return response


if __name__ == "__main__":
    contend(main, "botocore")

"""Plain clients of the sandbox's accounts, and time that a test moves by hand."""

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import anyio.lowlevel
import httpx
from attrs import field, frozen

from exportjobs.sandbox import Sandbox, SandboxAccount

Json = dict[str, Any]

# Made once: httpx otherwise reads all certificates for every client, though nothing here uses TLS.
TLS: Final = ssl.create_default_context()

LABELS = (
    "clari",
    "clari-wire",
    "clari-schema",
    "demandbase",
    "demandbase-v1",
    "closient",
    "csv",
)
SIGNED_LABELS = ("demandbase", "demandbase-v1", "closient", "csv")


class ManualClock:
    """Time that moves when it is told to, or when somebody sleeps."""

    def __init__(self) -> None:
        """Start on a fixed day."""
        self._start = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self._passed = 0.0

    def now(self) -> datetime:
        """Return the wall time."""
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._passed

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._passed += seconds

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.advance(seconds)
        await anyio.lowlevel.checkpoint()


@frozen
class Vendor:
    """How to use one vendor's API by hand."""

    headers: Callable[[Mapping[str, str]], dict[str, str]]
    submit_path: str
    submit_body: Json
    status_path: str
    id_of: Callable[[httpx.Response], str]
    word_of: Callable[[Json], str]
    links_of: Callable[[Json], list[str]] = field(default=lambda _body: [])


def _clari(envelope: str | None = None) -> Vendor:
    return Vendor(
        headers=lambda credentials: {"apikey": credentials["api_key"]},
        submit_path="/export/forecast/deal_owner",
        submit_body={"timePeriod": "2024_Q3"},
        status_path="/export/jobs/{id}",
        id_of=lambda response: response.json()["jobId"],
        word_of=lambda body: (body[envelope] if envelope else body)["status"],
    )


VENDORS: Mapping[str, Vendor] = {
    "clari": _clari(),
    "clari-wire": _clari("job"),
    "clari-schema": _clari(),
    "demandbase": Vendor(
        headers=lambda _credentials: {},
        submit_path="/data/export/v1/job",
        submit_body={"entityType": "person", "jobName": "people"},
        status_path="/data/export/v1/job/{id}",
        id_of=lambda response: response.json()["jobId"],
        word_of=lambda body: body["jobStatus"],
        links_of=lambda body: body.get("resultsUrls") or [body["resultsUrl"]],
    ),
    "demandbase-v1": Vendor(
        headers=lambda credentials: {"Authorization": f"Bearer {credentials['token']}"},
        submit_path="/export/v1/jobs",
        submit_body={"entity_type": "people"},
        status_path="/export/v1/jobs/{id}",
        id_of=lambda response: response.json()["id"],
        word_of=lambda body: body["status"],
        links_of=lambda body: [body["download_url"]],
    ),
    "closient": Vendor(
        headers=lambda credentials: {"X-API-Key": credentials["api_key"]},
        submit_path="/dashboard/api/v1/data-export/vytxeTZskVKR7C7WgdSP3d",
        submit_body={},
        status_path="/dashboard/api/v1/data-export/vytxeTZskVKR7C7WgdSP3d/{id}",
        id_of=lambda response: response.json()["job_id"],
        word_of=lambda body: body["status"],
        links_of=lambda body: [body["download_url"]],
    ),
    "csv": Vendor(
        headers=lambda credentials: {"x-api-key": credentials["api_key"]},
        submit_path="/tenants/{tenant}/clients/export/csv",
        submit_body={},
        status_path="/tenants/{tenant}/clients/export/csv/{id}",
        id_of=lambda response: response.headers["Location"].rpartition("/")[2],
        word_of=lambda body: body["status"],
        links_of=lambda body: [body["downloadUrl"]],
    ),
}


class Customer:
    """A plain client of one account, that keeps every answer it gets."""

    def __init__(self, account: SandboxAccount, http: httpx.Client) -> None:
        """Use an account; the client is closed by whoever made it."""
        self.account = account
        self.http = http
        self.answers: list[httpx.Response] = []
        self._vendor = VENDORS[account.label]
        http.event_hooks = {"response": [self._keep]}
        http.headers.update(self._vendor.headers(account.credentials))

    def sign_in(self) -> httpx.Response:
        """Trade Demandbase's client id and secret for a token, and use it from now on."""
        given = self.account.credentials
        body = {
            "grantType": "client_credentials",
            "clientId": given["client_id"],
            "clientSecret": given["client_secret"],
        }
        answer = self.request("POST", "/auth/v1/token", json=body)
        self.http.headers["Authorization"] = f"Bearer {answer.json()['accessToken']}"
        return answer

    def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Send one request to a path below the account's base URL."""
        url = self._expand(path)
        return self.http.request(method, url, json=json, data=form, content=content)

    def submit(self, path: str | None = None, **body: object) -> httpx.Response:
        """Submit a job, the vendor's usual one but for what is given."""
        wanted = self._vendor.submit_body if path is None else {}
        return self.request("POST", path or self._vendor.submit_path, json={**wanted, **body})

    def start(self, path: str | None = None, **body: object) -> str:
        """Submit a job and return its id."""
        answer = self.submit(path, **body)
        assert answer.is_success, answer.text
        return self._vendor.id_of(answer)

    def insist(self, path: str | None = None, **body: object) -> str:
        """Submit a job again for as long as it is refused for a while, and return its id."""
        for _ in range(5):
            answer = self.submit(path, **body)
            if answer.is_success:
                return self._vendor.id_of(answer)
        raise AssertionError(path)

    def status_path(self, job_id: str) -> str:
        """Return the path that asks for a job."""
        return self._vendor.status_path.format_map(_Ids(id=job_id))

    def status(self, job_id: str) -> httpx.Response:
        """Ask for a job."""
        return self.request("GET", self.status_path(job_id))

    def word_of(self, body: Json) -> str:
        """Return the vendor's word in the body of a job."""
        return self._vendor.word_of(body)

    def links_of(self, body: Json) -> list[str]:
        """Return the links in the body of a job."""
        return self._vendor.links_of(body)

    def word(self, job_id: str) -> str:
        """Return the vendor's word for where a job stands."""
        return self.word_of(self.status(job_id).json())

    def links(self, job_id: str) -> list[str]:
        """Return fresh links to a job's files."""
        return self.links_of(self.status(job_id).json())

    def _expand(self, path: str) -> str:
        return self.account.base_url + path.format_map(_Ids(self.account.credentials))

    def _keep(self, answer: httpx.Response) -> None:
        answer.read()
        self.answers.append(answer)


@frozen
class Stage:
    """A sandbox with faults, and its time."""

    sandbox: Sandbox
    clock: ManualClock


StruckBy = Callable[..., Stage]
Hire = Callable[[Sandbox, str], Customer]
Enter = Callable[[str], Customer]


def get(url: str, **headers: str) -> httpx.Response:
    """Read a link as somebody without credentials."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.get(url, headers=named, verify=TLS)


def patient(customer: Customer, job_id: str) -> httpx.Response | None:
    """Ask for a job once, and return nothing if the connection broke."""
    try:
        return customer.status(job_id)
    except httpx.TransportError:
        return None


def read(answer: httpx.Response | None) -> object:
    """Return the body of a successful answer, nothing if there is none that can be parsed."""
    if answer is None or answer.is_error:
        return None
    try:
        return answer.json()
    except ValueError:
        return None


class _Ids(dict[str, str]):
    """Values for a path's placeholders, that leaves alone the ones it does not know."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"

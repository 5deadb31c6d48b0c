"""A made-up vendor: Acme's adapters, and its API as a script that answers from memory."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar, Final

import httpx
import respx
from anyio.lowlevel import checkpoint
from attrs import define, field, frozen

from exportjobs import Export, Finished, Poller, Resumption
from exportjobs.adapter import (
    Adapter,
    Artifact,
    ExportJob,
    Flow,
    JobRef,
    Pace,
    Request,
    Response,
    SlotsFull,
    StatusMap,
    Token,
    credential,
    export,
    path,
)
from exportjobs.testing import ManualClock

API: Final = "https://api.acme.test/v1"
FILES: Final = "https://files.acme.test"
KEY: Final = "acme-key-do-not-tell"
SIGNATURE: Final = "signature-do-not-tell"

Answer = httpx.Response | Exception | str
"""What the vendor says once: a whole answer, a broken connection, or a job's status."""
MakePoller = Callable[..., Poller]
Work = Export | Resumption

_STATUSES = StatusMap(
    queued=("queued",),
    running=("running",),
    done=("done",),
    failed=("failed",),
    cancelled=("cancelled",),
)


@frozen
class ReportBody:
    """A report as the vendor describes it."""

    id: str
    status: str
    links: tuple[str, ...] = ()
    reason: str | None = None
    size: int | None = None


@frozen
class Acme(Adapter):
    """Acme's reports, under a key that goes along in a header of its own."""

    vendor: ClassVar[str] = "acme"
    pace: ClassVar[Pace] = Pace(
        first=timedelta(seconds=2), interval=timedelta(seconds=10), ceiling=timedelta(minutes=5)
    )
    error_codes: ClassVar = {"BUSY": SlotsFull}
    key: str = field(default=KEY, repr=False, validator=credential)
    base_url: str = field(default=API, kw_only=True)

    def authenticate(self, request: Request) -> Request:
        """Put the key on a request."""
        return request.with_header("X-Acme-Key", self.key)

    @export
    def report(self, name: str, *, since: date | None = None) -> Flow[ExportJob]:
        """Export one report."""
        response = yield Request.post("/reports", json={"name": name, "since": since})
        return self.job(response)

    def poll(self, ref: JobRef) -> Flow[ExportJob]:
        """Ask for one report."""
        response = yield Request.get(path("/reports/{}", ref.id))
        return self.job(response)

    def cancel(self, ref: JobRef) -> Flow[ExportJob]:
        """Stop one report."""
        response = yield Request.delete(path("/reports/{}", ref.id))
        return self.job(response)

    def job(self, response: Response) -> ExportJob:
        """Return the job that an answer describes."""
        body = response.body(ReportBody)
        links = tuple(self.artifact(link, body.size) for link in body.links)
        return ExportJob(
            ref=self.ref(body.id),
            reading=_STATUSES.read(body.status),
            artifacts=links,
            error=body.reason,
            raw=response.json(),
        )

    def artifact(self, link: str, size: int | None) -> Artifact:
        """Return what is at a link: a path is the vendor's own, anything else is signed."""
        return Artifact(link, authenticated=link.startswith("/"), size=size)


@frozen
class OneAtATime(Acme):
    """Acme, for customers with one slot."""

    slots: ClassVar[int | None] = 1


@frozen
class TwoAtATime(Acme):
    """Acme, for customers with two slots."""

    slots: ClassVar[int | None] = 2


@frozen
class Uncancellable(Acme):
    """Acme, where it cannot stop a report."""

    cancel = Adapter.cancel


@frozen
class SignedIn(Acme):
    """Acme, where the key is traded for a token."""

    def authenticate(self, request: Request) -> Request:
        """Leave the token to the library."""
        return request

    def sign_in(self) -> Flow[Token]:
        """Trade the key for a token."""
        request = Request(method="POST", path="/token", form={"key": self.key})
        given = (yield request).json()
        lifetime = given.get("lifetime")
        return Token(given["token"], timedelta(seconds=lifetime) if lifetime else None)


@frozen
class Seen:
    """A request that reached the vendor."""

    moment: float
    request: httpx.Request = field(repr=False)
    said: str

    @property
    def header(self) -> httpx.Headers:
        """The request's headers."""
        return self.request.headers


@define
class Script:
    """What the vendor says of one report: to submits, to polls, and to a cancellation."""

    submits: deque[Answer]
    polls: deque[Answer]
    cancels: deque[Answer]
    links: tuple[str, ...]
    lasts: float | None
    size: int | None
    since: float | None = None


class Vendor:
    """Acme's API and the host of its files, as an httpx transport."""

    def __init__(self, clock: ManualClock) -> None:
        """Take the time by which reports end."""
        self.seen: list[Seen] = []
        self.files: dict[str, Sequence[Answer | bytes]] = {}
        self.on_request: Callable[[str], None] = lambda _: None
        self._clock = clock
        self._scripts: dict[str, Script] = {}
        self.router = respx.Router(assert_all_called=False)
        report = re.compile(rf"{re.escape(API)}/reports/(?P<name>[^/?]+)$")
        self.router.post(f"{API}/reports").mock(side_effect=self._submit)
        self.router.get(url=report).mock(side_effect=self._poll)
        self.router.delete(url=report).mock(side_effect=self._cancel)
        self.router.get(host="files.acme.test").mock(side_effect=self._file)
        self.via = httpx.MockTransport(self._seen)

    def report(
        self,
        name: str,
        *polls: Answer,
        submits: Iterable[Answer] = ("queued",),
        cancels: Iterable[Answer] = ("cancelled",),
        links: tuple[str, ...] = (),
        lasts: float | None = None,
        size: int | None = None,
    ) -> None:
        """Say how a report goes: answer by answer, the last again and again, or by its length."""
        self._scripts[name] = Script(
            deque(submits), deque(polls or ("running", "done")), deque(cancels), links, lasts, size
        )

    @property
    def said(self) -> list[str]:
        """Every request so far, such as `GET /reports/q3`."""
        return [seen.said for seen in self.seen]

    def moments(self, said: str) -> list[float]:
        """Return when a request was made."""
        return [seen.moment for seen in self.seen if seen.said == said]

    async def _seen(self, request: httpx.Request) -> httpx.Response:
        said = f"{request.method} {request.url.path.removeprefix('/v1')}"
        if said == "POST /reports":
            said = f"{said}/{_name(request)}"
        self.seen.append(Seen(self._clock.monotonic(), request, said))
        self.on_request(said)
        return await self.router.async_handler(request)

    def _submit(self, request: httpx.Request) -> httpx.Response:
        name = _name(request)
        script = self._scripts[name]
        answer = self._answer(name, _next(script.submits))
        if answer.is_success:
            script.since = self._clock.monotonic()
        return answer

    def _poll(self, _: httpx.Request, name: str) -> httpx.Response:
        script = self._scripts[name]
        if script.lasts is None:
            return self._answer(name, _next(script.polls))
        age = self._clock.monotonic() - (script.since or 0.0)
        return self._answer(name, "running" if age < script.lasts else "done")

    def _cancel(self, _: httpx.Request, name: str) -> httpx.Response:
        return self._answer(name, _next(self._scripts[name].cancels))

    def _file(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.lstrip("/")
        answers = self.files[name]
        turn = self.said.count(f"GET /{name}") - 1
        answer = answers[min(turn, len(answers) - 1)]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str | bytes):
            return httpx.Response(200, content=answer)
        return answer

    def _answer(self, name: str, answer: Answer) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        script = self._scripts[name]
        links = script.links if answer == "done" else ()
        reason = "out of paper" if answer == "failed" else None
        size = script.size
        body = {"id": name, "status": answer, "links": links, "reason": reason, "size": size}
        return httpx.Response(201, content=json.dumps(body))

    def running(self) -> int:
        """Return how many reports are under way, of those that have a length."""
        now = self._clock.monotonic()
        return sum(
            script.since is not None and now < script.since + (script.lasts or 0.0)
            for script in self._scripts.values()
        )


def _name(request: httpx.Request) -> str:
    found = re.search(rb'"name":"([^"]+)"', request.content)
    return found[1].decode() if found else ""


def _next(answers: deque[Answer]) -> Answer:
    return answers.popleft() if len(answers) > 1 else answers[0]


def signed(name: str) -> str:
    """Return the signed URL of a file."""
    return f"{FILES}/{name}?sig={SIGNATURE}"


def status(code: int, **headers: str) -> httpx.Response:
    """Return an answer that says no."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(code, headers=named, json={"message": "no"})


def busy() -> httpx.Response:
    """Return the answer that there are too many reports at once."""
    return httpx.Response(400, json={"code": "BUSY", "message": "too many reports"})


def reports(account: Acme, *names: str) -> list[Export]:
    """Return one export for each name."""
    return [account.report(name) for name in names]


def middle(low: float, high: float) -> float:
    """Draw the number in between: no jitter."""
    return (low + high) / 2


async def finish(poller: Poller, work: Iterable[Work], into: Path | None = None) -> list[Finished]:
    """Run some exports in a poller and return their results as they come."""
    return [finished async for finished in poller.run(work, into=into)]


def id_of(finished: Finished) -> str:
    """Return the id of a finished job."""
    return finished.job.ref.id


async def turns() -> None:
    """Let everybody else have their turn, as often as it may take."""
    for _ in range(100):
        await checkpoint()


class BrokenClock(ManualClock):
    """A clock that breaks whoever sleeps by it: the loop itself, that is."""

    async def sleep(self, seconds: float) -> None:
        """Fail."""
        raise ZeroDivisionError(seconds)

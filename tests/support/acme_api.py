"""Acme's API and the host of its files, as a script that answers from memory."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Final

import anyio
import httpx
import respx
from attrs import define, field, frozen

from exportjobs.testing import ManualClock

from .acme import API, Answer, status

FOREVER: Final = float("inf")
_PAGE: Final = 10


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
    meanwhile: str
    size: int | None
    since: float | None
    listed: bool
    key: str | None = None
    """Whose report it is, once it was submitted."""


class Vendor:
    """Acme's API and the host of its files, as an httpx transport."""

    def __init__(self, clock: ManualClock) -> None:
        """Take the time by which reports end.

        What tests set: `lists` and `limits` are answers; `instead` may answer in place of all that
        is scripted; `takes` says how many seconds an answer takes, and `adds` what headers it gets.
        """
        self.seen: list[Seen] = []
        self.files: dict[str, Sequence[Answer | bytes]] = {}
        self.on_request: Callable[[str], None] = lambda _: None
        self.instead: Callable[[Seen], httpx.Response | Exception | None] = lambda _: None
        self.takes: Callable[[Seen], float] = lambda _: 0.0
        self.adds: Callable[[Seen], Mapping[str, str]] = lambda _: {}
        self.lists: deque[Answer] = deque()
        self.limits: Answer = status(404)
        self._clock = clock
        self._scripts: dict[str, Script] = {}
        self.router = respx.Router(assert_all_called=False)
        report = re.compile(rf"{re.escape(API)}/reports/(?P<name>[^/?]+)$")
        self.router.post(f"{API}/reports").mock(side_effect=self._submit)
        self.router.get(f"{API}/limits").mock(side_effect=lambda _: self.limits)
        self.router.get(url__startswith=f"{API}/reports?").mock(side_effect=self._list)
        self.router.get(url=report).mock(side_effect=self._poll)
        self.router.delete(url=report).mock(side_effect=self._cancel)
        self.router.get(host="files.acme.test").mock(side_effect=self._file)
        self.transport = httpx.MockTransport(self._seen)

    def report(
        self,
        name: str,
        *polls: Answer,
        submits: Iterable[Answer] = ("queued",),
        cancels: Iterable[Answer] = ("cancelled",),
        links: tuple[str, ...] = (),
        lasts: float | None = None,
        meanwhile: str = "running",
        size: int | None = None,
        since: float | None = None,
        listed: bool = True,
    ) -> None:
        """Say how a report goes: answer by answer, the last again and again, or by its length.

        One that has a length says `meanwhile` until then; one that is there already has a moment
        `since` which it runs.
        """
        self._scripts[name] = Script(
            deque(submits),
            deque(polls or ("running", "done")),
            deque(cancels),
            links,
            lasts,
            meanwhile,
            size,
            since,
            listed,
        )

    @property
    def said(self) -> list[str]:
        """Every request so far, such as `GET /reports/q3`."""
        return [seen.said for seen in self.seen]

    @property
    def accepted(self) -> dict[str, float]:
        """Since when each report runs that was ever accepted."""
        scripts = self._scripts.items()
        return {name: script.since for name, script in scripts if script.since is not None}

    @property
    def singles(self) -> list[Seen]:
        """Every question about one report so far."""
        return [seen for seen in self.seen if seen.said.startswith("GET /reports/")]

    def moments(self, said: str) -> list[float]:
        """Return when a request was made."""
        return [seen.moment for seen in self.seen if seen.said == said]

    async def _seen(self, request: httpx.Request) -> httpx.Response:
        said = f"{request.method} {request.url.path.removeprefix('/v1')}"
        if said == "POST /reports":
            said = f"{said}/{_name(request)}"
        seen = Seen(self._clock.monotonic(), request, said)
        self.seen.append(seen)
        self.on_request(said)
        seconds = self.takes(seen)
        if seconds == FOREVER:
            await anyio.sleep_forever()
        if seconds:
            await self._clock.sleep(seconds)
        answer = self.instead(seen)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            answer = await self.router.async_handler(request)
            answer.headers.update(self.adds(seen))
        return answer

    def _submit(self, request: httpx.Request) -> httpx.Response:
        name = _name(request)
        script = self._scripts[name]
        answer = self._answer(name, _next(script.submits))
        if answer.is_success:
            script.since, script.key = self._clock.monotonic(), request.headers.get("X-Acme-Key")
        return answer

    def _poll(self, _: httpx.Request, name: str) -> httpx.Response:
        return self._answer(name, self._now(name))

    def _now(self, name: str) -> Answer:
        script = self._scripts[name]
        if script.lasts is None:
            return _next(script.polls)
        age = self._clock.monotonic() - (script.since or 0.0)
        return script.meanwhile if age < script.lasts else "done"

    def _list(self, request: httpx.Request) -> httpx.Response:
        if self.lists:
            answer = self.lists.popleft()
            if isinstance(answer, Exception):
                raise answer
            if isinstance(answer, httpx.Response):
                return answer
        key = request.headers.get("X-Acme-Key")
        known = [
            name
            for name, script in self._scripts.items()
            if script.listed and script.since is not None and script.key in {None, key}
        ]
        first = (int(request.url.params["page"]) - 1) * _PAGE
        rows = [
            self._body(name, str(self._now(name))) for name in islice(known, first, first + _PAGE)
        ]
        return httpx.Response(200, json={"reports": rows})

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
        return httpx.Response(201, content=json.dumps(self._body(name, answer)))

    def _body(self, name: str, status: str) -> dict[str, object]:
        """Return what the vendor says of a report; a status such as `running 40` tells progress."""
        script = self._scripts[name]
        word, _, percent = status.partition(" ")
        return {
            "id": name,
            "status": word,
            "links": script.links if word == "done" else (),
            "reason": "out of paper" if word == "failed" else None,
            "size": script.size,
            "percent": int(percent) if percent else None,
        }

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

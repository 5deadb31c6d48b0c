"""A vendor that gives the answers of a script, over real HTTP on loopback."""

from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from itertools import repeat
from threading import Lock
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from attrs import field, frozen

from exportjobs.adapter._flow import Response
from exportjobs.adapter._structure import dump_json
from exportjobs.testing._loopback_server import Asked, serving

_OWN_ADDRESS = "{url}"
_NOT_IN_THE_SCRIPT = 400


class OffScript(AssertionError):
    """A vendor got a request without an answer in its script, or an answer was not used."""


def _is_request(_: object, __: object, to: str) -> None:
    method, _, where = to.partition(" ")
    if not (method.isupper() and where.startswith("/")):
        raise ValueError(f"expected a method and a path such as 'GET /reports', not {to!r}")


def _is_count(_: object, __: object, times: int | None) -> None:
    if times is not None and times < 1:
        raise ValueError(f"times must be at least 1, not {times}")


@frozen
class Reply:
    """One answer in a vendor's script, and the request that it answers.

    >>> Reply("GET /reports/7", {"id": "7", "state": "ready"})
    Reply(to='GET /reports/7', status=200, times=1, hangs_up=False)
    """

    to: str = field(validator=_is_request)
    """Method and path; with a query (`GET /reports?page=2`), only requests with that query."""
    body: Mapping[str, Any] | list[Any] | str | bytes = field(default=b"", repr=False)
    """An object or a list is sent as JSON; `{url}` in it, or in a str, is the vendor's URL."""
    status: int = field(default=200, kw_only=True)
    """The HTTP status."""
    headers: Mapping[str, str] = field(factory=dict[str, str], kw_only=True, repr=False)
    times: int | None = field(default=1, kw_only=True, validator=_is_count)
    """How often it is given; None for any number of times, also never."""
    hangs_up: bool = field(default=False, kw_only=True)
    """Whether the connection is closed without an answer."""

    def response(self, url: str) -> Response | None:
        """Return the answer of the vendor at a URL; None if it closes the connection."""
        if self.hangs_up:
            return None
        headers = {name: value.replace(_OWN_ADDRESS, url) for name, value in self.headers.items()}
        if isinstance(self.body, bytes):
            return Response(self.status, headers, self.body)
        if isinstance(self.body, str):
            return Response(self.status, headers, self.body.replace(_OWN_ADDRESS, url).encode())
        content = dump_json(self.body).replace(_OWN_ADDRESS, url).encode()
        return Response(self.status, {"content-type": "application/json", **headers}, content)


class ScriptedVendor:
    """A vendor on loopback that gives the answers of a script, and keeps the requests it got.

    Requests reach it as they reach a real vendor, through the library's own transport. Answers to
    the same method and path are given in the order of the script. A request without an answer in
    the script gets a 400, which ends the job.

        with ScriptedVendor(
            Reply("POST /reports", {"id": "7", "state": "new"}),
            Reply("GET /reports/7", {}, status=503),
            Reply("GET /reports/7", {"id": "7", "state": "ready", "url": "{url}/7.csv"}),
            Reply("GET /7.csv", b"name,amount"),
        ) as vendor:
            acme = Acme(token="k-7f3a91", base_url=vendor.url)
            (finished,) = exportjobs.run([acme.report("q3")], into=folder, poll_interval=0.01)

        assert [str(asked) for asked in vendor.requests] == [...]

    The requests can still be read after the block.
    """

    def __init__(self, *replies: Reply) -> None:
        """Take the script; the server is not started yet."""
        self._script = _Script(replies)
        self._url = ""
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Start the server on a free port of this machine."""
        self._url = self._running.enter_context(serving(self._answer))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server and compare the requests with the script.

        Raises:
            OffScript: If a request had no answer, or an answer was not used. If the block ends with
                an exception, this is added to it as a note instead.
        """
        self._running.close()
        complaint = self._script.complaint()
        if exc is not None and complaint:
            exc.add_note(complaint)
        elif complaint:
            raise OffScript(complaint)

    @property
    def url(self) -> str:
        """The vendor's base URL, without a slash at the end.

        Raises:
            RuntimeError: If the server is not started.
        """
        if not self._url:
            raise RuntimeError("a scripted vendor has no URL before its `with` block")
        return self._url

    @property
    def requests(self) -> tuple[Asked, ...]:
        """The requests so far, in the order of arrival."""
        return tuple(self._script.asked)

    def _answer(self, asked: Asked) -> Response | None:
        reply = self._script.next(asked)
        if reply is None:
            complaint = dump_json({"message": f"the script has no answer to {asked}"})
            return Response(_NOT_IN_THE_SCRIPT, {}, complaint.encode())
        return reply.response(self._url)


class _Script:
    """The answers that were not given yet, by the requests that they answer."""

    def __init__(self, replies: Iterable[Reply]) -> None:
        self.asked: list[Asked] = []
        self._unforeseen: list[str] = []
        self._left: dict[str, deque[Reply]] = {}
        self._turn = Lock()
        for reply in replies:
            left = self._left.setdefault(_normal(reply.to), deque())
            left.extend(repeat(reply, reply.times or 1))

    def next(self, asked: Asked) -> Reply | None:
        """Return the next answer to a request, and None if there is none."""
        with self._turn:
            self.asked.append(asked)
            names = (f"{asked}?{_sorted(asked.query.items())}", str(asked))
            left = next((self._left[name] for name in names if self._left.get(name)), None)
            if left is None:
                self._unforeseen.append(str(asked))
                return None
            return left[0] if left[0].times is None else left.popleft()

    def complaint(self) -> str:
        """Return what differed from the script; "" if nothing did."""
        unforeseen = [f"{one} was requested and has no answer" for one in self._unforeseen]
        unheard = [
            f"{to} has {count} unused {'answer' if count == 1 else 'answers'}"
            for to, left in self._left.items()
            if (count := _due(left))
        ]
        return "; ".join([*dict.fromkeys(unforeseen), *unheard])


def _normal(to: str) -> str:
    """Return a method and a path, with the query's members in alphabetical order if it has any."""
    where, _, query = to.partition("?")
    return f"{where}?{_sorted(parse_qsl(query, keep_blank_values=True))}" if query else where


def _sorted(query: Iterable[tuple[str, str]]) -> str:
    return urlencode(sorted(query))


def _due(left: Iterable[Reply]) -> int:
    return sum(reply.times is not None for reply in left)

"""A vendor that says what a test told it to say, over real HTTP on loopback."""

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
    """A vendor was asked for something else than its script has answers to."""


def _is_request(_: object, __: object, to: str) -> None:
    method, _, where = to.partition(" ")
    if not (method.isupper() and where.startswith("/")):
        raise ValueError(f"expected a method and a path such as 'GET /reports', not {to!r}")


def _is_count(_: object, __: object, times: int | None) -> None:
    if times is not None and times < 1:
        raise ValueError(f"an answer is given at least once, not {times} times")


@frozen
class Reply:
    """One answer in a vendor's script, and the request that it answers.

    >>> Reply("GET /reports/7", {"id": "7", "state": "ready"})
    Reply(to='GET /reports/7', status=200, times=1, hangs_up=False)
    """

    to: str = field(validator=_is_request)
    """Method and path; with a query (`GET /reports?page=2`), only requests that have that query."""
    body: Mapping[str, Any] | list[Any] | str | bytes = field(default=b"", repr=False)
    """An object or a list is sent as JSON; `{url}` in it, or in a text, is the vendor's address."""
    status: int = field(default=200, kw_only=True)
    """The HTTP status."""
    headers: Mapping[str, str] = field(factory=dict[str, str], kw_only=True, repr=False)
    times: int | None = field(default=1, kw_only=True, validator=_is_count)
    """How often it is given; None for as often as asked for, which may be never."""
    hangs_up: bool = field(default=False, kw_only=True)
    """Whether the connection is closed without a word of an answer."""

    def response(self, url: str) -> Response | None:
        """Return the answer of the vendor at an address; None if it hangs up."""
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
    """A vendor on loopback that gives the answers of a script, and keeps what it was asked.

    Requests reach it as they reach a real vendor, through the library's own transport. Answers to
    the same method and path are given in the order written; those to different ones wait for their
    own requests. Whatever the script does not foresee is refused with a 400, which ends the job.

        with ScriptedVendor(
            Reply("POST /reports", {"id": "7", "state": "new"}),
            Reply("GET /reports/7", {}, status=503),
            Reply("GET /reports/7", {"id": "7", "state": "ready", "url": "{url}/7.csv"}),
            Reply("GET /7.csv", b"name,amount"),
        ) as vendor:
            acme = Acme(token="k-7f3a91", base_url=vendor.url)
            (finished,) = exportjobs.run([acme.report("q3")], into=folder, poll_interval=0.01)

        assert [str(asked) for asked in vendor.requests] == [...]

    What was asked can still be read after the block.
    """

    def __init__(self, *replies: Reply) -> None:
        """Take the script; nothing listens yet."""
        self._script = _Script(replies)
        self._url = ""
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Listen on a free port of this machine."""
        self._url = self._running.enter_context(serving(self._answer))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening and compare what was asked with the script.

        Raises:
            OffScript: If something was asked for that has no answer, or an answer is left over. An
                error that leaves the block is not replaced: it is told so in a note.
        """
        self._running.close()
        complaint = self._script.complaint()
        if exc is not None and complaint:
            exc.add_note(complaint)
        elif complaint:
            raise OffScript(complaint)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end.

        Raises:
            RuntimeError: If it was not entered yet.
        """
        if not self._url:
            raise RuntimeError("a scripted vendor has no address before it is entered")
        return self._url

    @property
    def requests(self) -> tuple[Asked, ...]:
        """What was asked so far, in the order of arrival."""
        return tuple(self._script.asked)

    def _answer(self, asked: Asked) -> Response | None:
        reply = self._script.next(asked)
        if reply is None:
            complaint = dump_json({"message": f"the script has no answer to {asked}"})
            return Response(_NOT_IN_THE_SCRIPT, {}, complaint.encode())
        return reply.response(self._url)


class _Script:
    """The answers that are left, by what they answer."""

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
        """Return what did not go by the script; nothing if all of it did."""
        unforeseen = [f"{one} was asked for and has no answer" for one in self._unforeseen]
        unheard = [
            f"{to} has {count} more to give"
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

"""What both origins use: the request log, errors, request bodies and gateway pages."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast
from urllib.parse import parse_qsl

from attrs import evolve, field, frozen
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exportjobs.sandbox._faults import Fault

Json: TypeAlias = dict[str, Any]

NO_ANSWER: Final = 0


@frozen
class Received:
    """One request as it arrived, and the status it was answered with.

    The status is 0 until an answer begins. It stays 0 if the connection was reset.
    """

    origin: str
    label: str
    """The account's."""
    method: str
    path: str
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    status: int = NO_ANSWER
    fault: Fault | None = None
    """The fault that was injected, if any."""


class RequestLog:
    """Every request that any origin received, in the order of arrival."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: list[Received] = []

    @property
    def entries(self) -> tuple[Received, ...]:
        """All requests so far."""
        return tuple(self._entries)

    def wrap(self, app: ASGIApp, *, origin: str, labels: Mapping[str, str]) -> ASGIApp:
        """Return an application that logs what it receives, under the label of its first folder."""

        async def logged(scope: Scope, receive: Receive, send: Send) -> None:
            index = len(self._entries)
            self._entries.append(_received(scope, origin=origin, labels=labels))
            scope.setdefault("state", {})["entry"] = index

            async def answer(message: Message) -> None:
                # Noted before it is sent: whoever has the answer finds it in the log.
                if message["type"] == "http.response.start":
                    self._entries[index] = evolve(self._entries[index], status=message["status"])
                await send(message)

            await app(scope, receive, answer)

        return logged

    def mark(self, request: Request, *, fault: Fault | None) -> None:
        """Note the fault that a request gets, in the log and on the request."""
        if fault is not None:
            request.state.fault = fault
            index: int = request.state.entry
            self._entries[index] = evolve(self._entries[index], fault=fault)


def fault_of(request: Request) -> Fault | None:
    """Return the fault that a request gets, if any."""
    return cast("Fault | None", getattr(request.state, "fault", None))


class HttpError(Exception):
    """Raised to answer a request with an error of the vendor."""

    def __init__(self, response: Response) -> None:
        """Take the answer."""
        super().__init__(response)
        self.response = response


async def json_object(request: Request) -> Json | None:
    """Return the request's body as a JSON object, empty if there is none, None if it is not one."""
    if not await request.body():
        return {}
    try:
        body: object = await request.json()
    except ValueError:
        return None
    return cast("Json", body) if isinstance(body, dict) else None


def gateway_page(status: int) -> Response:
    """Return the error page of a proxy in front of the vendor, which has another form."""
    phrase = f"{status} {HTTPStatus(status).phrase}"
    page = f"<html><head><title>{phrase}</title></head><body><h1>{phrase}</h1></body></html>"
    return HTMLResponse(page, status_code=status)


def _received(scope: Scope, *, origin: str, labels: Mapping[str, str]) -> Received:
    folder = scope["path"].split("/")[1]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return Received(
        origin=origin,
        label=labels.get(folder, ""),
        method=scope["method"],
        path=scope["path"],
        query=MappingProxyType(query),
        headers=MappingProxyType(headers),
    )

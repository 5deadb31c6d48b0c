"""A scripted vendor, which drives a flow as the library does, but for the network."""

import json
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from tests.support.errors import assert_error

from exportjobs._http.answers import response_error
from exportjobs.adapter import (
    Adapter,
    Export,
    ExportJob,
    Flow,
    InvalidArgument,
    JobRef,
    Request,
    Response,
)
from exportjobs.adapter._structure import dump_json

T = TypeVar("T")
Body = dict[str, Any]

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Wire:
    """A vendor that gives the answers it was told to give, in order, and keeps what it was asked.

    It does with a flow what the library's session does, but for the network: every request is
    authenticated, and an answer that is not a 2xx is thrown as the error that it stands for.
    """

    def __init__(self, adapter: Adapter, *answers: Response) -> None:
        """Take the account that asks and the answers that it gets."""
        self.requests: list[Request] = []
        self._adapter = adapter
        self._answers = list(answers)

    def hear(self, flow: Flow[T]) -> T:
        """Drive a flow to its end and return what it returns, or raise what it raises."""
        try:
            request = next(flow)
            while True:
                response = self._answer(request)
                error = response_error(response, self._adapter.error_codes, now=_NOW)
                request = flow.throw(error) if error else flow.send(response)
        except StopIteration as end:
            assert not self._answers, "the flow ended before it had asked for everything"
            result: T = end.value
            return result
        finally:
            flow.close()

    def _answer(self, request: Request) -> Response:
        self.requests.append(self._adapter.authenticate(request))
        assert self._answers, f"nothing was expected to be asked: {request}"
        return self._answers.pop(0)


def answer(body: object, status: int = 200, **headers: str) -> Response:
    """Return an answer in JSON; a header's name is written with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(status, named, json.dumps(body).encode())


def request_of(export: Export) -> Request:
    """Return the first request of a submit, authenticated."""
    return export.adapter.authenticate(next(export.submit()))


def body_of(request: Request) -> object:
    """Return the JSON body of a request as it goes over the wire."""
    return None if request.json is None else json.loads(dump_json(request.json))


def polled(adapter: Adapter, body: object, ref: JobRef | None = None) -> ExportJob:
    """Return the job that an adapter reads in a poll's body."""
    return Wire(adapter, answer(body)).hear(adapter.poll(ref or adapter.ref("J1")))


def submitted(export: Export, body: object, status: int = 200) -> ExportJob:
    """Return the job that an adapter reads in a submit's answer."""
    return Wire(export.adapter, answer(body, status)).hear(export.submit())


def asked(adapter: Adapter, kind: str, given: Body) -> Request:
    """Return the request by which an adapter asks for a kind of export."""
    return request_of(getattr(adapter, kind)(**given))


def refuses(adapter: Adapter, kind: str, given: Body, *, reason: str, remedy: str) -> None:
    """Check all that an adapter says when it refuses to make an export."""
    error = refused(adapter, kind, given)
    vendor, account = adapter.account
    assert_error(
        error, InvalidArgument, reason=reason, remedy=remedy, vendor=vendor, account=account
    )


def refused(adapter: Adapter, kind: str, given: Body) -> InvalidArgument:
    """Return the error with which an adapter refuses to make an export."""
    with pytest.raises(InvalidArgument) as caught:
        getattr(adapter, kind)(**given)
    assert caught.value.vendor == adapter.vendor
    assert str(caught.value).startswith(f"{adapter.vendor}: {caught.value.field}: ")
    return caught.value

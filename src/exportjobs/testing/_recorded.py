"""The input of the contract: an export, and the vendor's recorded answers."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from attrs import field, frozen

from exportjobs.adapter import Adapter
from exportjobs.adapter._adapter import Export
from exportjobs.adapter._flow import Response
from exportjobs.adapter._structure import FrozenMapping, dump_json

Answer: TypeAlias = Mapping[str, Any] | list[Any] | Response
"""One answer: a JSON object or list that came with a 200, or a complete response."""

Answers: TypeAlias = Answer | tuple[Answer, ...]
"""The answer to a flow's one request, or a tuple with one answer for each request."""


def _response(answer: Answer) -> Response:
    if isinstance(answer, Response):
        return answer
    headers = {"content-type": "application/json"}
    return Response(200, headers, dump_json(answer).encode())


def _responses(answers: Answers) -> tuple[Response, ...]:
    one_by_one = answers if isinstance(answers, tuple) else (answers,)
    return tuple(map(_response, one_by_one))


def _optional_responses(answers: Answers | None) -> tuple[Response, ...] | None:
    return None if answers is None else _responses(answers)


def _responses_by_word(states: Mapping[str, Answers]) -> Mapping[str, tuple[Response, ...]]:
    return FrozenMapping({word: _responses(answers) for word, answers in states.items()})


def _places(written: Iterable[str]) -> frozenset[str]:
    return frozenset(written)


@frozen(kw_only=True)
class Recorded:
    """An export, which holds its adapter, and the vendor's answers to each of its flows.

    An answer is a JSON object, a JSON list, or a `Response` where status or headers matter; a flow
    of several requests has a tuple of them. Record what the vendor really sends, with invented
    credentials and ids. A flow that the adapter does not have has no answers.
    """

    export: Export
    """An export of the adapter, with as many arguments as possible."""
    accepted: tuple[Response, ...] = field(converter=_responses, repr=False)
    """The answers to its submit."""
    states: Mapping[str, tuple[Response, ...]] = field(converter=_responses_by_word, repr=False)
    """The answers to a poll, by the vendor's own word for the job's status."""
    listing: tuple[Response, ...] | None = field(
        default=None, converter=_optional_responses, repr=False
    )
    """The answers to `list_jobs`, page by page to the last."""
    cancelling: tuple[Response, ...] | None = field(
        default=None, converter=_optional_responses, repr=False
    )
    """The answers to `cancel`, of a job that can be cancelled."""
    limits: tuple[Response, ...] | None = field(
        default=None, converter=_optional_responses, repr=False
    )
    """The answers to `limits`."""
    sign_in: tuple[Response, ...] | None = field(
        default=None, converter=_optional_responses, repr=False
    )
    """The answers to `sign_in`; `()` if it sends no request."""
    ignored: frozenset[str] = field(default=frozenset[str](), converter=_places)
    """Members of the answers that the adapter leaves out on purpose, such as "$.preview_url"."""

    @property
    def adapter(self) -> Adapter:
        """The adapter that made the export."""
        return self.export.adapter

"""How an adapter talks without doing I/O: requests out, responses in."""

from collections.abc import Generator, Mapping
from datetime import timedelta
from typing import Any, Self, TypeAlias, TypeVar
from urllib.parse import quote

from attrs import evolve, field, frozen

from exportjobs.adapter._structure import (
    FrozenMapping,
    freeze_members,
    parse_json,
    structure,
)

T = TypeVar("T")
Members: TypeAlias = Mapping[str, Any]
"""The members of a JSON object, a form or a query. Members that are None are not sent."""


def path(template: str, *values: str) -> str:
    """Return a URL path with each `{}` replaced by a value, quoted so that it is one segment.

    >>> path("/export/jobs/{}/results", "../admin")
    '/export/jobs/..%2Fadmin/results'
    """
    return template.format(*(quote(value, safe="", errors="surrogatepass") for value in values))


def _without_none(members: Members | None) -> Members:
    return freeze_members({k: v for k, v in (members or {}).items() if v is not None})


def _optional_without_none(members: Members | None) -> Members | None:
    return None if members is None else _without_none(members)


def _lower_case(headers: Mapping[str, str]) -> Mapping[str, str]:
    return FrozenMapping({name.lower(): value for name, value in headers.items()})


def _names_only(members: Members | None) -> str:
    """Show the names alone: the values may be secrets."""
    return f"<{', '.join(sorted(members)) if members else 'none'}>"


@frozen(kw_only=True, hash=False)
class Request:
    """A request to the vendor's own API, not yet authenticated and not yet sent.

    `path` is relative to the adapter's base URL: credentials are sent nowhere else. An idempotent
    request may be repeated after a failure; any other is sent once, as it may create a job.
    """

    method: str
    path: str
    params: Members = field(default=None, converter=_without_none, repr=_names_only)
    json: Members | None = field(default=None, converter=_optional_without_none, repr=_names_only)
    form: Members | None = field(default=None, converter=_optional_without_none, repr=_names_only)
    headers: Mapping[str, str] = field(
        factory=dict[str, str], converter=_lower_case, repr=_names_only
    )
    """Names are in lower case."""
    idempotent: bool = True
    """Whether it may be repeated after a failure."""
    timeout: timedelta | None = None
    """How long the vendor may take to answer; None for the library's default."""
    head_only: bool = False
    """Whether only the answer's status and headers are read, and not the body of a 2xx."""

    @classmethod
    def get(cls, path: str, *, params: Members | None = None) -> Self:
        """Return a request that reads."""
        return cls(method="GET", path=path, params=params)

    @classmethod
    def peek(cls, path: str, *, params: Members | None = None) -> Self:
        """Return a GET request of which only the answer's status and headers are read.

        Use it for a URL that answers with a file: the file is not downloaded.
        """
        return cls(method="GET", path=path, params=params, head_only=True)

    @classmethod
    def post(
        cls,
        path: str,
        *,
        json: Members | None = None,
        params: Members | None = None,
        timeout: timedelta | None = None,
    ) -> Self:
        """Return a request that creates something, and is therefore not repeated."""
        return cls(
            method="POST", path=path, params=params, json=json, idempotent=False, timeout=timeout
        )

    @classmethod
    def patch(cls, path: str, *, json: Members | None = None) -> Self:
        """Return a request that changes something; repeating it changes nothing more."""
        return cls(method="PATCH", path=path, json=json)

    @classmethod
    def delete(cls, path: str) -> Self:
        """Return a request that deletes or cancels something."""
        return cls(method="DELETE", path=path)

    def with_header(self, name: str, value: str) -> Self:
        """Return the request with a header added or replaced."""
        return evolve(self, headers={**self.headers, name: value})

    def repeatable(self) -> Self:
        """Return the request, marked as one that may be repeated after a failure."""
        return evolve(self, idempotent=True)


@frozen(hash=False)
class Response:
    """A vendor's answer, with or without its body. Header names are in lower case."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str] = field(
        factory=dict[str, str], converter=_lower_case, repr=_names_only
    )
    content: bytes = field(default=b"", repr=False)
    """The body; empty if only status and headers were read."""

    @property
    def ok(self) -> bool:
        """Whether the HTTP status is one of the 200s."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the range is HTTP's

    def json(self) -> Any:  # noqa: ANN401 - whatever the vendor sent
        """Return the body, parsed as JSON.

        Raises:
            MalformedResponse: If the body is not JSON.
        """
        return parse_json(self.content)

    def body(self, cls: type[T]) -> T:
        """Return the body as an instance of a frozen class, as `structure` does.

        Raises:
            MalformedResponse: With one line per problem, which ends in the path of the value.
        """
        return structure(self.json(), cls)


Flow: TypeAlias = Generator[Request, Response, T]
"""A generator that yields requests, is sent their responses, and returns a result.

An error answer is not sent into the flow but thrown, as one of the library's errors. A flow catches
it only where it can do better than fail.
"""


@frozen
class Token:
    """A bearer token from `sign_in`, and how long it is valid."""

    value: str = field(repr=False)
    lifetime: timedelta | None = None
    """From when it was issued; None if it does not expire."""

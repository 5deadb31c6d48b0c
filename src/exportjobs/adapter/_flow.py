"""How an adapter talks without doing I/O: requests out, responses in."""

from collections.abc import Generator, Mapping
from datetime import timedelta
from typing import Any, Self, TypeAlias, TypeVar
from urllib.parse import quote

from attrs import evolve, field, frozen

from exportjobs.adapter._structure import (
    FrozenMapping,
    freeze_members,
    is_object,
    parse_json,
    structure,
)

T = TypeVar("T")
Members: TypeAlias = Mapping[str, Any]
"""The members of a JSON object, a form or a query. A member that is None is left out when sent."""


def path(template: str, *values: str) -> str:
    """Return a URL path with each `{}` filled by a value, quoted so that it stays one segment.

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
    """Show what there is without what it says, which may be a secret."""
    return f"<{', '.join(sorted(members)) if members else 'none'}>"


@frozen(kw_only=True, hash=False)
class Request:
    """A request to the vendor's own API, not yet authenticated and not yet sent.

    `path` is below the adapter's base URL: credentials go nowhere else. An idempotent request may
    be repeated after a failure; any other is sent once, as it might create a second job.
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
    """How long the vendor may take over the answer; None for the usual time."""
    head_only: bool = False
    """Whether the answer's status and headers are enough: the body of a 2xx is left unread."""

    @classmethod
    def get(cls, path: str, *, params: Members | None = None) -> Self:
        """Return a request that reads."""
        return cls(method="GET", path=path, params=params)

    @classmethod
    def peek(cls, path: str, *, params: Members | None = None) -> Self:
        """Return a request that reads no more of an answer than its status and headers.

        It is for an address behind which there is a file: how large it is does not matter.
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
        """Return a request that creates something, and is therefore never repeated blindly."""
        return cls(
            method="POST", path=path, params=params, json=json, idempotent=False, timeout=timeout
        )

    @classmethod
    def patch(cls, path: str, *, json: Members | None = None) -> Self:
        """Return a request that changes something to what it says."""
        return cls(method="PATCH", path=path, json=json)

    @classmethod
    def delete(cls, path: str) -> Self:
        """Return a request that ends something."""
        return cls(method="DELETE", path=path)

    def with_header(self, name: str, value: str) -> Self:
        """Return the request with one more header."""
        return evolve(self, headers={**self.headers, name: value})

    def repeatable(self) -> Self:
        """Return the request marked as one that may be repeated after a failure."""
        return evolve(self, idempotent=True)


@frozen(hash=False)
class Response:
    """A vendor's answer: whole, or no more than its head. Header names are in lower case."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str] = field(
        factory=dict[str, str], converter=_lower_case, repr=_names_only
    )
    content: bytes = field(default=b"", repr=False)
    """The body; empty where only the head was wanted."""

    @property
    def ok(self) -> bool:
        """Whether the HTTP status is one of the 200s."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the range is HTTP's

    def json(self) -> Any:  # noqa: ANN401 - whatever the vendor sent
        """Return the body as the JSON value that it is.

        Raises:
            MalformedResponse: If the body is not JSON.
        """
        return parse_json(self.content)

    def body(self, cls: type[T], *, unwrap: str | None = None) -> T:
        """Return the body as an instance of a frozen class, tolerant of spelling and extra fields.

        With `unwrap`, an object under that one name is taken for the body where there is one.

        Raises:
            MalformedResponse: With a line for each problem, ending in the path of the value.
        """
        return structure(unwrapped(self.json(), unwrap) if unwrap else self.json(), cls)


def unwrapped(value: object, name: str) -> object:
    """Return what stands under a name of an object, or the value itself where nothing does."""
    inner = value.get(name) if is_object(value) else None
    return value if inner is None else inner


Flow: TypeAlias = Generator[Request, Response, T]
"""A conversation: yields requests, is sent the responses and returns what they amount to.

An answer that says no is not sent but thrown, as one of the library's errors; a flow that knows
better catches it.
"""


@frozen
class Token:
    """What signing in gave: a bearer token and how long it is good for."""

    value: str = field(repr=False)
    lifetime: timedelta | None = None
    """From the moment it was issued; None where it does not end by itself."""

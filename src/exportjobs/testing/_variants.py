"""Variants of an answer: cut off, of another type, null, or with more members."""

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, TypeAlias, cast

from attrs import evolve, frozen

from exportjobs.adapter._flow import Response

Place: TypeAlias = tuple[str | int, ...]
"""The path of a member in a JSON value, as keys and indexes."""

# Each of these has broken a parser of times, numbers, URLs or paths.
HOSTILE: Mapping[str, object] = {
    "empty": "",
    "a parent's folder": "..",
    "half a surrogate pair": "\ud800",
    "two lines": "two\nlines",
    "no valid URL": "https://[",
    "a late expiry": "https://files.example/?sig=s&se=9999-12-31T23:59:59-14:00",
    "a late time": "9999-12-31T23:59:59-14:00",
    "no number in a string": "nan",
    "negative": -1,
    "a fraction": 0.5,
    "infinite": float("inf"),
    "not a number": float("nan"),
    "true": True,
    "a list": [[None]],
    "an object": {"a": {"b": 1}},
}
# A loop up to one of these does not end.
HUGE: Mapping[str, object] = {
    "a huge number in a string": "1e400",
    "a huge number": 10**400,
    "a large number": 2**63,
}
_GARBLED: Mapping[str, bytes] = {
    "HTML": b"<html>",
    "no UTF-8": b"\xff\xfe",
    "nested without end": b"[" * 100_000,
    "blank": b" ",
}
UNHEARD_OF = "UNHEARD_OF"
_MOST_CUTS = 200


@frozen
class Variant:
    """A changed answer, and how it differs from the recorded one."""

    what: str
    """Such as "$.status is null"."""
    response: Response


def json_of(response: Response) -> Any:  # noqa: ANN401 - whatever was recorded
    """Return an answer's JSON value; None where it is not JSON."""
    try:
        return json.loads(response.content)
    except ValueError:
        return None


def places(value: object, before: Place = ()) -> Iterator[Place]:
    """Yield the path of every member of a JSON value, at any depth."""
    for key, member in _members(value):
        yield (*before, key)
        yield from places(member, (*before, key))


def kinds_of_places(value: object) -> list[Place]:
    """Return the paths of a JSON value; of the items of a list only the first that has each."""
    found: dict[Place, Place] = {}
    for place in places(value):
        found.setdefault(tuple("*" if isinstance(key, int) else key for key in place), place)
    return [(), *found.values()]


def at(value: Any, place: Place) -> Any:  # noqa: ANN401 - a JSON value
    """Return the member at a path."""
    for key in place:
        value = value[key]
    return value


def written(place: Place) -> str:
    """Return a path as errors write it, such as "$.jobs[0].id"."""
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)


def garbled(response: Response) -> Iterator[Variant]:
    """Yield bodies that are not JSON, such as a proxy's error page with a 200."""
    for what, content in _GARBLED.items():
        yield Variant(f"the body is {what}", evolve(response, content=content))


def truncated(response: Response) -> Iterator[Variant]:
    """Yield the answer cut off at every byte, or at up to 200 places of a long one."""
    length = len(response.content)
    for end in range(0, length, max(1, length // _MOST_CUTS)):
        cut = evolve(response, content=response.content[:end])
        yield Variant(f"the body ends after {end} of {length} bytes", cut)


def lacking(response: Response) -> Iterator[Variant]:
    """Yield the answer without each of its members and headers."""
    for place in kinds_of_places(json_of(response))[1:]:
        yield Variant(f"{written(place)} is missing", _without(response, place))
    for name in response.headers:
        kept = {other: value for other, value in response.headers.items() if other != name}
        yield Variant(f"the header {name} is missing", evolve(response, headers=kept))


def nulled(response: Response) -> Iterator[Variant]:
    """Yield the answer with each of its members null, and as null."""
    yield from _everywhere(response, None, "null")


def retyped(response: Response) -> Iterator[Variant]:
    """Yield the answer with each of its members and headers replaced by each hostile value."""
    for what, value in HOSTILE.items():
        yield from _everywhere(response, value, what)
        if isinstance(value, str) and value.isascii() and value.isprintable():
            for name in response.headers:
                changed = {**response.headers, name: value}
                yield Variant(f"the header {name} is {what}", evolve(response, headers=changed))


def enlarged(response: Response) -> Iterator[Variant]:
    """Yield the answer with each of its members replaced by each huge number."""
    for what, value in HUGE.items():
        yield from _everywhere(response, value, what)


def extended(response: Response) -> Iterator[Variant]:
    """Yield the answer with an unknown member added to each of its objects."""
    body = json_of(response)
    for place in ((), *places(body)):
        if isinstance(at(body, place), dict):
            more = {**at(body, place), UNHEARD_OF: {"deep": [1, None]}}
            what = f"an object with an added {UNHEARD_OF}"
            yield replaced(response, place, more, what)


def replaced(response: Response, place: Place, value: object, what: str) -> Variant:
    """Return the answer with another value at a path."""
    body = deepcopy(json_of(response))
    if place:
        at(body, place[:-1])[place[-1]] = value
    else:
        body = value
    return Variant(f"{written(place)} is {what}", _with_body(response, body))


def renamed(response: Response, word: str) -> Response | None:
    """Return the answer with a status word replaced everywhere; None if it is not there."""
    found = False
    for place in places(json_of(response)):
        if is_word(at(json_of(response), place), word):
            response, found = replaced(response, place, UNHEARD_OF, "").response, True
    for name, value in response.headers.items():
        if is_word(value, word):
            response = evolve(response, headers={**response.headers, name: UNHEARD_OF})
            found = True
    return response if found else None


def is_word(value: object, word: str) -> bool:
    """Return whether a value is a status word; case is ignored."""
    return isinstance(value, str) and value.strip().casefold() == word.strip().casefold()


def _everywhere(response: Response, value: object, what: str) -> Iterator[Variant]:
    for place in kinds_of_places(json_of(response)):
        yield replaced(response, place, value, what)


def _members(value: Any) -> Iterable[tuple[str | int, object]]:  # noqa: ANN401 - a JSON value
    if isinstance(value, list):
        return enumerate(cast("list[object]", value))
    return cast("dict[str, object]", value).items() if isinstance(value, dict) else ()


def _without(response: Response, place: Place) -> Response:
    body = deepcopy(json_of(response))
    del at(body, place[:-1])[place[-1]]
    return _with_body(response, body)


def _with_body(response: Response, body: object) -> Response:
    return evolve(response, content=json.dumps(body).encode())

"""Of which types an argument may be that is given on the command line, and a value of each."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

_SAMPLES: Mapping[type, object] = {
    str: "sample",
    int: 1,
    float: 1.0,
    bool: True,
    date: date(2026, 1, 31),
    datetime: datetime(2026, 1, 31, tzinfo=UTC),
}


def sample(annotation: Any) -> object:  # noqa: ANN401 - a type, however it is made
    """Return a value of an argument's type; None if it is not one that can be written down."""
    wanted = _without_none(annotation)
    origin, members = get_origin(wanted), get_args(wanted)
    if origin is Literal:
        return members[0] if all(isinstance(one, str) for one in members) else None
    if origin is Sequence:
        item = sample(members[0])
        return None if item is None else [item]
    return dict[str, object]() if origin is Mapping else _SAMPLES.get(wanted)


def is_mapping(annotation: Any) -> bool:  # noqa: ANN401 - as above
    """Return whether an argument is a mapping, or several: the command line takes it as JSON."""
    wanted = _without_none(annotation)
    if get_origin(wanted) is Sequence:
        wanted = get_args(wanted)[0]
    return get_origin(wanted) is Mapping


def _without_none(annotation: Any) -> Any:  # noqa: ANN401 - as above
    if get_origin(annotation) not in {Union, UnionType}:
        return annotation
    kinds = [one for one in get_args(annotation) if one is not NoneType]
    return kinds[0] if len(kinds) == 1 else None

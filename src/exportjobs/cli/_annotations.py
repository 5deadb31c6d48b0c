"""How the arguments of a kind of export are written on a command line, by their types."""

from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin


def is_json(annotation: object) -> bool:
    """Return whether an argument of this type is written in JSON: a mapping, or several."""
    wanted = without_none(annotation)
    if get_origin(wanted) is Sequence:
        (wanted,) = get_args(wanted)
    return get_origin(wanted) is Mapping


def without_none(annotation: object) -> Any:  # noqa: ANN401 - a type, however it is made
    """Return the type of an argument that may be left out."""
    if get_origin(annotation) not in {Union, UnionType}:
        return annotation
    kinds = [one for one in get_args(annotation) if one is not NoneType]
    return kinds[0] if len(kinds) == 1 else annotation

"""Whether an adapter's kinds of export can be asked for on the command line."""

import inspect
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from exportjobs.adapter._adapter import ExportKind
from exportjobs.testing._breach import Breach
from exportjobs.testing._recorded import Recorded

_EXTRA = {"cyclopts", "rich"}
_SAMPLES: Mapping[type, object] = {
    str: "sample",
    int: 1,
    float: 1.0,
    bool: True,
    date: date(2026, 1, 31),
    datetime: datetime(2026, 1, 31, tzinfo=UTC),
}


def check_command_line(recorded: Recorded) -> None:
    """Check that each argument has a name and can be written down.

    Where the command line is installed, the options that it makes of them are tried.
    """
    for kind in recorded.adapter.kinds().values():
        for argument in kind.signature.parameters.values():
            _check_argument(argument, kind)
    _check_options(recorded)


def _check_options(recorded: Recorded) -> None:
    try:
        from exportjobs.testing._options import check_options  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as missing:
        if missing.name not in _EXTRA:
            raise
    else:
        check_options(recorded)


def _check_argument(argument: inspect.Parameter, kind: ExportKind) -> None:
    if argument.kind not in {argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY}:
        mistake = f"{kind.name} takes {argument}, which has no name on the command line"
        raise Breach(mistake, "name each argument")
    if sample(argument.annotation) is None:
        mistake = f"{kind.name}'s {argument.name} cannot be given on the command line"
        remedy = "use text, numbers, bool, date, datetime, Literal, a Sequence of those, a Mapping"
        raise Breach(mistake, remedy)


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

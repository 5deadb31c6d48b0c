"""Convert JSON to values: tolerant of spelling and unknown members, exact about what is wrong."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal, TypeGuard, TypeVar, cast, get_args, get_origin

import cattrs
from attrs import fields, frozen, has
from cattrs.errors import IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn

from exportjobs.adapter._errors import MalformedResponse

V = TypeVar("V")


@frozen(eq=False, repr=False)
class FrozenMapping(Mapping[str, V]):
    """An immutable mapping that, unlike a read-only view, can be copied and pickled."""

    _members: dict[str, V]

    def __getitem__(self, key: str) -> V:
        """Return a member."""
        return self._members[key]

    def __iter__(self) -> Iterator[str]:
        """Return the keys, in the order given."""
        return iter(self._members)

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self._members)

    def __repr__(self) -> str:
        """Return what the dictionary with these members would."""
        return repr(self._members)


def freeze(value: Any) -> Any:  # noqa: ANN401 - any JSON value, and what was made of it
    """Return a value with all its mappings and lists, at any depth, made immutable."""
    if isinstance(value, Mapping):
        return freeze_members(cast("Mapping[str, Any]", value))
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in cast("list[Any]", value))
    return value


def freeze_members(members: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a mapping made immutable, with all that is in it."""
    return FrozenMapping({key: freeze(value) for key, value in members.items()})


T = TypeVar("T")
# A larger epoch is in milliseconds: in seconds it would be after the year 5000.
_MILLISECONDS_FROM = 1e11


def is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    """Return whether a JSON value is an object."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Return whether a JSON value is a list."""
    return isinstance(value, list)


def parse_json(content: bytes) -> object:
    """Return the value of a JSON document.

    Raises:
        MalformedResponse: If it is not JSON, or is nested too deeply.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise MalformedResponse(f"not JSON ({type(error).__name__}) @ $") from None


def dump_json(value: object) -> str:
    """Return a value as compact JSON with sorted members; dates and times in ISO 8601.

    Raises:
        TypeError: If a part of it cannot be written as JSON.
    """
    try:
        return json.dumps(
            value, default=_jsonable, sort_keys=True, separators=(",", ":"), allow_nan=False
        )
    except (ValueError, RecursionError):
        raise TypeError("number that is not finite, or a value that contains itself") from None


def _jsonable(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if is_object(value):
        return dict(value)
    raise TypeError(type(value).__name__)


def structure(value: object, cls: type[T]) -> T:
    """Return a JSON value as an instance of a class.

    The spelling of a member may differ from the field's: `jobId`, `job_id` and `JobID` are the same
    name. Members without a field are ignored. Times may be ISO 8601 with or without a zone (none
    means UTC), or seconds or milliseconds since 1970, as numbers or as text; the result is aware
    and in UTC.

    Raises:
        MalformedResponse: With a line such as "required field missing @ $.status" per problem.
    """
    try:
        return _converter.structure(value, cls)
    except RecursionError:
        raise MalformedResponse("nested too deeply @ $") from None
    except Exception as error:  # noqa: BLE001 - a hook may raise whatever a hostile value provokes
        raise MalformedResponse(*describe(error)) from None


def conform(value: object, annotation: object) -> Any:  # noqa: ANN401 - of the annotation's type
    """Return a caller's argument in the type of its annotation, such as a date for "2026-08-31".

    A time keeps its zone, because the date may depend on it.

    Raises:
        ValueError: With what is wrong with the value, on one line.
    """
    wanted: Any = annotation
    try:
        return _arguments.structure(value, wanted)
    except Exception as error:  # noqa: BLE001 - a hook may raise whatever a wrong value provokes
        raise ValueError("; ".join(line.removesuffix(" @ $") for line in describe(error))) from None


def describe(error: Exception) -> list[str]:
    """Return a converter's error as lines, each of which ends in the path of the wrong value."""
    return cattrs.transform_error(error, path="$", format_exception=_explain)


def _explain(error: BaseException, wanted: type | None) -> str:
    match error:
        case KeyError():
            return "required field missing"
        case _Unfit():
            return str(error)
        case _:
            name = getattr(wanted, "__name__", None) or "value"
            return f"not a valid {name}"


class _Unfit(ValueError):
    """A value of the wrong type; the text says what was expected, never what was found."""


def _spelling(key: str) -> str:
    return "".join(letter for letter in key.casefold() if letter.isalnum())


def _tolerant_object(cls: type[Any]) -> Callable[[object, type], object]:
    exact = make_dict_structure_fn(cls, _converter)
    names = {_spelling(field.name): field.name for field in fields(cls)}

    def structure_object(value: object, wanted: type) -> object:
        if not is_object(value):
            raise _Unfit("expected an object")
        known = {
            name: member for key, member in value.items() if (name := names.get(_spelling(key)))
        }
        built: object = exact(known, wanted)
        return built

    return structure_object


def _to_text(value: object, _: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _Unfit("expected a string")


def _to_number(value: object, _: object) -> int:
    if isinstance(value, str):
        value = _numeral(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _Unfit("expected a whole number")


def _numeral(text: str) -> float | None:
    for kind in (int, float):
        try:
            return kind(text.strip())
        except ValueError:
            continue
    return None


def _to_bool(value: object, _: object) -> bool:
    if isinstance(value, str) and value.strip().casefold() in {"true", "false"}:
        return value.strip().casefold() == "true"
    if isinstance(value, bool):
        return value
    raise _Unfit("expected true or false")


def _to_time(value: object, _: object) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, str):
        number = _numeral(value)
        return _from_iso(value) if number is None else _from_epoch(number)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_epoch(value)
    raise _Unfit("expected a time")


def _from_iso(text: str) -> datetime:
    time = _parsed(text)
    try:
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except OverflowError:
        raise _Unfit("expected a time in ISO 8601") from None


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        raise _Unfit("expected a time in ISO 8601") from None


def _from_epoch(number: float) -> datetime:
    try:
        seconds = number / 1000 if abs(number) >= _MILLISECONDS_FROM else number
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise _Unfit("expected a time since 1970") from None


def _to_local_time(value: object, wanted: object) -> datetime:
    """Read a time as `_to_time` does, but keep its zone."""
    if isinstance(value, str) and _numeral(value) is None:
        time = _parsed(value)
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    return _to_time(value, wanted)


def _to_date(value: object, _: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise _Unfit("expected a date such as 2026-08-31")


def _as_it_is(value: Any, _: object) -> Any:  # noqa: ANN401 - whatever the vendor sent
    return value


def _is_choice(wanted: object) -> bool:
    return get_origin(wanted) is Literal


def _to_choice(value: object, wanted: object) -> object:
    choices = get_args(wanted)
    if isinstance(value, str) and value in choices:
        return value
    raise _Unfit(f"expected one of {', '.join(map(str, choices))}")


_SEQUENCES = {Sequence, tuple, list, set, frozenset}


def _is_sequence(wanted: Any) -> bool:  # noqa: ANN401 - a type, however it is made
    return wanted in _SEQUENCES or get_origin(wanted) in _SEQUENCES


def _list_of(wanted: object, converter: cattrs.BaseConverter) -> Callable[[object, object], object]:
    kind: Any = next(iter(get_args(wanted)), object)

    def structure_list(value: object, _: object) -> tuple[object, ...]:
        items, errors = list[object](), list[Exception]()
        for index, item in enumerate(_items(value)):
            try:
                items.append(converter.structure(item, kind))
            except Exception as error:  # noqa: BLE001 - a hook may raise whatever a value provokes
                error.add_note(IterableValidationNote(f"item {index}", index, kind))
                errors.append(error)
        if errors:
            raise IterableValidationError("list", errors, tuple)  # pyright: ignore[reportCallIssue] - its parent ExceptionGroup is taken for it
        return tuple(items)

    return structure_list


def _items(value: object) -> Sequence[object]:
    """Return the items of a list; a set's in an order that is the same in every process."""
    # A string is a sequence too: read as one, "name" would mean n, a, m and e.
    if isinstance(value, list | tuple):
        return cast("Sequence[object]", value)
    if isinstance(value, set | frozenset):
        return sorted(cast("set[object]", value), key=repr)
    raise _Unfit("expected a list")


def _to_object(value: object, _: object) -> Mapping[str, object]:
    if is_object(value):
        return value
    raise _Unfit("expected an object")


_converter = cattrs.Converter()
_converter.register_structure_hook(str, _to_text)
_converter.register_structure_hook(int, _to_number)
_converter.register_structure_hook(bool, _to_bool)
_converter.register_structure_hook(datetime, _to_time)
_converter.register_structure_hook(date, _to_date)
_converter.register_structure_hook_func(lambda wanted: wanted is object, _as_it_is)
_converter.register_structure_hook_func(_is_choice, _to_choice)
_converter.register_structure_hook_func(lambda wanted: wanted == Mapping[str, object], _to_object)
_converter.register_structure_hook_factory(_is_sequence, _list_of)
_converter.register_structure_hook_factory(has, _tolerant_object)
_arguments = _converter.copy()
_arguments.register_structure_hook(datetime, _to_local_time)

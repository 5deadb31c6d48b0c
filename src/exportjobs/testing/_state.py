"""A snapshot of all state that an adapter could keep between two flows."""

import pickle
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import TypeAlias

from exportjobs.adapter import Adapter
from exportjobs.testing._modules import modules_of

State: TypeAlias = Mapping[str, object]
"""Snapshots of values, by what holds them."""

_BEHAVIOUR = (FunctionType, ModuleType, type, property, classmethod, staticmethod)


def state(adapter: Adapter) -> State:
    """Return a snapshot of the adapter, its classes and their modules."""
    own = {f"the adapter's {name}": value for name, value in _attributes(adapter)}
    return {holder: _snapshot(value) for holder, value in {**own, **_shared(type(adapter))}.items()}


def changed(before: State, after: State) -> str | None:
    """Return what holds another value than before; a new value may be a cached one."""
    return next((holder for holder in before if before[holder] != after.get(holder)), None)


def _attributes(adapter: Adapter) -> Iterator[tuple[str, object]]:
    yield from getattr(adapter, "__dict__", {}).items()
    for cls in type(adapter).__mro__:
        for name in getattr(cls, "__slots__", ()):
            with suppress(AttributeError):
                yield name, getattr(adapter, name)


def _shared(cls: type[Adapter]) -> Mapping[str, object]:
    own = [one for one in cls.__mro__ if issubclass(one, Adapter) and one is not Adapter]
    members = {f"the class {one.__name__}'s {n}": v for one in own for n, v in vars(one).items()}
    for name, module in modules_of(cls).items():
        members |= {f"the module {name}'s {n}": v for n, v in vars(module).items()}
    return {holder: value for holder, value in members.items() if _is_data(holder, value)}


def _is_data(holder: str, value: object) -> bool:
    return not isinstance(value, _BEHAVIOUR) and "'s __" not in holder


def _snapshot(value: object) -> object:
    """Return a snapshot of a value, equal to a later one unless the value changed."""
    try:
        return pickle.dumps(value)
    except Exception:  # noqa: BLE001 - whatever a value raises that cannot be pickled
        return id(value)

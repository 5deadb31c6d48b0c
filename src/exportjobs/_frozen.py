"""Mappings and lists that nobody changes afterwards, however deep."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, cast

from attrs import frozen

V = TypeVar("V")


@frozen(eq=False, repr=False)
class FrozenMapping(Mapping[str, V]):
    """A mapping that cannot be changed, and unlike a read-only view can be copied and pickled."""

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


def freeze(value: Any) -> Any:  # noqa: ANN401 - anything that JSON can hold, and what was made of it
    """Return a value whose mappings and lists, however deep, cannot be changed any more."""
    if isinstance(value, Mapping):
        return freeze_members(cast("Mapping[str, Any]", value))
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in cast("list[Any]", value))
    return value


def freeze_members(members: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a mapping that cannot be changed any more, nor anything in it."""
    return FrozenMapping({key: freeze(value) for key, value in members.items()})

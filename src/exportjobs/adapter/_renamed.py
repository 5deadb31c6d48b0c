"""What was renamed since version 1 of the adapter API, so that an error can give the new name.

An old name does not work any more. Importing one fails, and so does a class that defines one, which
would otherwise be ignored silently.
"""

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any, TypeVar

T = TypeVar("T")
UPGRADE_PAGE = "docs/how-to/upgrade.md"
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "BudgetSpent": "BudgetExhausted",
        "Downloading": "DownloadProgress",
        "Economising": "PollingSlowed",
        "LeaseRefused": "SignedUrlRejected",
        "LeaseRenewed": "SignedUrlRenewed",
        "Leaving": "ShuttingDown",
        "Left": "Detached",
        "NotRecorded": "LedgerWriteFailed",
        "Pace": "PollPolicy",
        "PollerLeft": "PollerClosed",
        "Refusal": "ResponseError",
        "Resumption": "ExistingJob",
        "SlotsFull": "ConcurrencyLimitReached",
        "Story": "Stats",
        "WrongDoor": "WrongContext",
    }
)
"""Classes; the old name was in the same public modules in which the new one is."""
MEMBERS: Mapping[str, str] = MappingProxyType(
    {"bear": "apply_token", "may_have_made": "matches_export", "pace": "polling"}
)
"""Attributes and methods of an adapter."""
REMOVED = frozenset({"unwrapped"})
"""What was in `exportjobs.adapter` and has no replacement."""


class OldName(ImportError):
    """A name of version 1 was imported: the text says what it is called now."""


def no_such_name(module: str, name: str) -> Exception:
    """Return the error for a name that a public module does not have.

    For a renamed one it is an ImportError, because `from module import name` replaces an
    AttributeError, and its text, by an ImportError of its own.
    """
    if NAMES.get(name) in sys.modules[module].__all__:
        return OldName(f"{_became(name, NAMES[name])}: see {UPGRADE_PAGE}", name=module)
    if name in REMOVED and module == "exportjobs.adapter":
        return OldName(f"{name} was removed (API version 2): see {UPGRADE_PAGE}", name=module)
    return AttributeError(f"module {module!r} has no attribute {name!r}")


def old_member(cls: type) -> str | None:
    """Return which attribute of an adapter's class has an old name, as a text; None for none.

    An attribute of the adapter's own that has an old name by chance counts too: the two cannot be
    told apart.
    """
    found = next((name for name in MEMBERS if hasattr(cls, name)), None)
    return None if found is None else f"{cls.__name__}.{_became(found, MEMBERS[found])}"


def renamed_arguments(**names: str) -> Callable[[type[T]], type[T]]:
    """Make a class raise a TypeError with the new name for an argument of an old name."""

    def decorate(cls: type[T]) -> type[T]:
        decorated: Any = cls
        plain = decorated.__init__

        @wraps(plain)
        def __init__(self: T, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401, N807 - for any class
            for old in kwargs.keys() & names.keys():
                became = _became(f"{cls.__name__}({old}=)", f"{names[old]}=")
                raise TypeError(f"{became}: see {UPGRADE_PAGE}")
            plain(self, *args, **kwargs)

        decorated.__init__ = __init__
        return cls

    return decorate


def _became(old: str, new: str) -> str:
    return f"{old} is now {new} (API version 2)"

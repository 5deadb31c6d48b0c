"""Commands that are built when they are asked for.

cyclopts imports a command that is registered by its import path only when it is typed. What is made
from an adapter stands in no module; so it gets a path here, and is made when that is imported.
"""

from collections.abc import Callable

_makers: dict[str, Callable[[], object]] = {}


def deferred(make: Callable[[], object]) -> str:
    """Return an import path of the command, or of the `App` of commands, that a function makes."""
    name = f"command_{len(_makers)}"
    _makers[name] = make
    return f"{__name__}:{name}"


def __getattr__(name: str) -> object:
    """Make a command; cyclopts keeps it."""
    if name not in _makers:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _makers[name]()

"""The modules of an adapter: those of its classes, and those that these import from."""

import sys
from collections.abc import Mapping
from types import ModuleType

from exportjobs.adapter import Adapter


def modules_of(adapter: type[Adapter]) -> Mapping[str, ModuleType]:
    """Return the modules of the adapter's own package that its code uses, by name."""
    own = (one for one in adapter.__mro__ if issubclass(one, Adapter) and one is not Adapter)
    found: dict[str, ModuleType] = {}
    names = [one.__module__ for one in own]
    while names:
        name = names.pop()
        if name not in found and name in sys.modules and package_of(name) == package_of(adapter):
            found[name] = sys.modules[name]
            names += [_origin(value) for value in vars(found[name]).values()]
    return found


def package_of(what: type[Adapter] | str) -> str:
    """Return the top-level package of a module, or of an adapter's module."""
    name = what if isinstance(what, str) else what.__module__
    return name.partition(".")[0]


def _origin(value: object) -> str:
    name: object = getattr(value, "__name__" if isinstance(value, ModuleType) else "__module__", "")
    return name if isinstance(name, str) else ""

"""Which adapters are installed, and how to get at one by name without importing the others."""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from attrs import frozen

from exportjobs._errors import BrokenAdapter, UnknownVendor
from exportjobs.adapter import Adapter

GROUP = "exportjobs.adapters"


@frozen
class Installed:
    """An adapter as its distribution announces it, not yet imported."""

    vendor: str
    distribution: str
    version: str
    entry_point: EntryPoint

    def load(self) -> type[Adapter]:
        """Import the adapter.

        Raises:
            BrokenAdapter: If it cannot be imported or is no adapter, naming its distribution.
        """
        source = f"the adapter {self.vendor!r} of the distribution {self.distribution!r}"
        remedy = f"upgrade or uninstall {self.distribution!r}"
        try:
            found = self.entry_point.load()
        except Exception as error:
            reason = f"{source} cannot be imported ({type(error).__name__}: {error})"
            raise BrokenAdapter(reason, vendor=self.vendor, remedy=remedy) from error
        if not (isinstance(found, type) and issubclass(found, Adapter)):
            reason = f"{source} is not a subclass of exportjobs.adapter.Adapter"
            raise BrokenAdapter(reason, vendor=self.vendor, remedy=remedy)
        return found


def installed() -> Mapping[str, Installed]:
    """Return the installed adapters by vendor name, sorted; none of them is imported.

    Raises:
        BrokenAdapter: If two distributions offer one name, naming both.
    """
    return collect(entry_points(group=GROUP))


def collect(points: Iterable[EntryPoint]) -> Mapping[str, Installed]:
    """Return the adapters that entry points announce, by vendor name, sorted.

    Raises:
        BrokenAdapter: If two distributions offer one name, naming both.
    """
    found: dict[str, Installed] = {}
    for point in sorted(points, key=lambda point: point.name):
        announced = Installed(point.name, *_origin(point), point)
        rival = found.setdefault(point.name, announced)
        if rival.distribution != announced.distribution:
            both = f"{rival.distribution!r} and {announced.distribution!r}"
            reason = f"the distributions {both} both offer an adapter of this name"
            raise BrokenAdapter(reason, vendor=point.name, remedy="uninstall one of them")
    return MappingProxyType(found)


def _origin(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("unknown", "unknown")


def load_adapter(vendor: str) -> type[Adapter]:
    """Return the adapter class of a vendor, importing it and no other.

    Raises:
        UnknownVendor: If none is installed under that name; the error lists those that are.
        BrokenAdapter: If it cannot be imported, or two distributions offer it.
    """
    found = collect(entry_points(group=GROUP, name=vendor))
    if vendor not in found:
        known = ", ".join(sorted(entry_points(group=GROUP).names)) or "none"
        remedy = f"installed are: {known}"
        raise UnknownVendor(f"no adapter is named {vendor!r}", remedy=remedy)
    return found[vendor].load()

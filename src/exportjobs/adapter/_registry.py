"""Which adapters are installed, and one of them by name, without importing the others."""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points, version
from inspect import isabstract
from types import MappingProxyType

from attrs import evolve, frozen

from exportjobs.adapter._adapter import API_VERSION, Adapter
from exportjobs.adapter._errors import BrokenAdapter, UnknownVendor
from exportjobs.adapter._renamed import UPGRADE_PAGE, OldName

GROUP = "exportjobs.adapters"
OLDEST_API_VERSION = 2
"""The oldest version of `exportjobs.adapter` whose adapters still work."""
_CONTRACT = Adapter.__module__.rpartition(".")[0]


@frozen
class Installed:
    """An installed adapter, not yet imported."""

    vendor: str
    """The name of its entry point."""
    distribution: str
    """The name of the distribution that it is in."""
    version: str
    """The version of that distribution."""
    entry_point: EntryPoint
    """Where the adapter is."""
    rivals: tuple[str, ...] = ()
    """Other distributions with an adapter of this name; if there are any, none can be used."""

    def load(self) -> type[Adapter]:
        """Import the adapter and check that it can be used.

        Raises:
            BrokenAdapter: If several distributions have an adapter of its name, or it cannot be
                imported, is not an adapter of that name, or was written for another version of
                `exportjobs.adapter`. The error names the distribution and what to do.
        """
        if self.rivals:
            claimants = " and ".join(map(repr, (self.distribution, *self.rivals)))
            reason = f"the distributions {claimants} offer an adapter of the same name"
            raise BrokenAdapter(reason, vendor=self.vendor, remedy="uninstall all but one of them")
        found = self._imported()
        if not (isinstance(found, type) and issubclass(found, Adapter)):
            raise self._broken(f"is not a subclass of {_CONTRACT}.Adapter")
        self._check_version(found.api_version)
        self._check_whole(found)
        return found

    def _imported(self) -> object:
        try:
            return self.entry_point.load()
        except OldName as error:
            raise self._broken(f"is too old: {error}") from error
        # SystemExit too: a module that exits must not end a program that uses other vendors.
        except (Exception, SystemExit) as error:
            what, remedy = f"{type(error).__name__}: {error}", None
            if isinstance(error, ImportError) and error.name == _CONTRACT:
                what = f"version {API_VERSION} of {_CONTRACT} lacks a name that it imports; {what}"
                remedy = f"upgrade exportjobs or {self.distribution!r}, whichever is older"
            raise self._broken(f"cannot be imported ({what})", remedy) from error

    def _check_version(self, written_for: object) -> None:
        ours = f"exportjobs {version('exportjobs')}"
        if type(written_for) is not int:
            raise self._broken("has an api_version that is not an integer")
        if written_for > API_VERSION:
            reason = f"is too new: written for version {written_for} of {_CONTRACT}, of which"
            raise self._broken(f"{reason} {ours} has version {API_VERSION}", "upgrade exportjobs")
        if written_for < OLDEST_API_VERSION:
            reason = f"is too old: written for version {written_for} of {_CONTRACT}, of which"
            supports = f"supports none before {OLDEST_API_VERSION}: see {UPGRADE_PAGE}"
            raise self._broken(f"{reason} {ours} {supports}")

    def _check_whole(self, found: type[Adapter]) -> None:
        if isabstract(found):
            lacking = ", ".join(sorted(found.__abstractmethods__))
            raise self._broken(f"is incomplete: it lacks {lacking}")
        name = getattr(found, "vendor", None)
        if name != self.vendor:
            # A ref holds the adapter's own name for the vendor, and is looked up by it.
            raise self._broken(f"names its vendor {name!r}")
        try:
            for kind in found.kinds().values():
                _ = kind.signature
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise self._broken(f"has a kind of export that cannot be read ({what})") from error

    def _broken(self, reason: str, remedy: str | None = None) -> BrokenAdapter:
        source = f"the adapter {self.vendor!r} of the distribution {self.distribution!r}"
        remedy = remedy or f"upgrade or uninstall {self.distribution!r}"
        return BrokenAdapter(f"{source} {reason}", vendor=self.vendor, remedy=remedy)


def installed() -> Mapping[str, Installed]:
    """Return the installed adapters by vendor name, sorted; none of them is imported."""
    return collect(entry_points(group=GROUP))


def collect(points: Iterable[EntryPoint]) -> Mapping[str, Installed]:
    """Return the adapters that entry points announce, by vendor name, sorted."""
    origins: dict[int, tuple[str, str]] = {}
    announcements = [Installed(point.name, *_origin(point, origins), point) for point in points]
    found: dict[str, Installed] = {}
    for announced in sorted(announcements, key=lambda one: (one.vendor, one.distribution)):
        known = found.setdefault(announced.vendor, announced)
        if announced.distribution not in {known.distribution, *known.rivals}:
            rivals = (*known.rivals, announced.distribution)
            found[announced.vendor] = evolve(known, rivals=rivals)
    return MappingProxyType(found)


def _origin(point: EntryPoint, known: dict[int, tuple[str, str]]) -> tuple[str, str]:
    """Return a distribution's name and version, read once: its metadata are as long as a page."""
    if point.dist is None:
        return ("unknown", "unknown")
    if id(point.dist) not in known:
        metadata = point.dist.metadata
        known[id(point.dist)] = (metadata["Name"], metadata["Version"])
    return known[id(point.dist)]


def load_adapter(vendor: str) -> type[Adapter]:
    """Return the adapter class of a vendor, importing it and no other.

    Raises:
        UnknownVendor: If none is installed under that name; the error lists those that are.
        BrokenAdapter: If the adapter cannot be used: see `Installed.load`.
    """
    found = collect(entry_points(group=GROUP, name=vendor))
    if vendor not in found:
        known = ", ".join(sorted(entry_points(group=GROUP).names)) or "none"
        remedy = f"installed are: {known}"
        raise UnknownVendor(f"no adapter is named {vendor!r}", remedy=remedy)
    return found[vendor].load()

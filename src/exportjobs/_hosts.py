"""Which hosts files are fetched from."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from attrs import frozen

from exportjobs._address import check_encrypted, is_loopback, is_public, private_host, same_origin
from exportjobs._errors import UntrustedAddress
from exportjobs._redact import safe_url


@frozen
class Hosts:
    """The hosts that files are fetched from, as far as the user says."""

    allowed: tuple[str, ...] | None = None
    """Names such as "files.acme.com" or "*.amazonaws.com"; None for any host that is public."""

    @classmethod
    def of(cls, names: Iterable[str] | None) -> "Hosts":
        """Return the hosts of these names, whatever their case."""
        return cls(None if names is None else tuple(name.lower() for name in names))

    def may_be_private(self, url: str, *, base_url: str) -> bool:
        """Return whether a URL's host may be one of a private network.

        The vendor's own origin may, since the user named it, and so may a host that is allowed by
        name. Nothing that a vendor alone names leads to a machine behind the user's own wall.

        Raises:
            UntrustedAddress: If nothing is fetched from there.
        """
        check_encrypted(url)
        if same_origin(url, base_url):
            return True
        host = urlsplit(url).hostname or ""
        if self.allowed is not None:
            if any(fnmatchcase(host, name) for name in self.allowed):
                return True
            raise _not_allowed(url)
        if is_loopback(host) and is_loopback(urlsplit(base_url).hostname or ""):
            return True
        if is_loopback(host) or _is_private(host):
            raise private_host(host)
        return False


# Files are many, and the hosts that have them few.
@lru_cache(maxsize=256)
def _is_private(host: str) -> bool:
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return False


def _not_allowed(url: str) -> UntrustedAddress:
    return UntrustedAddress(
        f"the vendor names a host that is not among those allowed, {safe_url(url)}",
        remedy="if its files are to be fetched from there, name it in download_hosts",
    )

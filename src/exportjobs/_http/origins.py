"""Where it is safe to go: origins, encryption and paths."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import unquote, urlsplit

from attrs import frozen

from exportjobs.adapter._errors import UntrustedAddress
from exportjobs.adapter._redact import safe_url
from exportjobs.adapter._urls import is_loopback

_LONGEST = 16_384
_TRANSLATED = IPv6Network("64:ff9b::/96")
_NEVER_PUBLIC = (IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
_PORTS = {"http": 80, "https": 443}


def everywhere(address: IPv4Address | IPv6Address) -> bool:  # noqa: ARG001 - it admits them all
    """Admit every address."""
    return True


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is one of the open network's: of no machine or network's own."""
    if isinstance(address, IPv6Address):
        if address.is_site_local or any(address in network for network in _NEVER_PUBLIC):
            return False
        address = address.ipv4_mapped or address.sixtofour or _translated(address) or address
    return address.is_global and not address.is_multicast


def _translated(address: IPv6Address) -> IPv4Address | None:
    """Return the address that a network without IPv4 leads to from one of its own (RFC 6052)."""
    return IPv4Address(address.packed[-4:]) if address in _TRANSLATED else None


def same_origin(one: str, other: str) -> bool:
    """Return whether two URLs share scheme, host and port: what credentials may move within."""
    origin = _origin(one)
    return origin is not None and origin == _origin(other)


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Return what a URL's origin is, or None if it has none."""
    try:
        parts = urlsplit(url)
        port = _PORTS.get(parts.scheme) if parts.port is None else parts.port
    except ValueError:
        return None
    # Some take a backslash for a slash, and what stands before it for the host.
    if not parts.hostname or "\\" in url:
        return None
    return (parts.scheme, parts.hostname, port)


def check_encrypted(url: str) -> None:
    """Check that a URL may be fetched: https, or http on this machine itself.

    Raises:
        UntrustedAddress: If it may not.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise no_address() from None
    is_plain = url.isprintable() and " " not in url and "\\" not in url
    if not (host and is_plain and len(url) <= _LONGEST):
        raise no_address()
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise UntrustedAddress(
            f"the vendor names an unencrypted address, {safe_url(url)}",
            remedy="only https is fetched from; ask the vendor for an https address",
        )


def no_address() -> UntrustedAddress:
    """Return the error for an address that cannot be one."""
    return UntrustedAddress(
        "the vendor names an address that is none", remedy="ask the vendor what became of the file"
    )


def private_host(host: str) -> UntrustedAddress:
    """Return the error for a host inside a private network."""
    return UntrustedAddress(
        f"the vendor names a host in a private network, {host}",
        remedy="if its files are to be fetched from there, name it in download_hosts",
    )


def below(base_url: str, path: str) -> str:
    """Return the URL of a path below a base URL.

    Raises:
        UntrustedAddress: If the path is a URL of its own, or climbs out.
    """
    try:
        parts = urlsplit(path)
    except ValueError:
        raise no_address() from None
    climbs = any(unquote(segment) in {".", ".."} for segment in parts.path.split("/"))
    leaves = parts.scheme or parts.netloc or "\\" in unquote(path)
    if climbs or leaves or not path.startswith("/"):
        where = safe_url(path) if parts.netloc else "a path"
        raise UntrustedAddress(
            f"a request to {where} outside the vendor's own API was not sent",
            remedy="credentials go to the adapter's base URL and nowhere else",
        )
    return base_url.rstrip("/") + path


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

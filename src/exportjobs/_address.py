"""Where it is safe to go: origins, encryption and paths."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import unquote, urlsplit

from exportjobs._errors import UntrustedAddress
from exportjobs._redact import safe_url

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


# Files are many, and the hosts that have them few.
@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Return whether a host is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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

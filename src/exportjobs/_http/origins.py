"""Which URLs are safe to request: origins, encryption, private networks and paths."""

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
    """Return whether an address is one of the public internet, not of a private network."""
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
    # Some clients read a backslash as a slash, and what is before it as the host.
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
        raise invalid_url() from None
    is_plain = url.isprintable() and " " not in url and "\\" not in url
    if not (host and is_plain and len(url) <= _LONGEST):
        raise invalid_url()
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise UntrustedAddress(
            f"the vendor sent an unencrypted URL, {safe_url(url)}",
            remedy="files are fetched over https only; ask the vendor for an https URL",
        )


def invalid_url() -> UntrustedAddress:
    """Return the error for a URL that is not valid."""
    return UntrustedAddress(
        "the vendor sent a URL that is not valid", remedy="ask the vendor where the file is"
    )


def private_host(host: str) -> UntrustedAddress:
    """Return the error for a host inside a private network."""
    return UntrustedAddress(
        f"the vendor sent the URL of a host in a private network, {host}",
        remedy="to fetch files from there, name the host in download_hosts",
    )


def below(base_url: str, path: str) -> str:
    """Return the URL of a path below a base URL.

    Raises:
        UntrustedAddress: If the path is a URL of its own, or leads out of the base URL.
    """
    try:
        parts = urlsplit(path)
    except ValueError:
        raise invalid_url() from None
    leads_up = any(unquote(segment) in {".", ".."} for segment in parts.path.split("/"))
    leaves = parts.scheme or parts.netloc or "\\" in unquote(path)
    if leads_up or leaves or not path.startswith("/"):
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
        name. A URL that only the vendor names must not reach a machine behind the user's firewall.

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
        f"the vendor sent the URL of a host that is not allowed, {safe_url(url)}",
        remedy="to fetch files from there, name the host in download_hosts",
    )

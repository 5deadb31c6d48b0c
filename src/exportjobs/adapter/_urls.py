"""What can be read from a URL itself: when a signed one expires, whether one can be a base URL."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit


# A run downloads many files from few hosts.
@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Return whether a host is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def base_url_problem(url: str) -> tuple[str, str] | None:
    """Return why a URL cannot be an adapter's base URL, and what to do; None if it can."""
    invalid = ("is not a base URL", "pass an https URL with a host, without query or fragment")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return invalid
    if parts.scheme == "http" and not is_loopback(host):
        return ("would send credentials unencrypted", "use https")
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        return invalid
    if not url.isprintable() or " " in url:
        return invalid
    if parts.username is not None or parts.password is not None:
        return ("holds credentials", "pass them as their own arguments")
    return None


_AMAZON_TIME = "%Y%m%dT%H%M%SZ"


def expiry(url: str) -> datetime | None:
    """Return when a signed URL expires, in UTC, or None where the URL does not say.

    It reads Azure's `se`, Amazon's and Google's `Date` with `Expires`, a plain `Expires` in seconds
    since 1970 (Amazon's version 2, CloudFront's canned policy) and CloudFront's custom `Policy`.
    """
    try:
        query = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    except ValueError:
        return None
    for read in (_azure, _dated, _expires, _policy):
        try:
            moment = read(query)
            if moment is not None:
                return moment.astimezone(UTC)
        except (ValueError, TypeError, LookupError, OverflowError, OSError, RecursionError):
            continue
    return None


def _azure(query: Mapping[str, str]) -> datetime | None:
    if "sig" not in query or "se" not in query:
        return None
    end = datetime.fromisoformat(query["se"])
    return end if end.tzinfo else end.replace(tzinfo=UTC)


def _dated(query: Mapping[str, str]) -> datetime | None:
    for family in ("x-amz", "x-goog"):
        if f"{family}-date" in query:
            signed = datetime.strptime(query[f"{family}-date"], _AMAZON_TIME).replace(tzinfo=UTC)
            return signed + timedelta(seconds=int(query[f"{family}-expires"]))
    return None


def _expires(query: Mapping[str, str]) -> datetime | None:
    return datetime.fromtimestamp(int(query["expires"]), UTC) if "expires" in query else None


def _policy(query: Mapping[str, str]) -> datetime | None:
    """Read CloudFront's policy: base64 in which three characters are replaced to fit a query."""
    if "policy" not in query:
        return None
    policy = json.loads(base64.b64decode(query["policy"].translate(str.maketrans("-_~", "+=/"))))
    end = policy["Statement"][0]["Condition"]["DateLessThan"]["AWS:EpochTime"]
    return datetime.fromtimestamp(int(end), UTC)

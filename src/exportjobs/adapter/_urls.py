"""How long a signed URL opens its file, read from the URL itself."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit


# Files are many, and the hosts that have them few.
@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Return whether a host is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_AMAZON_TIME = "%Y%m%dT%H%M%SZ"


def expiry(url: str) -> datetime | None:
    """Return when a signed URL stops working, in UTC, or None where it does not say.

    Read are Azure's `se`, Amazon's and Google's `Date` with `Expires`, a plain `Expires` in seconds
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
    """CloudFront writes its policy in base64 with three letters changed for the query's sake."""
    if "policy" not in query:
        return None
    policy = json.loads(base64.b64decode(query["policy"].translate(str.maketrans("-_~", "+=/"))))
    end = policy["Statement"][0]["Condition"]["DateLessThan"]["AWS:EpochTime"]
    return datetime.fromtimestamp(int(end), UTC)

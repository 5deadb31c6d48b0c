"""Draws: numbers, names and bytes that depend on nothing but their key.

Every draw hashes its key, so the sandbox gives the same jobs and files for the same seed whatever
the order in which requests arrive, and no random state is shared between requests.
"""

import hashlib
import math
from statistics import NormalDist
from typing import Final
from uuid import UUID

# https://docs.closient.com/api-reference: ids are shortuuids, without 0, 1, I, O and l
# (read through VENDORS.md section 2).
SHORTUUID_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ALPHANUMERIC: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def draw_bytes(key: str, *, size: int) -> bytes:
    """Return a number of bytes that look random."""
    return hashlib.shake_256(key.encode()).digest(size)


def uniform(key: str) -> float:
    """Return a number strictly between 0 and 1."""
    return (int.from_bytes(draw_bytes(key, size=6), "big") + 1) / (2**48 + 2)


def log_normal(key: str, *, median: float, sigma: float) -> float:
    """Return a positive number with a long tail to the right, as job durations and sizes have."""
    return median * math.exp(sigma * NormalDist().inv_cdf(uniform(key)))


def hexadecimal(key: str, *, length: int) -> str:
    """Return a number of lower-case hexadecimal digits."""
    return draw_bytes(key, size=(length + 1) // 2).hex()[:length]


def uuid(key: str) -> str:
    """Return a version 4 UUID."""
    return str(UUID(bytes=draw_bytes(key, size=16), version=4))


def shortuuid(key: str) -> str:
    """Return a 22-character shortuuid."""
    return _spell(key, alphabet=SHORTUUID_ALPHABET, length=22)


def alphanumeric(key: str, *, length: int) -> str:
    """Return a number of ASCII letters and digits."""
    return _spell(key, alphabet=_ALPHANUMERIC, length=length)


def _spell(key: str, *, alphabet: str, length: int) -> str:
    return "".join(alphabet[byte % len(alphabet)] for byte in draw_bytes(key, size=length))

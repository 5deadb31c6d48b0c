"""Digests of a file: those that its host says it has, and those of the bytes that came."""

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, Self, cast

ALWAYS = "sha-256"
"""What is recorded of every file."""
_LENGTHS = {"sha-512": 64, "sha-256": 32, "sha-1": 20, "md5": 16, "crc32c": 4, "crc32": 4}
_HASHES = {
    "md5": hashlib.md5,
    "sha-1": hashlib.sha1,
    "sha-256": hashlib.sha256,
    "sha-512": hashlib.sha512,
}
_SPELLED_OTHERWISE = {"sha": "sha-1", "sha1": "sha-1", "sha256": "sha-256", "sha512": "sha-512"}
_MEMBER = re.compile(r"\s*([A-Za-z0-9-]+)\s*=\s*:?([A-Za-z0-9+/]+={0,2}):?\s*(?:;[^,]*)?")
_ENCODING = "content-encoding"
_AMAZON = "x-amz-checksum-"


class Hash(Protocol):
    """What is computed over bytes as they come."""

    def update(self, data: memoryview, /) -> None:
        """Take some more bytes in."""
        ...

    def digest(self) -> bytes:
        """Return the digest of the bytes so far."""
        ...


def expected_digests(headers: Mapping[str, str], *, whole: bool) -> dict[str, bytes]:
    """Return the digests of the whole file that an answer's headers name, by algorithm.

    Read are Repr-Digest (RFC 9530) and Digest (RFC 3230), Google's `x-goog-hash` and Azure's
    `x-ms-blob-content-md5`, which speak of the file whatever part of it comes; and Content-Digest,
    Content-MD5 and Amazon's `x-amz-checksum-…`, which speak of what comes. Amazon's checksum of the
    checksums of an upload's parts is not one of the file. What cannot be read is left out.

    Args:
        headers: By names in lower case.
        whole: Whether it is the whole file that comes.
    """
    named = _named(headers, whole=whole)
    return _known((name, _decoded(text)) for name, text in named)


def of_hex(**digests: str | None) -> dict[str, bytes]:
    """Return the digests that a vendor writes in hexadecimal, by algorithm."""
    return _known((name, _from_hex(text or "")) for name, text in digests.items())


def are_computable(digests: Mapping[str, bytes]) -> bool:
    """Return whether digests are of known algorithms, and of the length that those have."""
    return _known(digests.items()).keys() == digests.keys()


class Digests:
    """The digests of the bytes that came so far."""

    def __init__(self, hashes: Mapping[str, Hash]) -> None:
        """Take what is computed, by algorithm."""
        self.hashes = hashes

    @classmethod
    def of(cls, algorithms: Mapping[str, bytes]) -> Self:
        """Begin to compute SHA-256, and those of some algorithms that can be."""
        wanted = {ALWAYS, *algorithms}
        made = {algorithm: _hash(algorithm) for algorithm in sorted(wanted)}
        return cls({algorithm: one for algorithm, one in made.items() if one is not None})

    @property
    def sha256(self) -> str:
        """The SHA-256 so far, in hexadecimal."""
        return self.hashes[ALWAYS].digest().hex()

    def mismatched(self, expected: Mapping[str, bytes]) -> tuple[str, ...]:
        """Return which of the expected digests are not those of the bytes."""
        return tuple(
            name
            for name in self.checkable(expected)
            if self.hashes[name].digest() != expected[name]
        )

    def checkable(self, expected: Mapping[str, bytes]) -> tuple[str, ...]:
        """Return which of the expected digests were computed."""
        return tuple(name for name in sorted(expected) if name in self.hashes)


def _named(headers: Mapping[str, str], *, whole: bool) -> Iterator[tuple[str, str]]:
    lists = ["repr-digest", "digest", *(["content-digest"] if whole else [])]
    # Google sends the hash of what is stored, also where it decompresses what it sends
    # (cloud.google.com/storage/docs/transcoding, November 2026).
    stored, sent = (headers.get(h, "") for h in ("x-goog-stored-content-encoding", _ENCODING))
    if stored.lower() != "gzip" or sent.lower() == "gzip":
        lists.append("x-goog-hash")
    for header in lists:
        for member in headers.get(header, "").split(","):
            match = _MEMBER.fullmatch(member)
            if match:
                yield match[1], match[2]
    yield "md5", headers.get("x-ms-blob-content-md5", "")
    if whole:
        yield "md5", headers.get("content-md5", "")
        for header in headers:
            if header.startswith(_AMAZON):
                yield header.removeprefix(_AMAZON), headers[header]


def _known(named: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """Return the digests of known algorithms that are as long as those have it."""
    spelled = ((_SPELLED_OTHERWISE.get(n.lower(), n.lower()), digest) for n, digest in named)
    return {name: digest for name, digest in spelled if len(digest) == _LENGTHS.get(name)}


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _hash(algorithm: str) -> Hash | None:
    """Return what computes an algorithm, or None where nothing here can."""
    match algorithm:
        case "crc32":
            return _Checksum(lambda value, data: zlib.crc32(data, value))
        case "crc32c":
            return _crc32c()
        case _:
            return _HASHES[algorithm](usedforsecurity=False)


class _Checksum:
    def __init__(self, extend: Callable[[int, memoryview], int]) -> None:
        self._extend = extend
        self._value = 0

    def update(self, data: memoryview, /) -> None:
        self._value = self._extend(self._value, data)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def _crc32c() -> Hash | None:
    try:
        # An extra: the standard library does not compute it.
        from google_crc32c import (  # noqa: PLC0415
            extend,  # pyright: ignore[reportUnknownVariableType]
        )
    except ImportError:
        return None
    computed = cast("Callable[[int, bytes], int]", extend)
    # Google's function accepts no writable buffer.
    return _Checksum(lambda value, data: computed(value, bytes(data)))

"""What stands beside a file that is not complete yet, so that another process can resume it."""

import json
import re
from collections.abc import Mapping
from typing import Any, Self

from attrs import field, frozen

from exportjobs._landing.digests import are_computable
from exportjobs._landing.opening import Version, is_sendable, is_strong

_VERSION = 1
_SUFFIX = re.compile(r"(\.[a-z0-9]{1,8}){0,2}")
LENGTH = 2048
"""Bytes of a sidecar, always the same: one write replaces all of it, whenever a process dies."""


@frozen(kw_only=True)
class Sidecar:
    """How far a file has come. It holds no URL."""

    version: Version
    suffix: str = ""
    """The file's, as its host served it."""
    expected: Mapping[str, bytes] = field(factory=dict[str, bytes])
    """Digests that the whole file must have, by algorithm."""
    received: int = 0
    """Bytes that were on the disk when this was written; there may be more by now."""
    sha256: str = ""
    """Of those bytes, in hexadecimal."""

    def to_bytes(self) -> bytes:
        """Return it as JSON, padded with blanks; nothing if it is too long."""
        text = json.dumps(
            {
                "exportjobs": _VERSION,
                "etag": self.version.etag,
                "modified": self.version.modified,
                "size": self.version.size,
                "suffix": self.suffix,
                "promises": {name: digest.hex() for name, digest in self.expected.items()},
                "received": self.received,
                "sha256": self.sha256,
            }
        )
        return text.encode().ljust(LENGTH) if len(text) <= LENGTH else b""

    @classmethod
    def from_bytes(cls, content: bytes) -> Self | None:
        """Return what `to_bytes` wrote, or None if it is something else."""
        try:
            written = json.loads(content)
            if written["exportjobs"] != _VERSION:
                return None
            return cls(
                version=Version(
                    _etag(written["etag"]), _header(written["modified"]), _size(written["size"])
                ),
                suffix=_suffix(written["suffix"]),
                expected=_digests(written["promises"]),
                received=_size(written["received"]) or 0,
                sha256=_text(written["sha256"]),
            )
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return None


def _text(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _etag(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    if value and not is_strong(_header(value)):
        raise ValueError(value)
    return _header(value)


def _header(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    if not is_sendable(_text(value)):
        raise ValueError(value)
    return _text(value)


def _digests(value: Any) -> Mapping[str, bytes]:  # noqa: ANN401 - whatever JSON holds
    found = {name: bytes.fromhex(text) for name, text in value.items()}
    if not are_computable(found):
        raise ValueError(value)
    return found


def _suffix(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    if not _SUFFIX.fullmatch(_text(value)):
        raise ValueError(value)
    return _text(value)


def _size(value: Any) -> int | None:  # noqa: ANN401 - whatever JSON holds
    if value is not None and (type(value) is not int or value < 0):
        raise ValueError(value)
    return value

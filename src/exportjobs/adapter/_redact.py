"""Keep secrets out of whatever is printed, logged or raised."""

import re
from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import urlsplit

from attrs import AttrsInstance, fields

_URL = re.compile(r"https?:[/\\]+\S+", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9.:_-]+")
_HIDDEN = "…"
_LONGEST = 300
_WORTH_HIDING = 6
"""The shortest secret that is replaced: a shorter text occurs in too many words."""
_secrets: ContextVar[Collection[str]] = ContextVar("secrets", default=())


@contextmanager
def hiding(secrets: Collection[str]) -> Generator[None]:
    """Keep secrets out of all texts that are made safe in the block: a vendor may quote them.

    The collection may grow in the block, for example when an account signs in.
    """
    before = _secrets.set(secrets)
    try:
        yield
    finally:
        _secrets.reset(before)


def unprinted(owner: AttrsInstance) -> set[str]:
    """Return the secrets of a value: the strings that its repr leaves out."""
    kept = (getattr(owner, one.name) for one in fields(type(owner)) if one.repr is not True)
    return {value for value in kept if isinstance(value, str)}


def safe_url(url: str) -> str:
    """Return a URL's scheme and host alone: its path and query may open what it points to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return _HIDDEN
    return f"{parts.scheme}://{host}{port}/{_HIDDEN}" if _HOST.fullmatch(host) else _HIDDEN


def safe_text(text: str) -> str:
    """Return a vendor's text on one line of bounded length, with every URL cut to its host.

    The secrets that `hiding` was given are left out.
    """
    line = " ".join(_URL.sub(lambda match: safe_url(match.group()), text).split())
    # Longest first: a shorter secret may be a part of a longer one.
    for secret in sorted(_secrets.get(), key=len, reverse=True):
        if len(secret) >= _WORTH_HIDING:
            line = line.replace(secret, _HIDDEN)
    printable = "".join(letter if letter.isprintable() else "?" for letter in line)
    return printable if len(printable) <= _LONGEST else printable[: _LONGEST - 1] + _HIDDEN


def optional_safe_text(text: str | None) -> str | None:
    """Return `safe_text` of a text that may be absent."""
    return None if text is None else safe_text(text)


def safe_texts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return `safe_text` of each of some texts."""
    return tuple(map(safe_text, texts))

"""Keep secrets out of everything that is printed, logged or raised."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_URL = re.compile(r"https?:[/\\]+\S+", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9.:_-]+")
_HIDDEN = "…"
_LONGEST = 300


def safe_url(url: str) -> str:
    """Return where a URL points without what opens it: scheme and host, nothing behind them."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        return _HIDDEN
    return f"{parts.scheme}://{host}{port}/{_HIDDEN}" if _HOST.fullmatch(host) else _HIDDEN


def safe_text(text: str) -> str:
    """Return a vendor's words on one bounded line, with every URL cut down to its host."""
    line = " ".join(_URL.sub(lambda match: safe_url(match.group()), text).split())
    printable = "".join(letter if letter.isprintable() else "?" for letter in line)
    return printable if len(printable) <= _LONGEST else printable[: _LONGEST - 1] + _HIDDEN


def optional_safe_text(text: str | None) -> str | None:
    """Return `safe_text` of a text that may be absent."""
    return None if text is None else safe_text(text)


def safe_texts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return `safe_text` of each of some texts."""
    return tuple(map(safe_text, texts))

"""Docstrings as help texts: a terminal is to wrap them, not the source file."""

from inspect import cleandoc

_ITEM = "    "
"""How far an argument is indented below `Args:`; what continues it is indented further."""


def reflowed(doc: str | None) -> str:
    """Return a docstring with each paragraph on one line, and each argument's description."""
    lines: list[str] = []
    for line in cleandoc(doc or "").splitlines():
        if lines and _continues(line, lines[-1]):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    return "\n".join(lines)


def _continues(line: str, before: str) -> bool:
    if not line or not before:
        return False
    if line.startswith(" "):
        return line.startswith(f"{_ITEM} ") and before.startswith(_ITEM)
    return not before.startswith(" ") and not line.startswith("- ")

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


def summary(doc: str | None) -> str:
    """Return what a docstring says first: a paragraph, on one line."""
    return reflowed(doc).partition("\n")[0]


def description(doc: str | None) -> str:
    """Return what a docstring says before its sections, each paragraph on one line."""
    return reflowed(doc).partition("\nArgs:\n")[0].partition("\nRaises:\n")[0].strip()


def arguments(doc: str | None) -> dict[str, str]:
    """Return what a docstring says of each argument."""
    found: dict[str, str] = {}
    _, _, section = reflowed(doc).partition("\nArgs:\n")
    for line in section.splitlines():
        if not line.startswith(_ITEM):
            break
        name, _, text = line.strip().partition(": ")
        found[name] = text
    return found

"""Docstrings are written as Markdown is; here they are made what autodoc reads."""

import re
from collections.abc import Callable
from typing import TypeAlias

from sphinx.application import Sphinx

_LONE_STAR = re.compile(r"(?<=[\"' ])\*(?=\.)")
_COLON = "\N{MODIFIER LETTER COLON}"
_BEFORE_NAPOLEON, _AFTER_NAPOLEON = 400, 600

Lines: TypeAlias = list[str]
Edit: TypeAlias = Callable[[str, object, Lines], Lines]
"""Returns other lines, told what they explain: its sort, and itself."""


def mark_examples(_: str, __: object, lines: Lines) -> Lines:
    """Mark as code what is set in by itself."""
    marked = list(lines)
    for at in range(len(lines) - 1, 1, -1):
        before = next((line for line in reversed(lines[:at]) if line), "")
        if lines[at].startswith(" ") and not lines[at - 1] and before[:1] not in {"", " "}:
            marked[at:at] = [".. code-block:: python", ""]
    return marked


def keep_stars(_: str, __: object, lines: Lines) -> Lines:
    """Keep the star of a pattern such as *.acme.com from beginning emphasis."""
    return [_LONE_STAR.sub(r"\\*", line) for line in lines]


def tell_remedy(_: str, value: object, lines: Lines) -> Lines:
    """Add to an error's text what it tells its reader to do."""
    remedy = vars(value).get("default_remedy") if isinstance(value, type) else None
    return [*lines, "", f"*Remedy:* {remedy}.", ""] if remedy else lines


def hide_colons(what: str, _: object, lines: Lines) -> Lines:
    """Hide the colons of a field's explanation from napoleon, which takes them to end a type."""
    if what not in {"attribute", "data", "property"}:
        return lines
    end = lines.index("") if "" in lines else len(lines)
    return [*(line.replace(": ", f"{_COLON} ") for line in lines[:end]), *lines[end:]]


def show_colons(_: str, __: object, lines: Lines) -> Lines:
    """Show them again."""
    return [line.replace(_COLON, ":") for line in lines]


def _handler(edit: Edit) -> Callable[[Sphinx, str, str, object, object, Lines], None]:
    """Return an edit as autodoc calls it, which wants its lines changed where they are."""

    def handle(_: Sphinx, what: str, __: str, value: object, ___: object, lines: Lines) -> None:
        lines[:] = edit(what, value, lines)

    return handle


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the edits."""
    for edit in (mark_examples, keep_stars, tell_remedy, hide_colons):
        app.connect("autodoc-process-docstring", _handler(edit), priority=_BEFORE_NAPOLEON)
    app.connect("autodoc-process-docstring", _handler(show_colons), priority=_AFTER_NAPOLEON)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

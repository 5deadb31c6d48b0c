"""The events, in a table and one by one, from the classes themselves."""

from collections.abc import Iterator
from logging import getLevelName

from attrs import fields
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from exportjobs.events import Event, Subject

_AUTODOC = """
.. autoclass:: exportjobs.events.{}
   :members:
   :undoc-members:
   :exclude-members: level, message
"""


class EventTable(SphinxDirective):
    """`{event-table}`: a row for each event."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        heads = ["| event | what happened | log message | level | data |", "|---|---|---|---|---|"]
        return self.parse_text_to_nodes("\n".join([*heads, *_rows()]))


class EventReference(SphinxDirective):
    """`{event-reference}`: every event, in the order of the table."""

    def run(self) -> list[nodes.Node]:
        """Return what autodoc makes of them, and of whom they are about."""
        classes = [*Event.__subclasses__(), Subject]
        lines = (_AUTODOC.format(one.__name__) for one in classes)
        return self.parse_text_to_nodes("\n".join(["```{eval-rst}", *lines, "```"]))


def _rows() -> Iterator[str]:
    for event in Event.__subclasses__():
        summary = (event.__doc__ or "").partition("\n")[0]
        level = getLevelName(event.level)
        data = ", ".join(f"`{one.name}`" for one in fields(event) if one.name != "subject")
        name = f"{{py:class}}`~exportjobs.events.{event.__name__}`"
        yield f"| {name} | {summary} | {event.message} | {level} | {data} |"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("event-table", EventTable)
    app.add_directive("event-reference", EventReference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

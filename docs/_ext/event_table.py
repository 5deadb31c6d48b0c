"""The events, from the classes themselves."""

from collections.abc import Iterator
from logging import getLevelName

from attrs import fields
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from exportjobs import Event


class EventTable(SphinxDirective):
    """`{event-table}`: a row for each event."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        heads = ["| event | what happened | log message | level | data |", "|---|---|---|---|---|"]
        return self.parse_text_to_nodes("\n".join([*heads, *_rows()]))


def _rows() -> Iterator[str]:
    for event in Event.__subclasses__():
        summary = (event.__doc__ or "").partition("\n")[0]
        level = getLevelName(event.level)
        data = ", ".join(f"`{one.name}`" for one in fields(event) if one.name != "subject")
        yield f"| `{event.__name__}` | {summary} | {event.message} | {level} | {data} |"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("event-table", EventTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

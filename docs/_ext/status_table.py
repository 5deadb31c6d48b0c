"""The five statuses and the moves between them, told and drawn from the library's own table."""

from collections.abc import Iterator
from html import escape
from math import hypot

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from exportjobs import JobStatus
from exportjobs.adapter._job import TRANSITIONS

_WIDTH, _HEIGHT = 120, 40
_COLUMN, _ROW, _MARGIN = 260, 70, 20


class StatusTable(SphinxDirective):
    """`{status-table}`: a row for each status."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        rows = ["| status | ended | may next be seen as |", "|---|---|---|"]
        for status in JobStatus:
            ended = "yes" if status.is_terminal else "no"
            moves = ", ".join(f"`{other}`" for other in JobStatus if status.may_become(other))
            rows.append(f"| `{status}` | {ended} | {moves} |")
        return self.parse_text_to_nodes("\n".join(rows))


class StatusDiagram(SphinxDirective):
    """`{status-diagram}`: the moves, as a drawing in the theme's colours."""

    def run(self) -> list[nodes.Node]:
        """Return the drawing."""
        return [nodes.raw("", drawing(), format="html")]


Point = tuple[float, float]


def centres() -> dict[JobStatus, Point]:
    """Return where each status stands: those that go on to the left, the ends to the right."""
    going = [status for status in JobStatus if not status.is_terminal]
    ends = [status for status in JobStatus if status.is_terminal]
    tallest = max(len(going), len(ends))
    places: dict[JobStatus, Point] = {}
    for column, statuses in enumerate((going, ends)):
        top = _MARGIN + _HEIGHT / 2 + (tallest - len(statuses)) * _ROW / 2
        x = _MARGIN + _WIDTH / 2 + column * _COLUMN
        places |= {status: (x, top + row * _ROW) for row, status in enumerate(statuses)}
    return places


def drawing() -> str:
    """Return the diagram as SVG."""
    places = centres()
    width = max(x for x, _ in places.values()) + _WIDTH / 2 + _MARGIN
    height = max(y for _, y in places.values()) + _HEIGHT / 2 + _MARGIN
    moves = "; ".join(f"{start} to {end}" for start, end in _moves())
    return (
        f'<svg class="status-diagram" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'role="img" aria-label="{escape(moves)}"><defs><marker id="tip" viewBox="0 0 8 8" '
        'refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>'
        + "".join(_arrow(places[start], places[end]) for start, end in _moves())
        + "".join(_box(status, *place) for status, place in places.items())
        + "</svg>"
    )


def _moves() -> Iterator[tuple[JobStatus, JobStatus]]:
    """Yield every legal move but that of staying."""
    for start in JobStatus:
        yield from ((start, end) for end in JobStatus if end in TRANSITIONS[start] - {start})


def _box(status: JobStatus, x: float, y: float) -> str:
    kind = "end" if status.is_terminal else "going"
    left, top = x - _WIDTH / 2, y - _HEIGHT / 2
    return (
        f'<rect class="{kind}" x="{left:g}" y="{top:g}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'rx="8"/><text x="{x:g}" y="{y:g}" dy="0.35em">{status}</text>'
    )


def _arrow(start: Point, end: Point) -> str:
    """Return an arrow; two in one column run side by side, there and back."""
    if start[0] == end[0]:
        down = 1 if end[1] > start[1] else -1
        x = start[0] + down * _WIDTH / 5
        ends = (x, start[1] + down * _HEIGHT / 2), (x, end[1] - down * _HEIGHT / 2)
    else:
        ends = (start[0] + _WIDTH / 2, start[1]), (end[0] - _WIDTH / 2, end[1])
    (x1, y1), (x2, y2) = ends
    length = hypot(x2 - x1, y2 - y1)
    x2, y2 = x2 - 2 * (x2 - x1) / length, y2 - 2 * (y2 - y1) / length
    return f'<path class="move" d="M{x1:g},{y1:g} L{x2:.1f},{y2:.1f}" marker-end="url(#tip)"/>'


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("status-table", StatusTable)
    app.add_directive("status-diagram", StatusDiagram)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

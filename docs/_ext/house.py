"""The packages and which imports which, told and drawn from the code itself.

A package's floor is one above the highest that it imports. Arrows that follow from others are left
out: what imports `_ledger` may import `_landing` too. Of the ways to put boxes beside each other,
the one with the fewest crossings and the shortest arrows is drawn.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from html import escape
from itertools import combinations, pairwise, product
from pathlib import Path
from typing import TypeAlias

import grimp
from attrs import frozen
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import exportjobs

_LIBRARY = "exportjobs"
_ADAPTERS = "exportjobs_*"
_OF_ADAPTERS = "One vendor each: knowledge of its API, and nothing that does I/O."
_SOURCE = Path(exportjobs.__file__).parent

_WIDTH, _HEIGHT = 136, 44
_COLUMN, _FLOOR, _MARGIN = 190, 94, 12
_PORT = 24
_FURTHEST = 2
"""How many columns a box may be beside the middle."""

Imports: TypeAlias = Mapping[str, frozenset[str]]
Point: TypeAlias = tuple[float, float]


@frozen
class Room:
    """A package of the library, or a module that is one by itself."""

    name: str
    sentence: str
    parts: tuple[str, ...] = ()
    """The packages in it."""

    @property
    def is_public(self) -> bool:
        """Whether its names may be used by others."""
        return not self.name.startswith("_")


def imports() -> Imports:
    """Return which rooms each room imports, itself left out.

    The façade imports its doors when they are used, which is what its type-only imports say.
    """
    adapters = [found.name for found in _SOURCE.parents[1].glob("adapters/exportjobs_*")]
    found: dict[str, set[str]] = {}
    for only_run in (True, False):
        graph = grimp.build_graph(
            _LIBRARY, *adapters, exclude_type_checking_imports=only_run, cache_dir=None
        )
        for module in graph.modules:
            if only_run or module == _LIBRARY:
                taken = {_room(one) for one in graph.find_modules_directly_imported_by(module)}
                found.setdefault(_room(module), set()).update(taken)
    del found["__main__"]
    return {room: frozenset(taken - {room}) for room, taken in found.items()}


def _room(module: str) -> str:
    first, *rest = module.split(".")
    if first != _LIBRARY:
        return _ADAPTERS
    return rest[0] if rest else _LIBRARY


def rooms(found: Imports) -> list[Room]:
    """Return the rooms from the highest floor to the lowest."""
    floor = floors(found)
    return [_described(name) for name in sorted(found, key=lambda one: (-floor[one], one))]


def _described(name: str) -> Room:
    if name == _ADAPTERS:
        return Room(name, _OF_ADAPTERS)
    place = _SOURCE if name == _LIBRARY else _SOURCE / name
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    inner = [] if name == _LIBRARY else sorted(place.glob("*/__init__.py"))
    return Room(name, sentence(file), tuple(one.parent.name for one in inner))


def sentence(file: Path) -> str:
    """Return the first sentence of a module's docstring."""
    text = ast.get_docstring(ast.parse(file.read_text())) or ""
    first, _, _ = " ".join(text.partition("\n\n")[0].split()).partition(". ")
    return first.rstrip(".") + "."


def floors(found: Imports) -> Mapping[str, int]:
    """Return on which floor each room is, from 0."""
    floor: dict[str, int] = {}
    for room in TopologicalSorter(found).static_order():
        floor[room] = 1 + max((floor[lower] for lower in found[room]), default=-1)
    return floor


def reduced(found: Imports) -> list[tuple[str, str]]:
    """Return the imports that do not follow from others."""
    reached: dict[str, set[str]] = {}
    for room in TopologicalSorter(found).static_order():
        reached[room] = {*found[room], *(far for near in found[room] for far in reached[near])}
    return [
        (room, lower)
        for room in sorted(found)
        for lower in sorted(found[room])
        if not any(lower in reached[other] for other in found[room])
    ]


@frozen
class Layout:
    """Where each room stands: its column, 0 in the middle, and its floor."""

    column: Mapping[str, int]
    floor: Mapping[str, int]
    arrows: tuple[tuple[str, str], ...]

    @classmethod
    def best(cls, found: Imports) -> "Layout":
        """Return the clearest layout: the longest way down is in the middle."""
        floor, arrows = floors(found), tuple(reduced(found))
        middle = _longest(floor, arrows)
        beside = [room for room in sorted(found) if room not in middle]
        columns = [one for one in range(-_FURTHEST, _FURTHEST + 1) if one]
        return min(
            (
                cls(
                    dict.fromkeys(middle, 0) | dict(zip(beside, chosen, strict=True)), floor, arrows
                )
                for chosen in product(columns, repeat=len(beside))
            ),
            key=cls.cost,
        )

    def cost(self) -> tuple[float, ...]:
        """Return how hard the layout is to read."""
        places = [self.at(room) for room in self.column]
        ways = [self.way(*arrow) for arrow in self.arrows]
        lines = [line for way in ways for line in pairwise(way)]
        shared = len(places) - len(set(places))
        hit = sum(place in way[1:-1] for place in places for way in ways)
        crossed = sum(_cross(*two) for two in combinations(lines, 2))
        length = sum(abs(x1 - x2) + abs(y1 - y2) for (x1, y1), (x2, y2) in lines)
        return shared + hit + crossed, length, -sum(self.column.values())

    def way(self, room: str, lower: str) -> list[Point]:
        """Return an arrow's place on each floor, as column and floor.

        It changes its column at once, or at the end where it leads to the middle.
        """
        (x1, y1), (x2, y2) = self.at(room), self.at(lower)
        between = [(x2 or x1, float(y)) for y in range(y1 - 1, y2, -1)]
        return [(x1, y1), *between, (x2, y2)]

    def at(self, room: str) -> tuple[int, int]:
        """Return a room's column and floor."""
        return self.column[room], self.floor[room]


def _longest(floor: Mapping[str, int], arrows: Iterable[tuple[str, str]]) -> list[str]:
    """Return the longest way down, room by room."""
    room = min(floor, key=lambda one: (-floor[one], one))
    way = [room]
    while lower := [to for start, to in arrows if start == way[-1]]:
        way.append(min(lower, key=lambda one: (-floor[one], one)))
    return way


def _cross(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Return whether two lines cross, or run over each other; a common end is neither."""
    if {*one} & {*other}:
        return False
    apart = _turns(*one, other[0]) * _turns(*one, other[1])
    around = _turns(*other, one[0]) * _turns(*other, one[1])
    if one[0][0] == one[1][0] == other[0][0] == other[1][0]:
        return one[0][1] > other[1][1] and other[0][1] > one[1][1]
    return apart <= 0 and around <= 0


def _turns(a: Point, b: Point, c: Point) -> float:
    """Return on which side of a line a point is."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@frozen
class Drawing:
    """A layout as SVG, in the theme's colours."""

    layout: Layout
    rooms: tuple[Room, ...]

    def __str__(self) -> str:
        """Return the whole drawing."""
        columns, top = self.layout.column.values(), max(self.layout.floor.values())
        width = (max(columns) - min(columns)) * _COLUMN + _WIDTH + 2 * _MARGIN
        height = top * _FLOOR + _HEIGHT + 2 * _MARGIN
        told = "; ".join(f"{room} imports {lower}" for room, lower in self.layout.arrows)
        return (
            f'<svg class="house" viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img" '
            f'aria-label="{escape(told)}"><defs><marker id="into" viewBox="0 0 8 8" refX="7" '
            'refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>'
            + "".join(self._arrow(*arrow) for arrow in self.layout.arrows)
            + "".join(map(self._box, self.rooms))
            + "</svg>"
        )

    def _centre(self, place: Point) -> Point:
        left, top = min(self.layout.column.values()), max(self.layout.floor.values())
        x = (place[0] - left) * _COLUMN + _WIDTH / 2 + _MARGIN
        return x, (top - place[1]) * _FLOOR + _HEIGHT / 2 + _MARGIN

    def _box(self, room: Room) -> str:
        x, y = self._centre(self.layout.at(room.name))
        kind = "public" if room.is_public else "private"
        parts = ", ".join(f"{part}/" for part in room.parts)
        inner = f'<text class="part" x="{x:g}" y="{y + 12:g}">{parts}</text>' if parts else ""
        name = f'<text x="{x:g}" y="{y + (-3 if parts else 5):g}">{escape(room.name)}</text>'
        return (
            f'<g><title>{escape(room.sentence)}</title><rect class="{kind}" '
            f'x="{x - _WIDTH / 2:g}" y="{y - _HEIGHT / 2:g}" width="{_WIDTH}" height="{_HEIGHT}" '
            f'rx="8"/>{name}{inner}</g>'
        )

    def _arrow(self, room: str, lower: str) -> str:
        corners = [self._centre(place) for place in self.layout.way(room, lower)]
        (x1, y1), (x2, y2) = corners[0], corners[-1]
        start = x1 + self._port(room, lower, [b for a, b in self.layout.arrows if a == room])
        end = x2 + self._port(lower, room, [a for a, b in self.layout.arrows if b == lower])
        bends = [(end if x == x2 else start, y) for x, y in corners[1:-1]]
        points = [(start, y1 + _HEIGHT / 2), *bends, (end, y2 - _HEIGHT / 2 - 2)]
        return f'<path class="import" d="{_curve(points)}" marker-end="url(#into)"/>'

    def _port(self, room: str, other: str, others: list[str]) -> float:
        """Return how far from a box's middle an arrow begins or ends, of several.

        One that runs straight down keeps to the middle.
        """
        column = self.layout.column
        in_order = sorted(others, key=lambda one: (column[one], one))
        straight = [one for one in in_order if column[one] == column[room]]
        middle = in_order.index(straight[0]) if straight else (len(in_order) - 1) / 2
        return (in_order.index(other) - middle) * _PORT


def _curve(points: list[Point]) -> str:
    """Return a path that leaves and reaches each of its points straight down."""
    return "".join(_pieces(points))


def _pieces(points: list[Point]) -> Iterator[str]:
    yield "M{:g},{:g}".format(*points[0])
    for (x1, y1), (x2, y2) in pairwise(points):
        middle = (y1 + y2) / 2
        yield f" C{x1:g},{middle:g} {x2:g},{middle:g} {x2:g},{y2:g}"


def drawing() -> str:
    """Return the picture of the house."""
    found = imports()
    return str(Drawing(Layout.best(found), tuple(rooms(found))))


class HousePicture(SphinxDirective):
    """`{house-picture}`: the packages, and arrows to what each imports."""

    def run(self) -> list[nodes.Node]:
        """Return the drawing."""
        return [nodes.raw("", drawing(), format="html")]


class HouseRooms(SphinxDirective):
    """`{house-rooms}`: a row for each package, with the sentence that its docstring is."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        rows = ["| package | what it is for |", "|---|---|"]
        for room in rooms(imports()):
            rows.append(f"| `{room.name}` | {_markdown(room.sentence)} |")
            rows += [
                f"| `{room.name}/{part}` | {_markdown(sentence(_inner(room, part)))} |"
                for part in room.parts
            ]
        return self.parse_text_to_nodes("\n".join(rows))


def _inner(room: Room, part: str) -> Path:
    return _SOURCE / room.name / part / "__init__.py"


def _markdown(text: str) -> str:
    return re.sub(r"([*_|])(?=[^`]*(?:`[^`]*`[^`]*)*$)", r"\\\1", text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("house-picture", HousePicture)
    app.add_directive("house-rooms", HouseRooms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

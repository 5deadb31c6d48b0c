"""The picture of the packages is drawn from what they import."""

import sys
from importlib import import_module
from xml.etree import ElementTree as ET

from .blocks import ROOT

# It lies beside the pages.
sys.path.insert(0, str(ROOT / "docs" / "_ext"))
house = import_module("house")

_SVG = "{http://www.w3.org/2000/svg}"
IMPORTS = {
    "top": frozenset({"left", "right", "low"}),
    "left": frozenset({"low"}),
    "right": frozenset({"low"}),
    "low": frozenset[str](),
}


def test_every_package_has_a_box_and_a_sentence() -> None:
    """Those that `ls` shows, and the adapters."""
    source = ROOT / "src" / "exportjobs"
    there = {one.parent.name for one in source.glob("*/__init__.py")} | {"events", "exportjobs_*"}

    rooms = house.rooms(house.imports())

    assert {room.name for room in rooms} == there | {"exportjobs"}
    assert all(len(room.sentence) > len("A sentence.") for room in rooms)
    assert {room.name: room.parts for room in rooms if room.parts} == {
        "_landing": ("into",),
        "_poller": ("loop",),
    }


def test_a_package_is_one_floor_above_the_highest_that_it_imports() -> None:
    """So every arrow leads down."""
    assert house.floors(IMPORTS) == {"top": 2, "left": 1, "right": 1, "low": 0}


def test_an_arrow_that_follows_from_others_is_left_out() -> None:
    """What is on top may import everything below."""
    assert house.reduced(IMPORTS) == [
        ("left", "low"),
        ("right", "low"),
        ("top", "left"),
        ("top", "right"),
    ]


def test_no_arrow_of_the_picture_crosses_another_or_a_box() -> None:
    """Another way to put the boxes is found when the imports change."""
    layout = house.Layout.best(house.imports())

    crossings, *_ = layout.cost()

    assert crossings == 0


def test_the_picture_is_an_image_with_a_description() -> None:
    """For those who do not see it."""
    drawn = ET.fromstring(house.drawing().replace("<svg", f'<svg xmlns="{_SVG[1:-1]}"'))  # noqa: S314 - ours

    arrows = house.reduced(house.imports())

    assert drawn.attrib["role"] == "img"
    assert drawn.attrib["aria-label"].count(" imports ") == len(arrows)
    assert len(drawn.findall(f"{_SVG}path")) == len(arrows)

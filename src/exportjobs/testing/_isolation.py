"""Check that flows depend on nothing but the adapter, the arguments and the answers."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias

from attrs import evolve

from exportjobs.testing._breach import Breach
from exportjobs.testing._modules import package_of
from exportjobs.testing._purity import deed
from exportjobs.testing._recorded import Recorded
from exportjobs.testing._scenes import scenes
from exportjobs.testing._state import changed, state

_Act: TypeAlias = Callable[[], object]

_PURE = "yield requests, and take everything else that it needs as arguments"


def check_pure(recorded: Recorded) -> None:
    """Check that neither the adapter's constructor nor its flows do I/O or read a clock."""
    adapter = recorded.adapter
    making: _Act = partial(evolve, adapter)
    acts: Iterable[tuple[str, _Act]] = ((scene.name, scene.play) for scene in scenes(recorded))
    for name, act in (("the adapter's constructor", making), *acts):
        found = deed(act, package_of(type(adapter)))
        if found is not None:
            raise Breach(f"{name} {found.what} at {found.where}", _PURE)


def check_unchanged(recorded: Recorded) -> None:
    """Check that flows do not change the adapter, its classes or their modules."""
    for scene in scenes(recorded) * 2:
        before = state(recorded.adapter)
        scene.play()
        holder = changed(before, state(recorded.adapter))
        if holder is not None:
            remedy = "keep no state between flows: a job's ref and ExportJob hold it"
            raise Breach(f"{scene.name} changes {holder}", remedy)


def check_repeatable(recorded: Recorded) -> None:
    """Check that the same answers give the same requests and the same result."""
    played = {scene.name: scene.play() for scene in scenes(recorded)}
    for scene in reversed(scenes(recorded)):
        if scene.play() != played[scene.name]:
            remedy = "build requests and jobs from the arguments and the answers alone"
            raise Breach(f"{scene.name} gives another result for the same answers", remedy)

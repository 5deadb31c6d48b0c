"""Check that any answer gives a job, or an error that says where the answer is wrong."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from exportjobs.adapter._errors import ExportJobsError, MalformedResponse
from exportjobs.adapter._flow import Response
from exportjobs.testing._breach import Breach
from exportjobs.testing._recorded import Recorded
from exportjobs.testing._scenes import Heard, Scene, scenes
from exportjobs.testing._secrets import revealed
from exportjobs.testing._values import misfits
from exportjobs.testing._variants import Variant, enlarged, extended

Varying: TypeAlias = Callable[[Response], Iterator[Variant]]
"""Returns the variants of an answer that a test is about."""

_MOST_CALLS = 1_000_000
"""How many calls a flow may make for one answer: a hundred times what a large one takes."""


def check_variants(recorded: Recorded, varying: Varying) -> None:
    """Check that each variant of each recorded answer gives a result or an error with a path."""
    for scene in scenes(recorded):
        for index, answer in enumerate(scene.answers):
            for variant in varying(answer):
                varied = scene.where(index, variant.response, variant.what)
                check_understood(varied, bounded=varying is enlarged)


def check_understood(scene: Scene, *, bounded: bool) -> None:
    """Check that a scene gives what its flow is to return, or an error with a path.

    With `bounded`, the flow's calls are counted, which takes longer than all the rest.
    """
    heard = _heard_within_bounds(scene) if bounded else scene.hear(scene.answers)
    if heard.error is not None:
        _check_error(heard.error, scene.name)
    else:
        _check_results(scene.results(heard.outcome), scene.name)
    if revealed(scene.adapter, f"{heard.outcome!r} {heard.outcome}"):
        remedy = "keep credentials out of errors and jobs"
        raise Breach(f"{scene.name} shows a credential", remedy)


def check_extended(recorded: Recorded) -> None:
    """Check that unknown members change nothing."""
    for scene in scenes(recorded):
        expected: Heard = scene.play()
        for index, answer in enumerate(scene.answers):
            for variant in extended(answer):
                varied = scene.where(index, variant.response, variant.what)
                if varied.hear(varied.answers).outcome != expected.outcome:
                    remedy = "read known members only: vendors add new ones"
                    raise Breach(f"{varied.name} gives another result", remedy)


def _check_error(error: ExportJobsError, where: str) -> None:
    if not isinstance(error, MalformedResponse):
        return
    if not error.problems or not all("@ $" in problem for problem in error.problems):
        remedy = 'end each problem with its path, as in "expected a number @ $.size"'
        raise Breach(f"{where} ends with an error without a path ({error.reason})", remedy)


def _check_results(results: Iterable[object], where: str) -> None:
    for one in results:
        for problem in misfits(one, f"{where} the {type(one).__name__}'s"):
            remedy = "read answers with Response.body() or structure(), which check types"
            raise Breach(problem, remedy)


class _Endless(BaseException):
    """Ends a flow that does not end by itself; not an Exception, so that no adapter catches it."""


def _heard_within_bounds(scene: Scene) -> Heard:
    """Return the outcome of a scene, or fail if its flow makes too many calls."""
    calls = iter(range(_MOST_CALLS))

    def count(*_: object) -> None:
        if next(calls, None) is None:
            raise _Endless

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        return scene.hear(scene.answers)
    except _Endless:
        remedy = "check the size of a number from the vendor before you count up to it"
        raise Breach(f"{scene.name} does not end", remedy) from None
    finally:
        sys.setprofile(before)

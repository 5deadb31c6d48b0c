"""Check a flow with generated answers: any JSON value, at any path of a recorded answer."""

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

from exportjobs.testing._answers import check_understood
from exportjobs.testing._arguments import shown
from exportjobs.testing._recorded import Recorded
from exportjobs.testing._scenes import Scene, scenes
from exportjobs.testing._variants import HOSTILE, HUGE, Place, json_of, kinds_of_places, replaced

_texts = st.text(st.characters(exclude_categories=()))
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | _texts
_values: st.SearchStrategy[object] = st.recursive(
    _scalars | st.sampled_from([*HOSTILE.values(), *HUGE.values()]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)


def check_any_answer(recorded: Recorded) -> None:
    """Check that any JSON value at any path gives a result or an error with a path.

    The same adapter gets the same answers in every run. The author's hypothesis profile sets how
    many.
    """
    everywhere = [
        (scene, index, place)
        for scene in scenes(recorded)
        for index, answer in enumerate(scene.answers)
        for place in kinds_of_places(json_of(answer))
    ]

    # The Breach says what is wrong: hypothesis need not print the example too.
    @settings(
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow],
        verbosity=Verbosity.quiet,
    )
    @given(st.sampled_from(everywhere), _values)
    def check(where: tuple[Scene, int, Place], value: object) -> None:
        scene, index, place = where
        variant = replaced(scene.answers[index], place, value, shown(value))
        varied = scene.where(index, variant.response, variant.what)
        check_understood(varied, bounded=True)

    check()

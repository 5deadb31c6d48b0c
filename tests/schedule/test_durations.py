"""What is learned of how long jobs take: where they end, soon enough, and never the unreadable."""

import json
import math
from bisect import bisect_right
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportjobs._schedule.durations import EDGES, Belief, Durations, cell_at, probabilities

anything = st.floats(allow_nan=True, allow_infinity=True)
spans = st.tuples(st.floats(0, 1e7), st.floats(0, 1e7)).map(sorted)


def learned(*jobs: tuple[float, float], times: int = 1, typical: float = 60.0) -> Durations:
    """Return what is known after jobs ended within spans, some number of times over."""
    durations = Durations.prior(typical)
    for after, by in jobs * times:
        durations = durations.ended(after, by)
    return durations


def within(durations: Durations, low: float, high: float) -> float:
    """Return the probability of a job's ending between two ages."""
    chances = probabilities(durations.belief)
    return sum(chances[cell_at(low) : cell_at(high) + 1])


def median(durations: Durations) -> float:
    """Return the age that half of the jobs are expected to end by."""
    below = list(accumulate(probabilities(durations.belief)))
    return EDGES[bisect_right(below, 0.5) + 1]


def test_a_guess_is_centred_but_wide() -> None:
    """A guess of a minute leaves room for seconds and for hours."""
    guess = Durations.prior(60.0)
    assert median(guess) == pytest.approx(60, rel=0.1)
    assert within(guess, 0, 5) > 0.02
    assert within(guess, 1800, 1e6) > 0.02


@pytest.mark.parametrize("typical", [0.0, -1.0, math.nan, math.inf, 1e-9, 1e12])
def test_any_guess_will_do(typical: float) -> None:
    """A guess that cannot be is replaced or brought within bounds."""
    assert sum(probabilities(Durations.prior(typical).belief)) == pytest.approx(1)


@pytest.mark.parametrize("duration", [0.05, 2.0, 900.0, 50_000.0])
def test_a_few_jobs_outweigh_the_guess(duration: float) -> None:
    """However far off the guess was."""
    durations = learned((duration * 0.9, duration * 1.1), times=4)
    assert median(durations) == pytest.approx(duration, rel=0.15)


def test_the_more_alike_jobs_are_the_narrower_the_belief() -> None:
    """Jobs that all take ten seconds leave little room for others."""
    few, many = (learned((9.5, 10.5), times=times) for times in (3, 40))
    assert within(few, 8, 12.5) < within(many, 8, 12.5)
    assert within(many, 8, 12.5) > 0.9


def test_two_modes_are_told_apart() -> None:
    """What ends at twenty seconds or at a quarter of an hour does not end in between."""
    durations = learned((18, 22), (19, 24), (850, 950), times=15)
    assert within(durations, 14, 30) > 0.55
    assert within(durations, 700, 1150) > 0.25
    assert within(durations, 50, 400) < 0.02


def test_a_job_that_was_never_seen_running_is_placed_by_the_others() -> None:
    """Being seen ended at the first question says little, the others say where."""
    durations = learned((95, 105), (0, 130), times=10)
    assert within(durations, 80, 130) > 0.8


def test_a_job_given_up_makes_long_ones_likelier() -> None:
    """It would have ended later."""
    durations = learned((9, 11), times=5)
    assert within(durations.timed_out(600), 600, 1e7) > 2 * within(durations, 600, 1e7)


@pytest.mark.parametrize("factor", [10, 0.1])
def test_a_change_is_followed_within_twenty_jobs(factor: float) -> None:
    """Tenfold, after any number of jobs."""
    durations = learned((55, 65), (70, 80), (40, 50), times=100)
    for after, by in [(55, 65), (70, 80), (40, 50)] * 7:
        durations = durations.ended(after * factor, by * factor)
    assert median(durations) == pytest.approx(60 * factor, rel=0.3)


def test_a_belief_is_formed_anew_ever_more_rarely() -> None:
    """Plans are dear: few of them are made, though every job counts in the end."""
    beliefs: list[Belief] = []
    durations = Durations.prior(60)
    for job in range(300):
        durations = durations.ended(20 + job % 7, 22 + job % 7)
        beliefs.append(durations.belief)
    assert len(set(map(id, beliefs[:5]))) == 5
    assert len(set(map(id, beliefs[150:]))) < 10
    assert len(set(map(id, beliefs))) < 50


@given(st.lists(spans | st.tuples(anything, anything), max_size=20), st.lists(anything, max_size=3))
def test_any_history_leaves_a_belief(
    history: list[tuple[float, float]], given_up: list[float]
) -> None:
    """Clocks may disagree, ages may be nonsense."""
    durations = learned(*history)
    for age in given_up:
        durations = durations.timed_out(age)
    chances = probabilities(durations.belief)
    assert sum(chances) == pytest.approx(1)
    assert all(0 <= chance <= 1 for chance in chances)


@given(st.floats(1e-3, 1e6), st.lists(spans, max_size=200))
def test_what_was_learned_survives_being_written(
    typical: float, history: list[tuple[float, float]]
) -> None:
    """It comes back the same, and stays small however long the history."""
    text = learned(*history, typical=typical).to_json()
    back = Durations.from_json(text)
    assert back.to_json() == text
    assert back.seen == len(history)
    assert len(text) < 2_000


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"typical": -1},
        {"typical": math.nan},
        {"typical": None},
        {"seen": "many"},
        {"seen": math.inf},
        {"ends": [1]},
        {"ends": [2, 1]},
        {"ends": [-1, 1]},
        {"ends": [0, 10_000]},
        {"ends": None},
    ],
)
def test_what_cannot_be_read_is_refused(change: dict[str, object]) -> None:
    """With the one error that the caller expects."""
    written = json.loads(learned((1, 2)).to_json())
    with pytest.raises(ValueError, match="not a record of durations"):
        Durations.from_json(json.dumps(written | change))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", "7", "[" * 100_000])
def test_what_is_no_record_is_refused(text: str) -> None:
    """Whatever stands in the file."""
    with pytest.raises(ValueError, match="not a record of durations"):
        Durations.from_json(text)


def test_jobs_that_ran_side_by_side_count_in_the_order_they_were_submitted() -> None:
    """Though the short ones end first, and so the long ones are the latest to be seen."""
    spans = [(float(length), length * 1.1) for length in (40, 5, 90, 12, 60, 7, 30, 150)]
    in_turn = learned(*spans)
    side_by_side = Durations.prior(60)
    for turn, (after, by) in sorted(enumerate(spans), key=lambda one: one[1]):
        side_by_side = side_by_side.ended(after, by, turn=turn)
    assert side_by_side.to_json() == in_turn.to_json()

"""A job's life as a function of time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from exportjobs.sandbox._timeline import JobState, Timeline

START: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER: Final = [JobState.queued, JobState.running, JobState.done]

moments = st.lists(st.floats(0, 10), min_size=2).map(sorted)


def draw(key: str, *, speed: float = 1.0) -> Timeline:
    """Return the life of a job that succeeds."""
    return Timeline.draw(START, key=key, speed=speed, ending=JobState.done)


@given(key=st.text(), seconds=moments)
def test_a_job_only_goes_forward(key: str, seconds: list[float]) -> None:
    """Neither its state nor its progress ever goes back."""
    life = draw(key)
    times = [START + timedelta(seconds=second) for second in seconds]

    for earlier, later in pairwise(times):
        assert ORDER.index(life.state(earlier)) <= ORDER.index(life.state(later))
        assert 0 <= life.progress(earlier) <= life.progress(later) <= 1


@given(key=st.text(), second=st.floats(0, 0.1), later=st.floats(0, 10))
def test_a_cancelled_job_stays_cancelled(key: str, second: float, later: float) -> None:
    """From the moment it was cancelled it is nothing else."""
    moment = START + timedelta(seconds=second)
    life = draw(key).cancel(moment)

    assert life.state(moment + timedelta(seconds=later)) is JobState.cancelled
    assert not life.is_active(moment)


def test_a_job_cancelled_in_the_queue_has_not_run() -> None:
    """Clari calls one CANCELLED and the other ABORTED."""
    life = draw("job")

    assert not life.cancel(life.created).has_run
    assert life.cancel(life.started + timedelta(milliseconds=1)).has_run


def test_jobs_take_about_six_tenths_of_a_second_and_less_with_speed() -> None:
    """The median is what the documentation says, and speed divides it."""
    lives = [draw(str(number)) for number in range(500)]
    fast = [draw(str(number), speed=10) for number in range(500)]

    seconds = median((life.ended - life.created).total_seconds() for life in lives)
    faster = median((life.ended - life.created).total_seconds() for life in fast)
    assert 0.5 < seconds < 0.7
    assert 9.9 < seconds / faster < 10.1

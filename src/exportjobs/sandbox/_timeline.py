"""A job's life as a function of time: its state is calculated whenever it is needed."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from attrs import evolve, frozen

from exportjobs.sandbox import _draw

_MEDIAN_SECONDS: Final = 0.6
_SIGMA: Final = 0.5


class JobState(StrEnum):
    """The state of a job; each vendor has its own status for each."""

    queued = "queued"
    running = "running"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"


@frozen
class Timeline:
    """When a job is created, starts and ends, and how it ends."""

    created: datetime
    started: datetime
    ended: datetime
    ending: JobState

    @classmethod
    def draw(cls, created: datetime, *, key: str, speed: float, ending: JobState) -> Self:
        """Return a job's life: first queued, then running, about 0.6 s in all divided by speed."""
        seconds = _draw.log_normal(f"{key}/life", median=_MEDIAN_SECONDS, sigma=_SIGMA) / speed
        queued = seconds * (0.15 + 0.2 * _draw.uniform(f"{key}/queue"))
        return cls(
            created=created,
            started=created + timedelta(seconds=queued),
            ended=created + timedelta(seconds=seconds),
            ending=ending,
        )

    def state(self, now: datetime) -> JobState:
        """Return the job's state at a moment."""
        if now < self.started:
            return JobState.queued
        return JobState.running if now < self.ended else self.ending

    def is_active(self, now: datetime) -> bool:
        """Return whether the job takes a slot of its account at a moment."""
        return now < self.ended

    def progress(self, now: datetime) -> float:
        """Return how much of the job is done at a moment, from 0 to 1."""
        if now <= self.started:
            return 0.0
        return min(1.0, (now - self.started) / (self.ended - self.started))

    @property
    def has_run(self) -> bool:
        """Whether the job left the queue before it ended."""
        return self.started < self.ended

    def cancel(self, now: datetime) -> Self:
        """Return the life of the same job if it is cancelled at a moment."""
        return evolve(self, started=min(self.started, now), ended=now, ending=JobState.cancelled)

"""A job's life as a function of time: nothing ticks, the state is computed when asked."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from attrs import evolve, frozen

from exportjobs.sandbox import _draw

_MEDIAN_SECONDS: Final = 0.6
_SIGMA: Final = 0.5


class Phase(StrEnum):
    """Where a job stands; each vendor has its own word for each."""

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
    ending: Phase

    @classmethod
    def draw(cls, created: datetime, *, key: str, speed: float, ending: Phase) -> Self:
        """Return a life that is queued a little, then runs, for about 0.6 s divided by speed."""
        seconds = _draw.log_normal(f"{key}/life", median=_MEDIAN_SECONDS, sigma=_SIGMA) / speed
        queued = seconds * (0.15 + 0.2 * _draw.uniform(f"{key}/queue"))
        return cls(
            created=created,
            started=created + timedelta(seconds=queued),
            ended=created + timedelta(seconds=seconds),
            ending=ending,
        )

    def phase(self, now: datetime) -> Phase:
        """Return where the job stands at an instant."""
        if now < self.started:
            return Phase.queued
        return Phase.running if now < self.ended else self.ending

    def is_active(self, now: datetime) -> bool:
        """Tell whether the job takes up a slot of its account at an instant."""
        return now < self.ended

    def progress(self, now: datetime) -> float:
        """Return how much of the work is done at an instant, from 0 to 1."""
        if now <= self.started:
            return 0.0
        return min(1.0, (now - self.started) / (self.ended - self.started))

    @property
    def has_run(self) -> bool:
        """Whether the job left the queue before it ended."""
        return self.started < self.ended

    def cancel(self, now: datetime) -> Self:
        """Return the life of the same job when it is cancelled at an instant."""
        return evolve(self, started=min(self.started, now), ended=now, ending=Phase.cancelled)

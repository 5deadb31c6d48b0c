"""The jobs of one account."""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen

from exportjobs.sandbox._timeline import JobState, Timeline
from exportjobs.sandbox._world import World


@frozen
class Job:
    """One export job: what was requested, and when it starts and ends."""

    id: str
    index: int
    kind: str
    # Everything about the job is drawn from this: its id, its durations, its files.
    key: str = field(repr=False)
    request: Mapping[str, Any]
    timeline: Timeline


@frozen
class Snapshot:
    """A job as one answer shows it, all of it at the same moment."""

    job: Job
    now: datetime
    state: JobState
    status: str
    """The vendor's own status."""

    @property
    def has_started(self) -> bool:
        """Whether the job has left the queue."""
        return self.state is not JobState.queued

    @property
    def has_ended(self) -> bool:
        """Whether the job will not change any more."""
        return self.state not in {JobState.queued, JobState.running}

    @property
    def changed(self) -> datetime:
        """When the state of the job last changed."""
        timeline = self.job.timeline
        changes = (timeline.created, timeline.started, timeline.ended)
        return max((change for change in changes if change <= self.now), default=timeline.created)


class JobBook:
    """An account's jobs in the order of submission."""

    def __init__(self, world: World, *, label: str, make_id: Callable[[str], str]) -> None:
        """Start without jobs; make_id turns a job's key into an id of the vendor's form."""
        self._world = world
        self._label = label
        self._make_id = make_id
        self._jobs: dict[str, Job] = {}
        self._endings: deque[JobState] = deque()

    def open(self, kind: str, *, request: Mapping[str, Any]) -> Job:
        """Return a new job, queued now."""
        index = len(self._jobs)
        key = f"{self._world.seed}/{self._label}/{kind}/{index}"
        timeline = Timeline.draw(
            self._world.clock.now(),
            key=key,
            speed=self._world.speed,
            ending=self._endings.popleft() if self._endings else JobState.done,
        )
        job = Job(self._make_id(key), index, kind, key, request, timeline)
        self._jobs[job.id] = job
        return job

    def end_next(self, state: JobState) -> None:
        """Make the next job end in this state; several calls are for several jobs, in order."""
        self._endings.append(state)

    def find(self, job_id: str) -> Job | None:
        """Return a job by its id."""
        return self._jobs.get(job_id)

    def all(self) -> list[Job]:
        """Return every job, oldest first."""
        return list(self._jobs.values())

    def active(self) -> list[Job]:
        """Return the jobs that are queued or running."""
        now = self._world.clock.now()
        return [job for job in self.all() if job.timeline.is_active(now)]

    def state(self, job: Job) -> JobState:
        """Return the state of a job."""
        return job.timeline.state(self._world.clock.now())

    def cancel(self, job: Job) -> Job:
        """Return a job cancelled now."""
        cancelled = evolve(job, timeline=job.timeline.cancel(self._world.clock.now()))
        self._jobs[job.id] = cancelled
        return cancelled

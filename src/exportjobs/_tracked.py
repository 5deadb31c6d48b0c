"""What the loop keeps in mind: the accounts, and the exports that it has taken up."""

from collections import deque
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from attrs import define, field

from exportjobs._decide import Counsel, Step
from exportjobs._errors import ExportJobsError
from exportjobs._events import Subject
from exportjobs._export import Resumption
from exportjobs._finished import Finished, LandedFile, Story, Work
from exportjobs._job import ExportJob, JobRef
from exportjobs._limits import Allowance
from exportjobs._session import Session


class Phase(StrEnum):
    """What an export is waiting for."""

    WAITING = "waiting"
    """Room to be submitted."""
    BUSY = "busy"
    """An answer, or its bytes."""
    RUNNING = "running"
    """The moment of the next question."""
    PARKED = "parked"
    """Someone to claim it."""
    ENDED = "ended"


@define(eq=False)
class Account:
    """One account's conversation, its room, and the exports that wait for it."""

    session: Session
    counsel: Counsel
    allowance: Allowance
    waiting: "deque[Tracked]" = field(factory=deque["Tracked"])
    outstanding: "set[Tracked]" = field(factory=set["Tracked"])
    submitting: int = 0
    refusals: int = 0
    """Submits refused in a row."""
    stopped_by: ExportJobsError | None = None

    @property
    def in_order(self) -> "list[Tracked]":
        """What is outstanding, in the order taken up."""
        return sorted(self.outstanding, key=lambda tracked: tracked.number)


@define(eq=False)
class Tracked:
    """One export that the loop has taken up. Moments are monotonic seconds."""

    number: int
    work: Work
    account: Account
    folder: Path | None
    phase: Phase = Phase.WAITING
    holds_slot: bool = False
    row: int = 0
    """Its number in the ledger."""
    job: ExportJob | None = None
    files: tuple[LandedFile, ...] = ()
    polls: int = 0
    failed_polls: int = 0
    retried_downloads: int = 0
    latency: timedelta | None = None
    due: float = 0.0
    """When to ask about it; before it is submitted, when to give it up."""
    answered_at: float = 0.0
    """When the vendor last described the job."""
    failures: int = 0
    """Polls failed in a row."""
    unknown: int = 0
    """Polls in a row that found a status nobody knows."""
    parked_step: Step | None = None
    on_accepted: Callable[[], None] | None = None
    listeners: list[Callable[[Finished], None]] = field(factory=list[Callable[[Finished], None]])

    @property
    def subject(self) -> Subject:
        """What events call it."""
        return Subject(self.number, *self.work.account, self.work.kind, self.ref)

    @property
    def ref(self) -> JobRef | None:
        """Its job's durable name, or None before it was submitted."""
        if self.job is not None:
            return self.job.ref
        return self.work.ref if isinstance(self.work, Resumption) else None

    def tell(self, finished: Finished) -> None:
        """Hand the end over to everyone who waits for it."""
        for listener in self.listeners:
            listener(finished)

    @property
    def story(self) -> Story:
        """How it went so far."""
        return Story(
            polls=self.polls,
            failed_polls=self.failed_polls,
            retried_downloads=self.retried_downloads,
            latency=self.latency,
        )

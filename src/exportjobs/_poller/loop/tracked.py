"""What the loop keeps in mind of one export that it has taken up."""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from attrs import define, field

from exportjobs._landing.destination import Destination
from exportjobs._schedule.decide import Doubt, Step
from exportjobs._schedule.progress import ProgressTrend
from exportjobs._schedule.schedule import PollContext
from exportjobs.adapter._adapter import ExistingJob, Work
from exportjobs.adapter._errors import ExportJobsError
from exportjobs.adapter._job import ExportJob, JobRef
from exportjobs.events import Finished, LandedFile, Stats, Subject

if TYPE_CHECKING:
    from exportjobs._poller.loop.account import Account


Listener = Callable[[Finished], None]
E = TypeVar("E", bound=ExportJobsError)
_NEVER = float("inf")
_LONG_AGO = float("-inf")


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
class Tracked:
    """One export that the loop has taken up. Moments are monotonic seconds."""

    number: int
    work: Work
    account: "Account"
    destination: Destination | None
    run_key: str | None = None
    """Of the run in which it is submitted only once."""
    phase: Phase = Phase.WAITING
    holds_slot: bool = False
    row: int = 0
    """Its number in the ledger."""
    job: ExportJob | None = None
    is_followed: bool = False
    """Whether another process is at work on it."""
    is_being_submitted: bool = False
    """Whether a submit was begun, and not answered."""
    doubt: Doubt | None = None
    """While nobody knows whether it was submitted."""
    was_cleared: bool = False
    """Whether it was found out before that it had not been submitted."""
    files: tuple[LandedFile, ...] = ()
    polls: int = 0
    failed_polls: int = 0
    retried_downloads: int = 0
    latency: timedelta | None = None
    due: float = 0.0
    """When to ask about it."""
    ask_from: float = _LONG_AGO
    """From when on the server agrees to be asked about it."""
    patience: float = _NEVER
    """Seconds from being submitted to being given up."""
    give_up_at: float = _NEVER
    began_at: float = 0.0
    """When it was submitted."""
    answered_at: float | None = None
    """When the vendor last described the job."""
    trend: ProgressTrend = field(factory=ProgressTrend)
    """How far it has come, as far as the vendor tells."""
    singly: bool = False
    """Whether the next question is about this job alone."""
    listed: bool = True
    """Whether the vendor's list has it, as far as is known."""
    failures: int = 0
    """Polls failed in a row."""
    last_error: ExportJobsError | None = None
    """What went wrong since the vendor last described the job, or took it."""
    parked_step: Step | None = None
    on_accepted: Callable[[], None] | None = None
    listeners: tuple[Listener, ...] = ()
    """Who waits for its end; the exports of a run share theirs."""

    @property
    def subject(self) -> Subject:
        """What events call it."""
        return Subject(self.number, *self.work.account, self.work.kind, self.ref)

    @property
    def ref(self) -> JobRef | None:
        """Its job's durable name, or None before it was submitted."""
        if self.job is not None:
            return self.job.ref
        return self.work.ref if isinstance(self.work, ExistingJob) else None

    @property
    def recognised(self) -> bool:
        """Whether the adapter knows the job's last status."""
        return self.job is None or self.job.reading.recognised

    @property
    def is_landing(self) -> bool:
        """Whether its files are on their way, or about to be."""
        return self.phase is Phase.BUSY and self.job is not None and self.job.status.is_terminal

    @property
    def may_be_known(self) -> bool:
        """Whether the ledger may tell how it stands."""
        return isinstance(self.work, ExistingJob) or self.run_key is not None or self.row != 0

    def count_from(self, began_at: float) -> None:
        """Count its time from when it was submitted, or from when it began to wait for that."""
        self.began_at, self.give_up_at = began_at, began_at + self.patience

    def leave_alone(self, until: float) -> None:
        """Ask nothing about it before, as its server wishes."""
        self.ask_from = max(self.ask_from, until)

    def heard(self) -> None:
        """Note that its submit, or a question about it, was answered."""
        self.failures, self.last_error = 0, None

    def take_slot(self) -> None:
        """Count it among the jobs that the account has outstanding."""
        if not self.holds_slot:
            self.holds_slot = True
            self.account.allowance = self.account.allowance.taken()

    def release_slot(self) -> None:
        """Leave its room on the account to others."""
        if self.holds_slot:
            self.holds_slot = False
            self.account.allowance = self.account.allowance.freed()

    def context(self, now: float) -> PollContext:
        """Return what bears on when to ask about it, as it was just described."""
        account, age = self.account, now - self.began_at
        durations = account.durations(self.work.kind)
        return PollContext(age, durations, self.trend, self.recognised, account.weight)

    def named(self, error: E) -> E:
        """Return an error, told whose export and which job it concerns."""
        vendor, account = self.work.account
        return error.about(vendor=vendor, account=account, ref=self.ref)

    def tell(self, finished: Finished) -> None:
        """Hand the end over to everyone who waits for it."""
        for listener in self.listeners:
            listener(finished)

    @property
    def stats(self) -> Stats:
        """How it went so far."""
        return Stats(
            polls=self.polls,
            failed_polls=self.failed_polls,
            retried_downloads=self.retried_downloads,
            latency=self.latency,
        )

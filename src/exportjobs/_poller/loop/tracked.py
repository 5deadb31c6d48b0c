"""What the loop keeps of one export, and which module writes each part of it."""

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from attrs import define, field

from exportjobs._landing.destination import Destination
from exportjobs._schedule.agenda import Entry
from exportjobs._schedule.decide import Doubt
from exportjobs._schedule.progress import ProgressTrend
from exportjobs._schedule.schedule import PollContext
from exportjobs.adapter._adapter import ExistingJob, Export, Work
from exportjobs.adapter._errors import ExportJobsError
from exportjobs.adapter._job import ExportJob, JobRef
from exportjobs.events import Finished, LandedFile, Stats, Subject

if TYPE_CHECKING:
    from exportjobs._poller.loop.account import Account

E = TypeVar("E", bound=ExportJobsError)

_NEVER = float("inf")
_LONG_AGO = float("-inf")


class Waiter(Protocol):
    """Whoever waits for an export."""

    def accept(self) -> bool:
        """Note that the vendor has accepted it, and return whether its end is waited for too."""
        ...

    def add(self, finished: Finished) -> None:
        """Take its end."""
        ...


@define(eq=False)
class Tracked:
    """One export that the loop has taken up. Moments are monotonic seconds."""

    # What it is: given when it is made.
    number: int
    export: Work
    account: "Account"
    run_key: str | None = None
    """Of the run in which it is submitted only once."""
    timeout: float = _NEVER
    """Seconds from being submitted to being given up."""

    # Who waits for it: written by `loop`.
    destination: Destination | None = None
    waiters: tuple[Waiter, ...] = ()
    """The exports of a run share theirs."""

    # What is known of it: written by `answered`.
    row: int = 0
    """Its number in the ledger."""
    is_followed: bool = False
    """Whether another process is at work on it."""
    job: ExportJob | None = None
    doubt: Doubt | None = None
    """While nobody knows whether it was submitted."""
    began_at: float = 0.0
    """When it was submitted, or began to wait for that."""
    answered_at: float | None = None
    """When the vendor last described the job."""
    not_before: float = _LONG_AGO
    """From when on the server agrees to be polled about it."""
    trend: ProgressTrend = field(factory=ProgressTrend)
    """How far it has come, as far as the vendor tells."""
    polls: int = 0
    failed_polls: int = 0
    failures: int = 0
    """Polls failed in a row."""
    last_error: ExportJobsError | None = None
    """What went wrong since the vendor last described the job, or took it."""
    latency: timedelta | None = None
    files: tuple[LandedFile, ...] = ()
    retried_downloads: int = 0

    # What a stage keeps of it for itself.
    was_cleared: bool = False
    """`recover`: whether it was found out before that it had not been submitted."""
    is_being_submitted: bool = False
    """`submit`: whether a submit was begun, and not answered."""
    poll_entry: Entry | None = None
    """`poll`: where it waits to be polled alone; None while it does not."""
    stays_alone: bool = False
    """`poll`: whether it is polled alone until one poll of it is answered."""
    is_listed: bool = True
    """`poll_list`: whether the vendor's list has it, as far as is known."""

    @property
    def subject(self) -> Subject:
        """What events call it."""
        return Subject(self.number, *self.export.account, self.export.kind, self.ref)

    @property
    def ref(self) -> JobRef | None:
        """Its job's durable name, or None before it was submitted."""
        if self.job is not None:
            return self.job.ref
        return self.export.ref if isinstance(self.export, ExistingJob) else None

    @property
    def give_up_at(self) -> float:
        """When to stop waiting for it."""
        return self.began_at + self.timeout

    @property
    def recognised(self) -> bool:
        """Whether the adapter knows the job's last status."""
        return self.job is None or self.job.reading.recognised

    @property
    def has_ended(self) -> bool:
        """Whether its job has come to its end."""
        return self.job is not None and self.job.status.is_terminal

    @property
    def may_be_known(self) -> bool:
        """Whether the ledger may tell how it stands."""
        return isinstance(self.export, ExistingJob) or self.run_key is not None or self.row != 0

    @property
    def stats(self) -> Stats:
        """How it went so far."""
        return Stats(
            polls=self.polls,
            failed_polls=self.failed_polls,
            retried_downloads=self.retried_downloads,
            latency=self.latency,
        )

    def context(self, now: float) -> PollContext:
        """Return what bears on when to poll it, as it was just described."""
        account, age = self.account, now - self.began_at
        durations = account.durations(self.export.kind)
        return PollContext(age, durations, self.trend, self.recognised, account.weight)

    def named(self, error: E) -> E:
        """Return an error, told whose export and which job it concerns."""
        vendor, account = self.export.account
        return error.about(vendor=vendor, account=account, ref=self.ref)


def ref_of(tracked: Tracked) -> JobRef:
    """Return the name of a tracked job that has been submitted.

    Raises:
        LookupError: If it has not.
    """
    if tracked.ref is None:
        raise LookupError(str(tracked.subject))
    return tracked.ref


def job_of(tracked: Tracked) -> ExportJob:
    """Return a tracked job that has been described.

    Raises:
        LookupError: If it has not.
    """
    if tracked.job is None:
        raise LookupError(str(tracked.subject))
    return tracked.job


def export_of(tracked: Tracked) -> Export:
    """Return the export that is to be submitted.

    Raises:
        LookupError: If it is a job that was submitted earlier.
    """
    if isinstance(tracked.export, Export):
        return tracked.export
    raise LookupError(str(tracked.subject))


def doubt_of(tracked: Tracked) -> Doubt:
    """Return the doubt whether an export was submitted.

    Raises:
        LookupError: If there is none.
    """
    if tracked.doubt is None:
        raise LookupError(str(tracked.subject))
    return tracked.doubt

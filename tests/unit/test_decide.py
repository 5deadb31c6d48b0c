"""What comes next for an export, given what just happened."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportjobs import (
    AuthenticationFailed,
    DeadlineExceeded,
    DestinationFailed,
    DownloadFailed,
    ExportJobsError,
    InvalidArgument,
    JobCancelled,
    JobFailed,
    JobNotFound,
    JobStatus,
    LeaseRefused,
    MalformedResponse,
    NetworkError,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    Rejected,
    SlotsFull,
    SubmitOutcomeUnknown,
    Unreachable,
    Unsupported,
    UntrustedAddress,
    VendorUnavailable,
)
from exportjobs._decide import Ask, Counsel, End, Land, Step, SubmitAgain
from exportjobs._schedule import FAILURES_ALLOWED, NOT_FOUND_GRACE, Schedule
from exportjobs.adapter import ExportJob, JobRef, Pace, Reading, Refusal

REF = JobRef("acme", "default", "R1", kind="report")
PACE = Pace(
    first=timedelta(seconds=2), interval=timedelta(seconds=10), ceiling=timedelta(minutes=5)
)
COUNSEL = Counsel(Schedule(PACE), lambda low, _: max(low, 1.0))
OLD = NOT_FOUND_GRACE + timedelta(microseconds=1)
MINUTE = timedelta(seconds=60)


def job(status: JobStatus, *, error: str | None = None) -> ExportJob:
    """Return a job in a status."""
    return ExportJob(REF, Reading(status, status.value), error=error)


def asks(seconds: float, *, pauses: bool = False) -> Step:
    """Return the step of asking again."""
    return Ask(seconds, pauses_account=pauses)


def after_poll_error(error: ExportJobsError, *, failures: int = 1, age: timedelta = OLD) -> Step:
    """Return what is decided after a poll that failed."""
    return COUNSEL.after_poll_error(error, failures=failures, age=age)


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.RUNNING])
def test_a_job_that_goes_on_is_asked_about(status: JobStatus) -> None:
    """At the vendor's pace, unless the server says when."""
    assert COUNSEL.after_submit(job(status)) == Ask(2)
    assert COUNSEL.after_submit(job(status), MINUTE) == Ask(60)
    assert COUNSEL.after_poll(job(status)) == Ask(10)
    assert COUNSEL.after_poll(job(status), MINUTE) == Ask(60)
    assert COUNSEL.after_poll(job(status), unknown=2) == Ask(40)


def test_a_job_that_is_done_is_landed() -> None:
    """Some vendors answer a submit with the finished job."""
    done = job(JobStatus.DONE)

    assert COUNSEL.after_submit(done) == Land()
    assert COUNSEL.after_poll(done, MINUTE, unknown=3) == Land()


@pytest.mark.parametrize(
    ("status", "error"),
    [(JobStatus.FAILED, JobFailed), (JobStatus.CANCELLED, JobCancelled)],
)
def test_a_job_that_came_to_a_bad_end(status: JobStatus, error: type[ExportJobsError]) -> None:
    """The account goes on."""
    steps = [COUNSEL.after_submit(job(status)), COUNSEL.after_poll(job(status), MINUTE)]

    for step in steps:
        assert isinstance(step, End)
        assert type(step.error) is error
        assert step.error.ref == REF
        assert not step.stops_account


@given(st.sampled_from(JobStatus), st.none() | st.timedeltas(min_value=timedelta(0)))
def test_only_an_ended_job_is_not_asked_about(status: JobStatus, asked: timedelta | None) -> None:
    """Neither a submit's answer nor a poll's leaves a job to itself."""
    steps = [COUNSEL.after_submit(job(status), asked), COUNSEL.after_poll(job(status), asked)]

    assert [isinstance(step, Ask) for step in steps] == [not status.is_terminal] * 2


@pytest.mark.parametrize(
    ("error", "pauses"),
    [
        pytest.param(SlotsFull, False, id="full"),
        pytest.param(RateLimited, True, id="throttled"),
        pytest.param(VendorUnavailable, True, id="unavailable"),
    ],
)
@pytest.mark.parametrize(
    ("refusals", "asked", "seconds"),
    [(1, None, 10), (2, None, 20), (3, None, 40), (99, None, 300), (1, MINUTE, 60)],
    ids=["first", "second", "third", "ceiling", "server"],
)
def test_a_refusal_that_passes_is_waited_for(
    error: type[Refusal],
    refusals: int,
    asked: timedelta | None,
    seconds: float,
    *,
    pauses: bool,
) -> None:
    """Want of a slot leaves the polls alone; what is said to the account pauses it."""
    refused = error("not now", retry_after=asked)

    step = COUNSEL.after_submit_error(refused, refusals)

    assert step == SubmitAgain(seconds, "not now", pauses_account=pauses)


def test_a_submit_to_nowhere_is_told_as_such() -> None:
    """A 404 to a submit is about the address: there is no job that could be missing."""
    step = COUNSEL.after_submit_error(JobNotFound("what?", vendor="acme"), 1)

    assert isinstance(step, End)
    assert isinstance(step.error, Rejected)
    assert "base URL" in str(step.error)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(QuotaExceeded("spent"), id="quota"),
        pytest.param(PermissionDenied("no"), id="permission"),
        pytest.param(Rejected("no"), id="rejected"),
        pytest.param(InvalidArgument("name", "is empty"), id="argument"),
        pytest.param(Unsupported("no"), id="unsupported"),
        pytest.param(NetworkError("broke"), id="network"),
        pytest.param(Unreachable("gone"), id="unreachable"),
        pytest.param(SubmitOutcomeUnknown("who knows"), id="outcome-unknown"),
        pytest.param(UntrustedAddress("elsewhere"), id="address"),
    ],
)
def test_a_submit_that_failed_for_good_is_not_repeated(error: ExportJobsError) -> None:
    """The export ends with the very error, and the account goes on."""
    assert COUNSEL.after_submit_error(error, 1) == End(error, stops_account=False)


def test_a_submit_with_an_unreadable_answer_may_have_made_a_job() -> None:
    """It is not sent again: that could cost a second export."""
    step = COUNSEL.after_submit_error(MalformedResponse("not JSON @ $", vendor="acme"), 1)

    assert isinstance(step, End)
    assert isinstance(step.error, SubmitOutcomeUnknown)
    assert step.error.vendor == "acme"
    assert "not JSON @ $" in step.error.reason
    assert not step.stops_account


def test_credentials_that_are_not_accepted_stop_the_account() -> None:
    """On a submit and on a poll alike, at whatever age and however often."""
    error = AuthenticationFailed("who?")

    steps = [COUNSEL.after_submit_error(error, 1), after_poll_error(error, age=timedelta(0))]

    assert steps == [End(error, stops_account=True)] * 2


@pytest.mark.parametrize("error", [RateLimited, SlotsFull])
@pytest.mark.parametrize("failures", [1, FAILURES_ALLOWED, 1000])
def test_a_throttled_poll_pauses_the_account(error: type[Refusal], failures: int) -> None:
    """However often: the job does not suffer for it."""
    step = after_poll_error(error("slow down", retry_after=timedelta(hours=1)), failures=failures)

    assert step == asks(3600, pauses=True)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(NetworkError("broke"), id="network"),
        pytest.param(Unreachable("gone"), id="unreachable"),
        pytest.param(VendorUnavailable("down"), id="unavailable"),
        pytest.param(MalformedResponse("not JSON @ $"), id="malformed"),
        pytest.param(UntrustedAddress("elsewhere"), id="address"),
        pytest.param(QuotaExceeded("spent"), id="quota"),
    ],
)
@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(1, 10), (2, 20), (FAILURES_ALLOWED - 1, 300), (FAILURES_ALLOWED, None), (1000, None)],
    ids=["first", "second", "last-allowed", "one-too-many", "long-since"],
)
def test_a_poll_that_may_pass_has_a_budget(
    error: ExportJobsError, failures: int, seconds: float | None
) -> None:
    """It is repeated less and less often, and then given up with its error."""
    step = after_poll_error(error, failures=failures)

    assert step == (End(error) if seconds is None else asks(seconds))


@pytest.mark.parametrize(
    ("age", "patient"),
    [
        (timedelta(0), True),
        (NOT_FOUND_GRACE, True),
        (OLD, False),
        (timedelta(days=1), False),
    ],
    ids=["new", "end-of-grace", "past-grace", "old"],
)
@pytest.mark.parametrize("failures", [1, 1000])
def test_a_new_job_may_not_be_known_yet(age: timedelta, failures: int, *, patient: bool) -> None:
    """A vendor that answers from a replica needs a moment; after that it means what it says."""
    error = JobNotFound("what?")

    step = after_poll_error(error, failures=failures, age=age)

    assert step == (asks(10 if failures == 1 else 300) if patient else End(error))


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(PermissionDenied("no"), id="permission"),
        pytest.param(Rejected("no"), id="rejected"),
        pytest.param(Unsupported("no"), id="unsupported"),
        pytest.param(DeadlineExceeded("late"), id="deadline"),
        pytest.param(DownloadFailed("cut"), id="download"),
        pytest.param(LeaseRefused("403"), id="lease"),
        pytest.param(DestinationFailed("full"), id="destination"),
    ],
)
def test_a_poll_that_failed_for_good_ends_its_job(error: ExportJobsError) -> None:
    """At once, even when the job is new, and no other job's account."""
    assert after_poll_error(error, age=timedelta(0)) == End(error)


def test_a_poll_waits_as_long_as_a_server_in_trouble_asks() -> None:
    """A 503 may say when it will be over."""
    error = VendorUnavailable("down", retry_after=timedelta(minutes=20))

    assert after_poll_error(error, failures=3) == asks(1200)

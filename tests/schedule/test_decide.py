"""What comes next for an export, given what just happened."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.errors import assert_error

from exportjobs import (
    AuthenticationFailed,
    BudgetExhausted,
    ConcurrencyLimitReached,
    DeadlineExceeded,
    DestinationFailed,
    DownloadFailed,
    ExportJobsError,
    InvalidArgument,
    JobCancelled,
    JobFailed,
    JobNotFound,
    JobStatus,
    MalformedResponse,
    NetworkError,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    Rejected,
    SignedUrlRejected,
    SubmitOutcomeUnknown,
    Unreachable,
    Unsupported,
    UntrustedAddress,
    VendorUnavailable,
)
from exportjobs._schedule.decide import End, Land, Policy, Poll, Step, SubmitAgain
from exportjobs._schedule.durations import Durations
from exportjobs._schedule.schedule import (
    FAILURES_ALLOWED,
    NOT_FOUND_GRACE,
    PollBounds,
    PollContext,
    Schedule,
)
from exportjobs.adapter import (
    Artifact,
    ExportJob,
    JobRef,
    PollPolicy,
    Reading,
    ResponseError,
    evolve,
)

REF = JobRef("acme", "default", "R1", kind="report")
TEN = timedelta(seconds=10)
PACE = PollPolicy(min_interval=TEN, max_interval=TEN, unknown_status_interval=timedelta(minutes=5))
"""One that leaves the plan no choice."""
COUNSEL = Policy(Schedule(PACE), lambda low, _: max(low, 1.0))
OLD = NOT_FOUND_GRACE + timedelta(microseconds=1)
MINUTE = timedelta(seconds=60)
HOUR = timedelta(hours=1)
YOUNG = PollContext(30.0, Durations.prior(60.0))
STRANGE = PollContext(30.0, Durations.prior(60.0), recognised=False)
FREE = PollBounds()


def job(status: JobStatus, *, error: str | None = None) -> ExportJob:
    """Return a job in a status."""
    return ExportJob(REF, Reading(status, status.value), error=error)


def asks(seconds: float, *, server_wait: float = 0.0, pauses: bool = False) -> Step:
    """Return the step of polling again."""
    return Poll(seconds, server_wait, ok=not pauses)


def after_poll_error(error: ExportJobsError, *, failures: int = 1, age: timedelta = OLD) -> Step:
    """Return what is decided after a poll that failed."""
    return COUNSEL.after_poll_error(error, failures=failures, age=age)


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.RUNNING])
@pytest.mark.parametrize(
    ("context", "bounds", "step"),
    [
        (YOUNG, FREE, Poll(10)),
        (YOUNG, PollBounds(MINUTE), Poll(60, server_wait=60)),
        (YOUNG, PollBounds(timedelta(0)), Poll(1)),
        (YOUNG, PollBounds(spacing=90), Poll(90)),
        (YOUNG, PollBounds(MINUTE, spacing=90), Poll(60, server_wait=60)),
        (STRANGE, FREE, Poll(300)),
        (STRANGE, PollBounds(MINUTE), Poll(60, server_wait=60)),
    ],
    ids=["plan", "server", "at-once", "thrift", "server-first", "unknown", "unknown-server"],
)
def test_a_job_that_goes_on_is_asked_about(
    status: JobStatus, context: PollContext, bounds: PollBounds, step: Step
) -> None:
    """When the schedule says; what the server asks for is kept in mind, not to be undercut."""
    assert COUNSEL.after_answer(job(status), context, bounds) == step
    assert COUNSEL.after_list([context, context], bounds) == step


def test_jobs_of_which_none_goes_on_need_no_outlook() -> None:
    """Whoever asks all the same is told the slow interval."""
    assert COUNSEL.after_list([], FREE) == Poll(300)


def test_a_job_that_is_done_is_landed() -> None:
    """Some vendors answer a submit with the finished job."""
    done = job(JobStatus.DONE)

    assert COUNSEL.after_answer(done, STRANGE, PollBounds(MINUTE, spacing=90)) == Land()
    assert COUNSEL.after_end(done) == Land()


@pytest.mark.parametrize(
    ("status", "error"),
    [(JobStatus.FAILED, JobFailed), (JobStatus.CANCELLED, JobCancelled)],
)
def test_a_job_that_came_to_a_bad_end(status: JobStatus, error: type[ExportJobsError]) -> None:
    """The account goes on."""
    ended = job(status)

    for step in (COUNSEL.after_answer(ended, YOUNG, PollBounds(MINUTE)), COUNSEL.after_end(ended)):
        assert isinstance(step, End)
        assert type(step.error) is error
        assert step.error.ref == REF
        assert not step.stops_account


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_a_bad_end_that_left_something_behind_is_landed(status: JobStatus) -> None:
    """What the vendor says of a failure, or got done before it, is worth having."""
    ended = evolve(job(status), artifacts=(Artifact("https://files.acme.test/why.txt"),))

    assert COUNSEL.after_answer(ended, YOUNG, PollBounds(MINUTE)) == Land()
    assert COUNSEL.after_end(ended) == Land()


@given(st.sampled_from(JobStatus), st.none() | st.timedeltas(min_value=timedelta(0)))
def test_only_an_ended_job_is_not_asked_about(status: JobStatus, asked: timedelta | None) -> None:
    """No answer leaves a job to itself."""
    step = COUNSEL.after_answer(job(status), YOUNG, PollBounds(asked))

    assert isinstance(step, Poll) == (not status.is_terminal)


@pytest.mark.parametrize(
    ("step", "ok"),
    [
        (Poll(1), True),
        (Poll(1, server_wait=1), True),
        (Poll(1, ok=False), False),
        (Land(), True),
        (End(), True),
        (End(JobFailed("no")), True),
        (End(AuthenticationFailed("who?"), stops_account=True), False),
        (SubmitAgain(1, "full"), False),
        (SubmitAgain(1, "slow down", pauses_account=True), False),
    ],
    ids=repr,
)
def test_a_step_tells_whether_the_account_is_well(step: Step, *, ok: bool) -> None:
    """A job that failed says nothing against its account; a refusal does."""
    assert step.ok == ok


@pytest.mark.parametrize(
    ("error", "pauses"),
    [
        pytest.param(ConcurrencyLimitReached, False, id="full"),
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
    error: type[ResponseError],
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


@pytest.mark.parametrize("wait", [timedelta(0), timedelta(seconds=90), HOUR])
@pytest.mark.parametrize("refusals", [1, 99])
def test_a_budget_that_is_soon_renewed_is_waited_for(wait: timedelta, refusals: int) -> None:
    """To the moment, however often: our own count needs no guessing, and nobody else a pause."""
    spent = BudgetExhausted("the 5 requests a minute are used up", retry_after=wait)

    step = COUNSEL.after_submit_error(spent, refusals)

    assert step == SubmitAgain(wait.total_seconds(), spent.reason, pauses_account=False)


@pytest.mark.parametrize("wait", [HOUR + timedelta(microseconds=1), timedelta(days=1), None])
def test_a_budget_that_lasts_is_told_as_a_quota(wait: timedelta | None) -> None:
    """Nobody is kept waiting for hours unasked; when it goes on is told."""
    reason = "the 60 submit requests a day that the vendor allows are used up until midnight"
    spent = BudgetExhausted(reason, vendor="acme", retry_after=wait)

    step = COUNSEL.after_submit_error(spent, 1)

    assert isinstance(step, End)
    assert type(step.error) is QuotaExceeded
    assert (step.error.reason, step.error.vendor) == (reason, "acme")
    assert step.error.retry_after == wait
    assert "until midnight" in str(step.error)
    assert not step.stops_account


def test_a_submit_to_nowhere_is_told_as_such() -> None:
    """A 404 to a submit is about the address: there is no job that could be missing."""
    step = COUNSEL.after_submit_error(JobNotFound("what?", vendor="acme"), 1)

    assert isinstance(step, End)
    assert_error(
        step.error,
        Rejected,
        reason="what?",
        remedy="check the base URL and the ids in the request",
        vendor="acme",
    )


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


@pytest.mark.parametrize("error", [RateLimited, ConcurrencyLimitReached])
@pytest.mark.parametrize("failures", [1, FAILURES_ALLOWED, 1000])
def test_a_throttled_poll_pauses_the_account(error: type[ResponseError], failures: int) -> None:
    """However often: the job does not suffer for it."""
    step = after_poll_error(error("slow down", retry_after=timedelta(hours=1)), failures=failures)

    assert step == asks(3600, server_wait=3600, pauses=True)


@pytest.mark.parametrize("error", [RateLimited, ConcurrencyLimitReached])
@pytest.mark.parametrize(
    ("throttled", "asked", "step"),
    [
        (1, None, asks(10, pauses=True)),
        (2, None, asks(20, pauses=True)),
        (99, None, asks(300, pauses=True)),
        (1, MINUTE, asks(60, server_wait=60, pauses=True)),
        (99, MINUTE, asks(300, server_wait=60, pauses=True)),
    ],
    ids=["first", "second", "slow", "server", "server-again"],
)
def test_a_throttled_question_about_many_pauses_the_account(
    error: type[RateLimited | ConcurrencyLimitReached],
    throttled: int,
    asked: timedelta | None,
    step: Step,
) -> None:
    """Longer and longer, and never shorter than the server asks."""
    assert COUNSEL.after_throttle(error("slow down", retry_after=asked), throttled) == step


@pytest.mark.parametrize("wait", [timedelta(seconds=90), timedelta(hours=20)])
@pytest.mark.parametrize("failures", [0, 1, FAILURES_ALLOWED, 1000])
def test_a_question_that_the_budget_does_not_bear_comes_later(
    wait: timedelta, failures: int
) -> None:
    """The job does not suffer for it, and nothing else of the account is held up."""
    step = after_poll_error(BudgetExhausted("used up", retry_after=wait), failures=failures)

    assert isinstance(step, Poll)
    assert step.server_wait == wait.total_seconds()
    assert step.seconds >= step.server_wait
    assert step.ok


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
        pytest.param(SignedUrlRejected("403"), id="lease"),
        pytest.param(DestinationFailed("full"), id="destination"),
    ],
)
def test_a_poll_that_failed_for_good_ends_its_job(error: ExportJobsError) -> None:
    """At once, even when the job is new, and no other job's account."""
    assert after_poll_error(error, age=timedelta(0)) == End(error)


def test_a_poll_waits_as_long_as_a_server_in_trouble_asks() -> None:
    """A 503 may say when it will be over."""
    error = VendorUnavailable("down", retry_after=timedelta(minutes=20))

    assert after_poll_error(error, failures=3) == asks(1200, server_wait=1200)

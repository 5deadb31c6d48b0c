"""What Clari's sandbox does beyond the shape of its answers."""

import csv
import io

import httpx
import pytest

from exportjobs.sandbox import Sandbox

from .support import Customer, Enter, Hire, Json, ManualClock


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of an error."""
    return answer.status_code, answer.json()["code"]


def limits_of(customer: Customer) -> Json:
    """Return the organization's limits."""
    limits: Json = customer.request("GET", "/admin/limits").json()["jobs"]
    return limits


def cancel(customer: Customer, job_id: str) -> httpx.Response:
    """Cancel a job."""
    return customer.request("PATCH", f"/export/jobs/{job_id}", json={"type": "CANCEL"})


@pytest.mark.parametrize(
    ("label", "envelope"), [("clari", None), ("clari-wire", "job"), ("clari-schema", None)]
)
def test_each_dialect_wraps_the_job_in_its_own_way(
    label: str, envelope: str | None, enter: Enter
) -> None:
    """Production wraps what the documents show bare, and the list too."""
    customer = enter(label)
    job_id = customer.start()

    body = customer.status(job_id).json()
    jobs = customer.request("GET", "/export/jobs").json()

    assert (body[envelope] if envelope else body)["jobId"] == job_id
    assert (jobs["jobs"] if envelope else jobs)[-1]["jobId"] == job_id


def test_results_before_the_end_are_a_400(enter: Enter) -> None:
    """Neither 404 nor 409 says that a file is not ready."""
    customer = enter("clari")
    job_id = customer.start()

    answer = customer.request("GET", f"/export/jobs/{job_id}/results")

    assert code_of(answer) == (400, "invalid_jobId")


def test_a_forecast_is_of_the_period_that_was_asked_for(enter: Enter, clock: ManualClock) -> None:
    """GitLab's extractor checks just this."""
    customer = enter("clari")
    job_id = customer.start("/export/forecast/deal_owner?timePeriod=2023_Q1")
    clock.advance(60)

    results = customer.request("GET", f"/export/jobs/{job_id}/results").json()

    assert results["timePeriods"][0]["timePeriodId"] == "2023_Q1"
    assert set(results) == {"entries", "fields", "timeFrames", "timePeriods", "users"}


def test_a_forecast_can_be_csv(enter: Enter, clock: ManualClock) -> None:
    """The header is the one of the vendor's example."""
    customer = enter("clari")
    job_id = customer.start(exportFormat="CSV")
    clock.advance(60)

    answer = customer.request("GET", f"/export/jobs/{job_id}/results")

    header = next(csv.reader(io.StringIO(answer.text)))
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert header[:3] == ["User", "Email", "CRM User ID"]


def test_downloads_are_counted(enter: Enter, clock: ManualClock) -> None:
    """The job says how often its file was read."""
    customer = enter("clari")
    job_id = customer.start()
    clock.advance(60)
    for _ in range(2):
        customer.request("GET", f"/export/jobs/{job_id}/results")

    body = customer.status(job_id).json()

    assert (body["downloads"], body["viewed"]) == (2, True)


def test_an_activity_export_loses_rows_and_says_so(enter: Enter, clock: ManualClock) -> None:
    """A job that is done can be a partial result."""
    customer = enter("clari")
    job_id = customer.start("/export/activity")
    clock.advance(60)

    body = customer.status(job_id).json()

    assert (body["status"], body["rowsTruncated"]) == ("DONE", True)


def test_no_more_jobs_run_than_the_organization_may(hire: Hire) -> None:
    """The fourth is refused, the limits say why, and a cancelled one makes room."""
    with Sandbox(clock=ManualClock()) as sandbox:
        customer = hire(sandbox, "clari")
        job_ids = [customer.start() for _ in range(3)]

        refused = customer.submit()
        full = limits_of(customer)
        cancel(customer, job_ids[0])

        assert code_of(refused) == (400, "export_monthly_quota_reached")
        assert full["availableConcurrentLimit"] == 0
        assert full["runningJobIds"] == job_ids
        assert customer.submit().is_success


def test_no_more_jobs_are_submitted_than_the_quota_holds(hire: Hire) -> None:
    """The refusal is the same as for running jobs, and only the limits tell them apart."""
    clock = ManualClock()
    with Sandbox(monthly_quota=2, clock=clock) as sandbox:
        customer = hire(sandbox, "clari")
        for _ in range(2):
            customer.start()
        clock.advance(60)

        refused = customer.submit()
        spent = limits_of(customer)
        clock.advance(31 * 24 * 3600)

        assert code_of(refused) == (400, "export_monthly_quota_reached")
        assert (spent["availableConcurrentLimit"], spent["availableMonthlyQuota"]) == (3, 0)
        assert "runningJobIds" not in spent
        assert customer.submit().is_success


def test_a_job_cancelled_in_the_queue_is_cancelled_and_at_work_aborted(
    enter: Enter, clock: ManualClock
) -> None:
    """Both are told by the answer and by the job."""
    customer = enter("clari")
    queued, running = customer.start(), customer.start()

    first = cancel(customer, queued).json()
    while customer.word(running) != "STARTED":
        clock.advance(0.01)
    second = cancel(customer, running).json()

    assert first == {"status": "CANCELLED", "successful": True}
    assert second == {"status": "ABORTED", "successful": True}
    assert (customer.word(queued), customer.word(running)) == ("CANCELLED", "ABORTED")


def test_a_finished_job_cannot_be_cancelled(enter: Enter, clock: ManualClock) -> None:
    """The refusal has its own code."""
    customer = enter("clari")
    job_id = customer.start()
    clock.advance(60)

    assert code_of(cancel(customer, job_id)) == (400, "export_failed_to_cancel")


def test_a_job_expires_thirty_days_after_its_end(enter: Enter, clock: ManualClock) -> None:
    """Both of the vendor's examples do, to the millisecond."""
    customer = enter("clari")
    job_id = customer.start()
    clock.advance(60)

    body = customer.status(job_id).json()

    assert body["expiredTime"] - body["endTime"] == 2_592_000_000

"""What SodiumHQ's sandbox does beyond the shape of its answers."""

from datetime import datetime
from urllib.parse import urljoin

import pytest

from exportjobs.sandbox import Sandbox

from .support import Enter, Hire, Json, ManualClock, get

EXPORTS = "/tenants/{tenant}/clients/export/csv"


def test_a_submit_is_answered_in_three_ways_in_turn(hire: Hire) -> None:
    """Accepted with a job and a relative Location, finished at once, accepted without a body."""
    with Sandbox(clock=ManualClock()) as sandbox:
        customer = hire(sandbox, "csv")
        base_url = customer.account.base_url
        answers = [customer.submit() for _ in range(6)]
        locations = [urljoin(base_url, answer.headers["Location"]) for answer in answers]
        found = [customer.http.get(location).status_code for location in locations]

    assert [answer.status_code for answer in answers] == [202, 201, 202] * 2
    assert [bool(answer.content) for answer in answers] == [True, True, False] * 2
    assert answers[0].headers["Location"].startswith("/")
    assert answers[2].headers["Location"].startswith(base_url)
    assert found == [200] * 6


def test_a_job_that_finishes_at_once_comes_with_its_link(hire: Hire) -> None:
    """There is nothing left to poll for."""
    with Sandbox(clock=ManualClock()) as sandbox:
        customer = hire(sandbox, "csv")
        customer.submit()
        body = customer.submit().json()

        assert body["status"] == "Completed"
        assert get(body["downloadUrl"]).is_success


def test_a_job_that_fails_at_once_is_only_accepted(hire: Hire) -> None:
    """201 is for exports that completed."""
    with Sandbox(clock=ManualClock()) as sandbox:
        customer = hire(sandbox, "csv")
        customer.submit()
        sandbox.fail_next("csv")

        answer = customer.submit()

    assert (answer.status_code, answer.json()["status"]) == (202, "Failed")


def test_progress_is_counted_once_the_job_has_started(enter: Enter, clock: ManualClock) -> None:
    """The total is unknown in the queue, and everything is processed in the end."""
    customer = enter("csv")
    job_id = customer.start()
    clock.advance(60)

    body = customer.status(job_id).json()

    assert body["processedItems"] == body["totalItems"] > 0
    assert len(get(body["downloadUrl"]).text.splitlines()) == body["totalItems"] + 1


def test_times_are_utc_without_saying_so(enter: Enter, clock: ManualClock) -> None:
    """As .NET writes them."""
    customer = enter("csv")
    job_id = customer.start()
    clock.advance(60)

    body = customer.status(job_id).json()

    times = [datetime.fromisoformat(body[name]) for name in ("createdDate", "startedDate")]
    assert [time.tzinfo for time in times] == [None, None]
    assert times == sorted(times)


def test_a_failed_job_gives_no_reason(enter: Enter, sandbox: Sandbox, clock: ManualClock) -> None:
    """There is no field for it."""
    customer = enter("csv")
    sandbox.fail_next("csv")
    job_id = customer.start()
    clock.advance(60)

    body = customer.status(job_id).json()

    assert (body["status"], body["downloadUrl"]) == ("Failed", None)
    assert body["completedDate"]


def test_the_mapped_columns_are_the_header(enter: Enter, clock: ManualClock) -> None:
    """They can be renamed."""
    customer = enter("csv")
    mappings = [{"csvHeader": "Client", "targetField": "Name"}]
    job_id = customer.start(columnMappings=mappings)
    clock.advance(60)

    assert get(customer.links(job_id)[0]).text.splitlines()[0] == "Client"


def test_the_header_can_be_left_out(enter: Enter, clock: ManualClock) -> None:
    """The first line is then a client."""
    customer = enter("csv")
    job_id = customer.start(includeHeaders=False)
    clock.advance(60)

    lines = get(customer.links(job_id)[0]).text.splitlines()

    assert lines[0] != "Name,Code,Type,Status,Email,Telephone,InternalReference,Utr"
    assert len(lines) == customer.status(job_id).json()["totalItems"]


@pytest.mark.parametrize(
    "body",
    [
        {"colour": "red"},
        {"mappingCode": "m", "columnMappings": [{"csvHeader": "Client"}]},
        {"columnMappings": [{}]},
        {"filter": {"statuses": ["Asleep"]}},
    ],
)
def test_a_wrong_request_is_refused(body: Json, enter: Enter) -> None:
    """Nothing is exported for it."""
    assert enter("csv").submit(EXPORTS, **body).status_code == 400


def test_another_tenant_is_forbidden(enter: Enter) -> None:
    """The key is of one tenant."""
    assert enter("csv").submit("/tenants/OTHER/clients/export/csv").status_code == 403

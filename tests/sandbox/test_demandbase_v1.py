"""What Demandbase's sandbox does in the shape of seed 001."""

import httpx
import pytest

from exportjobs.sandbox import Sandbox

from .support import Enter, Hire, Json, ManualClock, get

JOBS = "/export/v1/jobs"


@pytest.mark.parametrize(("entity", "parts"), [("people", 1), ("accounts", 2), ("activities", 3)])
def test_each_part_is_a_redirect_to_a_signed_link(
    entity: str, parts: int, enter: Enter, clock: ManualClock, sandbox: Sandbox
) -> None:
    """The parts together are what the job says: their number, their bytes and their records."""
    customer = enter("demandbase-v1")
    job_id = customer.start(JOBS, entity_type=entity)
    clock.advance(60)
    body = customer.status(job_id).json()

    links: list[str] = []
    for part in range(1, body["file_parts"] + 1):
        answer = customer.request("GET", f"{JOBS}/{job_id}/download?part={part}")
        assert answer.status_code == 302
        links.append(answer.headers["Location"])
    contents = [get(link).content for link in links]

    assert body["file_parts"] == parts
    assert all(link.startswith(sandbox.blob_url) for link in links)
    assert sum(len(content) for content in contents) == body["file_size_bytes"]
    assert sum(len(content.splitlines()) - 1 for content in contents) == body["record_count"]
    assert get(body["download_url"]).content == contents[0]


def test_there_is_nothing_to_download_before_the_end_nor_beyond_the_last_part(
    enter: Enter, clock: ManualClock
) -> None:
    """Both are a 404, as is the job that does not exist."""
    customer = enter("demandbase-v1")
    job_id = customer.start()
    early = customer.request("GET", f"{JOBS}/{job_id}/download")
    clock.advance(60)

    beyond = customer.request("GET", f"{JOBS}/{job_id}/download?part=2")
    nowhere = customer.request("GET", f"{JOBS}/nowhere/download")

    assert [answer.status_code for answer in (early, beyond, nowhere)] == [404, 404, 404]


def test_a_job_is_cancelled_by_delete_unless_it_has_ended(enter: Enter, clock: ManualClock) -> None:
    """A second DELETE conflicts."""
    customer = enter("demandbase-v1")
    job_id = customer.start()

    first, second = (customer.request("DELETE", f"{JOBS}/{job_id}") for _ in range(2))
    clock.advance(60)

    assert (first.status_code, first.json()["status"]) == (200, "cancelled")
    assert second.status_code == 409
    assert customer.word(job_id) == "cancelled"


def test_the_list_can_be_filtered_and_paged(hire: Hire) -> None:
    """The total is of all that match, not of the page."""
    with Sandbox(clock=ManualClock()) as sandbox:
        customer = hire(sandbox, "demandbase-v1")
        job_ids = [customer.start() for _ in range(3)]
        customer.request("DELETE", f"{JOBS}/{job_ids[1]}")

        page = customer.request("GET", f"{JOBS}?limit=1&offset=1").json()
        pending = customer.request("GET", f"{JOBS}?status=pending").json()

    assert ([job["id"] for job in page["jobs"]], page["total"]) == ([job_ids[1]], 3)
    assert [job["id"] for job in pending["jobs"]] == [job_ids[0], job_ids[2]]


@pytest.mark.parametrize(
    "body", [{}, {"entity_type": "planets"}, {"entity_type": "people", "format": "xml"}]
)
def test_a_wrong_request_is_refused(body: Json, enter: Enter) -> None:
    """The entity and the format are checked."""
    assert enter("demandbase-v1").submit(JOBS, **body).status_code == 400


@pytest.mark.parametrize("query", ["limit=x", "offset=-1"])
def test_a_wrong_page_is_refused(query: str, enter: Enter) -> None:
    """Counts are whole numbers."""
    answer = enter("demandbase-v1").request("GET", f"{JOBS}?{query}")

    assert answer.status_code == httpx.codes.BAD_REQUEST


def test_a_failed_job_says_why(enter: Enter, sandbox: Sandbox, clock: ManualClock) -> None:
    """It has an error and no file."""
    customer = enter("demandbase-v1")
    sandbox.fail_next("demandbase-v1")
    job_id = customer.start()
    clock.advance(60)

    body = customer.status(job_id).json()

    assert body["error_message"]
    assert not {"download_url", "file_parts", "expires_at"} & body.keys()

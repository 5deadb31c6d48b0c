"""Closient's exports: two ids, an archive, and sections that may fail one by one."""

from datetime import UTC, datetime, timedelta

import pytest

from exportjobs.adapter import JobRef, MalformedResponse, RateLimited
from exportjobs_closient import Closient

from .cases import CLOSIENT, KEY, ORGANIZATION
from .support import Body, Wire, answer, asked, body_of, polled, refused, refuses, submitted

closient = Closient(api_key=KEY)
REF = closient.ref("3VtQ8fXkq2ZyWmN5RbCdEg", organization_id=ORGANIZATION)
WHERE = f"/dashboard/api/v1/data-export/{ORGANIZATION}"


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({}, {}),
        ({"archive_format": "zip"}, {}),
        ({"archive_format": "tar.gz"}, {"archive_format": "tar.gz"}),
    ],
    ids=["default", "zip", "tar.gz"],
)
def test_an_organization_is_asked_for(given: Body, query: Body) -> None:
    """Zip is the vendor's default, and is had by not asking for anything."""
    request = asked(closient, "organization", {"organization_id": ORGANIZATION, **given})

    assert (request.method, request.path) == ("POST", WHERE)
    assert dict(request.params) == query
    assert body_of(request) is None
    assert dict(request.headers) == {"x-api-key": KEY}


@pytest.mark.parametrize(
    "organization_id",
    [
        "",
        ORGANIZATION[:-1],
        f"{ORGANIZATION}a",
        f"{ORGANIZATION[:-1]}0",
        f"{ORGANIZATION[:-1]}1",
        f"{ORGANIZATION[:-1]}I",
        f"{ORGANIZATION[:-1]}O",
        f"{ORGANIZATION[:-1]}l",
        f"{ORGANIZATION[:-1]}é",
        f"{ORGANIZATION}\n",
        f"{ORGANIZATION[:-3]}/..",
    ],
    ids=["empty", "short", "long", "0", "1", "I", "O", "l", "accent", "newline", "path"],
)
def test_what_is_no_organizations_id_is_refused_at_once(organization_id: str) -> None:
    """It has 22 characters, and none that looks like another."""
    refuses(
        closient,
        "organization",
        {"organization_id": organization_id},
        reason=f"organization_id: {organization_id!r} is not a valid id",
        remedy="pass the 22 characters from the dashboard's URL; none of them is 0, 1, I, O or l",
    )


def test_another_archive_is_refused_at_once() -> None:
    """There are two containers."""
    given = {"organization_id": ORGANIZATION, "archive_format": "rar"}

    error = refused(closient, "organization", given)

    assert error.field == "archive_format"
    assert "expected one of zip, tar.gz" in error.reason


def test_a_job_keeps_its_organization() -> None:
    """Two ids are needed to ask for it, in another process too."""
    job = submitted(closient.organization(ORGANIZATION), CLOSIENT.accepted)

    assert job.ref == REF
    assert (job.status, job.raw_status) == ("queued", "pending")
    assert (job.artifacts, job.size, job.expires_at, job.warnings) == ((), None, None, ())
    assert JobRef.from_json(job.ref.to_json()).scope == {"organization_id": ORGANIZATION}


def test_a_poll_names_organization_and_job() -> None:
    """Both are quoted, as a ref may come from anywhere."""
    wire = Wire(closient, answer(CLOSIENT.done))

    job = wire.hear(closient.poll(closient.ref("a/b", organization_id="../c")))

    assert wire.requests[0].path == "/dashboard/api/v1/data-export/..%2Fc/a%2Fb"
    assert job.ref.scope == {"organization_id": "../c"}


def test_a_completed_job_is_an_archive() -> None:
    """Its address is signed and lies elsewhere, and says until when."""
    job = polled(closient, CLOSIENT.done, REF)
    (archive,) = job.artifacts

    assert (job.status, job.size, job.error) == ("done", 48213, None)
    assert archive.url == CLOSIENT.done["download_url"]
    assert not archive.authenticated
    assert (archive.name, archive.media_type) == ("org-export.tar.gz", "application/gzip")
    assert archive.size == 48213
    assert job.expires_at == datetime(2026, 8, 13, 10, tzinfo=UTC)
    assert "signature" not in repr(job)
    assert job.raw == CLOSIENT.done


def test_a_size_of_zero_is_no_size() -> None:
    """It is what the vendor says until it knows, and nothing to check a file against."""
    job = polled(closient, {**CLOSIENT.done, "file_size_bytes": 0}, REF)

    assert job.size is None
    assert job.artifacts[0].size is None


@pytest.mark.parametrize(
    ("archive_format", "name", "media_type"),
    [("zip", "export.zip", "application/zip"), ("tar.gz", "export.tar.gz", "application/gzip")],
)
def test_an_archive_without_a_name_is_named_by_its_format(
    archive_format: str, name: str, media_type: str
) -> None:
    """The suggested name may be null."""
    body = {**CLOSIENT.done, "output_filename": None, "archive_format": archive_format}

    (archive,) = polled(closient, body, REF).artifacts

    assert (archive.name, archive.media_type) == (name, media_type)


def test_an_archive_without_name_and_format_is_not_named_after_nothing() -> None:
    """The documentation's own sample lacks the format."""
    body = {**CLOSIENT.done, "output_filename": None}
    del body["archive_format"]

    (archive,) = polled(closient, body, REF).artifacts

    assert "None" not in (archive.name or "")
    assert archive.media_type is None


def test_sections_that_failed_are_warnings_on_a_job_that_is_done() -> None:
    """The export is best effort, and nobody is to take it for the whole."""
    job = polled(closient, CLOSIENT.done, REF)

    assert job.status == "done"
    assert job.warnings == ("section offers: timed out",)


def test_each_section_that_failed_is_a_warning() -> None:
    """In the vendor's order; one without an error is none, whatever its status."""
    sections = [
        {"key": "offers", "status": "error", "error": "timed out"},
        {"key": "images", "status": "weird"},
        {"key": "stores", "error": "too large"},
    ]

    job = polled(closient, {**CLOSIENT.done, "sections": sections}, REF)

    assert job.warnings == ("section offers: timed out", "section stores: too large")


def test_a_sections_words_betray_no_signed_address() -> None:
    """They are the vendor's, may hold anything, and are shown and logged."""
    why = "cannot read https://files.example/offers?signature=opensesame\nat all"
    sections = [{"key": "offers", "status": "error", "error": why}]

    job = polled(closient, {**CLOSIENT.done, "sections": sections}, REF)

    assert "opensesame" not in repr(job)
    assert "opensesame" not in job.warnings[0]
    assert job.warnings[0].isprintable()


def test_a_failed_job_says_why() -> None:
    """It has no archive."""
    body = {**CLOSIENT.accepted, "status": "failed", "error": "out of space"}

    job = polled(closient, body, REF)

    assert (job.status, job.error, job.artifacts) == ("failed", "out of space", ())


def test_an_answer_without_sections_is_read() -> None:
    """They are not required."""
    body = {key: value for key, value in CLOSIENT.done.items() if key != "sections"}

    assert polled(closient, body, REF).warnings == ()


def test_a_section_without_a_key_is_malformed() -> None:
    """The error says which."""
    body = {**CLOSIENT.done, "sections": [{"key": "offers"}, {"error": "timed out"}]}

    with pytest.raises(MalformedResponse) as caught:
        polled(closient, body, REF)

    assert caught.value.problems == ("required field missing @ $.sections[1].key",)


@pytest.mark.parametrize(
    "headers",
    [
        {"retry_after": "12"},
        {"ratelimit_remaining": "0", "ratelimit_reset": "12"},
        # Twelve seconds after the moment at which the wire answers, 2026-03-01 12:00 in UTC.
        {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1772366412"},
    ],
    ids=["retry-after", "relative", "absolute"],
)
def test_haste_is_told_with_a_time_to_wait(headers: dict[str, str]) -> None:
    """The vendor says it in three ways."""
    wire = Wire(closient, answer({"detail": "slow down"}, 429, **headers))

    with pytest.raises(RateLimited, match="slow down") as caught:
        wire.hear(closient.poll(REF))

    assert caught.value.retry_after == timedelta(seconds=12)

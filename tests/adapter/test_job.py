"""What is known of a job: statuses, snapshots and what there is to download."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exportjobs.adapter._job import (
    TRANSITIONS,
    Artifact,
    ExportJob,
    JobRef,
    JobStatus,
    Progress,
    Reading,
    StatusMap,
)

REF = JobRef("clari", "default", "r-1", kind="forecast")
WORDS = StatusMap(
    queued=("SCHEDULED", "Queued"),
    running=("STARTED", "in progress"),
    done=("DONE", "FINISHED"),
    failed=("FAILED",),
    cancelled=("ABORTED", "Straße"),
)
TERMINAL = (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)
OPEN = (JobStatus.QUEUED, JobStatus.RUNNING)
NOON = datetime(2026, 8, 31, 12, tzinfo=UTC)
any_text = st.text(st.characters(exclude_categories=()))
words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)
refs = st.builds(JobRef, words, words, words)
readings = st.builds(Reading, st.sampled_from(JobStatus), words) | words.map(WORDS.read)
snapshots = st.builds(ExportJob, st.just(REF) | refs, readings)


def job(status: JobStatus = JobStatus.RUNNING, *artifacts: Artifact, **known: Any) -> ExportJob:  # noqa: ANN401 - any field
    """Return a snapshot of the one job of these tests."""
    return ExportJob(REF, Reading(status, status.value), artifacts=artifacts, **known)


@pytest.mark.parametrize("status", JobStatus)
def test_only_the_three_ends_are_terminal(status: JobStatus) -> None:
    """Done, failed and cancelled are ends; queued and running are not."""
    terminal = status.is_terminal

    assert terminal == (status in TERMINAL)


def test_every_status_has_its_legal_moves_and_may_stay_as_it_is() -> None:
    """The table is whole, and a job that is seen again as it was has made a legal move."""
    stays = [status.may_become(status) for status in JobStatus]

    assert set(TRANSITIONS) == set(JobStatus)
    assert all(stays)


@pytest.mark.parametrize("other", JobStatus)
@pytest.mark.parametrize("status", OPEN)
def test_an_open_job_may_become_anything(status: JobStatus, other: JobStatus) -> None:
    """Vendors skip states, and one that repeats an attempt queues a running job again."""
    allowed = status.may_become(other)

    assert allowed


@pytest.mark.parametrize("other", JobStatus)
@pytest.mark.parametrize("status", TERMINAL)
def test_an_ended_job_becomes_nothing_else(status: JobStatus, other: JobStatus) -> None:
    """An end may only be seen again."""
    allowed = status.may_become(other)

    assert allowed == (other is status)


@given(first=snapshots, later=st.lists(snapshots, max_size=8))
def test_no_sequence_of_snapshots_leaves_a_terminal_state(
    first: ExportJob, later: list[ExportJob]
) -> None:
    """Whatever a vendor says after a job's end, the end stays."""
    seen = [first]

    for snapshot in later:
        seen.append(seen[-1].advance(snapshot))

    statuses = [known.status for known in seen]
    ends = [status for status in statuses if status.is_terminal]
    assert ends == statuses[len(statuses) - len(ends) :]
    assert len(set(ends)) <= 1
    assert all(known.ref == first.ref for known in seen)


def test_a_newer_snapshot_replaces_what_was_known_but_the_name() -> None:
    """The ref under which a job was submitted stays, all else is the newest."""
    stranger = ExportJob(JobRef("clari", "default", "r-1"), Reading(JobStatus.DONE, "DONE"), size=7)

    known = job().advance(stranger)

    assert known.ref == REF
    assert (known.status, known.raw_status, known.size) == (JobStatus.DONE, "DONE", 7)


def test_the_same_end_seen_again_brings_its_new_addresses() -> None:
    """A lease is renewed by asking for a done job again."""
    renewed = Artifact("https://files.example/new")
    known = job(JobStatus.DONE, Artifact("https://files.example/old"))

    known = known.advance(job(JobStatus.DONE, renewed))

    assert known.artifacts == (renewed,)


@pytest.mark.parametrize("status", JobStatus)
def test_an_unknown_word_does_not_move_a_job(status: JobStatus) -> None:
    """A status that nobody knows says nothing about where the job stands."""
    known = job(status).advance(ExportJob(REF, WORDS.read("ARCHIVING")))

    assert known.status is status


def test_an_unknown_word_is_kept_in_the_vendors_spelling() -> None:
    """The raw word is what a bug report needs."""
    known = job(JobStatus.QUEUED).advance(ExportJob(REF, WORDS.read("ARCHIVING")))

    assert known.raw_status == "ARCHIVING"
    assert not known.reading.recognised


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param("SCHEDULED", JobStatus.QUEUED, id="as-documented"),
        pytest.param("queued", JobStatus.QUEUED, id="lower-case"),
        pytest.param("In Progress", JobStatus.RUNNING, id="two-words"),
        pytest.param("  done\n", JobStatus.DONE, id="surrounded-by-space"),
        pytest.param("\u00a0Finished\t", JobStatus.DONE, id="no-break-space"),
        pytest.param("fAiLeD", JobStatus.FAILED, id="mixed-case"),
        pytest.param("STRASSE", JobStatus.CANCELLED, id="full-case-folding"),
    ],
)
def test_a_known_word_is_read_whatever_its_case_and_space(raw: str, status: JobStatus) -> None:
    """Vendors are not even consistent with themselves."""
    reading = WORDS.read(raw)

    assert reading.recognised
    assert reading.status is status


@pytest.mark.parametrize(
    "raw", ["", " ", "DON", "DONE!", "DO NE", "None", "\x00", "\ud800", "D\u200bONE"], ids=ascii
)
def test_a_word_that_is_only_like_a_known_one_reads_as_running(raw: str) -> None:
    """An unknown status is neither an error nor an end."""
    reading = WORDS.read(raw)

    assert reading.status is JobStatus.RUNNING
    assert not reading.recognised


@given(raw=any_text)
@example(raw="İ")
@example(raw="x" * 10_000)
def test_every_word_reads_and_is_kept_printable(raw: str) -> None:
    """No status word that a vendor may send is an exception, or breaks the line it is shown on."""
    reading = WORDS.read(raw)

    assert reading.recognised or reading.status is JobStatus.RUNNING
    assert reading.raw.isprintable()


@pytest.mark.parametrize(
    ("processed", "total", "fraction"),
    [
        pytest.param(None, 10, None, id="nothing-said"),
        pytest.param(5, None, None, id="no-total"),
        pytest.param(0, 0, None, id="empty"),
        pytest.param(1, -1, None, id="negative-total"),
        pytest.param(0, 10, 0.0, id="not-begun"),
        pytest.param(5, 10, 0.5, id="half"),
        pytest.param(11, 10, 1.0, id="beyond-the-end"),
        pytest.param(-1, 10, 0.0, id="before-the-beginning"),
    ],
)
def test_progress_is_a_share_where_the_numbers_tell(
    processed: int | None, total: int | None, fraction: float | None
) -> None:
    """Numbers that cannot be are cut to the range or give no share."""
    progress = Progress(processed, total)

    assert progress.fraction == fraction


@given(processed=st.none() | st.integers(), total=st.none() | st.integers())
@example(processed=10**400, total=3)
@example(processed=3, total=10**400)
@example(processed=-(10**400), total=10**400)
def test_progress_of_any_numbers_stays_between_nothing_and_all(
    processed: int | None, total: int | None
) -> None:
    """A vendor's number has any size and sign."""
    fraction = Progress(processed, total).fraction

    assert fraction is None or 0 <= fraction <= 1


def test_the_vendors_word_on_a_lease_goes_before_the_urls() -> None:
    """The URL is read only where the vendor is silent."""
    url = "https://files.example/f?Expires=0&Signature=s"
    artifacts = [Artifact(url, expires_at=NOON), Artifact(url), Artifact("https://files.example/f")]

    ends = [artifact.url_expires_at for artifact in artifacts]

    assert ends == [NOON, datetime(1970, 1, 1, tzinfo=UTC), None]


def test_a_job_expires_with_the_first_of_its_artifacts() -> None:
    """Downloads are ordered by the earliest lease; one without an end does not count."""
    later = NOON + timedelta(hours=1)
    artifacts = [Artifact("/f", expires_at=moment) for moment in (None, later, NOON)]

    assert job(JobStatus.DONE, *artifacts).expires_at == NOON
    assert job(JobStatus.DONE, artifacts[0]).expires_at is None
    assert job(JobStatus.DONE).expires_at is None


@given(url=any_text)
@example(url="https://[")
@example(url="https://files.example/?sig=s&se=9999-12-31T23:59:59-14:00")
def test_a_job_expires_at_some_time_or_none_for_any_url(url: str) -> None:
    """A vendor's broken address breaks the download, not the poll."""
    end = job(JobStatus.DONE, Artifact(url)).expires_at

    assert end is None or end.utcoffset() == timedelta()


def test_a_job_does_not_show_its_addresses_or_its_raw_payload() -> None:
    """A signed URL opens the file for whoever reads the log."""
    url = "https://files.example/f.csv?sig=SECRET"
    known = job(
        JobStatus.DONE,
        Artifact(url),
        raw={"url": url},
        error=f"see {url}\nand more",
        warnings=(f"part lost: {url}",),
    )

    shown = repr(known)

    assert "SECRET" not in shown
    assert "f.csv" not in shown
    assert known.error == "see https://files.example/… and more"


def test_two_snapshots_that_say_the_same_are_equal_whatever_their_raw_payload() -> None:
    """A vendor's clock in the payload does not make news of old knowledge."""
    one, other = job(raw={"now": 1}), job(raw={"now": 2})

    assert one == other

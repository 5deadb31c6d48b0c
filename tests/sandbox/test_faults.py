"""Every fault: that it strikes, how it looks from outside, and that it passes."""

import hashlib
import io
import json
from collections import Counter
from email.utils import parsedate_to_datetime
from itertools import pairwise

import httpx
import pytest

from exportjobs.sandbox import Fault, Sandbox

from .support import (
    LABELS,
    SIGNED_LABELS,
    TLS,
    Customer,
    Hire,
    ManualClock,
    StruckBy,
    get,
    patient,
    read,
)

CLARI = ("clari", "clari-wire", "clari-schema")
FULL = (*CLARI, "demandbase")


@pytest.mark.parametrize("label", LABELS)
def test_throttle_refuses_the_first_submit_and_one_poll(
    label: str, hire: Hire, struck_by: StruckBy
) -> None:
    """429 comes with a Retry-After, as a number of seconds and as an HTTP date."""
    stage = struck_by(Fault.throttle)
    customer = hire(stage.sandbox, label)

    refused = customer.submit()
    job_id = customer.start()
    polls = [customer.status(job_id) for _ in range(4)]

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert [poll.status_code for poll in polls] == [429, 200, 200, 200]
    assert parsedate_to_datetime(polls[0].headers["Retry-After"]).year == 2026


@pytest.mark.parametrize("label", LABELS)
def test_server_error_breaks_one_poll_of_each_job(
    label: str, hire: Hire, struck_by: StruckBy
) -> None:
    """One of 500, 502 and 503, and then no more."""
    stage = struck_by(Fault.server_error)
    customer = hire(stage.sandbox, label)
    job_id = customer.start()

    statuses = [customer.status(job_id).status_code for _ in range(4)]

    assert statuses[0] in {500, 502, 503}
    assert statuses[1:] == [200, 200, 200]


@pytest.mark.parametrize("label", LABELS)
def test_reset_breaks_one_poll_of_each_job_off(label: str, hire: Hire, struck_by: StruckBy) -> None:
    """The connection is reset before a byte was answered, and the log says that nothing was."""
    stage = struck_by(Fault.reset)
    customer = hire(stage.sandbox, label)
    job_id = customer.start()

    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        customer.status(job_id)

    assert (stage.sandbox.requests[-1].status, stage.sandbox.requests[-1].fault) == (0, Fault.reset)
    assert customer.status(job_id).is_success


@pytest.mark.parametrize("label", LABELS)
def test_slow_delays_one_poll_of_each_job(label: str, hire: Hire) -> None:
    """Half a second, divided by the speed, passes before the answer."""
    clock = ManualClock()
    with Sandbox([Fault.slow], speed=2, clock=clock) as sandbox:
        customer = hire(sandbox, label)
        job_id = customer.start()
        before = clock.monotonic()

        customer.status(job_id)
        customer.status(job_id)

    assert clock.monotonic() - before == pytest.approx(0.25)


@pytest.mark.parametrize("label", SIGNED_LABELS)
def test_reset_breaks_one_download_of_each_file_off(
    label: str, hire: Hire, struck_by: StruckBy
) -> None:
    """The second attempt gets the file."""
    stage = struck_by(Fault.reset)
    customer = hire(stage.sandbox, label)
    job_id = customer.start()
    stage.clock.advance(60)
    patient(customer, job_id)
    link = customer.links(job_id)[0]

    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        get(link)

    assert get(link).is_success


@pytest.mark.parametrize("label", SIGNED_LABELS)
def test_cut_body_ends_one_download_of_each_file_early(
    label: str, hire: Hire, struck_by: StruckBy
) -> None:
    """Content-Length promises the whole file, two fifths come, and the rest can be resumed."""
    stage = struck_by(Fault.cut_body)
    customer = hire(stage.sandbox, label)
    job_id = customer.start()
    stage.clock.advance(60)
    link = customer.links(job_id)[0]

    begin, size, etag = read_until_cut(link)
    rest = get(link, Range=f"bytes={len(begin)}-", If_Range=etag)

    file = next(file for file in stage.sandbox.served if file.job_id == job_id)
    assert len(begin) == int(size * 0.4)
    assert rest.status_code == 206
    assert hashlib.sha256(begin + rest.content).hexdigest() == file.sha256


def read_until_cut(link: str) -> tuple[bytes, int, str]:
    """Return what came of a body, how long it should be, and its validator."""
    begin = io.BytesIO()
    with httpx.stream("GET", link, verify=TLS) as answer:
        size, etag = int(answer.headers["Content-Length"]), answer.headers["ETag"]
        with pytest.raises(httpx.RemoteProtocolError):
            begin.writelines(answer.iter_raw())
    return begin.getvalue(), size, etag


@pytest.mark.parametrize("label", CLARI)
def test_cut_body_and_reset_strike_clari_s_own_results_too(
    label: str, hire: Hire, struck_by: StruckBy
) -> None:
    """There is no other origin to download from."""
    stage = struck_by(Fault.cut_body, Fault.reset)
    customer = hire(stage.sandbox, label)
    job_id = customer.start()
    stage.clock.advance(60)
    results = f"/export/jobs/{job_id}/results"

    for error in (httpx.ReadError, httpx.RemoteProtocolError):
        with pytest.raises(error):
            customer.request("GET", results)

    file = next(file for file in stage.sandbox.served if file.job_id == job_id)
    content = customer.request("GET", results).content
    assert hashlib.sha256(content).hexdigest() == file.sha256


@pytest.mark.parametrize("label", SIGNED_LABELS)
def test_expired_link_makes_the_first_link_of_each_file_stale(
    label: str, hire: Hire, struck_by: StruckBy
) -> None:
    """Asking for the job again gives one that opens."""
    stage = struck_by(Fault.expired_link)
    customer = hire(stage.sandbox, label)
    job_id = customer.start()
    stage.clock.advance(60)

    statuses = [get(customer.links(job_id)[0]).status_code for _ in range(2)]

    assert statuses == [403, 200]
    assert Fault.expired_link in {received.fault for received in stage.sandbox.requests}


@pytest.mark.parametrize("label", LABELS)
def test_unknown_status_puts_a_word_nobody_knows_into_one_poll(
    label: str, hire: Hire, struck_by: StruckBy
) -> None:
    """The job is at work under that word, whatever it really does."""
    stage = struck_by(Fault.unknown_status)
    customer = hire(stage.sandbox, label)
    job_id = customer.start()
    stage.clock.advance(60)

    words = [customer.word(job_id) for _ in range(3)]

    assert words[0] == "REBALANCING"
    assert words[1] == words[2] != "REBALANCING"


def test_unknown_status_does_not_take_back_that_a_job_has_ended(
    hire: Hire, struck_by: StruckBy
) -> None:
    """A job that the list showed as finished stays so when it is asked for."""
    stage = struck_by(Fault.unknown_status)
    customer = hire(stage.sandbox, "demandbase")
    job_id = customer.start()
    stage.clock.advance(60)

    (listed, *_) = customer.request("GET", "/data/export/v1/jobs").json()["data"]

    assert (listed["jobId"], listed["jobStatus"]) == (job_id, "finished")
    assert [customer.word(job_id) for _ in range(2)] == ["finished", "finished"]


@pytest.mark.parametrize("label", LABELS)
def test_malformed_json_truncates_one_poll_of_each_job(
    label: str, hire: Hire, struck_by: StruckBy
) -> None:
    """The answer is a 200, of the right type, that no parser reads to the end."""
    stage = struck_by(Fault.malformed_json)
    customer = hire(stage.sandbox, label)
    job_id = customer.start()

    broken, whole = customer.status(job_id), customer.status(job_id)

    assert (broken.status_code, broken.headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        broken.json()
    assert whole.json()


def test_token_expiry_takes_demandbase_s_first_tokens_away(hire: Hire, struck_by: StruckBy) -> None:
    """The first dies after three uses, the second after four, the third lives."""
    stage = struck_by(Fault.token_expiry)
    customer = hire(stage.sandbox, "demandbase")
    uses = [uses_of_a_token(customer)]
    for _ in range(2):
        customer.sign_in()
        uses.append(uses_of_a_token(customer))

    assert uses == [3, 4, 10]
    assert Fault.token_expiry in {received.fault for received in stage.sandbox.requests}


def uses_of_a_token(customer: Customer) -> int:
    """Return how often the current token was good, up to ten times."""
    for number in range(10):
        answer = customer.request("GET", "/data/export/v1/jobs")
        if answer.is_error:
            assert answer.json()["errorCode"] == "401-100"
            return number
    return 10


@pytest.mark.parametrize("label", FULL)
def test_concurrency_full_refuses_the_first_submit(
    label: str, hire: Hire, struck_by: StruckBy
) -> None:
    """The vendor's own body says that too many jobs are running, the next submit passes."""
    stage = struck_by(Fault.concurrency_full)
    customer = hire(stage.sandbox, label)

    refused = customer.submit()
    accepted = customer.submit()

    body = refused.json()
    code = body.get("code") or body.get("errorCode")
    assert code in {"export_monthly_quota_reached", "429-102"}
    assert accepted.is_success


def test_concurrency_full_shows_in_clari_s_limits_once(hire: Hire) -> None:
    """Right after the refusal no slot is free though quota is left, and then all are."""
    with Sandbox([Fault.concurrency_full], clock=ManualClock()) as sandbox:
        customer = hire(sandbox, "clari")
        customer.submit()

        first, second = (customer.request("GET", "/admin/limits").json()["jobs"] for _ in range(2))

    assert (first["availableConcurrentLimit"], first["availableMonthlyQuota"]) == (0, 1000)
    assert len(first["runningJobIds"]) == 3
    assert second["availableConcurrentLimit"] == 3


@pytest.mark.parametrize("label", ["demandbase-v1", "closient", "csv"])
def test_concurrency_full_spares_vendors_without_such_a_limit(
    label: str, hire: Hire, struck_by: StruckBy
) -> None:
    """A refusal that the vendor does not have is not made up."""
    stage = struck_by(Fault.concurrency_full)
    assert hire(stage.sandbox, label).submit().is_success


@pytest.mark.parametrize("label", LABELS)
def test_no_fault_leaves_the_outcome_of_a_submit_unknown(
    label: str, hire: Hire, struck_by: StruckBy
) -> None:
    """Every submit is accepted or refused; none breaks off, none is a server error."""
    stage = struck_by(*Fault.all())
    customer = hire(stage.sandbox, label)
    job_id = customer.insist()

    statuses = Counter(answer.status_code for answer in customer.answers)
    assert job_id
    assert not [status for status in statuses if status >= 500]


@pytest.mark.parametrize("label", LABELS)
def test_with_all_faults_every_second_poll_gets_through(
    label: str, hire: Hire, struck_by: StruckBy
) -> None:
    """A client that retries once always makes progress, and the faults come to an end."""
    stage = struck_by(*Fault.all())
    customer = hire(stage.sandbox, label)
    job_id = customer.insist()

    good = [answers_well(customer, job_id) for _ in range(24)]

    struck = {received.fault for received in stage.sandbox.requests if received.label == label}
    assert all(any(pair) for pair in pairwise(good))
    assert all(good[-5:])
    assert struck >= {
        Fault.throttle,
        Fault.server_error,
        Fault.reset,
        Fault.slow,
        Fault.malformed_json,
    }


def answers_well(customer: Customer, job_id: str) -> bool:
    """Ask for a job, signing in again if need be, and tell whether there was an answer."""
    answer = patient(customer, job_id)
    if answer is not None and answer.status_code == httpx.codes.UNAUTHORIZED.value:
        customer.sign_in()
        answer = patient(customer, job_id)
    return bool(read(answer))


def test_the_same_faults_strike_the_same_requests_every_time(hire: Hire) -> None:
    """Nothing is left to chance."""
    stats: list[object] = []
    for _ in range(2):
        with Sandbox(Fault.all(), seed=7, clock=ManualClock()) as sandbox:
            customer = hire(sandbox, "csv")
            job_id = customer.insist()
            for _ in range(12):
                patient(customer, job_id)
            stats.append([(received.status, received.fault) for received in sandbox.requests])

    assert stats[0] == stats[1]

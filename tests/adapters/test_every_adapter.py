"""What all the adapters promise alike: how they are made, what they ask and what they read."""

from datetime import timedelta

import pytest

from exportjobs._schedule.budgets import Budgets
from exportjobs.adapter import (
    InvalidArgument,
    MalformedResponse,
    Operation,
    QuotaExceeded,
    Rejected,
)

from .cases import CASES, CLARI, CLOSIENT, CSV, DEMANDBASE, DEMANDBASE_V1, Case
from .support import Wire, answer, body_of, request_of, submitted

DAY = 86_400.0
MIDNIGHT = 20_000 * DAY

every_adapter = pytest.mark.parametrize("case", CASES, ids=str)

KINDS = {
    "clari": ["forecast", "audit_events", "activity"],
    "demandbase": [
        "accounts",
        "people",
        "opportunities",
        "activities",
        "campaigns",
        "creatives",
        "account_buying_groups",
        "person_buying_group_members",
        "account_lists",
        "person_lists",
    ],
    "demandbase-v1": [
        "accounts",
        "people",
        "opportunities",
        "activities",
        "campaigns",
        "buying_groups",
    ],
    "closient": ["organization"],
    "csv": ["clients"],
}


@every_adapter
def test_an_account_is_at_its_vendor_unless_told_otherwise(case: Case) -> None:
    """The base URL is the vendor's own, and the name is the default one."""
    adapter = case.make()

    assert adapter.base_url == case.base_url
    assert adapter.account == (str(case), "default")


@every_adapter
def test_base_url_and_name_are_taken_by_name(case: Case) -> None:
    """A mirror and a second account are an argument away, and the name stands in every ref."""
    adapter = case.make(base_url="http://127.0.0.1:8080/x", name="emea")

    assert adapter.base_url == "http://127.0.0.1:8080/x"
    assert adapter.ref("J1").account_key == (str(case), "emea")


@every_adapter
@pytest.mark.parametrize("blank", ["", "  ", "two\nlines", "clé"])
def test_a_credential_that_no_header_may_hold_is_refused_unseen(case: Case, blank: str) -> None:
    """It is named by its argument, and never shown."""
    argument = {"clari": "api_key", "closient": "api_key", "csv": "api_key"}.get(str(case), "token")
    more = {"tenant": "ACME"} if case is CSV else {}

    with pytest.raises(InvalidArgument) as caught:
        type(case.adapter)(**{argument: blank}, **more)

    assert caught.value.field == argument
    assert caught.value.vendor == str(case)
    assert caught.value.remedy
    assert not blank.strip() or blank not in str(caught.value)


@every_adapter
def test_the_kinds_of_export_are_these(case: Case) -> None:
    """Adding one or losing one is a decision."""
    assert list(case.adapter.kinds()) == KINDS[str(case)]


@pytest.mark.parametrize(
    ("case", "kind"),
    [(case, kind) for case in CASES for kind in KINDS[str(case)]],
    ids=str,
)
def test_whatever_needs_no_argument_is_whole_without_one(case: Case, kind: str) -> None:
    """Only a forecast's id and an organization's have to be named."""
    needed = {"forecast": ("deal_owner",), "organization": (case.scope.get("organization_id"),)}

    export = getattr(case.adapter, kind)(*needed.get(kind, ()))

    assert export.kind == kind
    assert set(export.arguments) <= {"forecast_id", "organization_id"}
    assert submitted(export, case.accepted).ref.id == case.accepted[case.id_member]


@every_adapter
def test_the_optional_flows_are_these(case: Case) -> None:
    """What a vendor cannot do is known before it is asked."""
    assert case.adapter.capabilities() == case.capabilities


@every_adapter
def test_a_submit_is_signed_and_never_repeated_blindly(case: Case) -> None:
    """No vendor knows an idempotency key: a second POST would be a second job."""
    request = request_of(case.start(case.adapter))

    assert request.method == "POST"
    assert not request.idempotent
    assert dict(request.headers) == case.headers


@every_adapter
def test_a_poll_is_one_signed_question(case: Case) -> None:
    """It asks for the job by its id, and may be repeated."""
    wire = Wire(case.adapter, answer(case.done))

    wire.hear(case.adapter.poll(case.ref("J1")))

    (request,) = wire.requests
    assert (request.method, request.path) == ("GET", case.poll_path.format("J1"))
    assert (dict(request.params), body_of(request)) == ({}, None)
    assert request.idempotent
    assert dict(request.headers) == case.headers


WORDS = [(case, word, status) for case in CASES for word, status in case.words.items()]


@pytest.mark.parametrize(("case", "word", "status"), WORDS, ids=str)
@pytest.mark.parametrize("spelt", [str, str.upper, str.lower], ids=["as-is", "upper", "lower"])
def test_a_status_word_is_known_whatever_its_case(
    case: Case, word: str, status: str, spelt: type[str]
) -> None:
    """The vendor's word is kept as it came."""
    job = case.poll({**case.done, case.status_member: spelt(word)})

    assert (job.status, job.raw_status, job.reading.recognised) == (status, spelt(word), True)


@every_adapter
def test_the_vendors_own_words_are_kept(case: Case) -> None:
    """Whole, with what nobody knows."""
    added = {**case.done, "brandNew": {"deep": [1, None]}, "": True}

    assert case.poll(added).raw == added


@every_adapter
def test_a_done_job_has_something_to_download(case: Case) -> None:
    """The example of a finished job is read to its end."""
    job = case.poll(case.done)

    assert job.status == "done"
    assert job.artifacts
    assert job.error is None
    assert job.ref == case.ref(str(case.done[case.id_member]))


@every_adapter
@pytest.mark.parametrize("missing", ["id", "status"])
def test_an_answer_without_id_or_status_is_malformed(case: Case, missing: str) -> None:
    """The error names the member that is missing."""
    member = case.id_member if missing == "id" else case.status_member
    body = {name: value for name, value in case.done.items() if name != member}

    with pytest.raises(MalformedResponse) as caught:
        case.poll(body)

    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith("required field missing @ $.")


@every_adapter
@pytest.mark.parametrize("nameless", ["", "two\nlines"])
def test_a_submit_answered_with_no_usable_id_is_malformed(case: Case, nameless: str) -> None:
    """A job whose ref cannot be written down and read back would be lost by the ledger."""
    body = {**case.accepted, case.id_member: nameless}

    with pytest.raises(MalformedResponse):
        submitted(case.start(case.adapter), body)


@pytest.mark.parametrize(
    ("case", "typical", "floor"),
    [
        (CLARI, 120, 1),
        (DEMANDBASE, 300, 10),
        (DEMANDBASE_V1, 300, 1),
        (CLOSIENT, 120, 1),
        (CSV, 30, 1),
    ],
    ids=str,
)
def test_an_account_is_asked_at_its_vendors_pace(case: Case, typical: int, floor: int) -> None:
    """A guess at how long a job takes, and how soon it is worth asking again at all."""
    polling = case.adapter.polling

    assert (polling.typical_duration, polling.min_interval) == (
        timedelta(seconds=typical),
        timedelta(seconds=floor),
    )
    assert polling.min_interval < polling.typical_duration < polling.max_interval
    assert polling.min_interval < polling.unknown_status_interval


@pytest.mark.parametrize(
    ("case", "by_the_calendar", "rolling"),
    [
        (CLARI, [], []),
        (
            DEMANDBASE,
            ["60 submit requests a day"],
            ["300 poll requests a day", "1,200 list requests a day"],
        ),
        (DEMANDBASE_V1, [], []),
        (CLOSIENT, [], ["300 requests a minute", "10,000 requests a day"]),
        (CSV, [], []),
    ],
    ids=str,
)
def test_the_budgets_are_those_that_the_vendor_publishes(
    case: Case, by_the_calendar: list[str], rolling: list[str]
) -> None:
    """Who publishes none is asked as often as it is worth; a calendar day ends at midnight UTC."""
    budgets = case.adapter.budgets

    assert [str(budget) for budget in budgets if budget.calendar] == by_the_calendar
    assert [str(budget) for budget in budgets if not budget.calendar] == rolling


@pytest.mark.parametrize(
    ("case", "slots"),
    [(CLARI, None), (DEMANDBASE, 1), (DEMANDBASE_V1, None), (CLOSIENT, None), (CSV, None)],
    ids=str,
)
def test_the_slots_are_those_that_the_vendor_publishes(case: Case, slots: int | None) -> None:
    """Clari's differ from tenant to tenant, and it tells them when it is asked."""
    assert case.adapter.slots == slots


@pytest.mark.parametrize(
    ("case", "operation", "sometimes"),
    [
        (DEMANDBASE, Operation.POLL, timedelta(minutes=45)),
        (DEMANDBASE, Operation.LIST, timedelta(minutes=10)),
        (CLOSIENT, Operation.POLL, timedelta(seconds=90)),
    ],
    ids=str,
)
def test_a_vendors_budget_lasts_all_day(
    case: Case, operation: Operation, sometimes: timedelta
) -> None:
    """Asking all the time, as often as a thrifty account may: never refused, and never blind."""
    budgets, begin = Budgets.of(case.adapter.budgets), MIDNIGHT
    now, gaps = begin, list[float]()
    while now < begin + DAY:
        assert budgets.wait(operation, now) == 0
        budgets = budgets.sent(operation, now)
        gaps.append(
            max(case.adapter.polling.min_interval.total_seconds(), budgets.spacing(operation, now))
        )
        now += gaps[-1]

    assert max(gaps) < sometimes.total_seconds()
    (allowed,) = {
        budget.requests
        for budget in case.adapter.budgets
        if budget.operation in (None, operation) and budget.per == timedelta(days=1)
    }
    assert 0.85 * allowed <= len(gaps) <= allowed


@every_adapter
def test_an_unclear_refusal_of_a_submit_is_not_taken_for_a_quota(case: Case) -> None:
    """Only what a vendor says by its own code or by a 429 is about the allowance."""
    export = case.start(case.adapter)
    wire = Wire(case.adapter, answer({"code": "bad_request", "message": "no"}, 400))

    with pytest.raises(Rejected) as caught:
        wire.hear(export.submit())

    assert not isinstance(caught.value, QuotaExceeded)
    assert caught.value.code == "bad_request"

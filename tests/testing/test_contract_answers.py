"""Answers that are read wrongly in one way each."""

import pytest
from attrs import evolve
from tests.testing.broken.sound import Acme, recording

from exportjobs.testing import Recorded
from exportjobs.testing import _variants as variants
from exportjobs.testing._answers import Varying

from .broken import careless_answers as answers
from .support import Case, contract, with_summary

CASES = [
    Case(
        answers.Counted,
        contract.test_a_job_is_found_again_by_its_ref,
        "the job's ref cannot be read after it was written to JSON",
    ),
    Case(
        answers.Shrinking,
        contract.test_artifacts_are_well_formed,
        "the artifact in state 'ready' has a size below 0",
    ),
    Case(
        answers.Renaming,
        contract.test_an_unknown_status_is_neither_an_error_nor_an_end,
        "the word of an unknown status is not kept",
    ),
    Case(
        answers.Keyed,
        contract.test_credentials_go_to_the_adapters_own_origin_only,
        "the artifact in state 'ready' has the token in its URL",
    ),
    Case(
        answers.Pointing,
        contract.test_a_job_is_found_again_by_its_ref,
        "the job's ref holds a URL",
    ),
    Case(
        answers.Translating,
        contract.test_every_recorded_status_is_known,
        "in state 'new' the adapter gives 'queued' as the vendor's word",
    ),
    Case(
        answers.Rejecting,
        contract.test_an_unknown_status_is_neither_an_error_nor_an_end,
        "poll in state 'new', where the status is unknown, ends with MalformedResponse",
    ),
    Case(
        answers.Guessing,
        contract.test_an_unknown_status_is_neither_an_error_nor_an_end,
        "an unknown status is read as done",
    ),
    Case(
        answers.Undying,
        contract.test_a_job_that_has_ended_stays_ended,
        "a job that ended in state 'ready' changes to state 'new'",
    ),
    Case(
        answers.Pessimistic,
        contract.test_a_job_that_has_ended_stays_ended,
        "a job that was just accepted is read as failed",
        with_summary,
    ),
    Case(
        answers.Timeless,
        contract.test_what_flows_return_is_well_formed,
        "poll in state 'new': the ExportJob's created_at is a time that is not in UTC",
    ),
    Case(
        answers.Unnumbered,
        contract.test_artifacts_are_well_formed,
        "the artifacts in state 'ready' have no part numbers",
    ),
    Case(
        answers.Open,
        contract.test_artifacts_are_well_formed,
        (
            "the artifact in state 'ready' cannot be downloaded "
            "(the vendor sent an unencrypted URL, http://files.acme.example/…)"
        ),
    ),
    Case(
        answers.Digesting,
        contract.test_artifacts_are_well_formed,
        "the artifact in state 'ready' has a wrong md5",
    ),
    Case(
        answers.Frugal,
        contract.test_nothing_that_has_a_place_is_swallowed,
        "the adapter drops the URL at $.files[1] of a done job",
    ),
    Case(
        answers.Impatient,
        contract.test_nothing_that_has_a_place_is_swallowed,
        "the adapter drops $.percent of a running job",
    ),
    Case(
        answers.Exact,
        contract.test_unknown_members_change_nothing,
        "submit, where $ is an object with an added UNHEARD_OF, gives another result",
    ),
    Case(
        answers.Grabbing,
        contract.test_any_answer_is_a_job_or_an_error_with_a_path,
        "submit, where $ is None, raises TypeError",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_mistake_is_told_by_the_test_that_is_there_for_it(case: Case) -> None:
    """In the contract's words."""
    assert case.told().startswith(case.words)


WRONG_ANSWERS = [
    (answers.Blabbing, variants.nulled, "submit, where $ is null, shows a credential"),
    (answers.Parsing, variants.garbled, "poll in state 'new', where the body is HTML, raises JSON"),
    (
        answers.Parsing,
        variants.truncated,
        "poll in state 'new', where the body ends after 0 of 72 bytes, raises JSONDecodeError",
    ),
    (
        answers.Placeless,
        variants.lacking,
        "submit, where $.id is missing, ends with an error without a path",
    ),
    (answers.Grabbing, variants.lacking, "submit, where $.id is missing, raises KeyError: 'id'"),
    (answers.Grabbing, variants.nulled, "submit, where $ is null, raises TypeError"),
    (answers.Grabbing, variants.retyped, "submit, where $ is empty, raises TypeError"),
    (
        answers.CountingUp,
        variants.enlarged,
        "poll in state 'working', where $.percent is a huge number, does not end",
    ),
]


@pytest.mark.parametrize(
    ("adapter", "varying", "words"),
    WRONG_ANSWERS,
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_wrong_answer_that_is_read_carelessly_is_told(
    adapter: type[Acme], varying: Varying, words: str
) -> None:
    """With what was wrong about it, and where."""

    def tried(recorded: Recorded) -> None:
        contract.test_a_wrong_answer_is_a_job_or_an_error_with_a_path(recorded, varying)

    assert Case(adapter, tried, words).told().startswith(words)


@pytest.mark.parametrize(
    ("adapter", "place"),
    [(answers.Frugal, "$.files[1]"), (answers.Impatient, "$.percent")],
    ids=["address", "progress"],
)
def test_what_is_left_out_for_a_reason_is_not_swallowed(adapter: type[Acme], place: str) -> None:
    """The recording names it."""
    recorded = evolve(recording(adapter("k-7f3a91")), ignored={place})

    contract.test_nothing_that_has_a_place_is_swallowed(recorded)

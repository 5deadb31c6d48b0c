"""Recordings that are not whole, or not of this adapter."""

import pytest
from attrs import evolve
from tests.testing.broken.mistakes import MISTAKES
from tests.testing.broken.sound import Acme

from exportjobs.testing import AdapterContract, Recorded

from .support import Case, contract, with_list
from .test_contract_answers import CASES as OF_ANSWERS
from .test_contract_flows import CASES as OF_FLOWS
from .test_contract_terms import CASES as OF_TERMS


def without_failure(recorded: Recorded) -> Recorded:
    """Return a recording that has no failed job."""
    return evolve(recorded, states={k: v for k, v in recorded.states.items() if k != "error"})


def without_end(recorded: Recorded) -> Recorded:
    """Return a recording that has no done job."""
    return evolve(recorded, states={k: v for k, v in recorded.states.items() if k != "ready"})


def with_short_token(recorded: Recorded) -> Recorded:
    """Return a recording under a token that may stand anywhere by chance."""
    return evolve(recorded, export=Acme("k-1").report("q3"))


def with_second_hop(recorded: Recorded) -> Recorded:
    """Return a recording in which a poll is answered twice."""
    twice = recorded.states["ready"] * 2
    return evolve(recorded, states={**recorded.states, "ready": twice})


def with_another_answer(recorded: Recorded) -> Recorded:
    """Return a recording in which the submit is answered by something else."""
    return evolve(recorded, accepted={"state": "new"})


CASES = [
    Case(
        Acme,
        contract.test_the_recording_has_a_body_for_every_status,
        "the recorded states do not cover a job from start to end",
        without_end,
    ),
    Case(
        Acme,
        contract.test_the_recording_has_answers_for_every_flow,
        "listing is recorded, but the adapter has no flow list_jobs",
        with_list,
    ),
    Case(
        Acme,
        contract.test_the_recording_has_a_body_for_every_status,
        "no answer is recorded for a failed job",
        without_failure,
    ),
    Case(
        Acme,
        contract.test_credentials_are_declared_as_such,
        "the recorded token is too short to search for",
        with_short_token,
    ),
    Case(
        Acme,
        contract.test_what_flows_return_is_well_formed,
        "poll in state 'ready' makes 1 requests of 2 recorded",
        with_second_hop,
    ),
    Case(
        Acme,
        contract.test_what_flows_return_is_well_formed,
        "submit ends with MalformedResponse: cannot read the answer: required field missing",
        with_another_answer,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_mistake_is_told_by_the_test_that_is_there_for_it(case: Case) -> None:
    """In the contract's words."""
    assert case.told().startswith(case.words)


def test_every_test_of_the_contract_has_found_a_mistake() -> None:
    """A test that never fails would be none."""
    tests = {name for name in dir(AdapterContract) if name.startswith("test_")}
    cases = [*CASES, *OF_ANSWERS, *OF_FLOWS, *OF_TERMS]

    tried = {case.test.__name__ for case in cases} | {one.test for one in MISTAKES.values()}

    wrong_answers = contract.test_a_wrong_answer_is_a_job_or_an_error_with_a_path.__name__
    assert tried | {wrong_answers} == tests

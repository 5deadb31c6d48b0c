"""Flows that are wrong in one way each."""

import pytest
from tests.testing.broken.sound import recording

from .broken import careless_flows as flows
from .support import Case, contract, with_list, with_summary

CASES = [
    Case(
        flows.Literally,
        contract.test_an_id_is_quoted_in_the_path_of_a_poll,
        "a poll for the job '7/../../admin' requests /reports/7/../../admin",
    ),
    Case(
        flows.Limited,
        contract.test_the_recording_has_answers_for_every_flow,
        "the adapter has a flow limits, which is not tested",
    ),
    Case(
        flows.Wandering,
        contract.test_credentials_go_to_the_adapters_own_origin_only,
        "poll in state 'new' sends the credentials to another origin",
    ),
    Case(
        flows.Rewriting,
        contract.test_credentials_go_to_the_adapters_own_origin_only,
        "authenticate turns POST /reports into POST /secure/reports",
    ),
    Case(
        flows.Repeating,
        contract.test_a_submit_is_sent_once,
        "submit marks POST /reports as one that may be repeated",
        with_summary,
    ),
    Case(
        flows.Waiting,
        contract.test_what_flows_return_is_well_formed,
        "poll in state 'new' repeats GET /reports/7 after an answer",
    ),
    Case(
        flows.Trusting,
        contract.test_a_failure_is_not_taken_for_an_answer,
        "poll in state 'new' ignores the error HTTP 503",
    ),
    Case(
        flows.Moving,
        contract.test_a_job_is_found_again_by_its_ref,
        "poll in state 'new' returns a job of another account or scope",
    ),
    Case(
        flows.Keeping,
        contract.test_a_job_is_found_again_by_its_ref,
        "the job's ref holds name, which is not what `scope` lists",
    ),
    Case(
        flows.Omitting,
        contract.test_a_job_is_found_again_by_its_ref,
        "the job's ref holds no argument, which is not what `scope` lists",
    ),
    Case(
        flows.Numbering,
        contract.test_the_same_answers_give_the_same_job,
        "poll in state 'error' gives another result for the same answers",
    ),
    Case(
        flows.Remembering,
        contract.test_flows_keep_nothing,
        "poll in state 'new' changes the module tests.testing.broken.careless_flows's _SEEN",
    ),
    Case(
        flows.Hasty,
        contract.test_what_flows_return_is_well_formed,
        "poll in state 'new' is not a flow: it returns an ExportJob",
    ),
    Case(
        flows.Short,
        contract.test_what_flows_return_is_well_formed,
        "poll in state 'new' yields a str",
    ),
    Case(
        flows.Forgetting,
        contract.test_what_flows_return_is_well_formed,
        "poll in state 'new' returns a dict",
    ),
    Case(
        flows.Walking,
        contract.test_what_flows_return_is_well_formed,
        "list_jobs returns a list",
        with_list,
    ),
    Case(
        flows.Assuming,
        contract.test_what_flows_return_is_well_formed,
        "list_jobs raises KeyError: 'name'",
        with_list,
    ),
    Case(
        flows.Unsure,
        contract.test_what_flows_return_is_well_formed,
        "matches_export returns a str",
        with_list,
    ),
    Case(
        flows.Telling,
        contract.test_credentials_go_to_the_adapters_own_origin_only,
        "poll in state 'new' has a credential in its path",
    ),
    Case(
        flows.Undeterred,
        contract.test_a_failure_is_not_taken_for_an_answer,
        "poll in state 'new' does not stop sending requests: GET /shelves/300/7",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_mistake_is_told_by_the_test_that_is_there_for_it(case: Case) -> None:
    """In the contract's words."""
    assert case.told().startswith(case.words)


def test_an_adapter_may_refuse_to_ask_for_an_id_that_is_none() -> None:
    """It leads nowhere then."""
    contract.test_an_id_is_quoted_in_the_path_of_a_poll(recording(flows.Numeric("k-7f3a91")))

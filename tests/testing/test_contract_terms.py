"""What an adapter says of itself and of its arguments, wrongly in one way each."""

import pytest
from attrs import evolve

from exportjobs.testing import Recorded

from .broken import careless_imports as imports
from .broken import careless_terms as terms
from .support import Case, contract


def without_columns(recorded: Recorded) -> Recorded:
    """Return a recording of a table without columns."""
    return evolve(recorded, export=terms.Columned("k-7f3a91").table(columns=[]))


CASES = [
    Case(
        terms.Blank,
        contract.test_an_account_that_cannot_be_right_is_refused,
        "the adapter accepts '' as its token",
    ),
    Case(
        terms.Unencrypted,
        contract.test_an_account_that_cannot_be_right_is_refused,
        "the adapter accepts 'http://vendor.example' as its base_url",
    ),
    Case(
        terms.Shouting,
        contract.test_the_vendors_terms_are_of_their_types,
        "the vendor's name 'Acme Inc.' is not valid",
    ),
    Case(
        terms.Undecided,
        contract.test_the_vendors_terms_are_of_their_types,
        "the adapter's polling is int, not PollPolicy",
    ),
    Case(
        terms.Wordless,
        contract.test_the_adapter_and_its_kinds_are_documented,
        "Wordless has no docstring",
    ),
    Case(
        terms.Wordy,
        contract.test_the_adapter_and_its_kinds_are_documented,
        "Wordy.invoice has no docstring",
    ),
    Case(
        imports.Reaching,
        contract.test_the_adapter_imports_nothing_else_of_the_library,
        "tests.testing.broken.careless_imports imports exportjobs._schedule in line 14",
    ),
    Case(
        terms.Listing,
        contract.test_the_adapter_cannot_be_changed,
        "the adapter's tags is a mutable list",
    ),
    Case(
        terms.Talkative,
        contract.test_credentials_are_shown_nowhere,
        "the adapter's repr shows the token",
    ),
    Case(
        terms.Late,
        contract.test_arguments_are_checked_before_anything_is_sent,
        "summary(name='') is rejected only after a request was sent",
    ),
    Case(
        terms.Crashing,
        contract.test_arguments_are_checked_before_anything_is_sent,
        "summary(name='') raises BrokenAdapter: acme: the adapter failed in summary",
    ),
    Case(
        terms.Unquoted,
        contract.test_arguments_are_checked_before_anything_is_sent,
        "summary(name='..') makes a request that cannot be sent",
    ),
    Case(
        terms.Misnaming,
        contract.test_arguments_are_checked_before_anything_is_sent,
        "summary(name='') is rejected for an argument 'title'",
    ),
    Case(
        terms.Complex,
        contract.test_every_kind_can_be_given_on_the_command_line,
        "curve's origin cannot be given on the command line",
    ),
    Case(
        terms.Greedy,
        contract.test_every_kind_can_be_given_on_the_command_line,
        "folder's option --into is one that every export has",
    ),
    Case(
        terms.Nameless,
        contract.test_every_kind_can_be_given_on_the_command_line,
        "several takes *names: str, which has no name on the command line",
    ),
    Case(
        terms.Ambiguous,
        contract.test_the_recording_has_a_body_for_every_status,
        "the word 'ERROR' stands for both failed and cancelled",
    ),
    Case(
        terms.Loosened,
        contract.test_the_adapter_cannot_be_changed,
        "the adapter's name can be set",
    ),
    Case(
        terms.Clashing,
        contract.test_every_kind_can_be_given_on_the_command_line,
        "summary's option --json is one that every export has",
    ),
    Case(
        terms.Columned,
        contract.test_every_kind_can_be_given_on_the_command_line,
        "the options (none) do not give the export again",
        without_columns,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_mistake_is_told_by_the_test_that_is_there_for_it(case: Case) -> None:
    """In the contract's words."""
    assert case.told().startswith(case.words)

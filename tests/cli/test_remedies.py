"""What the command line tells to type, where the library names a call in Python."""

import shlex

import pytest

from exportjobs import InvalidArgument, SubmitOutcomeUnknown
from exportjobs.cli._remedies import message


@pytest.mark.parametrize("ledger", ["exports.db", "my exports.db", "-x.db"])
def test_an_export_whose_submit_outcome_is_unknown_names_three_commands(ledger: str) -> None:
    """Each whole, to be typed in a shell; the call in Python is for those who write Python."""
    error = SubmitOutcomeUnknown("no answer came", vendor="acme")
    error.recorded(4, ledger)

    said = message(error)

    start, _, commands = said.partition(", then run one of: ")
    named = [f"--ledger={ledger}"] if ledger.startswith("-") else ["--ledger", ledger]
    assert start == "acme: no answer came; look for the job at the vendor"
    assert [shlex.split(one) for one in commands.split(" | ")] == [
        ["exportjobs", "adopt", "4", "JOB_ID", *named],
        ["exportjobs", "resubmit", "4", *named],
        ["exportjobs", "abandon", "4", *named],
    ]
    assert "poller.records" in str(error)


@pytest.mark.parametrize(
    "error",
    [
        InvalidArgument("into", "is empty", vendor="acme", remedy="name a folder"),
        SubmitOutcomeUnknown("no answer came", vendor="acme"),
    ],
    ids=["another", "not-recorded"],
)
def test_another_error_is_printed_as_it_is(
    error: InvalidArgument | SubmitOutcomeUnknown,
) -> None:
    """There is nothing to type."""
    assert message(error) == str(error)

"""What is told of a run where there is no terminal to draw a table on."""

from io import StringIO

import pytest
from rich.console import Console

from exportjobs.cli._display import shown
from exportjobs.cli._progress import Board
from exportjobs.events import PollingSlowed, Subject


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (288.0, "polling slowed to keep within the budget: a status request every 288.0 s"),
        (0.1, "polling slowed to keep within the budget: a status request every 0.1 s"),
        (0.02, "polling slowed to keep within the budget"),
        (0.0, "polling slowed to keep within the budget"),
    ],
)
def test_a_pace_that_rounds_to_nothing_is_not_told(seconds: float, said: str) -> None:
    """The budget is spread all the same."""
    told = StringIO()

    with shown(Board(), Console(file=told), quiet=False) as observers:
        for observe in observers:
            observe(PollingSlowed(Subject(1, "acme", "default", "report"), seconds))

    assert told.getvalue() == f"acme/default/report: {said}\n"

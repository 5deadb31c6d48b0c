"""The results of a run, as wide as whatever they are printed on."""

from io import StringIO

import pytest
from attrs import evolve
from rich.console import Console

from exportjobs import ExportJob, Finished, JobFailed, JobRef, JobStatus, LandedFile
from exportjobs.adapter import Reading
from exportjobs.cli._report import print_table
from exportjobs_clari import Clari

REF = JobRef("clari", "default", "a1", kind="activity")
DONE = ExportJob(REF, Reading(JobStatus.DONE, "DONE"), record_count=12)
FILE = LandedFile("landing/clari.default.activity.a1.json", 2048, "0123456789ab" + 52 * "c")
LANDED = Finished(Clari(api_key="k").activity(), DONE, (FILE,))
FAILED = evolve(LANDED, error=JobFailed("the vendor gave up", ref=REF), files=())


def printed(*everything: Finished, width: int, is_terminal: bool) -> list[str]:
    """Return the lines that are printed."""
    text = StringIO()
    print_table(everything, Console(file=text, width=width, force_terminal=is_terminal))
    return text.getvalue().splitlines()


@pytest.mark.parametrize(
    ("width", "is_terminal", "digits"), [(200, True, 64), (120, True, 12), (40, False, 64)]
)
def test_a_file_is_a_row_with_as_much_of_its_digest_as_there_is_room_for(
    width: int, digits: int, *, is_terminal: bool
) -> None:
    """A pipe has room for everything."""
    _, row = printed(LANDED, width=width, is_terminal=is_terminal)

    assert row.split() == [
        *("clari/default/activity/a1", "landed", "12", "2.0", "kB"),
        *(FILE.sha256[:digits], str(FILE)),
    ]


def test_a_narrow_terminal_gets_a_line_for_each_file_with_its_path_in_one_piece() -> None:
    """A table would break it into pieces."""
    assert printed(LANDED, FAILED, width=60, is_terminal=True) == [
        "clari/default/activity/a1: landed, 12 rows",
        "  landing/clari.default.activity.a1.json (2.0 kB, SHA-256 0123456789ab)",
        "clari/default/activity/a1: done, 12 rows",
        "clari/default/activity/a1: the vendor gave up; submit it again, or ask the vendor",
    ]

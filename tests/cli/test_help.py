"""What the help of a command says, and how it stands on a page."""

import re
from io import StringIO

import pytest
from cyclopts import App
from rich.console import Console

from exportjobs.cli._app import app
from exportjobs.cli._text import arguments, description, reflowed

from .conftest import Command

DOC = """Export a report, which is
    long.

    It is asked for by day.

    Args:
        day: The day, and
            nothing else.
        tags: Its tags.

    Raises:
        ValueError: If it is none.
    """


def words_of_all(inner: App = app, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the words of every command."""
    found = []
    for name in inner:
        if name not in {*app.help_flags, *app.version_flags}:
            found += [(*words, name), *words_of_all(inner[name], (*words, name))]
    return found


def page(*words: str, width: int = 80) -> str:
    """Return the help of a command."""
    text = StringIO()
    app.help_print(list(words), console=Console(file=text, width=width))
    return text.getvalue()


def test_a_docstring_is_wrapped_by_the_terminal() -> None:
    """Its paragraphs are one line each, and so is what it says of an argument."""
    assert reflowed(DOC).splitlines()[0] == "Export a report, which is long."
    assert description(DOC) == "Export a report, which is long.\n\nIt is asked for by day."
    assert arguments(DOC) == {"day": "The day, and nothing else.", "tags": "Its tags."}


@pytest.mark.parametrize("doc", [None, "", "One line."])
def test_a_docstring_without_sections_says_of_no_argument(doc: str | None) -> None:
    """Nor is it an error."""
    assert (description(doc), arguments(doc)) == (doc or "", {})


def test_a_page_has_what_is_typed_what_it_does_and_what_may_be_given() -> None:
    """In this order, as wide as the terminal."""
    assert page("adopt") == (
        "Usage: exportjobs adopt NUMBER JOB_ID [OPTIONS]\n"
        "\n"
        "Attach a job id that you found at the vendor.\n"
        "\n"
        "For an export whose submit outcome is unknown: a job may or may not exist.\n"
        "\n"
        "Arguments:\n"
        "  NUMBER  The export's number, from `exportjobs jobs`. [required]\n"
        "  JOB_ID  The vendor's own id of the job. [required]\n"
        "\n"
        "Options:\n"
        "  --ledger PATH  The ledger file; EXPORTJOBS_LEDGER if not given.\n"
    )


def test_the_page_of_a_kind_has_its_own_options_and_those_of_all() -> None:
    """With what may be chosen, and what is meant if nothing is given."""
    text = page("run", "clari", "forecast", width=100)

    words = " ".join(text.split())
    assert words.startswith(
        "Usage: exportjobs run clari forecast FORECAST-ID --into PLACE [OPTIONS] Export a forecast "
        "tab. Options: FORECAST-ID, --forecast-id"
    )
    assert "--types-to-export CHOICE What to export; forecast and forecast_updated" in words
    assert "[may be repeated] [choices: forecast, quota, forecast_updated," in words
    assert "--format CHOICE JSON or CSV. [choices: JSON, CSV] [default: JSON]" in words
    assert "--include-historical, --no-include-historical Whether to" in words
    assert "Landing: --into PLACE A folder, created if needed" in words
    assert "--deadline SECONDS The longest time to wait for the job. [default: 86400]" in words
    assert "--unpack Extract zip and tar archives next to them. --account" in words


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Nor than can be read; words that cannot be broken excepted."""
    for words in words_of_all():
        *_, longest = sorted(page(*words, width=width).splitlines()[1:], key=len)
        assert len(longest) <= min(width, 100), (words, longest)


@pytest.mark.parametrize("words", words_of_all(), ids=" ".join)
def test_every_command_and_every_option_says_what_it_is_for(words: tuple[str, ...]) -> None:
    """In sentences."""
    usage, _, first, *_ = text = page(*words, width=100).splitlines()

    bare = [line for line in text if re.fullmatch(r"  [-\w, ]+(?: [A-Z]+)?", line)]
    assert usage.startswith(f"Usage: exportjobs {' '.join(words)}")
    assert first
    assert [line for line in bare if len(line) <= 34] == []


def test_all_commands_are_listed_by_what_they_are_about(command: Command) -> None:
    """Without importing them; the list of an application that is not told of one would be short."""
    listed = command("--help").out

    commands = {words[0] for words in words_of_all() if len(words) == 1}
    assert {line.split()[0] for line in listed.splitlines() if line.startswith("  -")} >= {
        "--install-completion",
        "--help,",
        "--version",
    }
    assert commands <= set(listed.replace(",", "").split())


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        (["run", "--help", "clari"], ["run", "clari", "--help"]),
        (["-h"], ["--help"]),
        ([], ["--help"]),
        (["run"], ["run", "--help"]),
        (["run", "clari", "forecast", "x", "-h"], ["run", "clari", "forecast", "--help"]),
    ],
    ids=" ".join,
)
def test_help_may_be_asked_for_anywhere(
    command: Command, typed: list[str], same: list[str]
) -> None:
    """And is shown where nothing is typed that could be done."""
    assert command(*typed) == command(*same)
    assert command(*typed).code == 0


def test_help_of_what_there_is_not_is_an_error(command: Command) -> None:
    """The help of something else would hide the slip."""
    outcome = command("run", "clari", "forcast", "--help")

    assert outcome.code == 2
    assert outcome.err.startswith("exportjobs: run clari: unknown kind of export 'forcast'; did ")

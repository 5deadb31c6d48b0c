"""`exportjobs vendors`: the installed adapters, and what is wrong with those that fail."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.support.distributions import Install, installer, source

from exportjobs.adapter import API_VERSION

from .conftest import PROGRAM, Command

BUILT_IN = ["clari", "closient", "csv", "demandbase", "demandbase-v1"]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that installs a distribution for the time of a test."""
    return installer(tmp_path, monkeypatch)


def rows(out: str) -> dict[str, list[str]]:
    """Return the cells of a printed table behind the first, by the first."""
    heading, *lines = out.splitlines()
    starts = [heading.index(name) for name in heading.split()]
    ends = [*starts[1:], None]
    cells = [
        [line[start:end].strip() for start, end in zip(starts, ends, strict=True)] for line in lines
    ]
    return {first: others for first, *others in cells}


def test_vendors_lists_distribution_kinds_and_credentials(command: Command) -> None:
    """Each installed adapter, with what it exports and what it needs."""
    outcome = command("vendors", "--json")

    listed = {one["vendor"]: one for one in map(json.loads, outcome.out.splitlines())}
    assert outcome.code == 0
    assert set(listed) == {"clari", "closient", "csv", "demandbase", "demandbase-v1"}
    assert listed["clari"]["distribution"] == "exportjobs"
    assert set(listed["clari"]["kinds"]) == {"forecast", "audit_events", "activity"}
    assert listed["clari"]["environment"] == ["CLARI_API_KEY", "CLARI_BASE_URL"]
    assert "cancel" in listed["clari"]["capabilities"]


def test_vendors_is_readable_without_json(command: Command) -> None:
    """The same for people, told apart by whether it has to be set."""
    outcome = command("vendors")

    rows = [line.rstrip() for line in outcome.out.splitlines()]
    assert outcome.code == 0
    assert "demandbase-v1" in outcome.out
    assert "   environment  DEMANDBASE_V1_TOKEN" in rows
    assert "      optional  DEMANDBASE_V1_BASE_URL" in rows


def test_check_says_of_every_adapter_that_it_can_be_used(command: Command) -> None:
    """A row for each, with its distribution and the version of the API it was written for."""
    outcome = command("vendors", "--check")

    checked = rows(outcome.out)
    assert outcome.code == 0
    assert list(checked) == BUILT_IN
    usable = [str(API_VERSION), "can be used"]
    assert all(cells[1:] == usable for cells in checked.values())
    assert all(distribution.startswith("exportjobs ") for distribution, *_ in checked.values())


def test_check_says_what_is_wrong_with_an_adapter_and_exits_1(
    command: Command, install: Install
) -> None:
    """Broken, ahead of us, behind us, and claimed twice; the others can be used all the same."""
    install("broken-exports", "import no_such_module", broken="broken_exports:Broken")
    for name, written_for in {"ahead": API_VERSION + 1, "behind": 0}.items():
        body = f"vendor = {name!r}\n    api_version = {written_for}"
        install(f"{name}-exports", source(body), **{name: f"{name}_exports:Acme"})
    for name in ("one-exports", "two-exports"):
        install(name, source("vendor = 'both'"), both=f"{name.replace('-', '_')}:Acme")

    outcome = command("vendors", "--check")

    checked = rows(outcome.out)
    assert outcome.code == 1
    assert sorted(checked) == sorted([*BUILT_IN, "ahead", "behind", "both", "broken"])
    assert {checked[vendor][-1] for vendor in BUILT_IN} == {"can be used"}
    assert "no_such_module" in checked["broken"][-1]
    assert "'broken-exports'" in checked["broken"][-1]
    assert " is too new: " in checked["ahead"][-1]
    assert checked["ahead"][-1].endswith("; upgrade exportjobs")
    assert " is too old: " in checked["behind"][-1]
    assert checked["behind"][-1].endswith("; upgrade or uninstall 'behind-exports'")
    assert checked["both"][0] == "one-exports, two-exports"
    assert "'one-exports' and 'two-exports'" in checked["both"][-1]


def test_check_tells_a_program_the_same(command: Command, install: Install) -> None:
    """One JSON object for each adapter, with an error where it cannot be used."""
    install("broken-exports", "import no_such_module", broken="broken_exports:Broken")

    outcome = command("vendors", "--check", "--json")

    listed = {one["vendor"]: one for one in map(json.loads, outcome.out.splitlines())}
    assert outcome.code == 1
    assert "no_such_module" in listed.pop("broken")["error"]
    assert {one["api_version"] for one in listed.values()} == {API_VERSION}


def test_vendors_lists_an_adapter_that_cannot_be_used_and_exits_0(
    command: Command, install: Install
) -> None:
    """Only who asks for a check is told by the exit code."""
    install("broken-exports", "import no_such_module", broken="broken_exports:Broken")

    outcome = command("vendors")

    assert outcome.code == 0
    assert "broken  broken-exports 1.2.3" in outcome.out
    assert "unusable" in outcome.out
    assert "DEMANDBASE_V1_TOKEN" in outcome.out


def test_a_name_with_markup_is_shown_as_it_is(command: Command, install: Install) -> None:
    """What a distribution calls its vendor is text."""
    install("odd-exports", "", **{"[red]odd": "odd_exports:Odd"})

    for arguments in (["vendors"], ["vendors", "--check"]):
        assert "[red]odd" in command(*arguments).out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "clari", "activity", "--help"], 0, "Usage: exportjobs run clari activity"),
        (["run", "broken", "report"], 2, "exportjobs: broken: the adapter 'broken' of the distrib"),
        (["run", "csv", "clients"], 2, "exportjobs: csv: the distributions 'exportjobs' and 'two-"),
    ],
    ids=["another", "broken", "claimed-twice"],
)
def test_an_adapter_that_cannot_be_used_is_an_error_for_those_who_ask_for_it_alone(
    install: Install, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    """One line that says why, and every other vendor's commands as ever."""
    install("broken-exports", "import no_such_module", broken="broken_exports:Broken")
    install("two-exports", source("vendor = 'csv'"), csv="two_exports:Acme")

    done = subprocess.run(  # noqa: S603 - our own program
        [PROGRAM, *arguments],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code
    assert (done.stdout if code == 0 else done.stderr).lstrip().startswith(said)

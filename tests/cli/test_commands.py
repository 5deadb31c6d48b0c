"""The commands in this process: real exports, bad input, and the lists."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exportjobs.sandbox import Sandbox

Command = Callable[..., Any]


def environment(sandbox: Sandbox, label: str) -> dict[str, str]:
    """Return the variables with which a command reaches an account of the sandbox."""
    account = sandbox.account(label)
    prefix = account.vendor.replace("-", "_").upper()
    credentials = {f"{prefix}_{name.upper()}": value for name, value in account.credentials.items()}
    return {**credentials, f"{prefix}_BASE_URL": account.base_url}


@pytest.mark.parametrize(
    ("label", "arguments"),
    [
        ("clari", ["clari", "forecast", "deal_owner", "--time-period", "2024_Q3", "--format=CSV"]),
        ("clari", ["clari", "audit-events", "--date-from", "2026-08-01", "--actor-id", "7"]),
        ("clari", ["clari", "activity", "--activity-types", "MEETING"]),
        ("demandbase", ["demandbase", "accounts", "--fields", "{Account}.name"]),
        (
            "demandbase",
            ["demandbase", "activities", "--from-date", "2026-01-01", "--to-date", "2026-02-01"],
        ),
        ("demandbase-v1", ["demandbase-v1", "people"]),
        ("closient", ["closient", "organization", "vytxeTZskVKR7C7WgdSP3d"]),
        ("csv", ["csv", "clients", "--filter", '{"statuses": ["Active"]}', "--no-include-headers"]),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, list) else value,
)
def test_run_lands_an_export_with_options_from_its_signature(
    command: Command, sandbox: Sandbox, tmp_path: Path, label: str, arguments: list[str]
) -> None:
    """Credentials come from the environment, options from the kind, files land in the folder."""
    landing = ["--into", str(tmp_path), "--poll-interval", "0.02", "--json"]

    outcome = command("run", *arguments, *landing, environment=environment(sandbox, label))

    (finished,) = map(json.loads, outcome.out.splitlines())
    assert outcome.code == 0, outcome.err
    assert finished["ok"]
    assert [Path(file["path"]).stat().st_size for file in finished["files"]] == [
        file["size"] for file in finished["files"]
    ]


def test_run_exits_1_when_the_job_fails(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    """A failed export is told with its ref, and in the exit code."""
    sandbox.fail_next("clari")

    outcome = command(
        *("run", "clari", "activity", "--into", str(tmp_path), "--poll-interval", "0.02"),
        environment=environment(sandbox, "clari"),
    )

    assert outcome.code == 1
    assert "clari/default/activity/" in outcome.out
    assert "failed" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (
            ["run", "clari", "forecast", "x", "--into", "{}"],
            {},
            "exportjobs: clari: api_key: is missing; set CLARI_API_KEY",
        ),
        (
            ["run", "clari", "forecast", "x", "--into", "{}", "--time-period", "2024Q3"],
            {"CLARI_API_KEY": "k"},
            (
                "exportjobs: clari: time_period: '2024Q3' is not a fiscal quarter; "
                "pass one like 2024_Q3"
            ),
        ),
        (
            ["run", "clari", "activity", "--into", "{}", "--start-date", "soon"],
            {"CLARI_API_KEY": "k"},
            "exportjobs: clari: start_date: expected a time in ISO 8601",
        ),
        (
            ["run", "clari", "forecast", "x", "--into", "{}", "--format", "XML"],
            {"CLARI_API_KEY": "k"},
            'exportjobs: run clari forecast: Invalid value "XML" for --format.',
        ),
        (
            ["run", "clari", "forecast", "x"],
            {"CLARI_API_KEY": "k"},
            "exportjobs: run clari forecast: --into is missing\n",
        ),
        (
            ["run", "clari", "forecast", "x", "--into"],
            {"CLARI_API_KEY": "k"},
            "exportjobs: run clari forecast: --into needs a value\n",
        ),
        (
            ["run", "clari", "activity", "x", "--into", "{}"],
            {"CLARI_API_KEY": "k"},
            "exportjobs: run clari activity:",
        ),
        (
            ["run", "clari", "activity", "--into", "{}"],
            {"CLARI_API_KEY": "k", "CLARI_BASE_URL": "http://api.example"},
            "exportjobs: clari: base_url: would send credentials unencrypted; use https (in CLARI_",
        ),
        (
            ["run", "demandbase", "accounts", "--into", "{}"],
            {"DEMANDBASE_CLIENT_ID": "only-half"},
            "exportjobs: demandbase: client_secret: got client_id to sign in with; pass client_id ",
        ),
        (
            ["run", "demandbase", "accounts", "--into", "{}", "--filters", "{bad"],
            {"DEMANDBASE_TOKEN": "t"},
            "exportjobs: demandbase: filters: is not JSON;",
        ),
        (
            ["run", "closient", "organization", "0OIl", "--into", "{}"],
            {"CLOSIENT_API_KEY": "k"},
            "exportjobs: closient: organization_id: '0OIl' is not a valid id;",
        ),
        (
            ["run", "clari", "activity", "--into", "{}", "--run-key", "monday"],
            {"CLARI_API_KEY": "k"},
            "exportjobs: run_key: needs a ledger file; pass --ledger, or set EXPORTJOBS_LEDGER",
        ),
        (
            ["run", "clari", "activity", "--into", ""],
            {"CLARI_API_KEY": "k"},
            "exportjobs: into: is empty; name a folder; . is the current one",
        ),
        (
            ["run", "csv", "clients", "--into", "{}", "--account", "a/b"],
            {"CSV_API_KEY": "k", "CSV_TENANT": "ACME", "CSV_BASE_URL": "https://csv.example"},
            (
                "exportjobs: csv: name: must be a printable text without slashes, and not empty; "
                "use a short name (in --account)\n"
            ),
        ),
        (
            ["run", "acme", "report"],
            {},
            "exportjobs: run: unknown vendor 'acme'; known: clari, closient, csv, demandbase, ",
        ),
        (
            ["run", "clary"],
            {},
            "exportjobs: run: unknown vendor 'clary'; did you mean 'clari'? known: ",
        ),
        (
            ["run", "clari", "forcast", "x"],
            {},
            (
                "exportjobs: run clari: unknown kind of export 'forcast'; did you mean 'forecast'? "
                "known: forecast, audit-events, activity\n"
            ),
        ),
        (["resum"], {}, "exportjobs: unknown command 'resum'; did you mean 'resume'? known: run, "),
        (["nothing"], {}, "exportjobs: unknown command 'nothing'; known: run, resume, cancel, "),
    ],
    ids=[
        "no-key",
        "no-quarter",
        "no-time",
        "no-such-format",
        "no-folder",
        "no-folder-after-all",
        "too-much",
        "unencrypted",
        "half-a-key",
        "no-json",
        "no-id",
        "run-key-without-a-ledger",
        "empty-folder",
        "no-account-name",
        "no-such-vendor",
        "nearly-a-vendor",
        "nearly-a-kind",
        "nearly-a-command",
        "no-such-command",
    ],
)
def test_bad_input_takes_one_line_that_names_vendor_field_and_remedy(
    command: Command, tmp_path: Path, arguments: list[str], variables: dict[str, str], said: str
) -> None:
    """Exit code 2, one line on standard error, nothing on standard output."""
    filled = [argument.replace("{}", str(tmp_path)) for argument in arguments]

    outcome = command(*filled, environment=variables)

    assert outcome.code == 2
    assert outcome.err.startswith(said)
    assert outcome.err.count("\n") == 1
    assert outcome.out == ""


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_sent(
    command: Command, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A file where the folder should be ends the run with no request made."""
    taken = tmp_path / "taken"
    taken.write_text("")

    outcome = command(
        *("run", "csv", "clients", "--into", str(taken)), environment=environment(sandbox, "csv")
    )

    assert outcome.code == 2
    assert str(taken) in outcome.err
    assert sandbox.requests == ()


@pytest.mark.parametrize("arguments", [[], ["run"], ["run", "clari"], ["run", "csv", "clients"]])
def test_help_is_at_hand_everywhere(command: Command, arguments: list[str]) -> None:
    """Every level of the command line explains itself."""
    outcome = command(*arguments, "--help")

    assert outcome.code == 0
    assert "Usage: exportjobs" in outcome.out


@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["run", "nobody"], 2)])
def test_the_module_is_the_program(command: Command, arguments: list[str], code: int) -> None:
    """`python -m exportjobs` does what `exportjobs` does, and says it in the same words."""
    started = [sys.executable, "-m", "exportjobs", *arguments]
    module = subprocess.run(started, capture_output=True, text=True, check=False)  # noqa: S603 - our own

    outcome = command(*arguments)

    assert (module.returncode, module.stdout, module.stderr) == (code, outcome.out, outcome.err)

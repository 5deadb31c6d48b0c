"""What `exportjobs run` does once it is known what is to be exported."""

import json
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

from exportjobs._poller.arguments import OnExit, ledger_file
from exportjobs._poller.run import run
from exportjobs.adapter import Adapter
from exportjobs.adapter._adapter import Export, ExportKind
from exportjobs.adapter._errors import InvalidArgument
from exportjobs.cli._annotations import is_json
from exportjobs.cli._closing import ResumeCommand
from exportjobs.cli._credentials import adapter_from_environment
from exportjobs.cli._session import GRACE, exit_code, run_shown


class _Landing(TypedDict):
    """The options of the command line that the library has too."""

    into: str
    unpack: bool
    poll_interval: float | None
    deadline: float
    on_exit: OnExit


def export(
    vendor: str,
    adapter: type[Adapter],
    kind: ExportKind,
    arguments: Mapping[str, object],
    *,
    account: str,
    run_key: str | None,
    ledger: Path | None,
    as_json: bool,
    **options: Unpack[_Landing],
) -> int:
    """Run an export and return the exit code.

    Raises:
        ExportJobsError: If it cannot begin.
    """
    credentials = adapter_from_environment(vendor, adapter, os.environ, name=account)
    wanted = _export(credentials, kind, arguments)
    if run_key is not None and ledger_file(ledger) is None:
        remedy = "pass --ledger, or set EXPORTJOBS_LEDGER"
        raise InvalidArgument("run_key", "needs a ledger file", remedy=remedy)
    begin = partial(run, [wanted], run_key=run_key, ledger=ledger, grace=GRACE, **options)
    resuming = ResumeCommand(options["into"], ledger, account, options["unpack"])
    return exit_code(
        run_shown(
            lambda observers: begin(observers=observers), as_json_lines=as_json, resuming=resuming
        )
    )


def _export(account: Adapter, kind: ExportKind, arguments: Mapping[str, object]) -> Export:
    parameters = kind.signature.parameters
    asked = {
        name: _from_json(account, name, value) if is_json(parameters[name].annotation) else value
        for name, value in arguments.items()
    }
    return kind.bind(account, **asked)


def _from_json(account: Adapter, argument: str, text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        remedy = 'write it as in \'{"key": "value"}\''
        raise account.invalid(argument, "is not JSON", remedy) from None

"""Nothing secret is printed: every secret of a run is looked for in everything that it says."""

import logging
import re
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.logs import everything_in

import exportjobs
from exportjobs import Event, Export
from exportjobs.cli._report import as_json
from exportjobs.sandbox import Sandbox
from exportjobs_clari import Clari

Everything = Callable[[Sandbox], list[Export]]
PUBLIC = {"tenant"}
SIGNED = re.compile(r"[?&](sig|signature|x-amz-\w+|policy|key-pair-id|se|sv|sp)=", re.IGNORECASE)


async def test_no_secret_and_no_signed_url_is_ever_said(
    troubled_sandbox: Sandbox,
    everything: Everything,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Logs at DEBUG, events, errors, reprs, JSON lines and the ledger hold no secret."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    exports = everything(troubled_sandbox)
    troubled_sandbox.fail_next("csv")

    def listen(event: Event) -> None:
        said.append(repr(event))

    ledger = tmp_path / "exports.db"
    async with exportjobs.Poller(poll_interval=0.02, observers=[listen], ledger=ledger) as poller:
        async for finished in poller.run(exports, into=tmp_path / "landing"):
            said += [repr(finished), repr(finished.job), as_json(finished)]
            said += [repr(finished.export), repr(finished.export.adapter)]
            said += [str(finished.error), repr(finished.error)]
        said += [file.read_bytes().decode(errors="replace") for file in tmp_path.glob("*.db*")]
    said += [everything_in(record) for record in caplog.records]

    secrets = {
        secret
        for account in troubled_sandbox.accounts
        for name, secret in account.credentials.items()
        if name not in PUBLIC
    }
    secrets |= {
        value.removeprefix("Bearer ")
        for received in troubled_sandbox.requests
        for name, value in received.headers.items()
        if name.lower() == "authorization"
    }
    assert len(said) > 500
    assert [line for line in said if any(secret in line for secret in secrets)] == []
    assert [line for line in said if SIGNED.search(line)] == []


async def test_errors_of_a_run_carry_no_secret_in_their_tracebacks(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A refused key and an unreachable host are told without the key, causes included."""
    secret = "planted-secret-0123456789"  # noqa: S105 - to be looked for
    refused = Clari(secret, base_url=sandbox.account("clari").base_url, name="refused")
    nowhere = Clari(secret, base_url="http://127.0.0.1:9/v4", name="nowhere")
    exports = [adapter.activity() for adapter in (refused, nowhere)]

    async with exportjobs.Poller() as poller:
        finished = [one async for one in poller.run(exports, into=tmp_path)]

    told = ["".join(traceback.format_exception(one.error)) for one in finished if one.error]
    assert len(told) == 2
    assert [text for text in told if secret in text] == []

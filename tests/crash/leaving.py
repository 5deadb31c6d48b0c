"""What is looked at afterwards: a process that leaves a poller in every way that there is.

It is run, not imported.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import trio

import exportjobs
from exportjobs import LedgerFailed, Poller
from exportjobs.adapter._registry import load_adapter
from exportjobs.cli._demo import one_of_each

from .clock import FastClock
from .forking import fork_for_each_line
from .remains import remains

_BY_THE_OTHER_DOOR = "sync-"


class _Had(Exception):
    """What whoever uses the poller had enough of."""


async def _leave(how: str, options: Mapping[str, Any], work: Mapping[str, Any]) -> int:
    """Leave a poller, and return how many tasks there are then that were not there before."""
    before = _tasks()
    with anyio.CancelScope() as scope, suppress(_Had, LedgerFailed):
        async with Poller(**options) as poller:
            results = poller.run(**work)
            if how == "unasked":
                poller.close_now()
            else:
                await _listen(how, results, scope)
    return _tasks() - before


async def _listen(how: str, results: Any, scope: anyio.CancelScope) -> None:  # noqa: ANN401
    async for _ in results:
        if how == "break":
            break
        if how == "error":
            raise _Had
        if how == "cancel":
            scope.cancel()


def _leave_by_the_other_door(how: str, options: Mapping[str, Any], work: Mapping[str, Any]) -> None:
    with suppress(KeyboardInterrupt, LedgerFailed):
        for _ in exportjobs.run(**work, **options):
            if how == "break":
                break
            if how == "interrupt":
                raise KeyboardInterrupt


def _tasks() -> int:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return trio.lowlevel.current_statistics().tasks_living


def run(
    *,
    backend: str,
    how: str,
    account: Mapping[str, Any],
    ledger: str,
    folder: str,
    began_at: float,
    report: str,
) -> None:
    """Leave, and write down what remains."""
    adapter = load_adapter(account["vendor"])(**account["arguments"])
    options = {"ledger": ledger, "poll_interval": 1.0, "clock": FastClock(began_at)}
    work = {"exports": list(one_of_each(adapter)), "into": folder, "run_key": "night"}
    tasks = 0
    if how.startswith(_BY_THE_OTHER_DOOR):
        _leave_by_the_other_door(how.removeprefix(_BY_THE_OTHER_DOOR), options, work)
    else:
        tasks = anyio.run(_leave, how, options, work, backend=backend)
    Path(report).write_text(json.dumps({"tasks": tasks, "left": remains(backend)}))


if __name__ == "__main__":
    fork_for_each_line(run)

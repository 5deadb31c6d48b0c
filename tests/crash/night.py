"""What is killed: a process that runs the demo's exports of an account under one run key.

It is run, not imported.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import trio  # noqa: F401 - to be there when it is chosen

from exportjobs import Event, Finished, Poller
from exportjobs.adapter._registry import load_adapter
from exportjobs.cli._demo import one_of_each
from exportjobs.events import LedgerWriteFailed

from .clock import FastClock
from .forking import fork_for_each_line
from .moments import Moments
from .remains import remains

_INTERVAL = 1.0


async def land(
    *,
    account: Mapping[str, Any],
    ledger: str,
    folder: str,
    began_at: float,
    run_key: str,
    decisions: Sequence[Sequence[Any]],
    observer: Any,  # noqa: ANN401 - of events
) -> list[Finished]:
    """Say to the ledger what was decided by hand, and run every export to its end."""
    adapter = load_adapter(account["vendor"])(**account["arguments"])
    options: dict[str, Any] = {"poll_interval": _INTERVAL, "clock": FastClock(began_at)}
    async with Poller(ledger=ledger, observers=[observer], **options) as poller:
        for choice, *told in decisions:
            await getattr(poller.records, choice)(*told)
        results = poller.run(one_of_each(adapter), into=folder, run_key=run_key)
        return [finished async for finished in results]


def run(*, backend: str, report: str, dies: Mapping[str, Any], **told: Any) -> None:  # noqa: ANN401
    """Run the exports, and write down what came of them and what is left of it all."""
    moments, missed = Moments(**dies), list[str]()
    moments.watch()

    def observer(event: Event) -> None:
        if isinstance(event, LedgerWriteFailed):
            missed.append(str(event.error))

    ends = anyio.run(lambda: land(**told, observer=observer), backend=backend)
    Path(report).write_text(
        json.dumps(
            {
                "ends": [_said(one) for one in ends],
                "seen": moments.seen,
                "missed": missed,
                "left": remains(backend),
            }
        )
    )


def _said(finished: Finished) -> Mapping[str, object]:
    error = finished.error
    return {
        "job": finished.ref.id if finished.ref else None,
        "kind": finished.export.kind,
        "error": type(error).__name__ if error else None,
        "said": str(error) if error else "",
        "number": getattr(error, "number", 0),
        "files": [[str(one.path), one.sha256] for one in finished.files],
    }


if __name__ == "__main__":
    fork_for_each_line(run)

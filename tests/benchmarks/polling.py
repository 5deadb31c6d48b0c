"""Polling against peers: how much each asks, and how soon it notices the end.

Fifty jobs are submitted at once to a vendor that limits nothing; see the README beside this file.
"""

from collections.abc import Mapping
from types import MappingProxyType

from _contest import Contender, Setting, every
from _environments import OURS
from _polling_report import draw, report
from _program import interruptible, options, publish, results
from _workload import JOBS, measured, practice

_USUAL_PRICE = 0.05
_PRICES = (0.01, 0.02, _USUAL_PRICE, 0.1, 0.16)
_WIDE_PRICES = (*_PRICES, 0.3, 0.4)
_LIST_PRICES = (0.01, 0.02, _USUAL_PRICE, 0.07, 0.1, 0.16)
_ASKED_FOR = {"retry_after": 1}
_TELLING = {"progress": True}
_PRACTICED = {"durations": [*practice(), *measured()], "first_counted": JOBS}


def _ours(name: str, *settings: Setting) -> Contender:
    return Contender(f"exportjobs, {name}", "exportjobs_contender", OURS, settings, ours=True)


def _priced(
    price: float, *, knobs: Mapping[str, object] = MappingProxyType({}), **more: object
) -> Setting:
    """Return a setting of ours: nothing is tuned to the workload but the price of a request."""
    quick = price == _USUAL_PRICE and "limits" not in more and "retry_after" not in knobs
    return Setting(f"price {price}", {"jobs": JOBS, "price": price, **more}, knobs, quick=quick)


def _peer(name: str, script: str, *settings: Setting) -> Contender:
    return Contender(name, script, name, settings)


def _tuned(label: str, *, quick: bool = False, **more: object) -> Setting:
    """Return a peer's setting with an interval that suits the workload."""
    return Setting(label, {"jobs": JOBS, **more}, quick=quick)


def _own(
    label: str, *, quick: bool = False, once: bool = False, slow: bool = False, **more: object
) -> Setting:
    """Return a peer's setting in which its own defaults say how often to ask."""
    jobs = {"jobs": JOBS, **more}
    return Setting(label, jobs, own_pace=True, quick=quick, once=once, slow=slow)


def _capped(seconds: float) -> dict[str, object]:
    """Return dlt's arguments for a backoff that ends at an interval."""
    return {
        "request_max_attempts": 10_000,
        "request_backoff_factor": seconds,
        "request_max_retry_delay": seconds,
    }


CONTENDERS = (
    _ours("first run", *(_priced(price) for price in _WIDE_PRICES)),
    _ours(
        "second run",
        *(_priced(price, practice=JOBS, knobs=_PRACTICED) for price in _PRICES),
    ),
    _ours("progress", *(_priced(price, knobs=_TELLING) for price in _WIDE_PRICES)),
    _ours(
        "progress, second run",
        *(_priced(price, practice=JOBS, knobs=_PRACTICED | _TELLING) for price in _WIDE_PRICES),
    ),
    _ours("list", *(_priced(price, list=True) for price in _LIST_PRICES)),
    _ours(
        "list, second run",
        *(_priced(price, practice=JOBS, list=True, knobs=_PRACTICED) for price in _LIST_PRICES),
    ),
    _ours("list and limits", _priced(_USUAL_PRICE, list=True, limits=True)),
    _ours("Retry-After: 1", _priced(_USUAL_PRICE, knobs=_ASKED_FOR)),
    _peer(
        "airbyte-cdk",
        "airbyte_contender",
        _own("default: 1 job at a time", slow=True),
        _own("50 jobs at a time", max_concurrent_async_job_count=JOBS),
        *(
            _tuned(
                f"50 jobs, constant set to {sweep} s",
                quick=sweep == 1,
                max_concurrent_async_job_count=JOBS,
                sweep=sweep,
            )
            for sweep in (0.5, 1, 2)
        ),
    ),
    _peer(
        "azure-core",
        "azure_contender",
        _own("default: 30 s", once=True),
        Setting("Retry-After: 1", {"jobs": JOBS}, _ASKED_FOR, own_pace=True),
        *(_tuned(f"{interval} s", poll_interval=interval) for interval in (0.25, 0.5, 1, 2)),
    ),
    _peer(
        "botocore",
        "botocore_contender",
        _own("default: 15 s", once=True),
        *(_tuned(f"{delay} s", delay=delay) for delay in (0.5, 1, 2)),
    ),
    _peer(
        "dlt",
        "dlt_contender",
        _own("default: 5 workers", once=True),
        _own("50 workers", workers=JOBS),
        *(_tuned(f"50 workers, {cap} s", workers=JOBS, polls=_capped(cap)) for cap in (0.5, 1, 2)),
    ),
    _peer(
        "google-api-core",
        "google_contender",
        _own("default", quick=True),
        *(
            _tuned(f"0 to {wait} s", initial=wait, maximum=wait, multiplier=1.0)
            for wait in (0.5, 1, 2, 4)
        ),
    ),
    _peer(
        "stamina",
        "stamina_contender",
        _own("default"),
        *(
            _tuned(f"{interval} s", quick=interval == 1, polls=every(interval))
            for interval in (0.25, 0.5, 1, 2)
        ),
    ),
    Contender(
        "stamina, sleeping first",
        "stamina_contender",
        "stamina",
        tuple(
            _tuned(f"{interval} s", polls=every(interval), first=interval)
            for interval in (0.25, 0.5, 1, 2)
        ),
    ),
)


def main() -> None:
    """Run the contest and report it."""
    asked = options("polling", __doc__)
    found, asked = results(CONTENDERS, {"durations": measured()}, asked)
    folder = publish(report(found, asked), asked)
    if folder is not None:
        draw(found, folder / "polling.svg")


if __name__ == "__main__":
    interruptible(main)

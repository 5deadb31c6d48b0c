"""Slots against peers: how soon each refills a slot that a job has left.

Twelve jobs go through a vendor that runs three at once and refuses a fourth; see the README.
"""

from _contest import Contender, Setting, every
from _environments import OURS
from _program import interruptible, options, publish, results
from _slots_report import draw, report
from _workload import SLOT_JOBS, SLOTS, measured


def _ours(name: str, *, prices: tuple[float, ...] = (0.05,), **more: object) -> Contender:
    settings = tuple(
        Setting(
            f"price {price}", {"jobs": SLOT_JOBS, "price": price, **more}, quick=price == prices[0]
        )
        for price in prices
    )
    return Contender(f"exportjobs, {name}", "exportjobs_contender", OURS, settings, ours=True)


def _setting(label: str, *, quick: bool = False, **more: object) -> Setting:
    return Setting(label, {"jobs": SLOT_JOBS, **more}, quick=quick)


CONTENDERS = (
    _ours("slots unknown", prices=(0.05, 0.02)),
    _ours("slots declared", slots=SLOTS),
    _ours("limits", limits=True),
    _ours("list", list=True),
    _ours("list and limits", prices=(0.05, 0.02), list=True, limits=True),
    Contender(
        "airbyte-cdk",
        "airbyte_contender",
        "airbyte-cdk",
        (
            _setting("limit 3", max_concurrent_async_job_count=SLOTS, quick=True),
            _setting("limit 3, constant set to 1 s", max_concurrent_async_job_count=SLOTS, sweep=1),
            _setting(
                "limit 3, constant set to 0.25 s", max_concurrent_async_job_count=SLOTS, sweep=0.25
            ),
            _setting("limit 12, refused and repeated", max_concurrent_async_job_count=SLOT_JOBS),
        ),
    ),
    Contender(
        "stamina",
        "stamina_contender",
        "stamina",
        (
            _setting("default", quick=True),
            *(
                _setting(f"{interval} s", submits=every(interval), polls=every(interval))
                for interval in (0.25, 0.5, 1)
            ),
        ),
    ),
)


def main() -> None:
    """Run the contest and report it."""
    asked = options("slots", __doc__)
    knobs = {
        "durations": measured(SLOT_JOBS),
        "in_turn": True,
        "slots": SLOTS,
        "refusal": asked.refusal,
    }
    found, asked = results(CONTENDERS, knobs, asked)
    folder = publish(report(found, asked), asked)
    if folder is not None:
        draw(found, folder / "slots.svg")


if __name__ == "__main__":
    interruptible(main)

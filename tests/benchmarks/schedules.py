"""When to ask, in virtual time: how near our schedule comes to what knowing the future would reach.

Histories of jobs are lived through with the library's own functions, nothing being sent and nothing
being waited for. Every history begins in ignorance; nothing is tuned to a scenario.
"""

import argparse
from pathlib import Path

import numpy as np
from _sched_report import draw, report
from _sched_runs import (
    Crowd,
    History,
    Jump,
    Measured,
    Results,
    crowd,
    fixed,
    geometric,
    google,
    lived,
    reached,
)
from _sched_world import CROWD, JOBS, SCENARIOS, Array, PollPolicy, Scenario, optimum

USUAL_PRICE = 0.05
PRICES = (0.2, USUAL_PRICE, 0.02, 0.005)
PROGRESS_PRICES = (0.16, USUAL_PRICE, 0.02)
CROWD_PRICES = (0.16, 0.12, 0.1, 0.08, USUAL_PRICE)
HISTORIES = 40
"""For each scenario and price; a quarter of them where requests are many or progress is told."""
_PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "schedules.md"
_LOW_ENOUGH = 1e-5
"""A price below which nobody would go."""
_SEED = 7


def main() -> None:
    """Measure, and write the page and its plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few histories; only print the page")
    quick = parser.parse_args().quick
    histories = 4 if quick else HISTORIES
    results = Results(
        histories,
        [
            _measured(scenario, histories, PRICES[1:3] if quick else PRICES)
            for scenario in SCENARIOS
        ],
        [_jump(factor, histories) for factor in (10.0, 0.1)],
        [_crowd(price, histories) for price in CROWD_PRICES],
    )
    page = report(results)
    print(page)
    if not quick:
        _PAGE.parent.mkdir(parents=True, exist_ok=True)
        _PAGE.write_text(page, encoding="utf-8")
        draw(results, _PAGE.with_suffix(".svg"))


def _measured(scenario: Scenario, histories: int, prices: tuple[float, ...]) -> Measured:
    """Return what all schedules reach in a scenario."""
    print(scenario.name, flush=True)
    chance = np.random.default_rng(_SEED)
    jobs = scenario.draw(histories * JOBS, chance).reshape(histories, JOBS)
    few = jobs[: max(2, histories // 4)]
    rival = google(jobs.ravel(), chance)
    ours = {price: _ours(jobs, price) for price in prices}
    return Measured(
        scenario,
        ours=ours,
        progress={price: _ours(few, price, chance) for price in PROGRESS_PRICES},
        low=_down_to(rival[1], few, *min(ours.items())) if scenario.rivalled else {},
        google=rival,
        optimum=optimum(scenario, jobs.ravel()),
        fixed=fixed(jobs.ravel()),
        geometric=geometric(jobs.ravel()),
    )


def _ours(
    jobs: Array, price: float, progress: np.random.Generator | None = None
) -> tuple[float, float]:
    histories = [
        History(
            tuple(map(float, row)),
            price,
            tuple(PollPolicy.draw(progress) for _ in row) if progress else (),
        )
        for row in jobs
    ]
    return reached(lived(histories), jobs)


def _down_to(
    latency: float, jobs: Array, price: float, point: tuple[float, float]
) -> dict[float, tuple[float, float]]:
    """Return what prices below one whose point is known reach, until a latency is reached."""
    found: dict[float, tuple[float, float]] = {}
    while point[1] > latency and price > _LOW_ENOUGH:
        price /= 4
        found[price] = point = _ours(jobs, price)
    return found


def _jump(factor: float, histories: int) -> Jump:
    """Return what happens when durations change at once, after eighty jobs."""
    chance = np.random.default_rng(_SEED)
    jobs = 60 * np.exp(0.8 * chance.standard_normal((2 * histories, 160)))
    jobs[:, 80:] *= factor
    lives = lived([History(tuple(map(float, row)), USUAL_PRICE) for row in jobs])
    return Jump(factor, lives[..., 0], lives[..., 1] / jobs)


def _crowd(price: float, histories: int) -> Crowd:
    chance = np.random.default_rng(_SEED)
    best = optimum(CROWD, CROWD.draw(40_000, chance), power=0.0)
    return Crowd(price, crowd(CROWD, price, range(histories)), best)


if __name__ == "__main__":
    main()

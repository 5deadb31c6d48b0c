"""The report on slots: one row and one bar for each setting."""

from collections.abc import Sequence
from pathlib import Path

from _contest import Result
from _program import Options
from _report import OURS_COLOUR, PEER_COLOURS, circumstances, save, spread, table, threads
from _workload import SLOT_JOBS, SLOTS, ideal_makespan, measured
from matplotlib.figure import Figure

_HEAD = (
    "contender",
    "setting",
    "makespan, s",
    "over the ideal",
    "refused submits",
    "status requests per job",
    "limits requests",
    "all calls per job",
    "CPU, s",
    "threads",
)
_IDEAL = ideal_makespan(measured(SLOT_JOBS), SLOTS)


def report(results: Sequence[Result], asked: Options) -> str:
    """Return the page."""
    return (
        "# Slots against peers\n\n"
        f"{SLOT_JOBS} jobs through a vendor that runs {SLOTS} at once and answers a submit too many"
        f" with HTTP {asked.refusal}, a code and no header. Makespan is from the first submit to"
        " the last byte of the last file. The ideal gives each job in turn the slot that is free"
        f" first, and takes {_IDEAL:.1f} s; the nth job accepted lasts as long for everybody. The"
        " vendor counts all of it.\n\n"
        "![Makespan over the ideal](slots.svg)\n\n"
        f"{circumstances(results, asked)}\n"
        f"{table(_HEAD, [_row(result) for result in results])}"
    )


def _row(result: Result) -> tuple[str, ...]:
    name = f"**{result.contender}**" if result.ours else result.contender
    if result.error:
        return (name, f"{result.label}: did not finish ({result.error})", *[""] * (len(_HEAD) - 2))
    return (
        name,
        result.label,
        spread(result, lambda sample: sample.makespan, 1),
        spread(result, lambda sample: sample.makespan / _IDEAL),
        spread(result, lambda sample: sample.refused, 0),
        spread(result, lambda sample: sample.requests_per_job),
        spread(result, lambda sample: sample.limits_requests, 0),
        spread(result, lambda sample: sample.calls_per_job, 1),
        spread(result, lambda sample: sample.cpu, 1),
        threads(result),
    )


def draw(results: Sequence[Result], file: Path) -> None:
    """Draw a bar for each setting, ours in a colour of their own."""
    shown = [result for result in reversed(results) if not result.error]
    names = [f"{result.contender}: {result.label}" for result in shown]
    ratios = [result.median(lambda sample: sample.makespan / _IDEAL) for result in shown]
    figure = Figure(figsize=(9, 0.35 * len(shown) + 1.2))
    axes = figure.add_subplot()
    colours = [OURS_COLOUR if result.ours else PEER_COLOURS[0] for result in shown]
    bars = axes.barh(names, ratios, color=colours)
    axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set(
        xlabel="makespan over the ideal",
        title=f"{SLOT_JOBS} jobs through {SLOTS} slots: shorter is better, 1 is ideal",
    )
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, file)

"""The report on polling: one row and one point for each setting."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _contest import Result, beaten_by
from _program import Options
from _report import OUR_COLOURS, PEER_COLOURS, circumstances, save, spread, table, threads
from _workload import JOBS, measured
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

_HEAD = (
    "contender",
    "setting",
    "status requests per job",
    "mean latency, s",
    "p95 latency, s",
    "mean latency over length",
    "makespan, s",
    "CPU, s",
    "of it importing",
    "threads",
    "beaten on both axes by",
)


def report(results: Sequence[Result], asked: Options) -> str:
    """Return the page."""
    finished = [result for result in results if not result.error]
    unbeaten = [one for one in finished if not one.ours and not beaten_by(one, finished)]
    return (
        "# Polling against peers\n\n"
        f"{JOBS} jobs submitted at once, of log-normal lengths (median 1.93 s, sigma 0.8, longest"
        f" {max(measured()):.1f} s), 90 kB each, at a vendor that limits nothing. A status request"
        " is one for a job or for the list; latency is from a job's true end to the first answer"
        " that told of it; makespan is from the first submit to the last byte of the last file,"
        f" and can't be less than {max(measured()):.1f} s. The vendor counts all of it.\n\n"
        "![Requests per job against latency](polling.svg)\n\n"
        f"{circumstances(results, asked)}\n"
        f"{table(_HEAD, [_row(result, finished, asked) for result in results])}\n"
        f"{_verdict(unbeaten)}"
    )


def _row(result: Result, finished: Sequence[Result], asked: Options) -> tuple[str, ...]:
    once = " (n=1)" if len(result.samples) < asked.repeats else ""
    name = f"**{result.contender}**" if result.ours else result.contender
    if result.error:
        return (name, result.label, *[""] * (len(_HEAD) - 3), f"did not finish: {result.error}")
    return (
        name,
        f"{result.label}{once}",
        spread(result, lambda sample: sample.requests_per_job),
        spread(result, lambda sample: sample.latency),
        spread(result, lambda sample: sample.latency95),
        spread(result, lambda sample: sample.relative_latency),
        spread(result, lambda sample: sample.makespan, 1),
        spread(result, lambda sample: sample.cpu, 1),
        spread(result, lambda sample: sample.importing, 1),
        threads(result),
        "" if result.ours else _by(beaten_by(result, finished)),
    )


def _by(better: Sequence[Result]) -> str:
    return ", ".join(_short_name(one) for one in better) or "**none**"


def _short_name(result: Result) -> str:
    return f"{result.contender.removeprefix('exportjobs, ')} {_short(result.label)}"


def _verdict(unbeaten: Sequence[Result]) -> str:
    if not unbeaten:
        return "Each setting of a peer is beaten on both axes by one of ours.\n"
    names = "; ".join(f"{one.contender} ({one.label})" for one in unbeaten)
    return f"Not beaten on both axes by any of ours: {names}.\n"


def draw(results: Sequence[Result], file: Path) -> None:
    """Draw the plane: requests to the right, latency upwards, the best in the corner below."""
    figure = Figure(figsize=(11, 7.5))
    axes = figure.add_subplot()
    by_contender: dict[str, list[Result]] = {}
    for result in results:
        if not result.error:
            by_contender.setdefault(result.contender, []).append(result)
    ours, theirs = zip(OUR_COLOURS, "osD^vP<X", strict=True), zip(PEER_COLOURS, strict=True)
    for name, found in by_contender.items():
        _line(axes, name, found, *next(ours if found[0].ours else theirs))
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="status requests per job",
        ylabel="mean detection latency, seconds",
        title=f"{JOBS} jobs at once: fewer requests to the left, sooner noticed below",
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, which="both", alpha=0.2)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1, 1),
        frameon=False,
        title="hollow: own defaults,\nor the server's wish",
    )
    save(figure, file)


def _line(axes: Axes, name: str, found: Sequence[Result], colour: str, marker: str = ".") -> None:
    ours = found[0].ours
    look: dict[str, Any] = {"color": colour, "marker": marker, "zorder": 3 if ours else 2}
    joined = sorted((result for result in found if not result.own_pace), key=lambda one: one.place)
    x, y = [one.place[0] for one in joined], [one.place[1] for one in joined]
    axes.plot(x, y, label=name, linewidth=2 if ours else 1, **look)
    for result in found:
        if result.own_pace:
            axes.plot(*result.place, linestyle="", markerfacecolor="white", markersize=8, **look)
        axes.annotate(
            _short(result.label),
            result.place,
            xytext=(5, 3),
            textcoords="offset points",
            fontsize=6.5,
            color=colour,
        )


def _short(label: str) -> str:
    """Return what a point is called where there is little room."""
    for long, short in (
        ("price ", ""),
        ("50 jobs, constant set to ", ""),
        ("50 workers, ", ""),
        ("default: ", "default "),
    ):
        label = label.replace(long, short)
    return label

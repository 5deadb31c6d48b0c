"""The page on schedules and its plot."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from _report import OURS_COLOUR, PEER_COLOURS, save, table
from _sched_runs import Crowd, Jump, Measured, Results
from _sched_world import GUESS, JOBS, PACE_IN_WORDS
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

_COMMAND = "uv run --group benchmarks tests/benchmarks/schedules.py"
_USUAL = 0.05
_PROGRESS = 0.6
_RELEARNED = 1.3
_HALF = 0.5
_CROWD = 1.25


def report(results: Results) -> str:
    """Return the page."""
    return (
        "# When to ask, in virtual time\n\n"
        f"Histories of {JOBS} jobs, one after the other, are lived through with the library's own"
        f" functions: {results.histories} for each scenario and price, a quarter of them where"
        " progress is reported or requests are many. Each begins in ignorance, with a guess of"
        f" {GUESS:.0f} s, and the jobs that it learns from count. Nothing is tuned to a scenario;"
        f" the one knob is the price of a request, {_USUAL} unless told otherwise. Latency is from"
        " a job's end to the answer that told of it, over its duration unless in seconds.\n\n"
        "The *optimum* knows the distribution and is found by dynamic programming at each price;"
        " all schedules of a scenario are scored on the same jobs. Schedules are compared at equal"
        " requests, between points as a power law. There is no least or greatest wait, no jitter"
        " and no network here.\n\n"
        f"Run with `{_COMMAND}`.\n\n"
        "![Requests per job against latency](schedules.svg)\n\n"
        "## Bounds\n\n"
        f"{table(('bound', 'measured', 'met'), _bounds(results))}\n"
        f"## Learning durations\n\n{_learning(results)}\n"
        f"## Google's latency\n\n{_google(results)}\n"
        f"## Progress\n\n{PACE_IN_WORDS}\n\n{_progress(results)}\n"
        f"## A tenfold change\n\n{_jumps(results)}\n"
        f"## Fifty jobs at once\n\n{_crowds(results)}"
    )


def _yes(met: bool) -> str:  # noqa: FBT001 - the one thing it is about
    return "yes" if met else "**no**"


def _bounds(results: Results) -> Iterator[tuple[str, str, str]]:
    for bound, words in ((1.25, "one mode"), (1.5, "several modes")):
        alike = [one for one in results.scenarios if one.scenario.bound == bound]
        for price in results.scenarios[0].ours:
            ratios = [(one.over_optimum(one.ours[price]), one.scenario.name) for one in alike]
            ratio, name = max(ratios)
            requests = [one.ours[price][0] for one in alike]
            yield (
                f"latency over the optimum's, {words}: at most {bound}; {_at(price, requests)}",
                f"{ratio:.2f} ({name})",
                _yes(ratio <= bound),
            )
    yield from _other_bounds(results)


def _at(price: float, requests: Sequence[float]) -> str:
    usual = " (the usual)" if price == _USUAL else ""
    return f"price {price}{usual}, {min(requests):.1f} to {max(requests):.1f} requests"


def _other_bounds(results: Results) -> Iterator[tuple[str, str, str]]:
    rivalled = [one for one in results.scenarios if one.scenario.rivalled]
    worst = max(rivalled, key=lambda one: one.like_google / one.google[0])
    share, least = (
        requests / worst.google[0]
        for requests in (worst.like_google, worst.optimum.requests_at(worst.google[1]))
    )
    words = "requests over google's for its latency, medians to 15 min: at most a half"
    shown = f"{share:.2f} ({worst.scenario.name}, where the optimum takes {least:.2f})"
    yield words, shown, _yes(share <= _HALF)
    for price in results.scenarios[0].progress:
        ratio, name = max(
            (one.over_optimum(one.progress[price]), one.scenario.name) for one in results.scenarios
        )
        at = _at(price, [one.progress[price][0] for one in results.scenarios])
        words = f"with progress, over the optimum's without: at most {_PROGRESS}; {at}"
        yield words, f"{ratio:.2f} ({name})", _yes(ratio <= _PROGRESS)
    for jump in results.jumps:
        cost = jump.cost(21, 40)
        words = f"durations x {jump.factor:g}: cost of jobs 21 to 40 over before: at most"
        yield f"{words} {_RELEARNED}", f"{cost:.2f}", _yes(cost <= _RELEARNED)
    yield from _crowd_bounds(results.crowds)


def _crowd_bounds(crowds: Sequence[Crowd]) -> Iterator[tuple[str, str, str]]:
    worst = max(_over_optimum(crowd) for crowd in crowds)
    words = f"50 jobs, learned: seconds over the optimum's in seconds: at most {_CROWD}"
    yield words, f"{worst:.2f}", _yes(worst <= _CROWD)
    fitting = [crowd.reached["one by one, with progress"] for crowd in crowds]
    requests, late = min(fitting, key=lambda pair: max(pair[0] / 2.5, pair[1] / 0.35))
    words = "50 jobs with progress, at some price: 2.5 requests each at 0.35 s"
    yield words, f"{requests:.2f} at {late:.2f} s", _yes(requests <= 2.5 and late <= 0.35)
    for name in ("by a list", "by a list, from ignorance"):
        reached = (crowd.reached[name] for crowd in crowds)
        requests, late = min(reached, key=lambda pair: max(pair[0] / 0.25, pair[1] / 0.5))
        words = f"50 jobs {name}, at some price: 0.25 requests each at 0.5 s"
        yield words, f"{requests:.2f} at {late:.2f} s", _yes(requests <= 0.25 and late <= 0.5)


def _over_optimum(crowd: Crowd) -> float:
    requests, late = crowd.reached["one by one"]
    return late / crowd.optimum.latency_at(requests)


def _learning(results: Results) -> str:
    head = ["scenario", "requests", "ours", "optimum", "fixed", "geometric"]
    head += [f"over optimum, {price}" for price in results.scenarios[0].ours]
    head += ["bound"]
    return (
        "Mean relative latency at as many requests as ours takes at the usual price, the interval"
        " and the factor of the others chosen in hindsight; then ours over the optimum at each"
        f" price.\n\n{table(head, map(_learned, results.scenarios))}"
    )


def _learned(one: Measured) -> Sequence[str]:
    requests, late = one.ours[_USUAL]
    curves = (one.optimum, one.fixed, one.geometric)
    return (
        one.scenario.name,
        f"{requests:.1f}",
        f"{late:.3f}",
        *(f"{curve.latency_at(requests):.3f}" for curve in curves),
        *(f"{one.over_optimum(point):.2f}" for point in one.ours.values()),
        f"{one.scenario.bound}",
    )


def _google(results: Results) -> str:
    head = ("scenario", "google", "its latency", "ours", "of google's", "optimum", "met")
    rows = [
        (
            one.scenario.name,
            f"{one.google[0]:.1f}",
            f"{one.google[1]:.4f}",
            f"{one.like_google:.1f}",
            f"{one.like_google / one.google[0]:.2f}",
            f"{one.optimum.requests_at(one.google[1]):.1f}",
            _yes(one.like_google <= _HALF * one.google[0]),
        )
        for one in results.scenarios
        if one.scenario.rivalled
    ]
    return (
        "Requests per job that google-api-core's default takes (full jitter, 1 s to 20 s by 1.5),"
        f" and that others take for its latency; met where ours takes half.\n\n{table(head, rows)}"
    )


def _progress(results: Results) -> str:
    head = ["scenario"]
    for price in results.scenarios[0].progress:
        head += [f"requests, {price}", "latency", "over optimum"]
    return (
        "Over the optimum that does not see progress, at as many requests, by price.\n\n"
        f"{table(head, map(_progressed, results.scenarios))}"
    )


def _progressed(one: Measured) -> Sequence[str]:
    cells = [one.scenario.name]
    for requests, late in one.progress.values():
        ratio = one.over_optimum((requests, late))
        cells += [f"{requests:.1f}", f"{late:.3f}", f"{ratio:.2f}"]
    return cells


def _jumps(results: Results) -> str:
    spans = ((1, 5), (6, 10), (11, 20), (21, 40), (41, 80))
    head = ("median", *(f"jobs {first} to {last}" for first, last in spans))
    return (
        "Requests times latency, over that of the forty jobs before the change; sigma 0.8, the"
        f" change after eighty jobs.\n\n{table(head, [_changed(j, spans) for j in results.jumps])}"
    )


def _changed(jump: Jump, spans: Iterable[tuple[int, int]]) -> Sequence[str]:
    changed = f"60 s, then {60 * jump.factor:g} s"
    return (changed, *(f"{jump.cost(first, last):.2f}" for first, last in spans))


def _crowds(results: Results) -> str:
    names = list(results.crowds[0].reached)
    head = ["price", "over optimum"]
    for name in names:
        head += [f"{name}: requests", "seconds"]
    rows = [
        [
            f"{crowd.price}",
            f"{_over_optimum(crowd):.2f}",
            *(f"{value:.2f}" for name in names for value in crowd.reached[name]),
        ]
        for crowd in results.crowds
    ]
    return (
        "Log-normal, median 1.93 s, sigma 0.8, none longer than 7.9 s; requests per job and mean"
        " latency in seconds. The durations were learned from 120 jobs before, or are found out by"
        " the very list. The optimum minds seconds only and asks one by one.\n\n"
        f"{table(head, rows)}"
    )


def draw(results: Results, file: Path) -> None:
    """Draw a small plane for each scenario: requests to the right, latency upwards."""
    figure = Figure(figsize=(13, 19), layout="constrained")
    planes = figure.subplots(5, 3)
    for axes, one in zip(planes.flat, results.scenarios, strict=True):
        _plane(axes, one)
    handles, labels = planes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=6, frameon=False)
    figure.supxlabel("requests per job")
    figure.supylabel("mean latency over duration")
    save(figure, file)


def _plane(axes: Axes, one: Measured) -> None:
    lines: Sequence[tuple[str, Any, dict[str, Any]]] = (
        ("optimum, knowing the distribution", one.optimum, {"color": "black"}),
        ("fixed", one.fixed, {"color": PEER_COLOURS[0], "linewidth": 1}),
        ("geometric", one.geometric, {"color": PEER_COLOURS[1], "linewidth": 1}),
    )
    for label, curve, look in lines:
        axes.plot(curve.requests, curve.latency, label=label, **look)
    axes.plot(*one.google, "D", label="google-api-core", color=PEER_COLOURS[2], linestyle="")
    ours = sorted([*one.ours.values(), *one.low.values()])
    look = {"color": OURS_COLOUR, "linewidth": 1.8, "zorder": 3}
    axes.plot(*zip(*ours, strict=True), "o-", label="ours", **look)
    progress = sorted(one.progress.values())
    axes.plot(*zip(*progress, strict=True), "s--", label="ours, with progress", **look)
    axes.set(xscale="log", yscale="log", title=one.scenario.name)
    axes.set_xlim(1, max(40.0, 1.3 * max(one.google[0], ours[-1][0])))
    axes.set_ylim(min(0.01, 0.6 * min(one.google[1], ours[-1][1])), 3)
    wide = axes.get_xlim()[1] > 100
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(visible=True, alpha=0.25)

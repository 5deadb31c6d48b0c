"""The report on one poll: a row for each contender at each number of requests at once."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median

from _program import machine
from _report import OURS_COLOUR, PEER_COLOURS, save, table
from matplotlib.figure import Figure

Figures = Mapping[tuple[str, int], list[float]]
"""Of each contender, at each number at once: a poll's microseconds in each round."""

BASE = "httpx"
BOUNDS = {("exportjobs", at_once): 1.10 for at_once in (1, 4, 16)}
_HEAD = ("contender", "at once", "processor time, µs", "over bare httpx", "bound", "kept")


def report(figures: Figures, rounds: int) -> str:
    """Return the page."""
    return (
        "# One poll\n\n"
        "Processor time, user and system, that the client's process spends on one question about a"
        " job: a GET over a connection that is kept alive, and an answer of 500 bytes from a server"
        " in another process.\n\n"
        "- **httpx**: `AsyncClient.get` and `json.loads`, one client for all.\n"
        "- **exportjobs**: a session's whole poll, from the adapter's flow through signing and"
        " repairing to the `ExportJob`. An account has four requests under way at the most, so 16"
        " at once are four accounts.\n"
        "- **exportjobs, whole loop**: a `Poller` with 64 jobs of each account that are always due,"
        " and a ledger in memory; all that it does is counted, divided by the polls.\n\n"
        "![Processor time over bare httpx](one_poll.svg)\n\n"
        "- Run with `uv run --group benchmarks tests/benchmarks/one_poll.py`;"
        f" machine: {machine()}.\n"
        f"- {rounds} rounds, each with every contender in turn: medians, with the least and the"
        " greatest in brackets. A ratio is of two figures of one round.\n\n"
        f"{table(_HEAD, [_row(figures, *key) for key in figures])}"
    )


def _row(figures: Figures, name: str, at_once: int) -> tuple[str, ...]:
    ratios, bound = _ratios(figures, name, at_once), BOUNDS.get((name, at_once))
    shown = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return (
        name if name.startswith(BASE) else f"**{name}**",
        str(at_once),
        f"{median(figures[name, at_once]):.0f}",
        "1" if name == BASE else shown,
        "" if bound is None else f"{bound:.2f}",
        "" if bound is None else "yes" if median(ratios) <= bound else "no",
    )


def _ratios(figures: Figures, name: str, at_once: int) -> list[float]:
    """Return what a poll costs over what it cost bare httpx in the same round."""
    pairs = zip(figures[name, at_once], figures[BASE, at_once], strict=True)
    return [cost / base for cost, base in pairs]


def draw(figures: Figures, file: Path) -> None:
    """Draw a bar for each row, ours in a colour of their own."""
    keys = [*figures][::-1]
    ratios = [median(_ratios(figures, *key)) for key in keys]
    colours = [PEER_COLOURS[0] if name.startswith(BASE) else OURS_COLOUR for name, _ in keys]
    figure = Figure(figsize=(9, 0.35 * len(keys) + 1.2))
    axes = figure.add_subplot()
    bars = axes.barh(
        [f"{name}, {at_once} at once" for name, at_once in keys], ratios, color=colours
    )
    axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set(
        xlabel="processor time over bare httpx at as many at once",
        title="One poll: shorter is better, 1 is httpx alone",
    )
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, file)

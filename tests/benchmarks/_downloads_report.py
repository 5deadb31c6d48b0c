"""The report on downloads: which bounds are kept, and a table and a row of bars for each task."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from _download_contest import (
    ASIDE,
    MANY,
    MD5_ALONE,
    NAIVE,
    ONE_BIG,
    OURS,
    OURS_JOBS,
    OURS_JOBS_TRIO,
    OURS_TRIO,
    OURS_UNHASHED,
    OVER_TLS,
    RAW,
    WITH_MD5,
    Contest,
    Task,
)
from _nginx import MIB
from _program import machine
from _report import OURS_COLOUR, PEER_COLOURS, save, table, versions
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_BASE_COLOUR = PEER_COLOURS[5]


@dataclass(frozen=True)
class Bound:
    """What one of ours is to keep: a figure at the most, or at the least."""

    words: str
    name: str
    task: Task
    limit: float
    base: str | None = None
    """Whose wall time ours is divided by; None for peak memory in MB."""
    is_rate: bool = False
    """Whether rates are compared in place of times, more being better."""

    def found(self, contest: Contest) -> list[float]:
        """Return the figure in each round."""
        if self.base is None:
            return [one.rss for one in contest.samples(self.task, self.name) if not one.error]
        ratios = contest.ratios(self.task, self.name, self.base)
        return [1 / ratio for ratio in ratios] if self.is_rate else ratios

    def is_kept(self, figure: float) -> bool:
        """Return whether a figure is within the bound."""
        return figure >= self.limit if self.is_rate else figure <= self.limit


_OURS = (OURS, OURS_TRIO)
BOUNDS = (
    *(Bound("1 GiB, SHA-256 and all, over the raw loop", one, ONE_BIG, 1.6, RAW) for one in _OURS),
    *(Bound("1 GiB over TLS, likewise", one, OVER_TLS, 1.6, RAW) for one in _OURS),
    *(
        Bound(f"{task.name}, over the raw loop that hashes in threads", one, task, 1.15, ASIDE)
        for task in (ONE_BIG, OVER_TLS, WITH_MD5)
        for one in _OURS
    ),
    Bound("1 GiB, hashing taken out, over the raw loop", OURS_UNHASHED, ONE_BIG, 1.25, RAW),
    *(
        Bound("1 GiB with Content-MD5, over MD5 alone", one, WITH_MD5, 1.15, MD5_ALONE)
        for one in _OURS
    ),
    *(Bound("1 GiB, peak memory in MB", one, ONE_BIG, 60.0) for one in _OURS),
    *(
        Bound("1,000 small files, rate over naive httpx", one, MANY, 1.0, NAIVE, is_rate=True)
        for one in (*_OURS, OURS_JOBS, OURS_JOBS_TRIO)
    ),
)


def report(contest: Contest) -> str:
    """Return the page."""
    return (
        "# Downloads against peers\n\n"
        "From nginx on loopback to files in memory, each downloader in a process of its own. Wall"
        " time and processor time leave starting and importing out, and are of the client alone;"
        " memory is the most that its process held at once, with all that it had imported.\n\n"
        "- **raw loop**: `recv_into` a buffer of 1 MiB and `write`, and nothing else.\n"
        "- **exportjobs**: a `Poller` with a job that is done as soon as it was asked for: all of"
        " it is counted, from opening the poller to leaving it. It computes the SHA-256 of every"
        " file and makes it last; no peer does. **Hashing taken out** is from inside, by way of"
        " comparison: there is no such option.\n"
        "- **raw loop, hashing in threads**: one thread that does `recv_into` and `write`, one for"
        " SHA-256 and one for MD5 if that is promised, over one ring of 8 MiB. No event loop and no"
        " library can do better on the same cores, so that this says which bounds they leave room"
        " for.\n"
        "- **Content-MD5**: the host promises it, and ours computes MD5 and SHA-256. **MD5 alone**"
        " is the time in which one core hashes as many bytes, which nothing that checks them can"
        " undercut.\n"
        "- **1,000 files**: 16 at once; the raw loop takes them one after the other over one"
        " connection. Ours has them as 1,000 parts of one job, and as 1,000 jobs, each of which is"
        " polled first.\n\n"
        "![Wall time over that of the base](downloads.svg)\n\n"
        f"- Run with `{contest.command}`; machine: {machine()}.\n"
        f"- {contest.rounds} rounds, each with everyone in turn: medians, with the least and the"
        " greatest in brackets. A ratio is of two figures of one round.\n"
        f"- {versions(contest.versions)}.\n\n"
        f"## Bounds\n\n{_bounds(contest)}\n"
        + "\n".join(f"## {task.name}\n\n{_table(contest, task)}" for task in contest.tasks)
    )


def _bounds(contest: Contest) -> str:
    head = ("what", "who", "bound", "found", "kept")
    rows = [_bound_row(bound, found) for bound in BOUNDS if (found := bound.found(contest))]
    return table(head, rows)


def _bound_row(bound: Bound, found: list[float]) -> tuple[str, ...]:
    digits = 0 if bound.base is None else 2
    sign = "≥" if bound.is_rate else "≤"
    return (
        bound.words,
        bound.name,
        f"{sign} {bound.limit:.{digits}f}",
        _spread(found, digits),
        "yes" if bound.is_kept(median(found)) else "**no**",
    )


def _spread(figures: Sequence[float], digits: int = 2) -> str:
    least, most = min(figures), max(figures)
    shown = f"{median(figures):.{digits}f}"
    return shown if len(figures) == 1 else f"{shown} ({least:.{digits}f} to {most:.{digits}f})"


def _table(contest: Contest, task: Task) -> str:
    rate = "files/s" if task.count > 1 else "MiB/s"
    head = ("downloader", "wall, s", f"over {task.base}", rate, "CPU, s", "peak memory, MB")
    return table(head, [_row(contest, task, name) for name in _by_speed(contest, task)])


def _by_speed(contest: Contest, task: Task) -> list[str]:
    """Return the names of a task, the fastest first, those that did not finish last."""
    wall: Callable[[str], float] = lambda name: contest.median(task, name, lambda one: one.wall)  # noqa: E731
    return sorted(contest.names(task), key=lambda n: (bool(contest.error(task, n)), wall(n)))


def _row(contest: Contest, task: Task, name: str) -> tuple[str, ...]:
    shown = f"**{name}**" if name.startswith(OURS) else name
    error = contest.error(task, name)
    if error:
        return (shown, f"did not finish: {error}", "", "", "", "")
    samples, ratios = contest.samples(task, name), contest.ratios(task, name)
    wall = median(one.wall for one in samples)
    amount = task.count if task.count > 1 else task.size / MIB
    return (
        shown,
        _spread([one.wall for one in samples]),
        "1" if name == task.base else _spread(ratios) if ratios else "n/a",
        f"{amount / wall:.0f}",
        f"{median(one.cpu for one in samples):.2f}",
        f"{median(one.rss for one in samples):.0f}",
    )


def draw(contest: Contest, file: Path) -> None:
    """Draw a panel of bars for each task, ours in a colour of their own."""
    shown = [(task, _drawable(contest, task)) for task in contest.tasks]
    shown = [(task, names) for task, names in shown if names]
    heights = [len(names) + 2 for _, names in shown]
    figure = Figure(figsize=(9, 0.28 * sum(heights)), layout="constrained")
    panels = figure.subplots(len(shown), 1, height_ratios=heights, squeeze=False)
    for (task, names), axes in zip(shown, panels.flat, strict=True):
        _bars(axes, contest, task, names)
    save(figure, file)


def _drawable(contest: Contest, task: Task) -> list[str]:
    return [name for name in _by_speed(contest, task)[::-1] if contest.ratios(task, name)]


def _bars(axes: Axes, contest: Contest, task: Task, names: Sequence[str]) -> None:
    ratios = [median(contest.ratios(task, name)) for name in names]
    bars = axes.barh(names, ratios, color=[_colour(task, name) for name in names])
    axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set(title=f"{task.name}: wall time over that of {task.base}, shorter is better")
    axes.title.set_fontsize(10)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _colour(task: Task, name: str) -> str:
    if name.startswith(OURS):
        return OURS_COLOUR
    return _BASE_COLOUR if name == task.base or name.startswith("raw") else PEER_COLOURS[0]

"""What the reports share: tables in Markdown, and plots that come out the same each time."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from _contest import Result, Sample
from _program import Options, machine
from matplotlib.figure import Figure

# Warm for ours, cool for theirs.
OURS_COLOUR = "#c1121f"
OUR_COLOURS = (
    *(OURS_COLOUR, "#f77f00", "#d6a100", "#7f0d16"),
    *("#e85d75", "#a44a00", "#c9184a", "#ff9e6d"),
)
PEER_COLOURS = ("#1d5fa8", "#5a9e4f", "#7b5ea7", "#3b3b3b", "#2a9d9d", "#8a8f98", "#5b6470")


def versions(found: Mapping[str, str]) -> str:
    """Return the versions of what took part, in one line."""
    return ", ".join(f"{name} {found[name]}" for name in sorted(found))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table: words to the left, figures to the right."""
    body = list(rows)
    columns = [[row[column] for row in body] for column in range(len(head))]
    rules = ["---:" if any(cells) and all(map(_is_figure, cells)) else "---" for cells in columns]
    lines = [head, rules, *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _is_figure(cell: str) -> bool:
    number, _, _ = cell.partition(" (")
    return number in {"", "n/a"} or number.replace(".", "", 1).isdigit()


def spread(result: Result, figure: Callable[[Sample], float], digits: int = 2) -> str:
    """Return the median of some runs with the least and the greatest of them."""
    median, (least, greatest) = result.median(figure), result.spread(figure)
    shown = f"{median:.{digits}f}"
    if len(result.samples) == 1:
        return shown
    return f"{shown} ({least:.{digits}f} to {greatest:.{digits}f})"


def threads(result: Result) -> str:
    """Return the most threads that a contender had."""
    counted = [sample.threads for sample in result.samples if sample.threads is not None]
    return str(max(counted)) if counted else "n/a"


def circumstances(results: Iterable[Result], asked: Options) -> str:
    """Return how the figures came about, as a list in Markdown."""
    samples = [sample for result in results for sample in result.samples]
    versions = {name: v for sample in samples for name, v in sample.versions.items()}
    answer_times = [sample.answer_time for sample in samples if not sample.error]
    known = ", ".join(f"{name} {versions[name]}" for name in sorted(versions))
    return (
        f"- Run with `{asked.command}`; machine: {machine()}.\n"
        f"- {_repeats(asked)}\n"
        f"- Contenders side by side: {asked.at_once}. The vendor took"
        f" {1000 * statistics.median(answer_times):.1f} ms for an answer.\n"
        f"- {known}.\n"
    )


def _repeats(asked: Options) -> str:
    if asked.repeats == 1:
        return "One run of each setting."
    return (
        f"{asked.repeats} runs of each setting, one where n=1 stands: medians, with the least and"
        " the greatest in brackets."
    )


def save(figure: Figure, file: Path) -> None:
    """Write a plot as SVG, byte for byte the same for the same figures."""
    with mpl.rc_context({"svg.hashsalt": "exportjobs", "svg.fonttype": "none"}):
        figure.savefig(file, metadata={"Date": None}, bbox_inches="tight")

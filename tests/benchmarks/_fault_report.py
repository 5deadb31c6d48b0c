"""The report on faults: a row for each downloader, a column for each fault."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from _fault_contest import REMAINS, SILENT, Verdict
from _fault_plays import FAULTS, LEAK, SECRETS
from _program import machine
from _report import table, versions

Verdicts = Mapping[tuple[str, str, int], Verdict]
"""Of each downloader before each fault at each size."""

MIB = 1 << 20


@dataclass(frozen=True)
class Contest:
    """All that was found."""

    names: Sequence[str]
    ours: frozenset[str]
    sizes: Sequence[int]
    verdicts: Verdicts
    versions: Mapping[str, str]
    command: str


def report(contest: Contest) -> str:
    """Return the page."""
    sizes = " and ".join(f"{size // MIB} MiB" for size in contest.sizes)
    return (
        "# Faults: what downloaders make of a host that misbehaves\n\n"
        f"A file of {sizes} of random text is fetched from a host on loopback that plays one fault"
        " after another. What is claimed is compared with what is there afterwards.\n\n"
        f"{_legend()}\n"
        f"- Run with `{contest.command}`; machine: {machine()}.\n"
        f"- {versions(contest.versions)}.\n\n"
        f"## Outcomes\n\n{_outcomes(contest)}\n{_notes(contest)}\n"
        f"## Bytes served\n\n{_bytes(contest)}"
    )


def _legend() -> str:
    faults = "".join(f"- **{fault}**: {words}\n" for fault, words in FAULTS.items())
    return (
        f"{faults}"
        f"- **leaks on redirect**: which of {', '.join(SECRETS)} go along to another origin.\n\n"
        "What the words mean: **ok** is the whole file, byte for byte, be it the one that was asked"
        " for or the one that took its place, with the number of requests where it took more than"
        f" one. **{SILENT}** is success claimed over bytes that are no such file. An error is"
        " **clean** where nothing stands under the file's name; **partial left** and **wrong file"
        " left** say what does, of the larger file where that is all the difference. One outcome"
        " in a cell stands for all sizes.\n"
    )


def _outcomes(contest: Contest) -> str:
    head = ("downloader", *FAULTS, "silent", "leaks on redirect")
    return table(head, [_row(contest, name) for name in contest.names])


def _row(contest: Contest, name: str) -> tuple[str, ...]:
    found = [_found(contest, name, fault) for fault in FAULTS]
    silent = sum(SILENT in words for words in found)
    return (
        _named(contest, name),
        *(words.replace(SILENT, f"**{SILENT}**") for words in found),
        str(silent),
        _found(contest, name, LEAK),
    )


def _named(contest: Contest, name: str) -> str:
    return f"**{name}**" if name in contest.ours else name


def _found(contest: Contest, name: str, fault: str) -> str:
    """Return what a downloader made of a fault, once where the size does not matter."""
    sizes = [size for size in contest.sizes if (name, fault, size) in contest.verdicts]
    words = {size: contest.verdicts[name, fault, size].words for size in sizes}
    if len(set(words.values())) == 1 or all(said in REMAINS for said in words.values()):
        return words[max(sizes)]
    return "; ".join(f"{size // MIB} MiB: {said}" for size, said in words.items())


def _notes(contest: Contest) -> str:
    """Return what is left beside a file's own place, under a name that says so."""
    asides = {
        name: sorted({ending for one in found for ending in one.aside})
        for name in contest.names
        if (found := [v for (who, _, _), v in contest.verdicts.items() if who == name])
    }
    told = "; ".join(f"{name} (`{'`, `'.join(ends)}`)" for name, ends in asides.items() if ends)
    return (
        f"After some errors, something stays beside the file's own place, under a name that is not"
        f" its own, to be resumed or to be cleared away: {told}.\n"
        if told
        else ""
    )


def _bytes(contest: Contest) -> str:
    size = max(contest.sizes)
    rows = [
        (
            _named(contest, name),
            *(f"{contest.verdicts[name, fault, size].served:.2f}" for fault in FAULTS),
        )
        for name in contest.names
        if (name, "ok", size) in contest.verdicts
    ]
    intro = f"By the host, in times of the file's {size // MIB} MiB, whatever came of it.\n\n"
    return intro + table(("downloader", *FAULTS), rows)

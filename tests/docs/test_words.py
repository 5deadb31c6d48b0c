"""The words that are gone stay gone: names in the code, phrases in what is read.

A single English word is free wherever it says what it says everywhere. As part of a name, those
below stood for things of our own that nobody else calls so.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from .blocks import ROOT

CODE = [
    file
    for folder in ("src", "adapters", "examples")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if not {".venv", "__pycache__"} & {*file.parts}
]
PAGES = [
    ROOT / "README.md",
    *(
        page
        for page in sorted((ROOT / "docs").rglob("*.md"))
        # It tells the old words beside the new ones.
        if page.name != "upgrade.md" and "_build" not in page.parts
    ),
]
READ = [*CODE, *sorted((ROOT / "docs" / "_ext").glob("*.py")), *PAGES]

NAMES = {
    "BudgetSpent",
    "Downloading",
    "Economising",
    "LeaseRefused",
    "LeaseRenewed",
    "Leaving",
    "Left",
    "NotRecorded",
    "Pace",
    "PollerLeft",
    "Promise",
    "Refusal",
    "Resumption",
    "SlotsFull",
    "Story",
    "Told",
    "Ways",
    "Wish",
    "WrongDoor",
    "bear",
    "call_roll",
    "leave_alone",
    "may_have_made",
    "pace",
    "proven_by",
    "story",
    "via",
}
"""Each is looked for as it is: as a name, and as a name behind an underscore."""

WORDS = {
    "carrier",
    "counsel",
    "course",
    "desk",
    "dialler",
    "dispel",
    "economise",
    "economising",
    "flight",
    "handing",
    "handover",
    "hurry",
    "intake",
    "lane",
    "outlook",
    "pace",
    "parked",
    "patience",
    "pour",
    "resumption",
    "roll",
    "roster",
    "rouse",
    "scribe",
    "setback",
    "settle",
    "singly",
    "stakes",
    "taker",
    "thrift",
    "weather",
    "witness",
}
"""Each is looked for among the words that a name is made of, in the plural as well."""
# In flight is what everybody calls a request that was sent and not answered.
FREE = {("in", "flight"), ("in", "flights")}

PHRASES = (
    r"is no (text|id|fiscal quarter)\b",
    r"\basked about\b",
    r"\ba question\b",
    r"\b(go|goes|going|gone|went) on with\b",
    r"\bse(e|es|en|eing) (\w+ ){0,2}to (its|their) end\b",
    r"\bleft at (its|their) vendor",
    r"\ba last chance to land\b",
    r"\b(its|their) turn to land\b",
    r"\broom on (the|its|their) account\b",
    r"\bthe vendor's leave\b",
    r"\b(signed|fresh) address|\baddress(es)? of (a|the|its|their) files?\b|\bfile's address",
    r"\bin doubt have a job\b",
    r"\bin doubt up\b",
    r"\bwhat a ledger remembers\b",
    r"\ba shared fate\b",
    r"\blimits and oddities\b",
    r"\bwhat comes of it\b",
    r"\bwhat is asked for\b",
    r"\b(the )?two doors\b",
    r"\bthe poller in hand\b",
)


def name_of(file: Path) -> str:
    """Return a file's name from the repository's root on."""
    return str(file.relative_to(ROOT))


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Yield every name that code gives or uses."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.AsyncFunctionDef(name=name) | ast.keyword(arg=str(name)):
                yield name
            case ast.alias(name=name, asname=other):
                yield from (*name.split("."), other or name.rpartition(".")[2])
            case ast.ImportFrom(module=str(name)):
                yield from name.split(".")
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case _:
                pass


def words(name: str) -> list[str]:
    """Return the words that a name is made of, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def is_gone(name: str) -> bool:
    """Return whether a name is one that is gone, or has such a word in it."""
    if name.strip("_") in NAMES:
        return True
    parts = words(name)
    return any(
        (word in WORDS or word.removesuffix("s") in WORDS) and (before, word) not in FREE
        for before, word in zip(["", *parts], parts, strict=False)
    )


def text(file: Path) -> str:
    """Return what is read in a file, on one line: literals and comments are put together."""
    whole = file.read_text()
    if file.suffix == ".py":
        whole = re.sub(r"""["']\s*\n\s*[rf]?["']""", "", whole)
        whole = re.sub(r"\n\s*#", " ", whole)
    return " ".join(whole.split())


def gone(names: Iterable[str]) -> list[str]:
    """Return the names that are gone, each once."""
    return sorted({name for name in names if is_gone(name)})


@pytest.mark.parametrize("file", CODE, ids=name_of)
def test_no_name_that_is_gone_is_used(file: Path) -> None:
    """In the library, the adapters and the examples."""
    assert gone([file.stem, *identifiers(ast.parse(file.read_text()))]) == []


@pytest.mark.parametrize("file", READ, ids=name_of)
def test_no_phrase_that_is_gone_is_read(file: Path) -> None:
    """In pages, docstrings, comments and messages."""
    told = text(file)

    found = [
        told[max(0, one.start() - 30) : one.end() + 30]
        for phrase in PHRASES
        for one in re.finditer(phrase, told, re.IGNORECASE)
    ]

    assert found == []


@pytest.mark.parametrize(
    "name",
    [
        "SlotsFull",
        "_Pace",
        "pace",
        "desk",
        "SubmitDesk",
        "settle_all",
        "flights",
        "Told",
        "call_roll",
    ],
)
def test_a_name_that_is_gone_would_be_noticed(name: str) -> None:
    """Whole, and as part of another."""
    assert is_gone(name)


@pytest.mark.parametrize("name", ["told", "left", "InFlight", "in_flight", "rollback", "spacing"])
def test_a_word_that_is_free_is_not_noticed(name: str) -> None:
    """A name means what everybody means by it."""
    assert not is_gone(name)


def test_a_phrase_is_noticed_over_the_end_of_a_line(tmp_path: Path) -> None:
    """In a comment, and in a message that is written in pieces."""
    file = tmp_path / "any.py"
    file.write_text(
        '# It goes on\n# with it.\nsaid = (\n    "it is asked "\n    f"about {it}"\n)\n'
    )

    told = text(file)

    assert "goes on with it." in told
    assert "it is asked about" in told

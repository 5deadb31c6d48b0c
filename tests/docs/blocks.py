"""The code blocks of a Markdown page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

_NOT_RUN: Final = re.compile(r"<!-- not run: (.+?) -->")
_DIRECTIVE: Final = re.compile(r"\{code-block\}\s*")
_OPTION: Final = re.compile(r':(\w+): *["`]*(.*?)["`]*\n')


@frozen
class Block:
    """A block of code, and how its page says to use it."""

    page: Path
    line: int
    """Of its first line of code, from 1."""
    language: str
    code: str
    file: str | None = None
    """The name of the file that the reader is to save it as."""
    not_run: str | None = None
    """Why no test runs it."""
    prints: str | None = None
    """The output that the page shows in the next block."""

    @property
    def where(self) -> str:
        """Page and line, as a traceback names them."""
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in order; one that shows output is part of the one before.

    A block may follow the comment `<!-- not run: REASON -->`, and `{code-block}` with a caption is
    a file that the reader saves.
    """
    found: list[Block] = []
    for block in _fences(page):
        if block.language == "text" and found and found[-1].language == "python":
            found[-1] = _printing(found[-1], block.code)
        else:
            found.append(block)
    return found


def _fences(page: Path) -> Iterator[Block]:
    reason: str | None = None
    for token in MarkdownIt("commonmark").parse(page.read_text()):
        if token.type == "html_block" and (said := _NOT_RUN.search(token.content)):
            reason = said[1]
        elif token.type == "fence":
            yield _block(page, token, reason)
            reason = None


def _block(page: Path, token: Token, reason: str | None) -> Block:
    language, code, options = (
        _DIRECTIVE.sub("", token.info).strip(),
        token.content,
        dict[str, str](),
    )
    line = (token.map or [0])[0] + 2
    if language != token.info.strip():
        while option := _OPTION.match(code):
            options[option[1]] = option[2]
            code, line = code[option.end() :], line + 1
    stripped = code.lstrip("\n")
    return Block(
        page,
        line + len(code) - len(stripped),
        language,
        stripped,
        file=options.get("caption"),
        not_run=reason,
    )


def _printing(block: Block, output: str) -> Block:
    return Block(
        block.page, block.line, block.language, block.code, block.file, block.not_run, output
    )


def links(page: Path) -> list[str]:
    """Return the targets of a page's links to other pages."""
    tokens = MarkdownIt("commonmark").parse(page.read_text())
    inline = [child for token in tokens for child in token.children or ()]
    targets = [str(one.attrGet("href") or one.attrGet("src") or "") for one in inline]
    return [target for target in targets if target and not target.startswith("#")]


@frozen
class Command:
    """One command of a console block, and what the page shows it to print."""

    text: str
    prints: str | None


_INSTALLS: Final = re.compile(r"(uv )?pip install (?!-e)[^&|;]*")
_GIVES_SECRET: Final = re.compile(r"export \w+=\.\.\.")


def commands(code: str) -> list[Command]:
    """Return the commands of a console block.

    With prompts, `$ ` begins a command, `> ` continues it, and other lines are its output. Without
    prompts, each line is a command. What a test must not do is left out: installing from an index,
    and setting a variable to the three dots that stand for a secret.
    """
    has_prompts = code.startswith("$ ")
    found: list[tuple[list[str], list[str]]] = []
    for line in code.splitlines():
        if not has_prompts or line.startswith("$ "):
            found.append(([line.removeprefix("$ ")], []))
        elif line.startswith("> "):
            found[-1][0].append(line.removeprefix("> "))
        else:
            found[-1][1].append(line)
    every = [Command("\n".join(said), "\n".join(shown) or None) for said, shown in found]
    return [one for one in every if one.text.strip() and not is_left_out(one.text)]


def is_left_out(command: str) -> bool:
    """Return whether a command is one that a test must not run."""
    return bool(_INSTALLS.fullmatch(command) or _GIVES_SECRET.fullmatch(command))

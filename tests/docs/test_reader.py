"""The reader who does what the pages say notices where they are wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .blocks import blocks

Read = Callable[[Path], None]


@pytest.fixture
def page(tmp_path: Path) -> Callable[[str], Path]:
    """Return what writes a page."""

    def write(text: str) -> Path:
        page = tmp_path / "page.md"
        page.write_text(text)
        return page

    return write


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ echo 1\n2\n```\n",
        "```console\n$ false\n```\n",
        "```console\n$ exit\n```\n",
        "```console\ntrue\nfalse\n```\n",
        "```python\nprint(1)\n```\n\n```text\n2\n```\n",
        "```python\nundefined\n```\n",
        "```python\nassert await sum\n```\n",
        "```{code-block}\n:caption: one.py\n\nassert 0\n```\n```console\n$ python one.py\n```\n",
    ],
    ids=[
        "another output",
        "a command that fails",
        "a command that ends the shell",
        "the second of two commands",
        "another output of Python",
        "Python that fails",
        "awaiting what cannot be awaited",
        "a file that fails",
    ],
)
def test_a_page_that_is_wrong_is_noticed(
    text: str, page: Callable[[str], Path], read: Read
) -> None:
    """Whatever it is that does not work as printed."""
    written = page(text)

    with pytest.raises((AssertionError, NameError, TypeError)):
        read(written)


def test_blocks_go_on_where_the_last_one_ended(page: Callable[[str], Path], read: Read) -> None:
    """One namespace, one shell, one folder; three dots stand for anything."""
    written = page(
        "```python\nx = 1\n```\n\nAnd then:\n\n```python\nprint(x, 'and more')\n```\n\n"
        "```text\n1 ... more\n```\n\n"
        "```console\n$ export Y=2\n$ echo $Y >y\n```\n\n```console\n$ echo $Y; cat y\n2\n2\n```\n"
    )

    read(written)

    assert [block.prints for block in blocks(written)] == [None, "1 ... more\n", None, None]


def test_a_block_that_says_why_is_left_out(page: Callable[[str], Path], read: Read) -> None:
    """And so is what no test may do: installing, and setting a secret."""
    written = page(
        "<!-- not run: it takes an hour -->\n\n```console\nfalse\n```\n\n"
        "```console\npip install nothing-of-that-name\nexport KEY=...\n```\n"
    )

    read(written)

    assert [block.not_run for block in blocks(written)] == ["it takes an hour", None]

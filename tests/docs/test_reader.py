"""`Reader` notices where a page is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .blocks import blocks

Read = Callable[[Path], None]


@pytest.fixture
def page(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a page."""

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
    """A block that does not work as printed raises an error."""
    written = page(text)

    with pytest.raises((AssertionError, NameError, TypeError)):
        read(written)


def test_blocks_share_a_namespace_a_shell_and_a_folder(
    page: Callable[[str], Path], read: Read
) -> None:
    """And three dots in shown output match anything."""
    written = page(
        "```python\nx = 1\n```\n\nAnd then:\n\n```python\nprint(x, 'and more')\n```\n\n"
        "```text\n1 ... more\n```\n\n"
        "```console\n$ export Y=2\n$ echo $Y >y\n```\n\n```console\n$ echo $Y; cat y\n2\n2\n```\n"
    )

    read(written)

    assert [block.prints for block in blocks(written)] == [None, "1 ... more\n", None, None]


def test_a_block_that_says_why_is_left_out(page: Callable[[str], Path], read: Read) -> None:
    """So are commands that no test may run: installing, and setting a secret."""
    written = page(
        "<!-- not run: it takes an hour -->\n\n```console\nfalse\n```\n\n"
        "```console\npip install nothing-of-that-name\nexport KEY=...\n```\n"
    )

    read(written)

    assert [block.not_run for block in blocks(written)] == ["it takes an hour", None]

"""Every code block of the pages works when a reader runs them in order."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .blocks import PAGES, ROOT, Block, blocks, links

RUN = [page for page in PAGES if any(b.language in {"python", "console"} for b in blocks(page))]
MOST_NOT_RUN = 2
"""Blocks in all pages together that no test runs, because they need what a test does not have."""


def name_of(page: Path) -> str:
    """Return a page's name from the repository's root on."""
    return str(page.relative_to(ROOT))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_every_block_of_a_page_works_as_printed(page: Path, read: Callable[[Path], None]) -> None:
    """Python and console blocks run in one namespace and one shell, and print the output shown."""
    read(page)


def test_hardly_a_block_is_left_out() -> None:
    """A block that is left out says why in the page."""
    left_out: list[Block] = [b for page in PAGES for b in blocks(page) if b.not_run is not None]

    assert len(left_out) <= MOST_NOT_RUN, [block.where for block in left_out]


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CHANGELOG.md"], ids=name_of)
def test_links_beside_the_pages_lead_somewhere(page: Path) -> None:
    """Those between the pages are checked when they are built."""
    local = [target.partition("#")[0] for target in links(page) if "://" not in target]

    assert [target for target in local if not (page.parent / target).exists()] == []

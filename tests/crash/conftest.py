"""The sandbox in a process of its own, which is started once for a module."""

from collections.abc import Iterator

import pytest

from .stage import Stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Start the sandbox."""
    with Stage.open() as stage:
        yield stage

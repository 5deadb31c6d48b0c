"""What all tests share: both event loops, a bounded hypothesis, and no waiting between attempts."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import stamina
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100
)
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run every asynchronous test on both event loops."""
    return str(request.param)


@pytest.fixture(autouse=True)
def _no_waiting_between_attempts() -> Iterator[None]:
    """Let stamina repeat as often as it does, but without its pauses."""
    with stamina.set_testing(True, attempts=8, cap=True):
        yield


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadScopeScheduling":
    """Give tests to workers one by one, but all that share what takes a minute to make to one.

    A mark would do (`xdist_group`), but pytest-xdist 3.8 does not see any under pytest 9.2 (its
    issue 1386).
    """
    # It need not be installed.
    from ._sharing import Sharing  # noqa: PLC0415

    return Sharing(config, log)

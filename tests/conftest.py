"""What all tests share: both event loops, a bounded hypothesis, and no waiting without an end."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import stamina
from hypothesis import HealthCheck, is_hypothesis_test, settings
from tests.support.hanging import (
    pytest_pyfunc_call,
    pytest_runtest_call,
    pytest_runtest_protocol,
    pytest_runtest_setup,
    pytest_runtest_teardown,
    pytest_timeout_cancel_timer,
    pytest_timeout_set_timer,
)
from tests.support.lasting import LASTING

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

__all__ = [
    "pytest_pyfunc_call",
    "pytest_runtest_call",
    "pytest_runtest_protocol",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
    "pytest_timeout_cancel_timer",
    "pytest_timeout_set_timer",
]

_LOOP_TEST_WITHIN = 30.0
"""Seconds of wall-clock time in which a test of the loop ends; most take some hundredths of one."""

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


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give tests of the loop, and what else goes by a clock of its own, less time than others."""
    goes_by_a_clock = "clock" in getattr(item, "fixturenames", ())
    lasts = item.nodeid.startswith(LASTING) or is_hypothesis_test(getattr(item, "obj", None))
    has_its_own = lasts or item.get_closest_marker("timeout") is not None
    if (goes_by_a_clock or item.nodeid.startswith("tests/poller/")) and not has_its_own:
        item.add_marker(pytest.mark.timeout(_LOOP_TEST_WITHIN))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadScopeScheduling":
    """Give tests to workers one by one, but all that share what takes a minute to make to one.

    A mark would do (`xdist_group`), but pytest-xdist 3.8 does not see any under pytest 9.2 (its
    issue 1386).
    """
    # It need not be installed.
    from tests.support.sharing import Sharing  # noqa: PLC0415

    return Sharing(config, log)

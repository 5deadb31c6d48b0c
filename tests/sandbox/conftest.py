"""A sandbox whose time stands still until a test moves it, and customers of its accounts."""

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from exportjobs.sandbox import Fault, Sandbox

from .support import TLS, Customer, Enter, Hire, ManualClock, Stage, StruckBy


@pytest.fixture(scope="session")
def clock() -> ManualClock:
    """Return the shared sandbox's time."""
    return ManualClock()


@pytest.fixture(scope="session")
def shared(clock: ManualClock) -> Iterator[Sandbox]:
    """Run one sandbox without faults for all tests that need no other."""
    with Sandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: Sandbox, clock: ManualClock) -> Sandbox:
    """Return the shared sandbox with nothing running."""
    clock.advance(60)
    return shared


@pytest.fixture
def hire() -> Iterator[Hire]:
    """Return a function that makes a signed-in customer of one of a sandbox's accounts."""
    with ExitStack() as stack:

        def make(sandbox: Sandbox, label: str) -> Customer:
            http = stack.enter_context(httpx.Client(timeout=5, verify=TLS))
            customer = Customer(sandbox.account(label), http)
            if label == "demandbase":
                customer.sign_in()
            return customer

        yield make


@pytest.fixture
def enter(sandbox: Sandbox, hire: Hire) -> Enter:
    """Return a function that makes a customer of the shared sandbox."""
    return lambda label: hire(sandbox, label)


@pytest.fixture(scope="session")
def struck_by() -> Iterator[StruckBy]:
    """Return a function that gives the one sandbox with these faults, with nothing running."""
    stages: dict[frozenset[Fault], Stage] = {}
    with ExitStack() as stack:

        def find(*faults: Fault) -> Stage:
            key = frozenset(faults)
            if key not in stages:
                clock = ManualClock()
                sandbox = stack.enter_context(Sandbox(faults, clock=clock))
                stages[key] = Stage(sandbox, clock)
            stages[key].clock.advance(60)
            return stages[key]

        yield find

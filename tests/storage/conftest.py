"""The stores, one of each for all tests; and for each test, a proxy in front and a vendor."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .emulators import azurite, localstack
from .loopback import Proxy
from .stores import Amazon, Azure, Store
from .support import Vendor

_SECONDS = 120


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the time that a test may take begin after its fixtures: the first installs the stores.

    Installing and starting have limits of their own.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(_SECONDS, func_only=True))


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azure]:
    """Run Azure Blob Storage, as Azurite emulates it."""
    folder = tmp_path_factory.mktemp("azurite")
    with azurite(folder) as origin, Azure.opened(origin) as opened:
        yield opened


@pytest.fixture(scope="session")
def amazon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Amazon]:
    """Run Amazon S3, as LocalStack emulates it."""
    folder = tmp_path_factory.mktemp("localstack")
    with localstack(folder) as origin, Amazon.opened(origin) as opened:
        yield opened


@pytest.fixture(params=["azure", "amazon"])
def store(request: pytest.FixtureRequest) -> Store:
    """Run every test against both stores."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Store)
    return found


@pytest.fixture
def proxy(store: Store) -> Iterator[Proxy]:
    """Stand in front of the store."""
    with Proxy(store.origin).running() as running:
        yield running


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """Serve the vendor's API."""
    with Vendor().running() as running:
        yield running

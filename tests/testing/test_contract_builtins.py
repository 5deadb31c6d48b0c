"""The shipped adapters keep the contract, as anyone's do."""

from collections.abc import Callable

import pytest
from tests.testing import recordings

from exportjobs.testing import AdapterContract, Recorded

Recording = Callable[[], Recorded]


def recording_of(request: pytest.FixtureRequest) -> Recorded:
    """Return the recording that is the param of a fixture."""
    recording: Recording = request.param
    return recording()


class TestClari(AdapterContract):
    """Clari, in the words of its OpenAPI and in those on the wire."""

    @pytest.fixture(params=[recordings.clari, recordings.clari_on_the_wire])
    def recorded(self, request: pytest.FixtureRequest) -> Recorded:
        """Return an export and its answers."""
        return recording_of(request)


class TestDemandbase(AdapterContract):
    """Demandbase, by either way of signing in."""

    @pytest.fixture(params=[recordings.demandbase, recordings.demandbase_by_token])
    def recorded(self, request: pytest.FixtureRequest) -> Recorded:
        """Return an export and its answers."""
        return recording_of(request)


class TestDemandbaseV1(AdapterContract):
    """The older description of Demandbase."""

    @pytest.fixture(params=[recordings.demandbase_v1])
    def recorded(self, request: pytest.FixtureRequest) -> Recorded:
        """Return an export and its answers."""
        return recording_of(request)


class TestClosient(AdapterContract):
    """Closient."""

    @pytest.fixture(params=[recordings.closient])
    def recorded(self, request: pytest.FixtureRequest) -> Recorded:
        """Return an export and its answers."""
        return recording_of(request)


class TestCsvExport(AdapterContract):
    """The CSV-export API, by each of its answers to a submit."""

    @pytest.fixture(
        params=[recordings.csv, recordings.csv_by_location, recordings.csv_at_once],
    )
    def recorded(self, request: pytest.FixtureRequest) -> Recorded:
        """Return an export and its answers."""
        return recording_of(request)

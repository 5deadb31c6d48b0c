"""The contract of the sound adapter and of the ten broken ones, as their author would write it.

It is run by test_broken.py, in a process of its own; by itself it fails, as it should.
"""

import pytest

from exportjobs.testing import AdapterContract, Recorded

from .blocks_on_import import Slow
from .invents_a_status import Inventive
from .leaks_its_key import Leaky
from .mutates_itself import Counting
from .non_total_status_map import Forgetful
from .reads_the_clock import Timed
from .retries_in_a_flow import Stubborn
from .sends_its_key_to_the_artifact_host import Generous
from .sound import Acme, recording
from .swallows_a_field import Silent
from .wrong_types import Loose

ADAPTERS = (
    Acme,
    Counting,
    Forgetful,
    Generous,
    Inventive,
    Leaky,
    Loose,
    Silent,
    Slow,
    Stubborn,
    Timed,
)


class TestContract(AdapterContract):
    """Acme's contract, whoever is Acme."""

    @pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.__name__)
    def recorded(self, request: pytest.FixtureRequest) -> Recorded:
        """Return a report."""
        adapter: type[Acme] = request.param
        return recording(adapter("k-7f3a91"))


class TestForgotten(AdapterContract):
    """A contract whose author forgot to say what to test."""

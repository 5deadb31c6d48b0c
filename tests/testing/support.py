"""How a careless adapter, or a recording that is not whole, is told by the contract."""

from collections.abc import Callable

import pytest
from attrs import evolve, frozen
from tests.testing.broken.sound import Acme, recording

from exportjobs.testing import AdapterContract, Recorded

contract = AdapterContract()
Change = Callable[[Recorded], Recorded]


def as_it_is(recorded: Recorded) -> Recorded:
    """Return a recording as it is."""
    return recorded


def with_summary(recorded: Recorded) -> Recorded:
    """Return a recording of the kind of export that the adapter adds."""
    kind = recorded.adapter.kinds()["summary"]
    return evolve(recorded, export=kind.bind(recorded.adapter, "q3"))


def with_list(recorded: Recorded) -> Recorded:
    """Return a recording with a list."""
    return evolve(recorded, listing=[{"id": "7", "state": "new"}])


@frozen
class Case:
    """An adapter, the test of the contract that finds its mistake, and words of it."""

    adapter: type[Acme]
    test: Callable[[Recorded], None]
    words: str
    change: Change = as_it_is

    def __repr__(self) -> str:
        """Return the adapter's name, the test's and the change, for the id of a test."""
        return f"{self.adapter.__name__}-{self.test.__name__}-{self.change.__name__}"

    def told(self) -> str:
        """Return what the contract says."""
        recorded = self.change(recording(self.adapter("k-7f3a91")))
        with pytest.raises(pytest.fail.Exception) as caught:
            self.test(recorded)
        return str(caught.value)

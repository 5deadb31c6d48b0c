"""Exports that never find room: the wait for a slot has a deadline too."""

from tests.support.acme import Acme, MakePoller, busy, finish, reports
from tests.support.acme_api import Vendor

from exportjobs import DeadlineExceeded


async def test_an_export_that_never_finds_room_is_given_up_at_the_deadline(
    vendor: Vendor, make_poller: MakePoller
) -> None:
    """A vendor that is always full ends the wait with an error that has no job, and a remedy."""
    vendor.report("q1", submits=[busy()])

    async with make_poller(deadline=600) as poller:
        (finished,) = await finish(poller, reports(Acme(), "q1"))

    assert isinstance(finished.error, DeadlineExceeded)
    assert finished.ref is None
    assert "run it again" in str(finished.error)

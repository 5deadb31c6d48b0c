"""Which tests go to one worker: those that share what takes long to make, or take long.

What goes together is begun first, so that no worker is left with it at the end.
"""

from tests.support.lasting import LASTING
from xdist.scheduler import LoadScopeScheduling


class Sharing(LoadScopeScheduling):
    """Gives out tests one by one, but for those that share something."""

    def _split_scope(self, nodeid: str) -> str:
        return next((shared for shared in LASTING if nodeid.startswith(shared)), nodeid)

"""Which tests go to one worker: those that share what takes long to make."""

from xdist.scheduler import LoadScopeScheduling

_TOGETHER = ("tests/contract/test_broken.py", "tests/docs/test_site.py", "tests/storage/")


class Sharing(LoadScopeScheduling):
    """Gives out tests one by one, but for those that share something."""

    def _split_scope(self, nodeid: str) -> str:
        return next((shared for shared in _TOGETHER if nodeid.startswith(shared)), nodeid)

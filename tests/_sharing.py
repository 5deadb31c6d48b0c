"""Which tests go to one worker: those that share what takes long to make, or take long.

What goes together is begun first, so that no worker is left with it at the end.
"""

from xdist.scheduler import LoadScopeScheduling

_TOGETHER = (
    "tests/adapters/test_boundaries.py",
    "tests/cli/test_demo.py",
    "tests/testing/test_contract_broken.py",
    "tests/crash/test_killed_downloads.py",
    "tests/crash/test_killed_runs.py",
    "tests/crash/test_nothing_remains.py",
    "tests/crash/test_two_processes.py",
    "tests/docs/test_pages.py",
    "tests/docs/test_site.py",
    "tests/poller/test_any_crash.py",
    "tests/poller/test_any_interleaving.py",
    "tests/storage/",
)


class Sharing(LoadScopeScheduling):
    """Gives out tests one by one, but for those that share something."""

    def _split_scope(self, nodeid: str) -> str:
        return next((shared for shared in _TOGETHER if nodeid.startswith(shared)), nodeid)

"""Which tests take long, or share what takes long to make."""

from typing import Final

LASTING: Final = (
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

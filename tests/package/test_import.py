"""What importing the library costs and brings along."""

import os
import subprocess
import sys

import pytest

DEPENDENCIES = "import httpx, attrs, cattrs, anyio, stamina"
ROUNDS = 12
TIMED = "import time; start = time.process_time(); {}; print(time.process_time() - start)"


def python(code: str) -> str:
    """Run some code in a Python of its own and return what it printed."""
    # A measurement of coverage would import modules of its own, and slow ours down.
    environment = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.strip()


def test_importing_the_library_imports_no_adapter() -> None:
    """Vendors that are installed but not used cost nothing."""
    code = "import sys, exportjobs; print([m for m in sys.modules if m.startswith('exportjobs_')])"

    assert python(code) == "[]"


@pytest.mark.parametrize("extra", ["cyclopts", "starlette", "uvicorn"])
def test_opening_the_doors_imports_no_extra(extra: str) -> None:
    """The core needs its five dependencies and nothing else."""
    code = f"import sys, exportjobs; exportjobs.run; print({extra!r} in sys.modules)"

    assert python(code) == "False"


@pytest.mark.parametrize("engine", ["httpx", "sqlite3", "exportjobs._poller.poller"])
def test_writing_an_adapter_imports_no_engine(engine: str) -> None:
    """An adapter's author and her tests do not wait for the HTTP client."""
    code = f"import sys, exportjobs.adapter; print({engine!r} in sys.modules)"

    assert python(code) == "False"


def test_importing_the_library_costs_little_more_than_its_dependencies() -> None:
    """At most 1.3 times the processor time, taking the best of some interleaved rounds."""
    ours: list[float] = []
    theirs: list[float] = []

    for _ in range(ROUNDS):
        theirs.append(float(python(TIMED.format(DEPENDENCIES))))
        ours.append(float(python(TIMED.format("import exportjobs"))))

    assert min(ours) / min(theirs) <= 1.3

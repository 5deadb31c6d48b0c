"""The examples work as they are printed."""

import os
import subprocess
import sys
from pathlib import Path

from exportjobs.sandbox import Sandbox

EXAMPLE = Path(__file__).parents[2] / "examples" / "nightly.py"


def test_the_nightly_example_lands_its_exports(tmp_path: Path) -> None:
    """With the sandbox's accounts in the environment it lands three exports and exits with 0."""
    with Sandbox(speed=20) as sandbox:
        given = {
            f"{label}_{name}".upper(): value
            for label in ("clari", "csv")
            for account in [sandbox.account(label)]
            for name, value in {**account.credentials, "base_url": account.base_url}.items()
        }

        done = subprocess.run(  # noqa: S603 - our own example
            [sys.executable, EXAMPLE, tmp_path],
            env={**os.environ, **given},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert len(list(tmp_path.iterdir())) == 3

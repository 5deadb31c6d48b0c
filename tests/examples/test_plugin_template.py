"""The template is a whole repository: it builds, installs, is found, keeps the contract, types."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "examples" / "plugin_template"


@frozen
class Workshop:
    """A clean environment, and a copy of the template outside the library's own tree."""

    environment: Path
    template: Path

    def run(self, program: str, *arguments: str) -> str:
        """Run one of the environment's programs in the template, and return what it printed."""
        return output(str(self.environment / "bin" / program), *arguments, cwd=self.template)


def output(*command: str, cwd: Path) -> str:
    """Return what a command printed, which has to succeed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(  # noqa: S603 - every argument is written here
        command, cwd=cwd, env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def built(project: Path, into: Path) -> str:
    """Build a project's wheel and return where it is."""
    output("uv", "build", "--quiet", "--wheel", "--out-dir", str(into), cwd=project)
    (wheel,) = into.glob("*.whl")
    return str(wheel)


def workshop(folder: Path) -> Workshop:
    """Install the library's wheel and the template's into an environment of their own."""
    shop = Workshop(folder / "environment", folder / "template")
    shutil.copytree(TEMPLATE, shop.template, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    library = built(ROOT, folder / "library")
    plugin = built(shop.template, folder / "plugin")
    python = str(shop.environment / "bin" / "python")
    output("uv", "venv", "--quiet", "--python", sys.executable, str(shop.environment), cwd=folder)
    output(
        *("uv", "pip", "install", "--quiet", "--python", python),
        *(library, plugin, "--group", "dev"),
        cwd=shop.template,
    )
    return shop


def test_the_template_works_from_its_wheel_beside_the_librarys(tmp_path: Path) -> None:
    """Listed beside the built-in vendors, tested against a scripted vendor, and type-checked."""
    shop = workshop(tmp_path)

    listed = shop.run("exportjobs", "vendors", "--check", "--json")
    tested = shop.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    checked = shop.run("python", "-m", "mypy", "--no-incremental")

    vendors = {one["vendor"]: one for one in map(json.loads, listed.splitlines())}
    assert set(vendors) == {"acme", "clari", "closient", "csv", "demandbase", "demandbase-v1"}
    assert vendors["acme"]["distribution"] == "exportjobs-acme"
    assert vendors["acme"]["kinds"] == {"report": "Export one report as a CSV file."}
    assert " passed" in tested
    assert "skipped" not in tested
    assert "no issues found" in checked

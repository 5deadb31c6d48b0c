"""What importing an adapter does, seen in an interpreter that has not imported it before."""

import importlib
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import ModuleType

from attrs import asdict

from exportjobs.testing._breach import Breach
from exportjobs.testing._modules import package_of
from exportjobs.testing._purity import Deed, deed
from exportjobs.testing._recorded import Recorded

_WITHIN = 60.0
_CHILD = f"import sys; from {__name__} import report; report(*sys.argv[1:])"


def check_import(recorded: Recorded) -> None:
    """Check that importing the adapter's module computes, and does nothing else."""
    name = type(recorded.adapter).__module__
    remedy = "the library imports adapters when it lists vendors: let modules define, and no more"
    found = _deed_of_importing(name, _root(sys.modules[name]))
    if found is not None:
        raise Breach(f"importing {name} {found.what} at {found.where}", remedy)


def _root(module: ModuleType) -> Path:
    """Return the folder from which a module is imported by its name."""
    file = Path(str(module.__file__)).with_suffix("")
    parts = module.__name__.split(".")
    if file.name == "__init__":
        file = file.parent
    if file.parts[-len(parts) :] != tuple(parts):
        remedy = "write it in a module of a package, as an entry point needs one"
        raise Breach(f"the adapter's module {module.__name__} cannot be imported by name", remedy)
    return file.parents[len(parts) - 1]


def _deed_of_importing(name: str, root: Path) -> Deed | None:
    command = [sys.executable, "-c", _CHILD, name, json.dumps([str(root), *sys.path])]
    remedy = "see to it that `import` alone works, at once and without anything set up before"
    try:
        done = subprocess.run(  # noqa: S603 - this module, on the adapter's
            command, capture_output=True, text=True, timeout=_WITHIN, check=True
        )
    except subprocess.TimeoutExpired:
        raise Breach(f"importing {name} takes more than {_WITHIN:g} s", remedy) from None
    except subprocess.CalledProcessError as failed:
        reason = failed.stderr.strip().rpartition("\n")[2]
        raise Breach(f"{name} cannot be imported on its own ({reason})", remedy) from None
    found = json.loads(done.stdout.rpartition("\n")[2])
    return None if found is None else Deed(**found)


def report(name: str, search_path: str) -> None:
    """Import a module, found along some folders in JSON, and print the first thing it does."""
    sys.path[:] = json.loads(search_path)
    found = deed(partial(importlib.import_module, name), package_of(name))
    sys.stdout.write(f"\n{json.dumps(found and asdict(found))}")

"""Check what importing an adapter does, in a new interpreter."""

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
    """Check that importing the adapter's module does no I/O."""
    name = type(recorded.adapter).__module__
    remedy = "define functions and classes in modules, and do no work at import"
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
        remedy = "move it into a module of a package: an entry point needs one"
        raise Breach(f"the adapter's module {module.__name__} cannot be imported by name", remedy)
    return file.parents[len(parts) - 1]


def _deed_of_importing(name: str, root: Path) -> Deed | None:
    command = [sys.executable, "-c", _CHILD, name, json.dumps([str(root), *sys.path])]
    remedy = "make `import` work by itself, quickly and without any preparation"
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
    """Import a module, with a search path in JSON, and print the first side effect of it."""
    sys.path[:] = json.loads(search_path)
    found = deed(partial(importlib.import_module, name), package_of(name))
    sys.stdout.write(f"\n{json.dumps(found and asdict(found))}")

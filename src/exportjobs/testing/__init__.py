"""Tools for tests: of this library, of adapters, and of ETL code that runs exports.

`AdapterContract` and `Recorded` check an adapter against what the library expects of it.
`ScriptedVendor` and `ManualClock` replace a vendor and the clock. The pytest fixture
`export_sandbox`, whose plugin is this package, runs the four vendors on this machine.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exportjobs.testing._contract import AdapterContract
    from exportjobs.testing._loopback_server import Asked
    from exportjobs.testing._manual_clock import ManualClock
    from exportjobs.testing._recorded import Answer, Answers, Recorded
    from exportjobs.testing._sandbox import ExportSandbox
    from exportjobs.testing._scripted_vendor import OffScript, Reply, ScriptedVendor

__all__ = [
    "AdapterContract",
    "Answer",
    "Answers",
    "Asked",
    "ExportSandbox",
    "ManualClock",
    "OffScript",
    "Recorded",
    "Reply",
    "ScriptedVendor",
]

_MODULES = {
    "AdapterContract": "_contract",
    "Answer": "_recorded",
    "Answers": "_recorded",
    "Asked": "_loopback_server",
    "ExportSandbox": "_sandbox",
    "ManualClock": "_manual_clock",
    "OffScript": "_scripted_vendor",
    "Recorded": "_recorded",
    "Reply": "_scripted_vendor",
    "ScriptedVendor": "_scripted_vendor",
}
_EXTRAS = {"hypothesis", "pytest"}

# Hidden from type checkers, which would take it to mean that every name exists.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Return one of the names, importing its module.

        Raises:
            ImportError: If it needs pytest or hypothesis, and that is not installed.
        """
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        except ModuleNotFoundError as missing:
            if missing.name not in _EXTRAS:
                raise
            remedy = "pip install pytest hypothesis"
            raise ImportError(f"{__name__}.{name} needs {missing.name}: {remedy}") from None
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        """Return the public names, even those that were not used yet."""
        return sorted({*globals(), *__all__})

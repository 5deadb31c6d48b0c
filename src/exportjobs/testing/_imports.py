"""What an adapter takes from the library."""

import ast
from collections.abc import Iterator
from inspect import getsource
from types import ModuleType

from exportjobs.testing._breach import Breach
from exportjobs.testing._modules import modules_of
from exportjobs.testing._recorded import Recorded

_LIBRARY = "exportjobs"
_CONTRACT = "exportjobs.adapter"
_ALLOWED = {_CONTRACT, "exportjobs.testing"}
"""A recording may stand beside its adapter."""


def check_imports(recorded: Recorded) -> None:
    """Check that the adapter's modules import `exportjobs.adapter` and nothing else of ours."""
    for name, module in modules_of(type(recorded.adapter)).items():
        for line, imported in _imports(module):
            if imported.partition(".")[0] == _LIBRARY and imported not in _ALLOWED:
                mistake = f"{name} imports {imported} in line {line}"
                remedy = f"import from {_CONTRACT}: everything else may change at any time"
                raise Breach(mistake, remedy)


def _imports(module: ModuleType) -> Iterator[tuple[int, str]]:
    """Yield the modules that a module imports when it runs, each with its line."""
    try:
        source = getsource(module)
    except (OSError, TypeError):  # it has none: another test says that it needs a file
        return
    for node in _run(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.lineno, _taken(node.module or "", one.name)) for one in node.names)


def _taken(module: str, name: str) -> str:
    """Return the module that `from module import name` takes."""
    whole = f"{module}.{name}"
    return whole if whole in _ALLOWED else module


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is in it, but for what only type checkers read."""
    yield node
    skipped = node.body if isinstance(node, ast.If) and _is_for_checkers(node.test) else []
    for child in ast.iter_child_nodes(node):
        if child not in skipped:
            yield from _run(child)


def _is_for_checkers(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}

"""Where references lead that autodoc writes: to public names, and to Python's own documentation."""

import builtins
import sys
from importlib import import_module
from types import BuiltinFunctionType

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

PUBLIC = ("exportjobs", "exportjobs.adapter", "exportjobs.testing", "exportjobs.sandbox")
_PYTHON = "https://docs.python.org/3/library/"


def public_name(target: str) -> str | None:
    """Return the full public name of what a reference may call by its private or its bare one."""
    _, _, bare = target.rpartition(".")
    for module in map(import_module, PUBLIC):
        if bare in module.__all__:
            return f"{module.__name__}.{bare}"
    return None


def python_page(target: str) -> str | None:
    """Return where Python's documentation tells of a name of the standard library."""
    if hasattr(builtins, target):
        return f"{_builtins_page(getattr(builtins, target))}.html#{target}"
    module, _, _ = target.rpartition(".")
    if module.partition(".")[0] in sys.stdlib_module_names:
        return f"{module}.html#{target}"
    return None


def _builtins_page(value: object) -> str:
    if isinstance(value, type) and issubclass(value, BaseException):
        return "exceptions"
    return "functions" if isinstance(value, BuiltinFunctionType) else "stdtypes"


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Return the reference that Sphinx could not resolve by itself, if it is one of these."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    if name := public_name(target):
        domain = env.domains.python_domain
        found = domain.objects.get(name) or domain.objects.get(_elsewhere(name))
        if found:
            uri = app.builder.get_relative_uri(node["refdoc"], found.docname)
            return nodes.reference("", "", content, internal=True, refuri=f"{uri}#{found.node_id}")
    if page := python_page(target):
        return nodes.reference("", "", content, internal=False, refuri=_PYTHON + page)
    return None


def _elsewhere(name: str) -> str:
    """Return the other name of what both the library and the adapter's part of it export."""
    return name.replace("exportjobs.", "exportjobs.adapter.", 1)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the resolver."""
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

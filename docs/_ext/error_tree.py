"""The errors, as the tree that they are and one by one, from the classes themselves."""

from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import exportjobs
from exportjobs.adapter import _errors


def children(error: type[Exception]) -> list[type[Exception]]:
    """Return the public errors whose nearest public ancestor this is, in the order defined."""
    public = (value for name, value in vars(_errors).items() if name in exportjobs.__all__)
    return [one for one in public if isinstance(one, type) and _parent(one) is error]


def _parent(error: type[Exception]) -> type[Exception] | None:
    ancestors = error.__mro__[1:]
    return next((one for one in ancestors if one.__name__ in exportjobs.__all__), None)


class ErrorTree(SphinxDirective):
    """`{error-tree}`: every error below the one they all are, with what else it is."""

    def run(self) -> list[nodes.Node]:
        """Return the tree as a nested list."""
        return self.parse_text_to_nodes("\n".join(_lines(exportjobs.ExportJobsError)))


class ErrorReference(SphinxDirective):
    """`{error-reference}`: every error, in the order of the tree."""

    def run(self) -> list[nodes.Node]:
        """Return what autodoc makes of them."""
        lines = [f".. autoexception:: exportjobs.{one.__name__}" for one in _all()]
        return self.parse_text_to_nodes("\n".join(["```{eval-rst}", *lines, "```"]))


def _all(error: type[Exception] = exportjobs.ExportJobsError) -> Iterator[type[Exception]]:
    yield error
    for child in children(error):
        yield from _all(child)


def _lines(error: type[Exception], depth: int = 0) -> Iterator[str]:
    summary = (error.__doc__ or "").partition("\n")[0]
    also = [one.__name__ for one in error.__bases__ if one.__module__ == "builtins" and depth]
    kind = f" (also a `{'`, `'.join(also)}`)" if also else ""
    yield f"{'  ' * depth}- {{py:class}}`~exportjobs.{error.__name__}`{kind}: {summary}"
    for child in children(error):
        yield from _lines(child, depth + 1)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("error-tree", ErrorTree)
    app.add_directive("error-reference", ErrorReference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

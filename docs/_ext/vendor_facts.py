"""What the adapters themselves say of their vendors: words, limits, abilities and environment."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from exportjobs import JobStatus, installed, load_adapter
from exportjobs.adapter import Adapter
from exportjobs.cli._credentials import variables

_MINUTE = 60.0

_ABILITIES = {
    "list_jobs": "list",
    "cancel": "cancel",
    "limits": "tell limits",
    "sign_in": "sign in for a token",
}


def vendors() -> Mapping[str, type[Adapter]]:
    """Return the adapters that come with the library, by vendor."""
    ours = (one.vendor for one in installed().values() if one.distribution == "exportjobs")
    return {vendor: load_adapter(vendor) for vendor in ours}


class VendorOverview(SphinxDirective):
    """`{vendor-overview}`: a row for each vendor, which leads to its page."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        rows = [
            f"| [{vendor}]({vendor}.md) | {', '.join(one.kinds())} | {_abilities(one)} |"
            for vendor, one in vendors().items()
        ]
        heads = ["| vendor | exports | can also |", "|---|---|---|"]
        return self.parse_text_to_nodes("\n".join([*heads, *rows]))


class VendorFacts(SphinxDirective):
    """`{vendor-facts} VENDOR`: a table of what one adapter says."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        vendor = self.arguments[0]
        rows = [f"| {name} | {value} |" for name, value in _facts(vendor, load_adapter(vendor))]
        return self.parse_text_to_nodes("\n".join(["| | |", "|---|---|", *rows]))


def _facts(vendor: str, adapter: type[Adapter]) -> Iterator[tuple[str, str]]:
    yield "adapter", _class(adapter)
    yield "on the command line", f"`exportjobs run {vendor}`"
    yield "environment", ", ".join(f"`{one.name}`" for one in variables(vendor, adapter))
    yield "can also", _abilities(adapter)
    if adapter.slots is not None:
        yield "jobs at once", str(adapter.slots)
    if adapter.budgets:
        yield "requests", "; ".join(map(str, adapter.budgets))
    yield "first guess of a job's length", _spoken(adapter.polling.typical_duration)
    yield "between two questions, at least", _spoken(adapter.polling.min_interval)


def _class(adapter: type[Adapter]) -> str:
    return f"{{py:class}}`{_name(adapter)}`"


def _name(adapter: type[Adapter]) -> str:
    """Return the name under which an adapter's package exports it."""
    return f"{adapter.__module__.partition('.')[0]}.{adapter.__name__}"


def _abilities(adapter: type[Adapter]) -> str:
    able = adapter.capabilities()
    return ", ".join(word for flow, word in _ABILITIES.items() if flow in able) or "nothing else"


def _spoken(time: timedelta) -> str:
    seconds = time.total_seconds()
    return f"{seconds:g} s" if seconds < _MINUTE else f"{seconds / _MINUTE:g} min"


class StatusWords(SphinxDirective):
    """`{status-words} VENDOR…`: which of the vendors' words stand for which of our five."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table, with a column for each vendor."""
        wanted = vendors()
        if self.arguments:
            wanted = {vendor: wanted[vendor] for vendor in self.arguments}
        rows = [
            f"| `{status}` | {' | '.join(_words(one, status) for one in wanted.values())} |"
            for status in JobStatus
        ]
        heads = [f"| ours | {' | '.join(wanted)} |", "|---" * (1 + len(wanted)) + "|"]
        return self.parse_text_to_nodes("\n".join([*heads, *rows]))


def _words(adapter: type[Adapter], status: JobStatus) -> str:
    words: tuple[str, ...] = getattr(adapter.statuses, status.value)
    return ", ".join(f"`{word}`" for word in words)


class VendorKinds(SphinxDirective):
    """`{vendor-kinds} VENDOR`: the adapter's constructor and its kinds of export."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return what autodoc makes of them."""
        adapter = load_adapter(self.arguments[0])
        lines = [
            "```{eval-rst}",
            f".. autoclass:: {_name(adapter)}",
            f"   :members: {', '.join(adapter.kinds())}",
            "```",
        ]
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("vendor-overview", VendorOverview)
    app.add_directive("vendor-facts", VendorFacts)
    app.add_directive("status-words", StatusWords)
    app.add_directive("vendor-kinds", VendorKinds)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""The command line's reference, from the commands as cyclopts reads them off their functions."""

from collections.abc import Iterator, Sequence
from inspect import Parameter
from typing import Literal, get_args, get_origin

from attrs import frozen
from cyclopts import App
from cyclopts.argument import Argument
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from exportjobs.cli._app import app as application
from exportjobs.cli._help import kind_of, label, usage
from exportjobs.cli._text import description

SHARED = "Landing"
"""The group of options that all the exports have: they are told of once, with `run`."""


@frozen
class Command:
    """A command, by the words that call it."""

    words: tuple[str, ...]
    app: App
    arguments: tuple[Argument, ...] = ()

    @property
    def own(self) -> tuple[Argument, ...]:
        """The arguments that no other command shares."""
        return tuple(one for one in self.arguments if not is_shared(one))

    @property
    def shared(self) -> tuple[Argument, ...]:
        """The arguments that it has with others."""
        return tuple(one for one in self.arguments if is_shared(one))

    @property
    def program(self) -> str:
        """The words on one line."""
        return " ".join(("exportjobs", *self.words))

    @property
    def text(self) -> str:
        """What it does, without what its arguments are."""
        return description(self.app.help)


def is_shared(argument: Argument) -> bool:
    """Return whether an argument is one of those that all the exports have."""
    groups = argument.parameter.group
    return isinstance(groups, tuple) and any(str(group.name) == SHARED for group in groups)


def commands(app: App = application, words: tuple[str, ...] = ()) -> Iterator[Command]:
    """Yield every command, those that only hold others among them, in the order registered."""
    for name in app:
        if name.startswith("-"):
            continue
        inner = app[name]
        found = Command((*words, name), inner)
        if inner.default_command is None:
            yield found
            yield from commands(inner, found.words)
        else:
            yield Command(found.words, inner, _arguments(found))


def _arguments(command: Command) -> tuple[Argument, ...]:
    with application.app_stack(list(command.words)):
        everything = command.app.assemble_argument_collection(parse_docstring=True)
    return tuple(one for one in everything if one.show)


class CommandReference(SphinxDirective):
    """`{command-reference} PREFIX`: the commands that begin with these words, their options too."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return a section for each command."""
        wanted = tuple(self.arguments[0].split()) if self.arguments else ()
        found = [one for one in commands() if one.words[: len(wanted)] == wanted]
        lines = [line for one in found for line in _section(one)]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _section(command: Command) -> Iterator[str]:
    yield from ("#" * (1 + len(command.words)) + f" {command.program}", "", command.text, "")
    if command.arguments:
        yield from ("```text", usage((command.program,), command.arguments), "```", "")
    yield from _options(command.program, command.own)
    if command.words == ("run",):
        yield from ("Every export takes, whatever its vendor:", "")
        shared = next(one.shared for one in commands() if one.shared)
        yield from _options(command.program, shared)


def _options(program: str, arguments: Sequence[Argument]) -> Iterator[str]:
    yield from (f"```{{program}} {program}", "```", "")
    for one in arguments:
        yield from (f"````{{option}} {_signature(one)}", _explained(one), "````", "")


def _signature(argument: Argument) -> str:
    """Return an option as Sphinx takes it, such as "--poll-interval <SECONDS>"."""
    *_, last = label(argument).split(", ")
    _, _, value = last.partition(" ")
    return ", ".join(f"{name} <{value}>" if value else name for name in argument.names)


def _explained(argument: Argument) -> str:
    text = " ".join(str(argument.parameter.help or "").split())
    return " ".join(filter(None, [text, *_facts(argument)]))


def _facts(argument: Argument) -> Iterator[str]:
    kind, default = kind_of(argument.hint), argument.field_info.default
    if get_origin(kind) is Literal:
        yield f"One of {', '.join(f'`{one}`' for one in get_args(kind))}."
    if argument.required:
        yield "*Required.*"
    elif default not in (None, False, Parameter.empty, ()):
        yield f"*Default:* `{_shown(default)}`"


def _shown(default: object) -> object:
    if isinstance(default, float):
        return f"{default:g}"
    return ", ".join(map(str, default)) if isinstance(default, tuple) else default


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("command-reference", CommandReference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

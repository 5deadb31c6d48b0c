"""Help texts. cyclopts has its own, which take as long to import and to draw as all the rest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from inspect import Parameter
from pathlib import Path
from textwrap import wrap
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Union, cast, get_args, get_origin

from cyclopts import App, Argument
from rich.text import Text

from exportjobs.cli._text import arguments as described
from exportjobs.cli._text import description, summary

if TYPE_CHECKING:
    from rich.console import Console

Entry: TypeAlias = tuple[str, str]
"""What is typed, and what that means."""
_WIDEST = 100
_WIDEST_LABEL = 32
_GAP = 2
_TITLES = {"": "Options", "Parameters": "Options"}
_VALUES = {int: "NUMBER", float: "NUMBER", str: "TEXT", Path: "PATH"}


def print_help(
    words: Sequence[str],
    command: App,
    sections: Mapping[str, Sequence[Entry]] | None,
    console: "Console",
) -> None:
    """Print the page of a command.

    Args:
        words: How it is typed.
        command: The command; its arguments are read in the context of the application.
        sections: The commands in it, by title; None where they, or its arguments, are to be read.
        console: Where to print.
    """
    if command.default_command is None:
        typed = " ".join([*words, "COMMAND"])
        sections = sections or {"Commands": _commands(command)}
    else:
        arguments = [one for one in command.assemble_argument_collection() if one.show]
        typed = usage(words, arguments)
        sections = _options(arguments, described(command.default_command.__doc__))
    width = min(console.width, _WIDEST)
    page = [Text.assemble(("Usage: ", "bold"), typed), Text()]
    for paragraph in filter(None, description(command.help).split("\n\n")):
        page += [*map(Text, wrap(paragraph, width)), Text()]
    for title, entries in sections.items():
        page += [Text(f"{title}:", "bold"), *_lines(entries, width), Text()]
    console.print(Text("\n").join(page[:-1]), soft_wrap=True)


def _commands(app: App) -> list[Entry]:
    return [(name, summary(app[name].help)) for name in app if not name.startswith("-")]


def _options(
    arguments: Iterable[Argument], texts: Mapping[str, str]
) -> Mapping[str, Sequence[Entry]]:
    """Return the arguments of a command, those of a group together."""
    groups: dict[str, list[Entry]] = {}
    for one in arguments:
        title = _title(one)
        text = texts.get(one.field_info.name, one.parameter.help or "")
        meaning = " ".join([*text.split(), *_facts(one)])
        groups.setdefault(title, []).append((label(one), meaning))
    return groups


def _lines(entries: Sequence[Entry], width: int) -> Iterator[Text]:
    widest = min(max(len(label) for label, _ in entries), _WIDEST_LABEL, width // 3)
    column = _GAP + widest + _GAP
    for label, meaning in entries:
        first, *others = wrap(meaning, width - column) or [""]
        styled = Text(" " * _GAP).append(label, "cyan")
        if len(label) > widest:
            yield styled
            yield Text(" " * column + first)
        else:
            yield styled.append(" " * (column - len(styled)) + first)
        yield from (Text(" " * column + other) for other in others)


def usage(words: Sequence[str], arguments: Sequence[Argument]) -> str:
    """Return how a command is typed: what it must have, and whether it may have more."""
    places = [_place(one) for one in arguments if has_place(one)]
    needed = [label(one) for one in arguments if one.required and not has_place(one)]
    rest = ["[OPTIONS]"] if len(places) + len(needed) < len(arguments) else []
    return " ".join([*words, *places, *needed, *rest])


def _title(argument: Argument) -> str:
    groups = argument.parameter.group
    title = str(getattr(groups[0], "name", "")) if isinstance(groups, tuple) else ""
    return _TITLES.get(title, title)


def has_place(argument: Argument) -> bool:
    """Return whether an argument is given by its place."""
    kinds = Parameter.POSITIONAL_ONLY, Parameter.VAR_POSITIONAL, Parameter.POSITIONAL_OR_KEYWORD
    kind = argument.field_info.kind
    return kind in kinds and (argument.required or kind is not Parameter.POSITIONAL_OR_KEYWORD)


def _place(argument: Argument) -> str:
    name = argument.name.lstrip("-").upper()
    is_several = argument.field_info.kind is Parameter.VAR_POSITIONAL
    return f"[{name}]..." if is_several else name


def label(argument: Argument) -> str:
    """Return an argument as it is typed, such as "--poll-interval SECONDS"."""
    if not argument.name.startswith("-"):
        return _place(argument)
    names = ", ".join(argument.names)
    typed = names if _is_flag(argument) else f"{names} {_value(argument)}"
    return f"{_place(argument)}, {names}" if has_place(argument) else typed


def _is_flag(argument: Argument) -> bool:
    return kind_of(argument.hint) is bool


def _value(argument: Argument) -> str:
    if isinstance(metavar := argument.parameter.metavar, str):
        return metavar
    kind = kind_of(argument.hint)
    if get_origin(kind) is Literal:
        return "CHOICE"
    return _VALUES.get(kind, "VALUE")


def kind_of(hint: Any) -> Any:  # noqa: ANN401 - a type, however it is made
    """Return what a value is, whether or not it may also be None, or one of several."""
    found = _without_none(hint)
    return kind_of(get_args(found)[0]) if get_origin(found) in {list, tuple} else found


def _without_none(hint: Any) -> Any:  # noqa: ANN401 - as above
    if get_origin(hint) not in {Union, UnionType}:
        return hint
    return next(one for one in get_args(hint) if one is not NoneType)


def _facts(argument: Argument) -> Iterator[str]:
    kind, default = kind_of(argument.hint), argument.field_info.default
    if get_origin(_without_none(argument.hint)) is list:
        yield "[may be repeated]"
    if get_origin(kind) is Literal:
        yield f"[choices: {', '.join(map(str, get_args(kind)))}]"
    if argument.required:
        yield "[required]"
    elif default not in (None, False, Parameter.empty, ()) and not isinstance(default, date):
        yield f"[default: {_shown(default)}]"


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return ", ".join(map(str, cast("tuple[object, ...]", default)))
    return f"{default:g}" if isinstance(default, float) else str(default)

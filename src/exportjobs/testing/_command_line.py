"""Check that an adapter's kinds of export can be run from the command line."""

import inspect

from exportjobs.adapter._adapter import ExportKind
from exportjobs.testing._annotations import sample
from exportjobs.testing._breach import Breach
from exportjobs.testing._recorded import Recorded

_EXTRA = {"cyclopts", "rich"}


def check_command_line(recorded: Recorded) -> None:
    """Check that each argument has a name and a type that can be written as text.

    If the command line is installed, its options for them are tried.
    """
    for kind in recorded.adapter.kinds().values():
        for argument in kind.signature.parameters.values():
            _check_argument(argument, kind)
    _check_options(recorded)


def _check_options(recorded: Recorded) -> None:
    try:
        from exportjobs.testing._options import check_options  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as missing:
        if missing.name not in _EXTRA:
            raise
    else:
        check_options(recorded)


def _check_argument(argument: inspect.Parameter, kind: ExportKind) -> None:
    if argument.kind not in {argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY}:
        mistake = f"{kind.name} takes {argument}, which has no name on the command line"
        raise Breach(mistake, "name each argument")
    if sample(argument.annotation) is None:
        mistake = f"{kind.name}'s {argument.name} cannot be given on the command line"
        remedy = "use str, int, float, bool, date, datetime, Literal, a Sequence of those, Mapping"
        raise Breach(mistake, remedy)

"""Check that kinds of export are documented, and reject invalid arguments."""

from collections.abc import Mapping
from datetime import date

from attrs import evolve

from exportjobs._http.origins import below
from exportjobs.adapter._adapter import Export, ExportKind
from exportjobs.adapter._errors import ExportJobsError, InvalidArgument
from exportjobs.adapter._structure import dump_json
from exportjobs.testing._annotations import sample
from exportjobs.testing._breach import Breach
from exportjobs.testing._recorded import Recorded
from exportjobs.testing._scenes import submitting

_HOSTILE: tuple[object, ...] = (
    *("", " ", "..", "a/../b", "two\nlines", "\ud800", -1, 0, 2**63, 10**400, 0.5, float("nan")),
    *(True, None, object(), [None], [""], [{"a": 1}], {"a": 1}, {1: 2}, date.min, date.max),
)


def check_documented(recorded: Recorded) -> None:
    """Check that the adapter and each of its kinds have a docstring."""
    cls = type(recorded.adapter)
    if not (vars(cls).get("__doc__") or "").strip():
        remedy = "write one: the command line shows its first line"
        raise Breach(f"{cls.__name__} has no docstring", remedy)
    for name, kind in cls.kinds().items():
        if not kind.summary:
            remedy = "write one: it is the help text on the command line"
            raise Breach(f"{cls.__name__}.{name} has no docstring", remedy)


def check_arguments(recorded: Recorded) -> None:
    """Check that an invalid argument is rejected before anything is sent."""
    for kind in recorded.adapter.kinds().values():
        for name in kind.signature.parameters:
            for value in _HOSTILE:
                export = _built(recorded, kind, {**_arguments(recorded, kind), name: value})
                if export is not None:
                    _check_sent(recorded, export, f"{kind.name}({name}={shown(value)})")


def shown(value: object) -> str:
    """Return a value's repr, shortened if it is long."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - half a line


def _arguments(recorded: Recorded, kind: ExportKind) -> Mapping[str, object]:
    if kind.name == recorded.export.kind:
        return recorded.export.arguments
    return {
        argument.name: sample(argument.annotation)
        for argument in kind.signature.parameters.values()
        if argument.default is argument.empty
    }


def _built(recorded: Recorded, kind: ExportKind, arguments: Mapping[str, object]) -> Export | None:
    """Return the export with some arguments; None if they are rejected as they should be."""
    call = ", ".join(f"{name}={shown(value)}" for name, value in arguments.items())
    try:
        return kind.bind(recorded.adapter, **arguments)
    except InvalidArgument as error:
        if error.field not in kind.signature.parameters:
            remedy = "name the argument as the signature does: self.invalid(argument, ...)"
            mistake = f"{kind.name}({call}) is rejected for an argument {error.field!r}"
            raise Breach(mistake, remedy) from None
        return None
    except Exception as error:
        remedy = "check arguments before the first yield, with `raise self.invalid(...)`"
        mistake = f"{kind.name}({call}) raises {type(error).__name__}: {error}"
        raise Breach(mistake, remedy) from error


def _check_sent(recorded: Recorded, export: Export, call: str) -> None:
    """Check that accepted arguments can be sent, and are not rejected after that."""
    request = next(export.submit())
    try:
        below(recorded.adapter.base_url, request.path)
        dump_json(request.json)
    except (ExportJobsError, TypeError):
        remedy = "build paths with path(), which quotes, and reject what would change the path"
        raise Breach(f"{call} makes a request that cannot be sent", remedy) from None
    scene = submitting(evolve(recorded, export=export))
    error = scene.hear(scene.answers).error
    if isinstance(error, InvalidArgument):
        remedy = "check arguments before the first yield"
        raise Breach(f"{call} is rejected only after a request was sent", remedy)

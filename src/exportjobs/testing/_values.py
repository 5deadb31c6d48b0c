"""Check that values are of their declared types, in UTC, and immutable."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin

from attrs import fields, frozen, has

from exportjobs._http.origins import check_encrypted
from exportjobs.adapter import Adapter
from exportjobs.adapter._errors import ResponseError, UntrustedAddress
from exportjobs.adapter._job import Artifact
from exportjobs.adapter._terms import Budget, PollPolicy
from exportjobs.testing._breach import Breach
from exportjobs.testing._recorded import Recorded
from exportjobs.testing._scenes import jobs, scenes

_DIGESTS = {"md5": 32, "sha256": 64}
_VENDOR = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CHANGEABLE: tuple[type, ...] = (dict, list, set, bytearray)


@frozen
class _Terms:
    """The terms of a vendor, from its adapter's class."""

    vendor: str
    api_version: int
    polling: PollPolicy
    slots: int | None
    budgets: tuple[Budget, ...]
    error_codes: Mapping[str, type[ResponseError]]


def check_terms(recorded: Recorded) -> None:
    """Check the terms of the vendor in the adapter's class."""
    adapter = recorded.adapter
    terms = {name: getattr(adapter, name) for name in fields_by_name(_Terms)}
    for problem in misfits(_Terms(**terms), "the adapter's"):
        raise Breach(problem, "declare it as exportjobs.adapter.Adapter does")
    if not _VENDOR.fullmatch(adapter.vendor):
        remedy = "use lower case, digits and hyphens: commands and variables are named after it"
        raise Breach(f"the vendor's name {adapter.vendor!r} is not valid", remedy)


def check_frozen(recorded: Recorded) -> None:
    """Check that the adapter and its values are immutable."""
    adapter = recorded.adapter
    for name in fields_by_name(type(adapter)):
        value = getattr(adapter, name)
        if isinstance(value, _CHANGEABLE):
            found = type(value).__name__
            raise Breach(f"the adapter's {name} is a mutable {found}", "use a tuple")
        if _takes(adapter, name, value):
            raise Breach(f"the adapter's {name} can be set", "decorate the class with @frozen")


def check_well_formed(recorded: Recorded) -> None:
    """Check that the results of flows are of their declared types, with times in UTC."""
    for scene in scenes(recorded):
        for one in scene.results(scene.play().outcome):
            for problem in misfits(one, f"{scene.name}: the {type(one).__name__}'s"):
                remedy = "read answers with structure() or Response.body(), which check types"
                raise Breach(problem, remedy)


def misfits(value: object, whose: str) -> Iterator[str]:
    """Yield what is wrong with the members of a value, and with theirs."""
    for name, annotation in fields_by_name(type(value)).items():
        yield from _misfit(getattr(value, name), annotation, f"{whose} {name}")


def fields_by_name(cls: type[Any]) -> Mapping[str, Any]:
    """Return the annotations of an attrs class by field."""
    return {field.name: field.type for field in fields(cls)}


def _misfit(value: Any, annotation: Any, what: str) -> Iterator[str]:  # noqa: ANN401 - of any type
    kind: type[Any] = value.__class__
    is_union = get_origin(annotation) in {Union, UnionType}
    choices = get_args(annotation) if is_union else (annotation,)
    wanted = next((one for one in choices if _is(value, one)), None)
    if wanted is None:
        expected = " or ".join(map(_name_of_type, choices))
        yield f"{what} is {_name_of_type(kind)}, not {expected}"
    elif get_origin(wanted) is tuple and isinstance(value, tuple):
        for item in cast("tuple[object, ...]", value):
            yield from _misfit(item, get_args(wanted)[0], f"an item of {what}")
    elif isinstance(value, datetime) and value.utcoffset() != timedelta(0):
        yield f"{what} is a time that is not in UTC"
    elif has(kind):
        yield from misfits(value, f"{what}'s")


def _is(value: object, annotation: Any) -> bool:  # noqa: ANN401 - a type
    kind = get_origin(annotation) or annotation
    if isinstance(value, bool):
        return kind in {bool, object}
    return isinstance(value, int | float if kind is float else kind)


def _name_of_type(annotation: Any) -> str:  # noqa: ANN401 - a type
    return getattr(get_origin(annotation) or annotation, "__name__", "None")


def check_artifacts(recorded: Recorded) -> None:
    """Check that each recorded job's artifacts can be downloaded and have part numbers."""
    for word, job in jobs(recorded).items():
        for artifact in job.artifacts:
            _check_artifact(artifact, f"the artifact in state {word!r}")
        parts = {artifact.part for artifact in job.artifacts}
        if len(job.artifacts) > 1 and (None in parts or len(parts) < len(job.artifacts)):
            remedy = "number them from 1: Artifact(..., part=number)"
            raise Breach(f"the artifacts in state {word!r} have no part numbers", remedy)


def _check_artifact(artifact: Artifact, which: str) -> None:
    try:
        if not artifact.authenticated:
            check_encrypted(artifact.url)
    except UntrustedAddress as error:
        remedy = "pass a complete https URL, or a path and authenticated=True"
        raise Breach(f"{which} cannot be downloaded ({error.reason})", remedy) from None
    if artifact.size is not None and artifact.size < 0:
        raise Breach(f"{which} has a size below 0", "leave it out if the vendor does not say it")
    for name, length in _DIGESTS.items():
        digest: str | None = getattr(artifact, name)
        if digest is not None and not re.fullmatch(f"[0-9a-fA-F]{{{length}}}", digest):
            remedy = f"pass {length} hexadecimal digits, or leave it out"
            raise Breach(f"{which} has a wrong {name}", remedy)


def _takes(adapter: Adapter, name: str, value: object) -> bool:
    try:
        setattr(adapter, name, value)
    except AttributeError:
        return False
    return True

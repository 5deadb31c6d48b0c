"""Credentials from the environment, by the names of the adapter's own arguments."""

from collections.abc import Mapping

from attrs import NOTHING, Attribute, fields, frozen

from exportjobs.adapter import Adapter
from exportjobs.adapter._errors import InvalidArgument


@frozen
class Variable:
    """An environment variable, and the adapter's argument that it stands for."""

    name: str
    argument: str
    required: bool


def variables(vendor: str, adapter: type[Adapter]) -> tuple[Variable, ...]:
    """Return the environment variables of a vendor, such as CLARI_API_KEY for its `api_key`."""
    return tuple(
        Variable(_variable(vendor, field.name), field.name, field.default is NOTHING)
        for field in _arguments(adapter)
    )


def adapter_from_environment(
    vendor: str, adapter: type[Adapter], environment: Mapping[str, str], *, name: str
) -> Adapter:
    """Return an adapter whose arguments were taken from the environment.

    Raises:
        InvalidArgument: If one is missing or cannot be right, naming its variable or option.
    """
    known = variables(vendor, adapter)
    for variable in known:
        if variable.required and not environment.get(variable.name):
            raise InvalidArgument(
                variable.argument, "is missing", vendor=vendor, remedy=f"set {variable.name}"
            )
    given = {v.argument: environment[v.name] for v in known if environment.get(v.name)}
    try:
        return adapter(**given, name=name)
    except InvalidArgument as error:
        sources = {**{v.argument: v.name for v in known}, "name": "--account"}
        read_from = sources.get(error.field)
        if not read_from:
            raise
        reason = error.reason.removeprefix(f"{error.field}: ")
        remedy = f"{error.remedy} (in {read_from})"
        raise InvalidArgument(error.field, reason, vendor=vendor, remedy=remedy) from None


def _arguments(adapter: type[Adapter]) -> "list[Attribute[object]]":
    return [field for field in fields(adapter) if field.init and field.name != "name"]


def _variable(vendor: str, argument: str) -> str:
    return f"{vendor}_{argument}".replace("-", "_").upper()

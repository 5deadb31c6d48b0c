"""What the options of a command are made of, and those that every export has."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from attrs import field, frozen


def _about(help_: str, metavar: str | None = None) -> dict[str, str | None]:
    return {"help": help_, "metavar": metavar}


@frozen(kw_only=True)
class Landing:
    """The options that every export has, whatever its vendor."""

    into: str = field(
        metadata=_about(
            "A folder, created if needed, or a bucket such as s3://reports/daily.", "PLACE"
        )
    )
    unpack: bool = field(
        default=False, metadata=_about("Extract zip and tar archives next to them.")
    )
    account: str = field(
        default="default",
        metadata=_about("A name for the account, used in job refs and file names.", "NAME"),
    )
    poll_interval: float | None = field(
        default=None,
        metadata=_about("The time between two polls; adaptive if not given.", "SECONDS"),
    )
    deadline: float = field(
        default=86400.0, metadata=_about("The longest time to wait for the job.", "SECONDS")
    )
    on_exit: Literal["detach", "cancel"] = field(
        default="detach",
        metadata=_about("On Ctrl-C, leave the job running at the vendor, or cancel it."),
    )
    ledger: Path | None = field(
        default=None,
        metadata=_about("An SQLite file that records the export; EXPORTJOBS_LEDGER if not given."),
    )
    run_key: str | None = field(
        default=None,
        metadata=_about(
            "A name for the run, such as its date. With a ledger, runs of the same name submit "
            "and land each export only once.",
            "NAME",
        ),
    )
    as_json: bool = field(
        default=False, metadata=_about("Print one JSON object instead of a table.")
    )


def is_json(annotation: object) -> bool:
    """Return whether an argument of this type is written in JSON: a mapping, or several."""
    wanted = without_none(annotation)
    if get_origin(wanted) is Sequence:
        (wanted,) = get_args(wanted)
    return get_origin(wanted) is Mapping


def without_none(annotation: object) -> Any:  # noqa: ANN401 - a type, however it is made
    """Return the type of an argument that may be left out."""
    if get_origin(annotation) not in {Union, UnionType}:
        return annotation
    kinds = [one for one in get_args(annotation) if one is not NoneType]
    return kinds[0] if len(kinds) == 1 else annotation

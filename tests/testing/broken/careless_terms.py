"""Acme, where what the adapter says of itself and of its arguments is wrong in one way each."""

from collections.abc import Sequence
from typing import Any, ClassVar

from attrs import frozen as frozen_as

from exportjobs.adapter import (
    ExportJob,
    Flow,
    Request,
    StatusMap,
    export,
    field,
    frozen,
)

from .sound import Acme


@frozen
class Shouting(Acme):
    """The vendor's name is no word for a command line."""

    vendor: ClassVar[str] = "Acme Inc."


@frozen
class Undecided(Acme):
    """The pace is a number."""

    polling: ClassVar[Any] = 30


@frozen
class Wordless(Acme):  # noqa: D101 - that is the mistake
    pass


@frozen
class Wordy(Acme):
    """A kind of export has no docstring."""

    @export
    def invoice(self) -> Flow[ExportJob]:  # noqa: D102 - that is the mistake
        return self.report("invoice").submit()


@frozen
class Listing(Acme):
    """A list may be added to."""

    tags: list[str] = field(factory=list[str], kw_only=True)


@frozen_as(repr=False)
class Talkative(Acme):
    """A repr of its own shows the token."""

    def __repr__(self) -> str:
        """Return everything there is."""
        return f"Talkative({self.token})"


@frozen
class Late(Acme):
    """An argument is looked at when the answer has come."""

    @export
    def summary(self, name: str) -> Flow[ExportJob]:
        """Export a summary."""
        reply = yield Request.post("/reports", json={"name": name})
        if not name.strip():
            raise self.invalid("name", "is blank", "pass a name")
        return self.described(reply.json())


@frozen
class Crashing(Acme):
    """An argument that is wrong makes the adapter stumble."""

    @export
    def summary(self, name: str) -> Flow[ExportJob]:
        """Export a summary."""
        reply = yield Request.post("/reports", json={"name": name, "first": name[0]})
        return self.described(reply.json())


@frozen
class Unquoted(Acme):
    """An argument stands in a path as it came."""

    @export
    def summary(self, name: str) -> Flow[ExportJob]:
        """Export a summary."""
        reply = yield Request.post(f"/reports/{name}")
        return self.described(reply.json())


@frozen
class Misnaming(Acme):
    """An argument is refused under another name."""

    @export
    def summary(self, name: str) -> Flow[ExportJob]:
        """Export a summary."""
        if not name.strip(". "):
            raise self.invalid("title", "is blank", "pass a title")
        reply = yield Request.post("/reports", json={"name": name})
        return self.described(reply.json())


@frozen
class Complex(Acme):
    """An argument cannot be written down."""

    @export
    def curve(self, origin: complex = 0j) -> Flow[ExportJob]:
        """Export a curve."""
        return self.report(str(origin)).submit()


@frozen
class Greedy(Acme):
    """An argument has the name of an option that every export has."""

    @export
    def folder(self, into: str = "x") -> Flow[ExportJob]:
        """Export a folder."""
        return self.report(into).submit()


@frozen
class Nameless(Acme):
    """Arguments have no names."""

    @export
    def several(self, *names: str) -> Flow[ExportJob]:
        """Export several reports."""
        return self.report("".join(names)).submit()


@frozen
class Ambiguous(Acme):
    """A word stands for two statuses."""

    words: ClassVar[StatusMap] = StatusMap(failed=("error",), cancelled=("ERROR",))


class Loosened(Acme):
    """The account's name can be set."""

    __setattr__ = object.__setattr__


@frozen
class Clashing(Acme):
    """An argument has the option by which every export is told to print JSON."""

    @export
    def summary(self, *, json: bool = True) -> Flow[ExportJob]:
        """Export a summary."""
        return self.report(str(json)).submit()


@frozen
class Columned(Acme):
    """No option says that there are to be no columns."""

    @export
    def table(self, *, columns: Sequence[str] = ("name",)) -> Flow[ExportJob]:
        """Export a table."""
        return self.report("table", columns=columns).submit()


@frozen
class Blank(Acme):
    """There may be no token."""

    token: str = field(default="none", repr=False)


@frozen
class Unencrypted(Acme):
    """The checks of every adapter are left out."""

    def __attrs_post_init__(self) -> None:
        """Check nothing."""

"""Acme, where a flow takes from the library what is not in the contract."""

from exportjobs.adapter import frozen

from .sound import Acme


@frozen
class Reaching(Acme):
    """Imports one of the library's own modules when it is used."""

    def explain(self) -> str:
        """Return the name of the module."""
        from exportjobs._schedule import clock  # noqa: PLC0415 - that is the mistake

        return clock.__name__

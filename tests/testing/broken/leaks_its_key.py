"""Acme, where the token is a field like any other: every repr shows it."""

from exportjobs.adapter import frozen

from .sound import Acme


@frozen
class Leaky(Acme):
    """One account at Acme."""

    token: str

"""A clock that stands still, an observer's notes, and a place for the ledger."""

from tests.support.paths import file
from tests.support.standing import clock, events, seen

__all__ = ["clock", "events", "file", "seen"]

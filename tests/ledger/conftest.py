"""A clock that stands still, an observer's notes, and Acme with vendors that answer in turn."""

from tests.support.standing import clock, events, seen

__all__ = ["clock", "events", "seen"]
